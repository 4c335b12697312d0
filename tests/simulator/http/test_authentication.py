"""Tokens, certificates and impersonation, through a socket."""

import json
import ssl
import urllib.error
import urllib.request
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
import yaml

from hourglass_simulator.cluster import Cluster
from hourglass_simulator.http.bodies import encoded
from hourglass_simulator.http.certificates import Authority
from hourglass_simulator.http.received import received
from hourglass_simulator.http.router import Router
from hourglass_simulator.http.served import Served, served
from hourglass_simulator.kubernetes.version import DEFAULT
from hourglass_simulator.protobuf import envelope

WHOAMI = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
ACCOUNTS = "/api/v1/namespaces/default/serviceaccounts"
MAPS = "/api/v1/namespaces/default/configmaps"


@pytest.fixture
def there() -> Iterator[Served]:
    cluster = Cluster()
    cluster.api.enable_rbac()
    with served(cluster, names=False) as found:
        yield found


def call(
    there: Served,
    method: str,
    path: str,
    body: Any = None,
    token: str = "",
    context: ssl.SSLContext | None = None,
) -> tuple[int, Any]:
    headers = {"Content-Type": "application/json"}
    headers |= {"Authorization": f"Bearer {token}"} if token else {}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(there.url + path, data, headers, method=method)
    handlers = [urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)]
    try:
        with urllib.request.build_opener(*handlers).open(request, timeout=300) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def user_of(there: Served, folder: Path) -> dict[str, str]:
    there.write_kubeconfig(folder / "config")
    found: dict[str, str] = yaml.safe_load((folder / "config").read_text())["users"][0]["user"]
    return found


def issued(there: Served, admin: str, **spec: Any) -> str:
    call(there, "POST", ACCOUNTS, {"metadata": {"name": "a"}}, admin)
    code, made = call(there, "POST", f"{ACCOUNTS}/a/token", {"spec": spec}, admin)
    assert code == 201, made
    token: str = made["status"]["token"]
    return token


def test_the_token_of_the_kubeconfig_is_the_only_one_that_is_known(
    there: Served, tmp_path: Path
) -> None:
    token = user_of(there, tmp_path)["token"]
    code, review = call(there, "POST", WHOAMI, {}, token)
    assert (code, review["status"]["userInfo"]["groups"][0]) == (201, "system:masters")
    assert call(there, "GET", MAPS, token="admin")[0] == 401
    assert call(there, "GET", MAPS)[0] == 403


def test_an_account_is_known_by_its_token_and_may_what_its_roles_say(
    there: Served, tmp_path: Path
) -> None:
    admin = user_of(there, tmp_path)["token"]
    token = issued(there, admin)
    _, review = call(there, "POST", WHOAMI, {}, token)
    user = review["status"]["userInfo"]
    assert user["username"] == "system:serviceaccount:default:a"
    assert user["groups"][1] == "system:serviceaccounts:default"
    assert user["extra"]["authentication.kubernetes.io/credential-id"][0].startswith("JTI=")
    assert call(there, "GET", MAPS, token=token)[0] == 403
    roles = "/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings"
    subject = {"kind": "ServiceAccount", "name": "a", "namespace": "default"}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"}
    binding = {"metadata": {"name": "a"}, "roleRef": role, "subjects": [subject]}
    assert call(there, "POST", roles, binding, admin)[0] == 201
    assert call(there, "GET", MAPS, token=token)[0] == 200
    assert call(there, "GET", f"{MAPS}?watch=1&timeoutSeconds=1", token="x.y.z")[0] == 401


def test_a_token_is_a_jwt_that_ends_with_its_account_and_its_time(
    there: Served, tmp_path: Path
) -> None:
    admin = user_of(there, tmp_path)["token"]
    token = issued(there, admin, expirationSeconds=600)
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] == 600
    assert claims["kubernetes.io"]["serviceaccount"]["name"] == "a"
    review = {"spec": {"token": token}}
    path = "/apis/authentication.k8s.io/v1/tokenreviews"
    assert call(there, "POST", path, review, admin)[1]["status"]["authenticated"] is True
    with there.lock:
        there.cluster.clock.run_until(there.cluster.clock.now + 700)
    error = call(there, "POST", path, review, admin)[1]["status"]["error"]
    assert error == "[invalid bearer token, service account token has expired]"
    young = issued(there, admin)
    call(there, "DELETE", f"{ACCOUNTS}/a", token=admin)
    assert call(there, "GET", MAPS, token=young)[0] == 401


def test_a_client_certificate_is_a_user_with_groups_and_a_uid(tmp_path: Path) -> None:
    cluster, authority = Cluster(), Authority()
    cluster.api.enable_rbac()
    with served(cluster, authority=authority, names=False) as there:
        user = user_of(there, tmp_path)
        context = ssl.create_default_context(cadata=authority.certificate.decode())
        assert call(there, "GET", MAPS, context=context)[0] == 403
        pair = tmp_path / "pair.pem"
        parts = user["client-certificate-data"], user["client-key-data"]
        pair.write_bytes(b"".join(b64decode(part) for part in parts))
        context.load_cert_chain(pair)
        code, review = call(there, "POST", WHOAMI, {}, context=context)
        groups = ["system:masters", "system:authenticated"]
        who = {"username": "admin", "uid": "admin", "groups": groups}
        assert (code, review["status"]["userInfo"]) == (201, who)
        assert call(there, "GET", MAPS, context=context)[0] == 200


PROTOBUF = "application/vnd.kubernetes.protobuf"


def test_kubectl_asks_in_protobuf(there: Served) -> None:
    asked = {"verb": "get", "resource": "pods", "namespace": "default"}
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "metadata": {},
        "spec": {"resourceAttributes": asked},
        "status": {"allowed": False},
    }
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    data = envelope.encode(DEFAULT, review)
    headers = {"Content-Type": PROTOBUF, "Accept": PROTOBUF}
    with there.lock:
        router = Router(there.cluster.api)
        answer = router.answer(received("POST", path, {}, headers, data))
    assert answer.code == 201
    sent = encoded(answer.body, answer.media, DEFAULT)
    found = envelope.decode(DEFAULT, envelope.opened(sent))
    assert found is not None
    assert found["status"]["allowed"] is True
