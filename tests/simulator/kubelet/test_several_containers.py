"""Pods with init containers, sidecars, readiness gates, and without a sandbox."""

import pytest

from hourglass_kube.types import JSON
from hourglass_simulator.cluster import Cluster
from hourglass_simulator.kubelet import Workload

PROBE = {"httpGet": {"path": "/healthz/ready", "port": 15021}, "periodSeconds": 5}
APP = {"name": "app", "image": "app:1"}
INIT = {"name": "init", "image": "init:1"}
PROXY = {"name": "proxy", "image": "proxy:1"}
NATIVE = {**PROXY, "restartPolicy": "Always"}
ONCE = Workload(exit_after=1.0)
FOREVER = Workload()


def cluster_with(
    images: dict[str, Workload] | None = None, missing: str = "", **spec: object
) -> Cluster:
    """A node on which a pod of this spec has been created."""
    cluster = Cluster()
    cluster.add_node("node-1")
    cluster.images.behave("init:1", ONCE)
    for image, workload in (images or {}).items():
        cluster.images.behave(image, workload)
    if missing:
        cluster.images.remove(missing)
    pod = {"metadata": {"name": "p"}, "spec": {"containers": [APP], **spec}}
    cluster.api.create("pods", pod, namespace="default")
    return cluster


def status(cluster: Cluster) -> JSON:
    found: JSON = cluster.api.get("pods", "default", "p")["status"]
    return found


def conditions(cluster: Cluster) -> dict[str, tuple[str, str, str]]:
    """Status, reason and message by type."""
    return {
        c["type"]: (c["status"], c.get("reason", ""), c.get("message", ""))
        for c in status(cluster)["conditions"]
    }


def state(cluster: Cluster, name: str) -> str:
    """What a container is doing: `running`, or why it waits or how it ended."""
    found = status(cluster)
    (container,) = [
        c
        for c in (*found.get("initContainerStatuses", ()), *found["containerStatuses"])
        if c["name"] == name
    ]
    ((kind, fields),) = container["state"].items()
    return str(fields.get("reason", kind))


TRUE = ("True", "", "")


def unready(*names: str) -> tuple[str, str, str]:
    listed = " ".join(names)
    return "False", "ContainersNotReady", f"containers with unready status: [{listed}]"


def incomplete(*names: str) -> tuple[str, str, str]:
    listed = " ".join(names)
    return "False", "ContainersNotInitialized", f"containers with incomplete status: [{listed}]"


def test_init_containers_run_one_after_the_other_before_all_others() -> None:
    second = {"name": "second", "image": "second:1"}
    cluster = cluster_with({"second:1": Workload(exit_after=60.0)}, initContainers=[INIT, second])
    cluster.run_until(2.5)
    assert (state(cluster, "init"), state(cluster, "second")) == ("running", "PodInitializing")
    assert conditions(cluster)["Initialized"] == incomplete("init", "second")
    cluster.run_until(20)
    assert (state(cluster, "init"), state(cluster, "second")) == ("Completed", "running")
    assert state(cluster, "app") == "PodInitializing"
    assert [c["ready"] for c in status(cluster)["initContainerStatuses"]] == [True, False]
    assert status(cluster)["phase"] == "Pending"
    assert conditions(cluster)["Initialized"] == incomplete("second")
    assert conditions(cluster)["Ready"] == unready("app")
    cluster.run_until(80)
    assert state(cluster, "app") == "running"
    assert conditions(cluster)["Initialized"] == conditions(cluster)["Ready"] == TRUE
    assert [c["ready"] for c in status(cluster)["initContainerStatuses"]] == [True, True]


@pytest.mark.parametrize(
    ("images", "missing", "expected"),
    [
        ({}, "init:1", "ImagePullBackOff"),
        ({"init:1": Workload(exit_after=1.0, exit_code=1)}, "", "CrashLoopBackOff"),
    ],
    ids=["cannot be pulled", "fails"],
)
def test_an_init_container_holds_the_pod_up_that(
    images: dict[str, Workload], missing: str, expected: str
) -> None:
    cluster = cluster_with(images, missing, initContainers=[INIT])
    cluster.run_until(35)
    assert (state(cluster, "init"), state(cluster, "app")) == (expected, "PodInitializing")
    assert status(cluster)["phase"] == "Pending"
    assert conditions(cluster)["Initialized"] == incomplete("init")
    events = cluster.api.list("events").items
    assert "spec.initContainers{init}" in [e["involvedObject"].get("fieldPath") for e in events]


def test_a_sidecar_runs_before_the_containers_and_beside_them() -> None:
    cluster = cluster_with(initContainers=[NATIVE, INIT])
    cluster.run_until(20)
    states = [state(cluster, name) for name in ("proxy", "init", "app")]
    assert states == ["running", "Completed", "running"]
    assert conditions(cluster)["Ready"] == TRUE


@pytest.mark.parametrize(
    "where", ["containers", "initContainers"], ids=["a container", "a native sidecar"]
)
def test_a_sidecar_that_is_not_ready_is_one_that_the_pod_waits_for(where: str) -> None:
    sidecar = {**(NATIVE if where == "initContainers" else PROXY), "readinessProbe": PROBE}
    spec: JSON = {where: [sidecar] if where == "initContainers" else [APP, sidecar]}
    cluster = cluster_with({"proxy:1": Workload(ready_until=30.0)}, "", **spec)
    cluster.run_until(20)
    assert conditions(cluster)["Ready"] == TRUE
    cluster.run_until(60)
    assert conditions(cluster)["Ready"] == unready("proxy")
    assert conditions(cluster)["Initialized"] == TRUE
    assert status(cluster)["phase"] == "Running"


