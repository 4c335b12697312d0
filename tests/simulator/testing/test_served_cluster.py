"""A served cluster, as programs and tests of operators use it."""

import base64
import json
import os
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from hourglass_simulator.testing import APIError, ServedCluster, options
from hourglass_simulator.testing.environment import lead_to

DIRECT_ONLY = urllib.request.ProxyHandler({})
DIRECT = urllib.request.build_opener(DIRECT_ONLY)
PODS = "/api/v1/namespaces/default/pods"
POD = """
apiVersion: v1
kind: Pod
metadata: {name: one}
spec: {containers: [{name: web, image: "nginx:1"}]}
"""


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[ServedCluster]:
    with ServedCluster.start(options({}), tmp_path / "kubeconfig") as found:
        yield found


def opened(cluster: ServedCluster, path: str, kubeconfig: Path | None = None) -> Any:
    """As a program whose kubeconfig it is."""
    file = kubeconfig or cluster.kubeconfig
    config = yaml.safe_load(file.read_text())
    user, there = config["users"][0]["user"], config["clusters"][0]["cluster"]
    request = urllib.request.Request(there["server"] + path)
    if "token" in user:
        request.add_header("Authorization", f"Bearer {user['token']}")
        return DIRECT.open(request, timeout=120)
    pair = file.with_suffix(".pem")
    parts = (user[f"client-{each}-data"] for each in ("key", "certificate"))
    pair.write_bytes(b"".join(map(base64.b64decode, parts)))
    authority = base64.b64decode(there["certificate-authority-data"]).decode()
    tls = ssl.create_default_context(cadata=authority)
    tls.load_cert_chain(pair)
    over_tls = urllib.request.HTTPSHandler(context=tls)
    return urllib.request.build_opener(DIRECT_ONLY, over_tls).open(request, timeout=120)


def code(cluster: ServedCluster, path: str, kubeconfig: Path | None = None) -> int:
    try:
        with opened(cluster, path, kubeconfig) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_a_program_sees_what_the_test_does(cluster: ServedCluster) -> None:
    cluster.apply(POD)
    cluster.assert_condition("Pod", "one")
    with opened(cluster, PODS) as answer:
        [pod] = json.load(answer)["items"]
    assert pod["status"] == cluster.get("Pod", "one")["status"]


def test_a_wait_is_over_long_before_its_time(
    cluster: ServedCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hourglass_simulator.testing.served_cluster.WALL_SECONDS", 0.1)
    cluster.inject("image-missing")
    cluster.apply(POD)
    before = cluster.now
    with pytest.raises(AssertionError, match="within 10h of the cluster's time"):
        cluster.assert_condition("Pod", "one", within="10h")
    assert cluster.now - before >= 36_000


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_wait_ends_when_a_component_of_the_cluster_fails(cluster: ServedCluster) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    with cluster._lock:
        cluster._cluster.clock.after(0.0, fail)
    with pytest.raises(RuntimeError, match="a component of the cluster failed") as failed:
        cluster.wait_until(lambda: False)
    assert isinstance(failed.value.__cause__, ZeroDivisionError)


def test_advancing_is_at_once(cluster: ServedCluster) -> None:
    before = cluster.now
    cluster.advance("1000h")
    assert cluster.now - before >= 3_600_000


def test_faults_of_the_api_strike_the_operator_alone(cluster: ServedCluster) -> None:
    cluster.inject("api-error", verb="list", code=503)
    assert cluster.list("Pod") == []
    assert code(cluster, PODS) == 503
    cluster.heal("api-error")
    assert code(cluster, PODS) == 200


@pytest.mark.parametrize(("fault", "goes_on"), [("watch-dropped", 200), ("watch-expired", 410)])
def test_watches_end(cluster: ServedCluster, fault: str, goes_on: int) -> None:
    cluster.apply(POD)
    version = cluster.get("Pod", "one")["metadata"]["resourceVersion"]
    cluster.delete("Pod", "one")
    cluster.assert_gone("Pod", "one")
    # By itself it would end long after the client has given up.
    path = f"{PODS}?watch=true&timeoutSeconds=600&resourceVersion="
    with opened(cluster, f"{path}{cluster._api.resource_version}") as lost:
        cluster.inject(fault, resource="pods")
        assert lost.read() == b""
    with opened(cluster, path + version) as resumed:
        first = json.loads(resumed.readline())
    assert first["object"].get("code", 200) == goes_on


def test_a_service_account_may_what_its_roles_say(tmp_path: Path) -> None:
    user = "system:serviceaccount:default:operator"
    wanted = options({"rbac": True, "user": user})
    with ServedCluster.start(wanted, tmp_path / "kubeconfig") as cluster:
        assert code(cluster, PODS) == 403
        other = tmp_path / "other"
        cluster.write_kubeconfig(other, "somebody")
        assert code(cluster, PODS, other) == 200
        with pytest.raises(APIError, match=f'User "{user}" cannot list resource "pods"'):
            cluster.as_user(user).list("Pod")


def test_clients_are_led_to_it_and_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    from kubernetes.config import kube_config

    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("NO_PROXY", "example.com")
    before = kube_config.KUBE_CONFIG_DEFAULT_LOCATION
    with monkeypatch.context() as patched:
        lead_to(Path("/there"), patched)
        assert os.environ["KUBECONFIG"] == "/there"
        assert os.environ["NO_PROXY"] == "127.0.0.1,example.com"
        assert "KUBERNETES_SERVICE_HOST" not in os.environ
        assert kube_config.KUBE_CONFIG_DEFAULT_LOCATION == "/there"
    assert before == kube_config.KUBE_CONFIG_DEFAULT_LOCATION
