"""The conditions table: one case a row, and the rules of metav1.Condition."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facts_strategy import FACTS
from hourglass_statemachine import (
    Condition,
    Facts,
    Fault,
    Lifecycle,
    Progress,
    Reason,
    Serving,
    stamp,
    verdicts,
)

T0, T1 = "2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z"


@dataclass(frozen=True)
class Row:
    """A situation and what the phase and the conditions must say of it."""

    situation: str
    facts: Facts
    phase: str
    available: str
    progressing: str
    degraded: str


def fault(reason: Reason, *, permanent: bool = False) -> Fault:
    return Fault(reason, f"what {reason} means", permanent)


def waits_with(reason: Reason) -> Facts:
    return Facts(progress=Progress.SCHEDULED, fault=fault(reason))


def fails_with(reason: Reason) -> Facts:
    return Facts(progress=Progress.SCHEDULED, fault=fault(reason, permanent=True))


def pending(situation: str, reason: Reason) -> Row:
    words = (f"False/{reason}", f"True/{reason}", "False/NotAvailable")
    return Row(situation, waits_with(reason), "Pending", *words)


def failed(situation: str, reason: Reason) -> Row:
    words = (f"False/{reason}", f"False/{reason}", "False/NotAvailable")
    return Row(situation, fails_with(reason), "Failed", *words)


ROWS = [
    Row(
        "no pod yet",
        Facts(),
        "Pending",
        "False/PodPending",
        "True/PodPending",
        "False/NotAvailable",
    ),
    Row(
        "held back by a scheduling gate",
        Facts(progress=Progress.GATED),
        "Pending",
        "False/SchedulingGated",
        "True/SchedulingGated",
        "False/NotAvailable",
    ),
    Row(
        "upgrade held back by a scheduling gate while the old pod serves",
        Facts(serving=Serving.PREVIOUS, upgrading=True, progress=Progress.GATED),
        "Upgrading",
        "True/PodReady",
        "True/UpgradeInProgress",
        "False/AsExpected",
    ),
    Row(
        "upgrade held back by a scheduling gate while nothing serves",
        Facts(upgrading=True, progress=Progress.GATED),
        "Upgrading",
        "False/SchedulingGated",
        "True/UpgradeInProgress",
        "False/NotAvailable",
    ),
    Row(
        "scheduled and starting",
        Facts(progress=Progress.SCHEDULED),
        "Pending",
        "False/Scheduled",
        "True/Scheduled",
        "False/NotAvailable",
    ),
    Row(
        "pod ready but endpoints not yet",
        Facts(progress=Progress.POD_READY),
        "Pending",
        "False/EndpointsNotReady",
        "True/PodReady",
        "False/NotAvailable",
    ),
    Row(
        "serving",
        Facts(serving=Serving.WANTED),
        "Running",
        "True/PodReady",
        "False/ServiceReady",
        "False/AsExpected",
    ),
    Row(
        "resources being changed in place",
        Facts(serving=Serving.WANTED, resizing="pod p is resized"),
        "Running",
        "True/PodReady",
        "True/ResizeInProgress",
        "False/AsExpected",
    ),
    pending("unschedulable for hardware", Reason.HARDWARE_UNAVAILABLE),
    pending("unschedulable otherwise", Reason.SCHEDULING_FAILED),
    pending("the first failed image pull", Reason.IMAGE_PULL_FAILED),
    failed("image pull backs off", Reason.IMAGE_PULL_FAILED),
    pending("container ended once", Reason.CONTAINER_FAILED),
    failed("crash loop", Reason.CONTAINER_FAILED),
    pending("readiness lost", Reason.POD_NOT_READY),
    pending("pod evicted or node lost", Reason.POD_LOST),
    failed("pod refused by the API server", Reason.POD_REJECTED),
    failed("service refused by the API server", Reason.SERVICE_REJECTED),
    failed("name taken by another owner", Reason.NAME_CONFLICT),
    Row(
        "progress deadline passed while unschedulable",
        Facts(fault=fault(Reason.SCHEDULING_FAILED), deadline_exceeded=True),
        "Failed",
        "False/SchedulingFailed",
        "False/ProgressDeadlineExceeded",
        "False/NotAvailable",
    ),
    Row(
        "progress deadline passed without a fault",
        Facts(progress=Progress.SCHEDULED, deadline_exceeded=True),
        "Failed",
        "False/Scheduled",
        "False/ProgressDeadlineExceeded",
        "False/NotAvailable",
    ),
    Row(
        "progress deadline passed in a crash loop names the crash loop",
        Facts(fault=fault(Reason.CONTAINER_FAILED, permanent=True), deadline_exceeded=True),
        "Failed",
        "False/ContainerFailed",
        "False/ContainerFailed",
        "False/NotAvailable",
    ),
    Row(
        "upgrade while the old pod serves",
        Facts(serving=Serving.PREVIOUS, upgrading=True, progress=Progress.SCHEDULED),
        "Upgrading",
        "True/PodReady",
        "True/UpgradeInProgress",
        "False/AsExpected",
    ),
    Row(
        "upgrade with nothing serving",
        Facts(upgrading=True),
        "Upgrading",
        "False/UpgradeInProgress",
        "True/UpgradeInProgress",
        "False/NotAvailable",
    ),
    Row(
        "upgrade with nothing serving and a fault that may mend itself",
        Facts(upgrading=True, fault=fault(Reason.HARDWARE_UNAVAILABLE)),
        "Upgrading",
        "False/HardwareUnavailable",
        "True/UpgradeInProgress",
        "False/NotAvailable",
    ),
    Row(
        "upgrade with nothing serving and a lasting fault",
        Facts(upgrading=True, fault=fault(Reason.IMAGE_PULL_FAILED, permanent=True)),
        "Failed",
        "False/ImagePullFailed",
        "False/ImagePullFailed",
        "False/NotAvailable",
    ),
    Row(
        "upgrade whose new pod has a fault while the old one serves",
        Facts(
            serving=Serving.PREVIOUS,
            upgrading=True,
            fault=fault(Reason.IMAGE_PULL_FAILED, permanent=True),
        ),
        "Upgrading",
        "True/PodReady",
        "True/UpgradeInProgress",
        "True/ImagePullFailed",
    ),
    Row(
        "the same after the progress deadline",
        Facts(
            serving=Serving.PREVIOUS,
            upgrading=True,
            fault=fault(Reason.IMAGE_PULL_FAILED, permanent=True),
            deadline_exceeded=True,
        ),
        "Upgrading",
        "True/PodReady",
        "False/ProgressDeadlineExceeded",
        "True/ImagePullFailed",
    ),
    Row(
        "upgrade past its deadline without a fault",
        Facts(serving=Serving.PREVIOUS, upgrading=True, deadline_exceeded=True),
        "Upgrading",
        "True/PodReady",
        "False/ProgressDeadlineExceeded",
        "True/ProgressDeadlineExceeded",
    ),
    Row(
        "upgrade whose new pod serves alone, but not for long enough",
        Facts(serving=Serving.NEW, upgrading=True, progress=Progress.POD_READY),
        "Upgrading",
        "True/PodReady",
        "True/UpgradeInProgress",
        "False/AsExpected",
    ),
    Row(
        "the same after a crash",
        Facts(
            serving=Serving.NEW,
            upgrading=True,
            progress=Progress.POD_READY,
            fault=fault(Reason.CONTAINER_FAILED),
        ),
        "Upgrading",
        "True/PodReady",
        "True/UpgradeInProgress",
        "True/ContainerFailed",
    ),
    Row(
        "serving again after a crash",
        Facts(serving=Serving.WANTED, fault=fault(Reason.CONTAINER_FAILED)),
        "Running",
        "True/PodReady",
        "False/ServiceReady",
        "True/ContainerFailed",
    ),
    Row(
        "serving on a node that lost the hardware",
        Facts(
            serving=Serving.WANTED,
            impaired=Fault(Reason.HARDWARE_UNAVAILABLE, "node gpu-1 no longer offers 2 GPUs"),
        ),
        "Running",
        "True/PodReady",
        "False/ServiceReady",
        "True/HardwareUnavailable",
    ),
    Row(
        "deleting",
        Facts(deleting=True, serving=Serving.WANTED),
        "Terminating",
        "False/Terminating",
        "True/Terminating",
        "False/NotAvailable",
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.situation)
def test_the_table_of_conditions(row: Row) -> None:
    found = {v.type: f"{v.status}/{v.reason}" for v in verdicts(row.facts)}
    phase, _ = Lifecycle().advance(None, row.facts)
    assert (phase, found["Available"], found["Progressing"], found["Degraded"]) == (
        row.phase,
        row.available,
        row.progressing,
        row.degraded,
    )


def test_a_degraded_performer_says_so_in_its_summary() -> None:
    facts = Facts(
        serving=Serving.WANTED,
        detail="pod p serves",
        impaired=Fault(Reason.HARDWARE_UNAVAILABLE, "gpu-1 lost a GPU"),
    )
    assert verdicts(facts)[-1].message == "pod p serves; gpu-1 lost a GPU"


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        (Facts(serving=Serving.PREVIOUS, evictable=True), True),
        (Facts(serving=Serving.NEW, upgrading=True, evictable=True), True),
        (Facts(serving=Serving.LEAVING, evictable=True), True),
        (Facts(serving=Serving.LEAVING, evictable=True, deadline_exceeded=True), True),
        (Facts(fault=Fault(Reason.NAME_CONFLICT, "taken", permanent=True), evictable=True), True),
        (Facts(serving=Serving.PREVIOUS), False),
        (Facts(deleting=True, evictable=True), False),
    ],
    ids=[
        "during an upgrade",
        "on trial",
        "during a move on trial",
        "once a move is late",
        "while nothing serves",
        "not while evictions wait",
        "not of one that is deleted",
    ],
)
def test_progressing_says_once_that_the_pod_may_be_evicted(facts: Facts, says: bool) -> None:
    (progressing,) = [v for v in verdicts(facts) if v.type == "Progressing"]
    assert progressing.message.count("the pod may be evicted") == says


def test_the_summary_tells_that_what_serves_is_resized() -> None:
    facts = Facts(serving=Serving.WANTED, detail="pod p serves", resizing="pod p is resized")
    assert verdicts(facts)[-1].message == "pod p serves; pod p is resized"


@pytest.mark.parametrize(
    ("facts", "abnormal"),
    [
        (Facts(serving=Serving.WANTED), []),
        (Facts(serving=Serving.WANTED, fault=fault(Reason.REPAIR_UNDONE)), []),
        (Facts(serving=Serving.LEAVING, deadline_exceeded=True), []),
        (Facts(), ["True/Reconciling/PodPending"]),
        (
            Facts(serving=Serving.PREVIOUS, upgrading=True),
            ["True/Reconciling/UpgradeInProgress"],
        ),
        (
            Facts(serving=Serving.PREVIOUS, upgrading=True, deadline_exceeded=True),
            ["True/Stalled/ProgressDeadlineExceeded"],
        ),
        (fails_with(Reason.IMAGE_PULL_FAILED), ["True/Stalled/ImagePullFailed"]),
    ],
    ids=[
        "what serves as wanted has neither",
        "what serves as wanted with a fault has neither",
        "a move that is late has neither",
        "what starts is Reconciling",
        "an upgrade while the old version serves is Reconciling",
        "an upgrade that is late is Stalled though the old version serves",
        "what has failed is Stalled",
    ],
)
def test_what_does_not_progress_is_stalled(facts: Facts, abnormal: list[str]) -> None:
    found = verdicts(facts)[3:-1]
    assert [f"{v.status}/{v.type}/{v.reason}" for v in found] == abnormal


def test_a_condition_that_is_true_no_more_goes() -> None:
    stalled = stamp(verdicts(fails_with(Reason.IMAGE_PULL_FAILED)), (), T0, 1)
    assert "Stalled" in [c.type for c in stalled]
    serves = stamp(verdicts(Facts(serving=Serving.WANTED)), stalled, T1, 1)
    assert [c.type for c in serves] == ["Available", "Progressing", "Degraded", "Ready"]


@given(FACTS)
def test_the_summary_comes_last_and_mirrors_available(facts: Facts) -> None:
    available, *_, ready = verdicts(facts)
    assert (ready.type, ready.status, ready.reason) == ("Ready", available.status, available.reason)


@given(FACTS)
def test_degraded_always_means_still_functional(facts: Facts) -> None:
    found = {v.type: v.status for v in verdicts(facts)}
    assert found["Available"] or not found["Degraded"]


@given(FACTS)
def test_phase_and_conditions_agree(facts: Facts) -> None:
    phase, _ = Lifecycle().advance(None, facts)
    found = {v.type: v.status for v in verdicts(facts)}
    assert found["Available"] or phase != "Running"
    assert not found["Available"] or phase in ("Running", "Upgrading")
    moves = facts.serving is Serving.LEAVING
    changes = moves or bool(facts.resizing)
    assert not found["Progressing"] or changes or phase not in ("Running", "Failed")
    assert ("Reconciling" in found) == found["Progressing"]
    assert "Stalled" in found or phase != "Failed"
    assert "Stalled" not in found or phase in ("Failed", "Upgrading")


@given(st.lists(FACTS, min_size=2, max_size=5))
def test_the_transition_time_moves_only_with_the_status(history: list[Facts]) -> None:
    stored: tuple[Condition, ...] = ()
    for minute, facts in enumerate(history):
        now = f"2026-01-01T00:{minute:02}:00Z"
        after = stamp(verdicts(facts), stored, now, minute)
        before = {c.type: c for c in stored}
        for condition in after:
            old = before.get(condition.type)
            stays = old is not None and old.status == condition.status
            since = old.last_transition_time if old and stays else now
            assert condition.last_transition_time == since
            assert condition.observed_generation == minute
        stored = after


@given(FACTS)
def test_stamping_twice_changes_nothing(facts: Facts) -> None:
    once = stamp(verdicts(facts), (), T0, 1)
    assert stamp(verdicts(facts), once, T1, 1) == once


def test_conditions_of_others_stay() -> None:
    foreign = Condition("Audited", "True", "Checked", "by the auditor", T0, None)
    stamped = stamp(verdicts(Facts()), (foreign,), T1, 1)
    assert stamped[0] == foreign
    assert [c.type for c in stamped[1:]] == [
        "Available",
        "Progressing",
        "Degraded",
        "Reconciling",
        "Ready",
    ]