def test_a_sidecar_that_never_starts_up_is_restarted_and_nothing_comes_after_it() -> None:
    native = {**NATIVE, "startupProbe": {**PROBE, "failureThreshold": 2}}
    cluster = cluster_with({"proxy:1": Workload(ready_after=None)}, initContainers=[native])
    cluster.run_until(5)
    (proxy,) = status(cluster)["initContainerStatuses"]
    assert (proxy["started"], proxy["ready"]) == (False, False)
    assert status(cluster)["phase"] == "Pending"
    cluster.run_until(60)
    (proxy,) = status(cluster)["initContainerStatuses"]
    assert proxy["restartCount"] > 0
    assert state(cluster, "app") == "PodInitializing"
    assert conditions(cluster)["Initialized"] == incomplete("proxy")
    assert conditions(cluster)["Ready"] == unready("proxy", "app")


def test_a_sidecar_that_starts_up_late_lets_the_containers_start() -> None:
    native = {**NATIVE, "startupProbe": PROBE}
    cluster = cluster_with({"proxy:1": Workload(ready_after=9.0)}, initContainers=[native])
    cluster.run_until(9)
    assert state(cluster, "app") == "PodInitializing"
    cluster.run_until(20)
    assert state(cluster, "app") == "running"
    assert conditions(cluster)["Ready"] == TRUE


def test_sidecars_are_stopped_after_the_containers() -> None:
    cluster = cluster_with({"app:1": Workload(stop_after=10.0)}, initContainers=[NATIVE])
    cluster.run_until(20)
    cluster.api.delete("pods", "default", "p")
    cluster.run_until(28)
    assert state(cluster, "proxy") == "running"
    cluster.run_until(35)
    assert cluster.api.list("pods", "default").items == []


def test_containers_are_listed_by_name_and_named_in_the_order_of_the_spec() -> None:
    cluster = cluster_with(containers=[PROXY, APP])
    cluster.run_until(1)
    assert [c["name"] for c in status(cluster)["containerStatuses"]] == ["app", "proxy"]
    assert conditions(cluster)["Ready"] == unready("proxy", "app")


GATE = "target-health.elbv2.k8s.aws"


def test_a_readiness_gate_is_passed_when_its_condition_is_true() -> None:
    cluster = cluster_with(readinessGates=[{"conditionType": GATE}])
    cluster.run_until(10)
    why = f'corresponding condition of pod readiness gate "{GATE}" does not exist.'
    assert conditions(cluster)["ContainersReady"] == TRUE
    assert conditions(cluster)["Ready"] == ("False", "ReadinessGatesNotReady", why)
    answer(cluster, "False")
    why = f'the status of pod readiness gate "{GATE}" is not "True", but False'
    assert conditions(cluster)["Ready"] == ("False", "ReadinessGatesNotReady", why)
    answer(cluster, "True")
    assert conditions(cluster)["Ready"] == TRUE


def answer(cluster: Cluster, value: str) -> None:
    """Whoever is behind the gate writes its condition."""
    patch = {"status": {"conditions": [{"type": GATE, "status": value}]}}
    kind = "application/strategic-merge-patch+json"
    cluster.api.patch("pods", "default", "p", patch, kind, subresource="status")
    cluster.run_until(cluster.clock.now + 1)


def test_without_a_sandbox_no_container_starts_until_there_is_one() -> None:
    cluster = cluster_with()
    cluster.kubelets.fail_sandboxes("node-1", "no network")
    cluster.run_until(60)
    assert conditions(cluster)["PodReadyToStartContainers"][0] == "False"
    assert state(cluster, "app") == "ContainerCreating"
    assert "podIP" not in status(cluster)
    failures = [e for e in cluster.api.list("events").items if e["type"] == "Warning"]
    assert {(e["reason"], e["message"]) for e in failures} == {
        ("FailedCreatePodSandBox", "Failed to create pod sandbox: no network")
    }
    cluster.kubelets.fail_sandboxes("node-1", "")
    cluster.run_until(90)
    assert conditions(cluster)["PodReadyToStartContainers"][0] == "True"
    assert conditions(cluster)["Ready"] == TRUE


def test_a_pod_with_a_gate_is_scheduled_when_the_gate_goes() -> None:
    cluster = cluster_with(schedulingGates=[{"name": "kueue.x-k8s.io/admission"}])
    cluster.run_until(60)
    assert conditions(cluster)["PodScheduled"][:2] == ("False", "SchedulingGated")
    cluster.api.patch("pods", "default", "p", {"spec": {"schedulingGates": None}})
    cluster.run_until(70)
    assert conditions(cluster)["Ready"] == TRUE


LIVENESS = {"tcpSocket": {"port": 80}, "periodSeconds": 10, "failureThreshold": 3}


def test_a_container_that_hangs_is_restarted_for_its_liveness_probe() -> None:
    app = {**APP, "livenessProbe": LIVENESS}
    cluster = cluster_with({"app:1": Workload(ready_until=60.0)}, containers=[app])
    cluster.run_until(80)
    assert status(cluster)["containerStatuses"][0]["restartCount"] == 0
    cluster.run_until(110)
    assert status(cluster)["containerStatuses"][0]["restartCount"] == 1


def test_without_a_liveness_probe_it_hangs_on() -> None:
    cluster = cluster_with({"app:1": Workload(ready_until=60.0)}, containers=[APP])
    cluster.run_until(600)
    assert status(cluster)["containerStatuses"][0]["restartCount"] == 0
