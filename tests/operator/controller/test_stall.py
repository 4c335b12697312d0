"""A pod is called starting for half a minute; then what it waits for is named."""

from dataclasses import replace

import pytest

from builders import PerformerBuilder, PodBuilder, at, pod_of, runs, waiting
from hourglass_operator.controller.stall import STALL_SECONDS
from scene import scene, status_of
from situations import AT_ONCE, NOW, V1, bound

NAME = bound().name
SERVER_RUNS = bound().running(10).container_is_ready()

NAMED = [
    (
        "an init container",
        bound()
        .with_init("istio-init", **runs(10))
        .with_init("other", **waiting("PodInitializing")),
        "init container istio-init has not ended",
    ),
    (
        "an init container whose image is being pulled",
        bound().with_init("istio-init", **waiting("PodInitializing")),
        "init container istio-init has not started",
    ),
    (
        "a native sidecar",
        bound().with_init("istio-proxy", sidecar=True, **runs(10)),
        "container istio-proxy runs but is not ready",
    ),
    (
        "a sidecar",
        SERVER_RUNS.with_container("istio-proxy", **runs(10)),
        "container istio-proxy runs but is not ready",
    ),
    (
        "the server and a sidecar",
        bound().running(10).with_container("istio-proxy", **waiting("ContainerCreating")),
        "container performer runs but is not ready; container istio-proxy has not started",
    ),
    (
        "a readiness gate",
        bound().running(10).waits_for_readiness("target-health.elbv2.k8s.aws"),
        "readiness gate is not met: target-health.elbv2.k8s.aws",
    ),
    (
        "two readiness gates, one of which is met",
        bound().running(10).waits_for_readiness("a", "b").condition("a", "True"),
        "readiness gate is not met: b",
    ),
    (
        "a sandbox",
        bound().without_sandbox(),
        f"it has no sandbox yet, and its events say why: kubectl describe pod {NAME} -n avs",
    ),
    (
        "what only the condition Ready knows",
        SERVER_RUNS.condition("Ready", "False", "Strange", "somebody says so"),
        "Strange: somebody says so",
    ),
    (
        "what nobody says",
        SERVER_RUNS.condition("Ready", "False"),
        "its condition Ready does not say why",
    ),
]


class Watched:
    """Passes over one pod, each status written and stored."""

    def __init__(self, pod: PodBuilder, performer: PerformerBuilder = V1) -> None:
        self.performer = performer
        self.staged = scene(performer, pod, settings=AT_ONCE)
        self.wakes: float | None = None

    def at(self, now: float) -> str:
        """What Ready says after a pass at this time: `reason: message`."""
        plan = self.staged.plan(now)
        self.wakes = plan.requeue_after
        status = status_of(plan, self.performer.status)
        self.performer = replace(self.performer, status=status)
        self.staged.sees("performers", self.performer.build())
        self.staged.succeed(replace(plan, writes=()), now)
        ready = status["conditions"][-1]
        return f"{ready['reason']}: {ready['message']}"

    def restart(self, pod: PodBuilder) -> None:
        """The operator starts anew, with what is stored."""
        self.staged = scene(self.performer, pod, settings=AT_ONCE)


STARTING = f"Scheduled: pod {NAME} is starting on node node-1"


def stuck(on: str) -> str:
    return f"PodNotReady: pod {NAME} on node node-1 is not ready: {on}"


@pytest.mark.parametrize(("pod", "waits_for"), [n[1:] for n in NAMED], ids=[n[0] for n in NAMED])
def test_named_after_half_a_minute(pod: PodBuilder, waits_for: str) -> None:
    watched = Watched(pod)
    assert watched.at(NOW) == STARTING
    assert watched.wakes == STALL_SECONDS
    assert watched.at(NOW + STALL_SECONDS - 0.1) == STARTING
    assert watched.at(NOW + STALL_SECONDS) == stuck(waits_for)


def test_the_half_minute_begins_again_when_the_pod_gets_on() -> None:
    watched = Watched(bound().without_sandbox())
    watched.at(NOW)
    watched.staged.sees("pods", bound().with_init("istio-init", **runs(10)).build())
    assert watched.at(NOW + 29) == STARTING
    assert watched.at(NOW + 58) == STARTING
    assert watched.at(NOW + 59) == stuck("init container istio-init has not ended")


def test_what_was_reported_is_still_reported_after_a_restart_of_the_operator() -> None:
    pod = bound().without_sandbox()
    watched = Watched(pod)
    watched.at(NOW)
    reported = watched.at(NOW + STALL_SECONDS)
    watched.restart(pod)
    assert watched.at(NOW + 40) == reported


def test_a_pod_that_was_ready_is_not_called_starting() -> None:
    gate = "target-health.elbv2.k8s.aws"
    pod = bound().running(10).waits_for_readiness(gate).condition("ContainersReady", "True")
    lost = pod._condition("Ready", "False", 60).condition(gate, "False", "Failed", "no answer")
    watched = Watched(lost)
    assert watched.at(NOW) == stuck(f"readiness gate is not met: {gate} (Failed: no answer)")


def test_a_pod_that_comes_after_the_deadline_has_half_a_minute_too() -> None:
    past = V1.deadline(60).with_status(templateHash=V1.hash, progressStartTime=at(NOW - 100))
    watched = Watched(bound().born(NOW).without_sandbox(), past)
    assert watched.at(NOW) == STARTING
    assert watched.wakes == STALL_SECONDS
    assert watched.at(NOW + STALL_SECONDS).startswith("PodNotReady")


def test_the_server_itself_has_until_its_deadline() -> None:
    watched = Watched(bound().running(10), V1.deadline(60))
    assert watched.at(NOW) == STARTING
    assert watched.wakes == 60
    assert watched.at(NOW + 59) == STARTING
    waits_for = "container performer runs but is not ready"
    assert watched.at(NOW + 60) == stuck(waits_for).replace("PodNotReady", "Scheduled")


def test_time_behind_a_scheduling_gate_does_not_count() -> None:
    pod = pod_of(V1)
    watched = Watched(pod.held_by_gates("queue"), V1.deadline(60))
    gated = f"SchedulingGated: pod {NAME} is held back by scheduling gate queue"
    assert watched.at(NOW) == gated
    assert watched.wakes is None
    assert watched.at(NOW + 3600) == gated
    watched.staged.sees("pods", pod.build())
    assert watched.at(NOW + 3700).startswith("PodPending")
    assert watched.wakes == 60
    assert watched.performer.status["phase"] == "Pending"
    watched.at(NOW + 3760)
    assert watched.performer.status["phase"] == "Failed"


def test_a_performer_that_has_failed_waits_again_when_its_next_pod_is_held_back() -> None:
    pod = pod_of(V1)
    watched = Watched(pod, V1.deadline(60))
    watched.at(NOW)
    watched.at(NOW + 60)
    assert watched.performer.status["phase"] == "Failed"
    watched.staged.sees("pods", pod.held_by_gates("queue").build())
    assert watched.at(NOW + 90).startswith("SchedulingGated")
    assert watched.performer.status["phase"] == "Pending"
