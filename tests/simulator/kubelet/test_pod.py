"""What the parts of a kubelet share of a pod."""

import pytest

from hourglass_kube.types import JSON
from hourglass_simulator.kubelet.devices import Devices
from hourglass_simulator.kubelet.pod import Stage
from node_pods import APP, node_pod

INIT = {"name": "init", "image": "init:1"}
SECOND = {"name": "second", "image": "init:2"}
SIDECAR = {"name": "proxy", "image": "proxy:1", "restartPolicy": "Always"}

STARTS: list[tuple[str, list[JSON], list[str]]] = [
    ("its containers where there are no init containers", [], ["app"]),
    ("the first init container alone", [INIT, SECOND], ["init"]),
    ("a sidecar, before anything else", [SIDECAR, INIT], ["proxy"]),
]


@pytest.mark.parametrize(("init", "begins"), [s[1:] for s in STARTS], ids=[s[0] for s in STARTS])
def test_it_starts(init: list[JSON], begins: list[str]) -> None:
    pod = node_pod(initContainers=init)
    assert [container.name for container in pod.to_start()] == begins


def test_init_containers_come_first() -> None:
    pod = node_pod(initContainers=[INIT])
    assert [container.name for container in pod.all_containers] == ["init", "app"]


def test_containers_are_restarted_unless_the_spec_says_otherwise() -> None:
    assert node_pod().restart_policy == "Always"
    assert node_pod(restartPolicy="Never").restart_policy == "Never"


STARTABLE = [
    *((f"a pod that is {stage.value}", stage, True, stage is Stage.ACTIVE) for stage in Stage),
    ("a pod whose kubelet is away", Stage.ACTIVE, False, False),
]


@pytest.mark.parametrize(
    ("stage", "up", "startable"), [s[1:] for s in STARTABLE], ids=[s[0] for s in STARTABLE]
)
def test_containers_may_be_started_of(stage: Stage, up: bool, startable: bool) -> None:
    pod = node_pod()
    pod.stage, pod.agent.up = stage, up
    assert pod.startable == startable


def test_what_it_holds_of_its_node_it_gives_back_once() -> None:
    pod = node_pod(containers=[APP])
    pod.agent.devices["nvidia.com/gpu"] = devices = Devices(2)
    devices.allocate(pod.uid, "app", 2)
    pod.hold({"cpu": 2, "pods": 1})
    assert pod.agent.used == {"cpu": 2, "pods": 1}
    for _ in range(2):
        pod.release()
        assert pod.agent.used == {"cpu": 0, "pods": 0}
    assert devices.free == [0, 1]


def test_its_events_are_about_it_and_its_containers() -> None:
    pod = node_pod()
    pod.event("Normal", "Pulled", "done", "spec.containers{app}")
    (event,) = pod.runtime.api.list("events").items
    involved = event["involvedObject"]
    assert (involved["name"], involved["fieldPath"]) == ("p", "spec.containers{app}")
    assert pod.user == "system:node:n"
