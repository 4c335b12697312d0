"""When a kubelet writes the status of a pod, and what it leaves to others."""

import pytest

from hourglass_simulator.apiserver import APIError, CallTimeoutError
from hourglass_simulator.apiserver.calls import Audit, Call
from hourglass_simulator.kubelet.admission import Rejection
from hourglass_simulator.kubelet.pod import NodePod, Stage
from hourglass_simulator.kubelet.statusmanager import StatusManager
from node_pods import node_pod, stored

GATE = {"type": "example.com/traffic", "status": "True", "lastTransitionTime": None}


class Manager(StatusManager):
    """Of one pod, whose kubelet sees every write at once; it counts them."""

    def __init__(self, pod: NodePod) -> None:
        super().__init__(pod)
        self.writes = 0
        pod.runtime.api.auditors.append(self._audited)

    def _audited(self, audit: Audit) -> None:
        self.writes += audit.code == 200


def reported(pod: NodePod) -> Manager:
    manager = Manager(pod)
    manager.report()
    pod.object = stored(pod)
    return manager


def test_a_status_is_written_when_it_has_changed() -> None:
    pod = node_pod()
    manager = reported(pod)
    assert stored(pod)["status"]["phase"] == "Pending"
    manager.report()
    assert manager.writes == 1
    pod.ip = "10.0.0.1"
    manager.report()
    assert (manager.writes, stored(pod)["status"]["podIP"]) == (2, "10.0.0.1")


def test_conditions_of_others_are_kept() -> None:
    pod = node_pod()
    reported(pod)
    pod.object["status"]["conditions"].append(GATE)
    pod.ip = "10.0.0.1"
    StatusManager(pod).report()
    assert GATE["type"] in {c["type"] for c in stored(pod)["status"]["conditions"]}


class Strikes:
    """Raises for the first write of a status."""

    def __init__(self, error: Exception) -> None:
        self._error: Exception | None = error

    def before(self, call: Call) -> None:
        if self._error is not None and call.subresource == "status":
            error, self._error = self._error, None
            raise error

    def after(self, call: Call) -> None:
        """Nothing is lost."""


ERRORS = [
    ("is refused", APIError(500, "InternalError", "no")),
    ("is not answered", CallTimeoutError("no")),
]


@pytest.mark.parametrize("error", [e[1] for e in ERRORS], ids=[e[0] for e in ERRORS])
@pytest.mark.parametrize(
    ("stage", "stopped", "written"),
    [(Stage.ACTIVE, False, True), (Stage.ACTIVE, True, False), (Stage.GONE, False, False)],
    ids=["it is written a second later", "not if it is stopped", "not of a pod that is gone"],
)
def test_a_status_that(error: Exception, stage: Stage, stopped: bool, written: bool) -> None:
    pod = node_pod()
    pod.stage = stage
    pod.runtime.api.interceptors.append(Strikes(error))
    manager = Manager(pod)
    manager.report()
    assert manager.writes == 0
    if stopped:
        manager.stop()
    pod.runtime.clock.run_until(1.0)
    assert manager.writes == written


CHANGES = [
    ("of a pod that runs", Stage.ACTIVE, True, True),
    ("of a pod that ends", Stage.TERMINATING, True, True),
    ("of a pod that has ended", Stage.TERMINATED, True, False),
    ("while the kubelet is away", Stage.ACTIVE, False, False),
]


@pytest.mark.parametrize(
    ("stage", "up", "written"), [c[1:] for c in CHANGES], ids=[c[0] for c in CHANGES]
)
def test_a_change_is_written(stage: Stage, up: bool, written: bool) -> None:
    pod = node_pod()
    pod.stage, pod.agent.up = stage, up
    manager = Manager(pod)
    manager.report_change()
    assert manager.writes == written


def test_a_pod_that_is_rejected_has_failed() -> None:
    pod = node_pod()
    StatusManager(pod).report_rejection(Rejection("OutOfcpu", "too little"))
    status = stored(pod)["status"]
    assert (status["phase"], status["reason"]) == ("Failed", "OutOfcpu")
    assert status["message"] == "Pod was rejected: too little"


def test_a_pod_that_the_kubelet_ends_says_why() -> None:
    pod = node_pod(restartPolicy="Never")
    pod.ended_by_kubelet, pod.disrupted = ("Evicted", "the node was low on memory"), True
    (container,) = pod.containers
    container.restarts, container.terminated = 0, {"exitCode": 137, "reason": "Error"}
    StatusManager(pod).report(finished=True)
    status = stored(pod)["status"]
    assert (status["phase"], status["reason"]) == ("Failed", "Evicted")
    disrupted = {c["type"]: c["status"] for c in status["conditions"]}["DisruptionTarget"]
    assert disrupted == "True"
