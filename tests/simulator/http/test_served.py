"""The server itself, through a socket."""

import json
import shutil
import ssl
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from hourglass_operator.api.crd import generate
from hourglass_simulator.apiserver import APIError
from hourglass_simulator.apiserver.calls import Call
from hourglass_simulator.cluster import Cluster
from hourglass_simulator.http.served import Served, served

MAPS = "/api/v1/namespaces/default/configmaps"
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@pytest.fixture
def there() -> Iterator[Served]:
    with served(Cluster(crd=generate())) as found:
        yield found


def call(
    there: Served, method: str, path: str, body: Any = None, user: str = ""
) -> tuple[int, Any]:
    headers = {"Authorization": f"Bearer {user}"} if user else {}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(there.url + path, data, headers, method=method)
    try:
        with DIRECT.open(request, timeout=300) as answer:
            code, text = answer.status, answer.read()
    except urllib.error.HTTPError as error:
        code, text = error.code, error.read()
    try:
        return code, json.loads(text)
    except ValueError:
        return code, text.decode()


def create(there: Served, name: str) -> None:
    assert call(there, "POST", MAPS, {"metadata": {"name": name}})[0] == 201


def watch(there: Served, path: str = MAPS, **query: str) -> Any:
    text = "&".join(f"{key}={value}" for key, value in {"watch": "true", **query}.items())
    return DIRECT.open(f"{there.url}{path}?{text}", timeout=300)


def names(lines: list[bytes]) -> list[tuple[str, str]]:
    events = [json.loads(line) for line in lines]
    return [(event["type"], event["object"]["metadata"]["name"]) for event in events]


def test_objects_and_plain_text(there: Served) -> None:
    assert call(there, "GET", "/healthz") == (200, "ok")
    create(there, "a")
    assert call(there, "GET", f"{MAPS}/a")[1]["metadata"]["name"] == "a"
    assert call(there, "GET", "/nope") == (404, "404 page not found\n")


class Busy:
    """Refuses every call, like the fault api-throttled."""

    def before(self, call: Call) -> None:
        raise APIError(429, "TooManyRequests", "later", {"retryAfterSeconds": 7})

    def after(self, call: Call) -> None:
        pass


@pytest.mark.parametrize("query", ["", "?watch=true"], ids=["of a list", "of a watch"])
def test_when_to_come_back_is_in_a_header(there: Served, query: str) -> None:
    there.cluster.api.interceptors.append(Busy())
    with pytest.raises(urllib.error.HTTPError) as refused:
        DIRECT.open(f"{there.url}{MAPS}{query}", timeout=300)
    assert (refused.value.code, refused.value.headers["Retry-After"]) == (429, "7")


def test_a_watch_tells_what_there_is_and_what_comes(there: Served) -> None:
    create(there, "a")
    with watch(there) as stream:
        assert names([stream.readline()]) == [("ADDED", "a")]
        create(there, "b")
        assert names([stream.readline()]) == [("ADDED", "b")]


def test_a_watch_ends_when_its_time_is_over(there: Served) -> None:
    with watch(there, resourceVersion=there.cluster.api.resource_version, timeoutSeconds="1") as s:
        assert s.read() == b""


def test_a_watch_ends_in_order_when_the_server_does() -> None:
    with served(Cluster()) as there:
        stream = watch(there)
    with stream:
        assert stream.read() == b""


def test_watches_can_be_dropped_and_the_past_forgotten(there: Served) -> None:
    version = there.cluster.api.resource_version
    create(there, "a")
    with watch(there, resourceVersion=there.cluster.api.resource_version) as stream:
        assert call(there, "POST", "/_simulator/watches/drop?forget=1")[0] == 200
        assert stream.read() == b""
    with watch(there, resourceVersion=version) as stream:
        assert json.loads(stream.readline())["object"]["code"] == 410


def test_the_watches_of_a_resource_end_with_its_definition(there: Served) -> None:
    path = "/apis/hourglass.eigenlayer.io/v1alpha1/performers"
    with watch(there) as others, watch(there, path=path) as stream:
        with there.lock:
            name = "performers.hourglass.eigenlayer.io"
            there.cluster.api.delete("customresourcedefinitions", "", name)
        assert stream.read() == b""
        create(there, "a")
        assert names([others.readline()]) == [("ADDED", "a")]


def test_the_token_is_the_user_whom_the_audit_names(there: Served) -> None:
    call(there, "POST", MAPS, {"metadata": {"name": "a"}}, user="bob")
    reported = [
        entry for entry in call(there, "GET", "/_simulator/audit")[1] if entry["name"] == "a"
    ]
    assert [(entry["user"], entry["verb"], entry["code"]) for entry in reported] == [
        ("bob", "create", 201)
    ]


def test_permissions_can_be_taken_and_given_back(there: Served) -> None:
    rule = "user=bob&verb=list&resource=configmaps"
    assert call(there, "POST", f"/_simulator/deny?{rule}")[0] == 200
    assert call(there, "GET", MAPS, user="bob")[0] == 403
    assert call(there, "POST", f"/_simulator/allow?{rule}")[0] == 200
    assert call(there, "GET", MAPS, user="bob")[0] == 200


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/_simulator/deny?user=bob", "expected in the query: verb, resource"),
        ("/_simulator/nope", "see docs/serve.md"),
    ],
)
def test_a_control_call_that_is_wrong_says_so(there: Served, path: str, said: str) -> None:
    code, text = call(there, "POST", path)
    assert code in (400, 404)
    assert said in text


def test_a_body_that_is_no_object_is_refused(there: Served) -> None:
    code, status = call(there, "POST", MAPS, ["a"])
    assert (code, status["reason"]) == (400, "BadRequest")


def test_a_kubeconfig_names_the_server_and_the_user(there: Served, tmp_path: Path) -> None:
    there.write_kubeconfig(tmp_path / "config", user="bob")
    config = yaml.safe_load((tmp_path / "config").read_text())
    assert config["clusters"][0]["cluster"] == {"server": there.url}
    assert config["users"][0]["user"] == {"token": "bob"}


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_over_tls_a_kubeconfig_names_the_certificate_too(tmp_path: Path) -> None:
    certificate, key = tmp_path / "server.crt", tmp_path / "server.key"
    subject = ("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1")
    made = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-noenc", *subject)
    subprocess.run([*made, "-out", certificate, "-keyout", key], check=True, capture_output=True)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate, key)
    with served(Cluster(crd=generate()), tls=tls) as there:
        there.write_kubeconfig(tmp_path / "config", authority=certificate)
        config = yaml.safe_load((tmp_path / "config").read_text())
        found = config["clusters"][0]["cluster"]
        context = ssl.create_default_context(cafile=found["certificate-authority"])
        with urllib.request.urlopen(f"{found['server']}/healthz", context=context) as answer:
            assert answer.read() == b"ok"


def test_a_port_that_is_taken_is_an_error(there: Served) -> None:
    port = int(there.url.rpartition(":")[2])
    with pytest.raises(OSError, match="address already in use"), served(Cluster(), port=port):
        pass


def test_what_is_played_is_played_to_its_end() -> None:
    done: list[float] = []
    cluster = Cluster()
    with served(cluster, speed=1000.0, play=lambda d: d.drive(50.0, lambda: False)) as found:
        assert found.finished.wait(300)
        done.append(cluster.clock.now)
    assert done[0] >= 50.0
