"""What holds for every pod, however its containers behave and whatever is done to it."""

from hypothesis import given, settings
from hypothesis import strategies as st

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import WatchEvent
from hourglass_simulator.cluster import Cluster
from hourglass_simulator.kubelet import Workload

seconds = st.sampled_from([0.0, 0.5, 3.0, 12.0])
workloads = st.builds(
    Workload,
    start_seconds=seconds,
    ready_after=st.none() | seconds,
    ready_until=st.none() | seconds,
    exit_after=st.none() | seconds,
    exit_code=st.sampled_from([0, 1]),
    out_of_memory=st.booleans(),
    stop_after=st.none() | seconds,
    executable=st.booleans(),
)
steps = st.lists(
    st.tuples(
        st.sampled_from(["stop", "start", "behave", "exit", "delete", "evict", "remove", "push"]),
        st.sampled_from([0.0, 0.3, 2.0, 30.0, 400.0]),
    ),
    max_size=8,
)


def pod(grace: int, *, with_init: bool) -> JSON:
    probe = {"tcpSocket": {"port": 9090}, "periodSeconds": 5}
    containers = [
        {"name": "first", "image": "performer:1", "readinessProbe": probe},
        {"name": "second", "image": "helper:1", "imagePullPolicy": "Always"},
    ]
    init = [
        {"name": "prepare", "image": "prepare:1"},
        {
            "name": "proxy",
            "image": "proxy:1",
            "restartPolicy": "Always",
            "startupProbe": {**probe, "failureThreshold": 2},
        },
    ]
    spec = {
        "terminationGracePeriodSeconds": grace,
        "initContainers": init if with_init else [],
        "containers": containers,
    }
    return {"metadata": {"name": "p"}, "spec": spec}


class Observed:
    """Checks each state of the pod against the one before."""

    def __init__(self) -> None:
        self.before: JSON | None = None

    def __call__(self, event: WatchEvent) -> None:
        status = event.object["status"]
        containers = {c["name"]: c for c in status.get("containerStatuses") or ()}
        init = {c["name"]: c for c in status.get("initContainerStatuses") or ()}
        if any("running" in c["state"] for c in containers.values()) and init:
            assert init["prepare"]["ready"]
        for container in containers.values():
            assert len(container["state"]) == 1
            if container["ready"]:
                assert "running" in container["state"]
        conditions = {c["type"]: c for c in status.get("conditions") or ()}
        assert len(conditions) == len(status.get("conditions") or ())
        if conditions.get("ContainersReady", {}).get("status") == "True":
            assert all(c["ready"] for c in containers.values())
        if self.before is not None:
            self._compare(self.before, status, conditions, containers)
        self.before = status

    def _compare(self, before: JSON, status: JSON, conditions: JSON, containers: JSON) -> None:
        assert before["phase"] not in ("Failed", "Succeeded") or status["phase"] == before["phase"]
        for old in before.get("conditions") or ():
            new = conditions.get(old["type"])
            if new and old["type"] != "Ready" and new["status"] == old["status"]:
                assert new["lastTransitionTime"] == old["lastTransitionTime"]
        for old in before.get("containerStatuses") or ():
            assert containers[old["name"]]["restartCount"] >= old["restartCount"]


@settings(max_examples=60)
@given(
    st.lists(workloads, min_size=1, max_size=3), steps, st.sampled_from([0, 3, 30]), st.booleans()
)
def test_a_pod_is_consistent_at_any_time_and_goes_when_it_is_deleted(
    behaviours: list[Workload], plan: list[tuple[str, float]], grace: int, with_init: bool
) -> None:
    cluster = Cluster()
    cluster.add_node("node-1")
    cluster.add_node("node-2")
    api, kubelets = cluster.api, cluster.kubelets
    cluster.images.behave("performer:*", behaviours[0])
    cluster.images.behave("prepare:*", Workload(exit_after=1.0))
    cluster.images.behave("proxy:*", behaviours[-1])
    api.create("pods", pod(grace, with_init=with_init), namespace="default")
    api.watch("pods", sink=Observed())
    for number, (action, pause) in enumerate(plan):
        cluster.run_until(cluster.clock.now + pause)
        there = bool(api.list("pods", "default").items)
        if action == "stop":
            kubelets.stop("node-1")
        elif action == "start":
            kubelets.start("node-1")
        elif action == "behave":
            kubelets.behave("default", "p", behaviours[number % len(behaviours)])
        elif action == "exit":
            kubelets.exit("default", "p", 1)
        elif action == "evict":
            kubelets.evict("default", "p")
        elif action == "remove":
            cluster.images.remove("helper:*")
        elif action == "push":
            cluster.images.push("helper:*")
        elif there:
            api.delete("pods", "default", "p")
    kubelets.start("node-1")
    cluster.run_until(cluster.clock.now + 120)
    if api.list("pods", "default").items:
        api.delete("pods", "default", "p")
    cluster.run_until(cluster.clock.now + 60)
    assert api.list("pods", "default").items == []
