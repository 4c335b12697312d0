"""Devices of a node, admission by its kubelet, eviction under pressure."""

from typing import Any

import pytest

from hourglass_kube.types import JSON
from hourglass_simulator.cluster import Cluster
from hourglass_simulator.kubelet import Workload

GPU = "nvidia.com/gpu"


def pod(name: str, gpus: int = 0, **spec: Any) -> JSON:
    limits = {GPU: str(gpus)} if gpus else {}
    container = {"name": "performer", "image": "performer:1", "resources": {"limits": limits}}
    return {"metadata": {"name": name}, "spec": {"containers": [container], **spec}}


@pytest.fixture
def cluster() -> Cluster:
    made = Cluster()
    made.add_node("gpu-1", devices={GPU: 2})
    return made


def create(cluster: Cluster, *pods: JSON) -> None:
    for obj in pods:
        cluster.api.create("pods", obj, namespace="default")


def status(cluster: Cluster, name: str) -> JSON:
    found: JSON = cluster.api.get("pods", "default", name)["status"]
    return found


def offered(cluster: Cluster) -> tuple[str, str]:
    found = cluster.api.get("nodes", "", "gpu-1")["status"]
    return found["capacity"][GPU], found["allocatable"][GPU]


def test_an_unhealthy_device_is_not_allocatable_and_its_pod_keeps_running(cluster: Cluster) -> None:
    create(cluster, pod("p", 2))
    cluster.run_until(10)
    failed = cluster.kubelets.plugins.fail("gpu-1", GPU, 1)
    cluster.run_until(20)
    assert offered(cluster) == ("2", "1")
    assert status(cluster, "p")["phase"] == "Running"
    cluster.kubelets.plugins.repair("gpu-1", GPU, failed)
    assert offered(cluster) == ("2", "2")


def test_a_pod_that_was_bound_to_a_device_that_is_gone_is_rejected(cluster: Cluster) -> None:
    cluster.kubelets.stop("gpu-1")
    create(cluster, pod("p", 1))
    cluster.run_until(1)
    cluster.kubelets.start("gpu-1")
    cluster.kubelets.plugins.fail("gpu-1", GPU, 2)
    cluster.run_until(5)
    found = status(cluster, "p")
    assert (found["phase"], found["reason"], found["message"]) == (
        "Failed",
        "UnexpectedAdmissionError",
        "Pod was rejected: Allocate failed due to requested number of devices unavailable for"
        " nvidia.com/gpu. Requested: 1, Available: 0, which is unexpected",
    )


def test_devices_are_free_again_when_their_pod_has_gone(cluster: Cluster) -> None:
    create(cluster, pod("first", 2))
    cluster.run_until(5)
    cluster.api.delete("pods", "default", "first")
    cluster.run_until(40)
    create(cluster, pod("second", 2))
    cluster.run_until(50)
    assert status(cluster, "second")["phase"] == "Running"


def test_a_plugin_that_restarts_takes_its_devices_away_for_a_while(cluster: Cluster) -> None:
    create(cluster, pod("p", 1))
    cluster.run_until(5)
    cluster.kubelets.plugins.unplug("gpu-1", GPU)
    assert offered(cluster) == ("2", "0")
    cluster.run_until(20)
    cluster.kubelets.plugins.plug("gpu-1", GPU)
    assert offered(cluster) == ("2", "2")
    cluster.run_until(400)
    assert offered(cluster) == ("2", "2")
    assert status(cluster, "p")["phase"] == "Running"


def test_a_kubelet_that_comes_back_reports_which_devices_are_healthy_now(cluster: Cluster) -> None:
    failed = cluster.kubelets.plugins.fail("gpu-1", GPU, 1)
    cluster.kubelets.stop("gpu-1")
    cluster.kubelets.plugins.repair("gpu-1", GPU, failed)
    cluster.run_until(100)
    assert offered(cluster) == ("2", "1")
    cluster.kubelets.start("gpu-1")
    cluster.run_until(110)
    assert offered(cluster) == ("2", "2")


def test_a_plugin_that_stays_away_is_forgotten(cluster: Cluster) -> None:
    cluster.kubelets.plugins.unplug("gpu-1", GPU)
    cluster.run_until(301)
    assert offered(cluster) == ("0", "0")


