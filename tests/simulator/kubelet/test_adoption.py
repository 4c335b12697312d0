"""Pods that ran before their kubelet saw them go on as they are."""

from typing import Any

import pytest

from hourglass_kube.types import JSON
from hourglass_simulator.cluster import Cluster
from hourglass_simulator.harness import printed
from hourglass_simulator.harness.snapshot import copy_of
from hourglass_simulator.kubelet import adoption
from hourglass_simulator.kubelet.workload import Workload

PROBE = {"httpGet": {"port": 80, "path": "/"}, "periodSeconds": 1}
SPEC: JSON = {
    "initContainers": [
        {"name": "init", "image": "init:1"},
        {"name": "proxy", "image": "proxy:1", "restartPolicy": "Always", "startupProbe": PROBE},
    ],
    "containers": [
        {"name": "main", "image": "main:1", "readinessProbe": PROBE},
        {
            "name": "gpu",
            "image": "gpu:1",
            "resources": {"limits": {"nvidia.com/gpu": "2", "memory": "1Gi"}},
        },
    ],
}


def original() -> Cluster:
    """A cluster with a node that has three GPUs, and a pod that has run for a minute."""
    cluster = Cluster()
    cluster.add_node("gpu-1", devices={"nvidia.com/gpu": 3})
    cluster.api.create("pods", {"metadata": {"name": "p"}, "spec": SPEC}, namespace="default")
    cluster.run_until(60)
    return cluster


def copied(cluster: Cluster) -> Cluster:
    kinds = ("nodes", "pods")
    items = [item for kind in kinds for item in cluster.api.list(kind).items]
    return copy_of(printed.read(items).objects).cluster


def pod(cluster: Cluster, name: str = "p") -> JSON:
    return cluster.api.get("pods", "default", name)


def events(cluster: Cluster) -> list[str]:
    return [event["reason"] for event in cluster.api.list("events").items]


def test_its_status_stays_and_nothing_is_written() -> None:
    before = original()
    copy = copied(before)
    version = pod(copy)["metadata"]["resourceVersion"]
    copy.run_until(600)
    assert pod(copy)["status"] == pod(before)["status"]
    assert pod(copy)["metadata"]["resourceVersion"] == version
    assert events(copy) == []


def test_it_lives_on() -> None:
    copy = copied(original())
    copy.kubelets.exit("default", "p", 7)
    copy.run_until(30)
    main = pod(copy)["status"]["containerStatuses"][1]
    assert main["restartCount"] == 1
    assert main["lastState"]["terminated"]["exitCode"] == 7
    copy.api.delete("pods", "default", "p")
    copy.run_until(120)
    assert copy.api.list("pods").items == []


def test_its_probes_go_on() -> None:
    copy = copied(original())
    copy.kubelets.behave("default", "p", Workload(ready_after=None), "main")
    copy.run_until(30)
    ready = {each["name"]: each["ready"] for each in pod(copy)["status"]["containerStatuses"]}
    assert ready == {"main": False, "gpu": True}


def test_what_it_holds_is_not_given_to_others() -> None:
    copy = copied(original())
    container = {"name": "c", "image": "i", "resources": {"limits": {"nvidia.com/gpu": "2"}}}
    other = {"metadata": {"name": "q"}, "spec": {"nodeName": "gpu-1", "containers": [container]}}
    copy.api.create("pods", other, namespace="default")
    copy.run_until(30)
    assert pod(copy, "q")["status"]["reason"] == "UnexpectedAdmissionError"
    copy.api.delete("pods", "default", "p")
    copy.run_until(90)
    copy.api.create("pods", {**other, "metadata": {"name": "r"}}, namespace="default")
    copy.run_until(120)
    assert pod(copy, "r")["status"]["phase"] == "Running"


RUN: JSON = {"state": {"running": {}}}
ENDED: JSON = {"state": {"terminated": {"exitCode": 0}}}
FAILED: JSON = {"state": {"terminated": {"exitCode": 1}}}
WAITING: JSON = {"state": {"waiting": {"reason": "CrashLoopBackOff"}}}


@pytest.mark.parametrize(
    ("init", "proxy", "main", "more", "adopted"),
    [
        pytest.param(ENDED, RUN, RUN, {}, True, id="all is as it should be"),
        pytest.param(ENDED, RUN, WAITING, {}, False, id="a container waits"),
        pytest.param(ENDED, RUN, FAILED, {}, False, id="a container has ended"),
        pytest.param(ENDED, RUN, {}, {}, False, id="nothing is said of a container"),
        pytest.param(RUN, RUN, RUN, {}, False, id="an init container runs"),
        pytest.param(FAILED, RUN, RUN, {}, False, id="an init container failed"),
        pytest.param(ENDED, ENDED, RUN, {}, False, id="a sidecar has ended"),
        pytest.param(ENDED, RUN, RUN, {"phase": "Pending"}, False, id="the pod is Pending"),
    ],
)
def test_only_pods_that_run_whole_are_adopted(
    init: JSON, proxy: JSON, main: JSON, more: dict[str, Any], adopted: bool
) -> None:
    status = {
        "phase": "Running",
        "initContainerStatuses": [{"name": "init", **init}, {"name": "proxy", **proxy}],
        "containerStatuses": [{"name": "main", **main}, {"name": "gpu", **RUN}],
        **more,
    }
    assert adoption.runs({"metadata": {}, "spec": SPEC, "status": status}) == adopted


def test_a_pod_that_is_being_deleted_is_not_adopted() -> None:
    status = {"phase": "Running", "containerStatuses": [{"name": "c", **RUN}]}
    meta = {"deletionTimestamp": "2026-01-01T00:00:00Z"}
    spec = {"containers": [{"name": "c"}]}
    assert not adoption.runs({"metadata": meta, "spec": spec, "status": status})
