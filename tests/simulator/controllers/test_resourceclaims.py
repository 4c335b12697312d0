"""Pods get the claims of their templates, and devices are free again when their pods are gone."""

from hourglass_kube.types import JSON
from hourglass_simulator.cluster import Cluster


def _cluster() -> Cluster:
    cluster = Cluster()
    cluster.add_node("a")
    api = cluster.api
    api.create("deviceclasses", {"metadata": {"name": "gpu"}, "spec": {}})
    pool = {"name": "a", "generation": 1, "resourceSliceCount": 1}
    spec = {"driver": "gpu.example.com", "nodeName": "a", "pool": pool, "devices": [{"name": "d"}]}
    api.create("resourceslices", {"metadata": {"name": "s"}, "spec": spec})
    return cluster


def _template() -> JSON:
    request = {"name": "r", "exactly": {"deviceClassName": "gpu"}}
    spec = {"spec": {"devices": {"requests": [request]}}}
    return {"metadata": {"name": "t", "namespace": "default"}, "spec": spec}


def _pod(name: str) -> JSON:
    container = {"name": "c", "image": "i:1", "resources": {"claims": [{"name": "gpu"}]}}
    claims = [{"name": "gpu", "resourceClaimTemplateName": "t"}]
    return {
        "metadata": {"name": name},
        "spec": {"containers": [container], "resourceClaims": claims},
    }


def _node(cluster: Cluster, name: str) -> str | None:
    found: str | None = cluster.api.get("pods", "default", name)["spec"].get("nodeName")
    return found


def test_a_pod_gets_the_claim_of_its_template_and_a_device() -> None:
    cluster = _cluster()
    cluster.api.create("resourceclaimtemplates", _template(), namespace="default")
    cluster.api.create("pods", _pod("p"), namespace="default")
    cluster.run_until(5)
    (claim,) = cluster.api.list("resourceclaims").items
    assert claim["metadata"]["name"].startswith("p-gpu-")
    assert claim["metadata"]["annotations"] == {"resource.kubernetes.io/pod-claim-name": "gpu"}
    assert [user["name"] for user in claim["status"]["reservedFor"]] == ["p"]
    assert claim["status"]["allocation"]["devices"]["results"][0]["device"] == "d"
    assert _node(cluster, "p") == "a"


def test_a_pod_waits_for_its_template() -> None:
    cluster = _cluster()
    cluster.api.create("pods", _pod("p"), namespace="default")
    cluster.run_until(5)
    assert _node(cluster, "p") is None
    cluster.api.create("resourceclaimtemplates", _template(), namespace="default")
    cluster.run_until(10)
    assert _node(cluster, "p") == "a"


def test_the_device_of_a_pod_that_is_gone_is_free_for_the_next() -> None:
    cluster = _cluster()
    cluster.api.create("resourceclaimtemplates", _template(), namespace="default")
    cluster.api.create("pods", _pod("p"), namespace="default")
    cluster.run_until(5)
    cluster.api.create("pods", _pod("q"), namespace="default")
    cluster.run_until(10)
    assert _node(cluster, "q") is None
    cluster.api.delete("pods", "default", "p", grace_period_seconds=0)
    cluster.run_until(60)
    assert _node(cluster, "q") == "a"
    (claim,) = cluster.api.list("resourceclaims").items
    assert claim["metadata"]["name"].startswith("q-gpu-")