def test_a_pod_evicted_for_memory_fails_and_says_why(cluster: Cluster) -> None:
    cluster.images.behave("*", Workload(stop_after=None))
    create(cluster, pod("p"))
    cluster.run_until(5)
    cluster.kubelets.evict("default", "p")
    cluster.run_until(10)
    found = status(cluster, "p")
    assert (found["phase"], found["reason"]) == ("Failed", "Evicted")
    assert found["message"].startswith(
        "The node was low on resource: memory. Threshold quantity: 100Mi, available: "
    )
    [target] = [c for c in found["conditions"] if c["type"] == "DisruptionTarget"]
    assert target["reason"] == "TerminationByKubelet"
    assert cluster.api.get("pods", "default", "p")


def test_an_image_that_is_pushed_is_pulled_at_the_next_attempt(cluster: Cluster) -> None:
    cluster.images.remove("*")
    create(cluster, pod("p"))
    cluster.run_until(30)
    assert status(cluster, "p")["phase"] == "Pending"
    cluster.images.push("*")
    cluster.run_until(90)
    assert status(cluster, "p")["phase"] == "Running"


def test_a_crash_loop_ends_when_the_container_behaves(cluster: Cluster) -> None:
    cluster.images.behave("*", Workload(exit_after=1, exit_code=1))
    create(cluster, pod("p"))
    cluster.run_until(100)
    [container] = status(cluster, "p")["containerStatuses"]
    assert container["restartCount"] >= 3
    cluster.kubelets.behave("default", "p", Workload())
    cluster.run_until(400)
    before = status(cluster, "p")
    assert before["containerStatuses"][0]["ready"]
    cluster.run_until(2000)
    assert status(cluster, "p") == before


def test_the_back_off_starts_over_after_ten_minutes_of_running(cluster: Cluster) -> None:
    cluster.images.behave("*", Workload(exit_after=700, exit_code=1))
    create(cluster, pod("p"))
    cluster.run_until(4000)
    assert status(cluster, "p")["containerStatuses"][0]["restartCount"] == 5
    reported = {e["reason"] for e in cluster.api.list("events").items}
    assert "BackOff" not in reported


def test_a_container_can_be_made_to_exit(cluster: Cluster) -> None:
    create(cluster, pod("p"))
    cluster.run_until(5)
    cluster.kubelets.exit("default", "p", out_of_memory=True)
    cluster.run_until(8)
    [container] = status(cluster, "p")["containerStatuses"]
    assert container["restartCount"] == 1
    last = container["lastState"]["terminated"]
    assert (last["exitCode"], last["reason"]) == (137, "OOMKilled")


def test_events_about_one_pod_are_bounded(cluster: Cluster) -> None:
    cluster.images.behave("*", Workload(exit_after=0, exit_code=1))
    create(cluster, pod("p"))
    writes: list[str] = []
    cluster.api.watch("events", sink=lambda event: writes.append(event.type))
    cluster.run_until(3600)
    # Normal and Warning ones are bounded apart.
    assert len(writes) <= 2 + 2 * (25 + 3600 / 300)
    assert len(cluster.api.list("events").items) <= 7


def test_the_same_seed_gives_the_same_run() -> None:
    def run(seed: int) -> list[JSON]:
        cluster = Cluster(seed)
        cluster.add_node("gpu-1")
        cluster.images.behave("*", Workload(exit_after=2, exit_code=1))
        seen: list[JSON] = []
        for resource in ("pods", "events"):
            cluster.api.watch(resource, sink=lambda event: seen.append(event.object))
        create(cluster, pod("p"), pod("q"))
        cluster.run_until(600)
        return seen

    assert run(1) == run(1)
    assert run(1) != run(2)


def test_an_evicted_pod_whose_container_ends_well_has_succeeded(cluster: Cluster) -> None:
    create(cluster, pod("p"))
    cluster.run_until(5)
    cluster.kubelets.evict("default", "p")
    cluster.run_until(10)
    found = status(cluster, "p")
    assert (found["phase"], found.get("reason")) == ("Succeeded", None)
    assert found["conditions"][0]["reason"] == "TerminationByKubelet"


@pytest.mark.parametrize(
    ("condition", "requests", "rejected"),
    [
        pytest.param("MemoryPressure", {}, True, id="memory keeps off a best-effort pod"),
        pytest.param("MemoryPressure", {"cpu": "1"}, False, id="memory lets in a burstable pod"),
        pytest.param("DiskPressure", {"cpu": "1"}, True, id="disk keeps off every pod"),
    ],
)
def test_a_node_under_pressure(
    cluster: Cluster, condition: str, requests: JSON, rejected: bool
) -> None:
    cluster.kubelets.press("gpu-1", condition, on=True)
    wanted = pod("p", nodeName="gpu-1")
    wanted["spec"]["containers"][0]["resources"] = {"requests": requests}
    create(cluster, wanted)
    cluster.run_until(10)
    found = status(cluster, "p")
    if rejected:
        assert (found["reason"], found["message"]) == (
            "Evicted",
            f"Pod was rejected: The node had condition: [{condition}]. ",
        )
    else:
        assert found["phase"] == "Running"
    taint = cluster.api.get("nodes", "", "gpu-1")["spec"]["taints"]
    assert [t["effect"] for t in taint] == ["NoSchedule"]
    cluster.kubelets.press("gpu-1", condition, on=False)
    cluster.run_until(11)
    assert not cluster.api.get("nodes", "", "gpu-1")["spec"].get("taints")


