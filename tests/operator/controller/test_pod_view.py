"""Pods trimmed to what decisions read."""

from typing import Any

import pytest

from builders import PodBuilder, has_crashed, pod_of, runs
from hourglass_operator.controller.pod_view import PodView, pod_view
from situations import V1, bound

HEALTHY = bound().ready().with_init("istio-init").with_container("istio-proxy")


def seen(pod: PodBuilder, **status: Any) -> PodView:
    built = pod.build()
    found = pod_view({**built, "status": {**built["status"], **status}})
    assert found is not None
    return found


def test_a_healthy_pod_keeps_nothing_of_its_containers() -> None:
    one, other = seen(HEALTHY), seen(HEALTHY.number(1))
    assert (one.others, one.unready) == ((), None)
    assert one.container is other.container


def test_containers_are_kept_in_the_order_in_which_they_start() -> None:
    pod = bound().with_container("last", **runs(9)).with_init("first", **runs(7))
    pod = pod.with_init("second", sidecar=True, **runs(8)).with_init("ended")
    assert [(c.name, c.init) for c in seen(pod).others] == [
        ("first", True),
        ("second", False),
        ("last", False),
    ]


def test_a_sidecar_that_has_crashed_is_kept_while_it_is_ready() -> None:
    pod = bound().ready().with_container("proxy", **has_crashed(900), ready=True)
    view = seen(pod)
    assert [c.name for c in view.others] == ["proxy"]
    assert (view.unready_containers, view.restarts) == ((), 1)
    assert view.restarted is view.others[0]


def test_ephemeral_containers_do_not_count() -> None:
    debugger = {"name": "debugger", "ready": False, **runs(9)}
    view = seen(bound().ready(), ephemeralContainerStatuses=[debugger])
    assert view.others == ()


def test_scheduling_gates_hold_back_only_what_has_no_node() -> None:
    gated = bound().held_by_gates("queue")
    assert seen(gated).scheduling_gates == ()


@pytest.mark.parametrize(
    ("reason", "message"),
    [("Unschedulable", "why"), ("SchedulerError", "why"), ("SchedulingGated", None)],
)
def test_what_the_scheduler_says_of_a_pod_without_a_node(reason: str, message: str | None) -> None:
    pod = pod_of(V1).condition("PodScheduled", "False", reason, "why")
    assert seen(pod).unschedulable == message


def test_only_a_scheduler_of_others_is_named() -> None:
    schedulers = [
        view.unready.scheduler
        for name in ("default-scheduler", "volcano")
        if (view := seen(pod_of(V1).waits_for(name))).unready is not None
    ]
    assert schedulers == ["", "volcano"]


@pytest.mark.parametrize(
    ("containers", "changed", "lost"),
    [("True", 60, True), ("True", 0, False), ("False", 60, False)],
    ids=["it was Ready", "it has never been Ready", "a container is to blame"],
)
def test_a_pod_has_lost_its_readiness(containers: str, changed: float, lost: bool) -> None:
    pod = bound().condition("ContainersReady", containers)._condition("Ready", "False", changed)
    unready = seen(pod).unready
    assert unready is not None
    assert unready.lost is lost


# tests/goldens/kubelet: since 1.37 the condition says why.
SANDBOXES = [
    ("there is one", {"status": "True"}, True),
    ("there is none, on 1.34", {"status": "False"}, False),
    (
        "there is none, on 1.37",
        {"status": "False", "reason": "PodSandboxNotReady", "message": "no pod sandbox exists"},
        False,
    ),
    (
        "it has ended, on 1.37",
        {"status": "False", "reason": "PodSandboxNotReady", "message": "pod sandbox is not ready"},
        False,
    ),
]


@pytest.mark.parametrize(
    ("condition", "sandbox"), [s[1:] for s in SANDBOXES], ids=[s[0] for s in SANDBOXES]
)
def test_whether_there_is_a_sandbox(condition: dict[str, str], sandbox: bool) -> None:
    said = {"type": "PodReadyToStartContainers", **condition}
    unready = seen(bound(), conditions=[said]).unready
    assert unready is not None
    assert unready.sandbox is sandbox