def test_a_pod_deleted_while_its_image_is_pulled_never_starts(cluster: Cluster) -> None:
    cluster.images.take("*", 30)
    create(cluster, pod("p"))
    cluster.run_until(5)
    cluster.api.delete("pods", "default", "p")
    cluster.run_until(60)
    assert cluster.api.list("pods").items == []
    assert "Started" not in {e["reason"] for e in cluster.api.list("events").items}


def test_a_kubelet_restarted_while_it_pulls_starts_the_container_once(cluster: Cluster) -> None:
    cluster.images.take("*", 30)
    create(cluster, pod("p"))
    cluster.run_until(5)
    cluster.kubelets.stop("gpu-1")
    cluster.kubelets.start("gpu-1")
    cluster.run_until(100)
    [container] = status(cluster, "p")["containerStatuses"]
    assert (container["restartCount"], container["ready"]) == (0, True)
    started = [e for e in cluster.api.list("events").items if e["reason"] == "Started"]
    assert [e["count"] for e in started] == [1]


def test_pods_that_were_there_count_on_a_node_registered_anew() -> None:
    cluster = Cluster()
    cluster.add_node("n", pods=1)
    create(cluster, pod("first"))
    cluster.run_until(5)
    cluster.remove_node("n")
    cluster.add_node("n", pods=1)
    cluster.run_until(10)
    create(cluster, pod("second", nodeName="n"))
    cluster.run_until(15)
    found = status(cluster, "second")
    assert (found["reason"], found["message"]) == (
        "OutOfpods",
        "Pod was rejected: Node didn't have enough resource: pods, requested: 1, used: 1,"
        " capacity: 1",
    )


@pytest.mark.parametrize(
    ("stop_after", "gone", "exit_code"),
    [
        pytest.param(2.0, 3.5, 0, id="a container that stops in time ends well"),
        pytest.param(60.0, 12.0, 137, id="a container that would take too long is killed"),
        pytest.param(None, 12.0, 137, id="a container that ignores SIGTERM is killed"),
    ],
)
def test_the_grace_period(
    cluster: Cluster, stop_after: float | None, gone: float, exit_code: int
) -> None:
    cluster.images.behave("*", Workload(stop_after=stop_after))
    create(cluster, pod("p", terminationGracePeriodSeconds=10))
    cluster.run_until(5)
    seen: list[tuple[float, JSON]] = []
    cluster.api.watch("pods", sink=lambda event: seen.append((cluster.clock.now, event.object)))
    cluster.api.delete("pods", "default", "p")
    cluster.run_until(60)
    when, last = seen[-1]
    ended = last["status"]["containerStatuses"][0]["state"]["terminated"]
    assert ended["exitCode"] == exit_code
    assert gone - 1.5 < when - 5 < gone


def test_a_second_deletion_does_not_hurry_containers_that_are_being_stopped(
    cluster: Cluster,
) -> None:
    cluster.images.behave("*", Workload(stop_after=None))
    create(cluster, pod("p", terminationGracePeriodSeconds=60))
    cluster.run_until(5)
    cluster.api.delete("pods", "default", "p")
    cluster.run_until(20)
    cluster.api.delete("pods", "default", "p", grace_period_seconds=5)
    cluster.run_until(60)
    assert cluster.api.list("pods").items
    cluster.run_until(70)
    assert not cluster.api.list("pods").items


@pytest.mark.parametrize(("kept", "pulls"), [(True, 1), (False, 2)], ids=["kept", "not kept"])
def test_nodes_keep_the_images_that_they_have_pulled_by_default(
    cluster: Cluster, kept: bool, pulls: int
) -> None:
    cluster.images.kept = kept
    create(cluster, pod("p"))
    cluster.run_until(10)
    create(cluster, pod("q"))
    cluster.run_until(20)
    events = cluster.api.list("events", "default").items
    assert sum(1 for event in events if event["reason"] == "Pulling") == pulls
