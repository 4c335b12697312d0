"""Two histories of a Performer are the same, or the difference is shown."""

from typing import Any

import pytest

from hourglass_simulator.scenario.backend import Change, Write
from scenario_backend import conditions
from scenarios.status_history import (
    BRIEF,
    LATE_ENDPOINTS,
    State,
    Summary,
    difference,
    status_histories,
)

STARTING = ("False/PodPending", "True/PodPending", "False/NotAvailable")
HEALTHY = ("True/PodReady", "False/ServiceReady", "False/AsExpected")


def states(*given: tuple[str, float]) -> list[State]:
    return [State(Summary(phase, ()), seconds) for phase, seconds in given]


SAME = {
    "the same states, whatever their length": (
        states(("Pending", 2), ("Running", 5)),
        states(("Pending", 7), ("Running", 9)),
    ),
    "nothing on both": ([], []),
    "a brief state is missing on the real cluster": (
        states(("Pending", 2), ("Failed", BRIEF - 0.1), ("Running", 5)),
        states(("Pending", 2), ("Running", 5)),
    ),
    "a brief state is missing in the simulator": (
        states(("Pending", 2), ("Running", 5)),
        states(("Pending", 2), ("Failed", BRIEF - 0.1), ("Running", 5)),
    ),
    "a brief state between two alike leaves one of them": (
        states(("Running", 5)),
        states(("Running", 2), ("Pending", 0.3), ("Running", 5)),
    ),
    "each has a brief state that the other has not": (
        states(("Pending", 0.5), ("Running", 2), ("Terminating", 3)),
        states(("Running", 2), ("Failed", 0.5), ("Terminating", 3)),
    ),
    "what is brief on one side lasts on the other": (
        states(("Pending", 0.5), ("Running", 2)),
        states(("Pending", 1.5), ("Running", 2)),
    ),
}

DIFFERENT = {
    "a state is missing": (
        states(("Pending", 2), ("Failed", BRIEF), ("Running", 5)),
        states(("Pending", 2), ("Running", 5)),
    ),
    "the order is another": (
        states(("Pending", 3), ("Failed", 3), ("Running", 5)),
        states(("Failed", 3), ("Pending", 3), ("Running", 5)),
    ),
    "the brief states come in another order": (
        states(("Pending", 0.5), ("Failed", 3), ("Running", 5)),
        states(("Failed", 3), ("Pending", 2.5), ("Running", 5)),
    ),
    "the end is another, however short it was": (
        states(("Pending", 2), ("Running", 0.1)),
        states(("Pending", 2)),
    ),
    "only one of them saw the Performer": (states(("Pending", 2)), []),
}


@pytest.mark.parametrize(("simulated", "real"), SAME.values(), ids=SAME)
def test_histories_are_the_same(simulated: list[State], real: list[State]) -> None:
    assert difference(simulated, real) is None


@pytest.mark.parametrize(("simulated", "real"), DIFFERENT.values(), ids=DIFFERENT)
def test_histories_differ(simulated: list[State], real: list[State]) -> None:
    assert difference(simulated, real) is not None
    assert difference(real, simulated) is not None


@pytest.mark.parametrize(
    ("reason", "seconds", "same"),
    [
        ("EndpointsNotReady", LATE_ENDPOINTS - 0.1, True),
        ("EndpointsNotReady", LATE_ENDPOINTS, False),
        ("PodNotReady", LATE_ENDPOINTS - 0.1, False),
    ],
    ids=["the slice is late", "the slice is later than that", "it waits for something else"],
)
def test_a_real_slice_may_be_late(reason: str, seconds: float, same: bool) -> None:
    running = State(Summary("Running", ("PodReady",)), 5)
    real = [running, State(Summary("Pending", (reason,)), seconds), running]
    assert (difference([running], real) is None) is same


def test_reasons_alone_make_a_difference() -> None:
    one = [State(Summary("Pending", ("PodPending",)), 3)]
    other = [State(Summary("Pending", ("Scheduled",)), 4)]
    assert difference(one, other) == (
        "  simulated: Pending (PodPending) 3.0 s\n  real: Pending (Scheduled) 4.0 s"
    )


def performer(phase: str, given: tuple[str, str, str] | None = None, uid: str = "1") -> Any:
    metadata = {"namespace": "avs", "name": "worker", "uid": uid}
    if given is None:
        return {"metadata": metadata, "status": {"phase": phase}}
    return {
        "metadata": metadata,
        "status": {"phase": phase, "conditions": conditions(given, "")},
    }


def test_a_history_has_each_look_once_with_its_time() -> None:
    records: list[Change | Write] = [
        Change(0, "ADDED", "performers", performer("Pending")),
        Change(0.5, "MODIFIED", "performers", performer("Pending")),
        Change(0.6, "ADDED", "pods", {"metadata": {"namespace": "avs", "name": "worker-0"}}),
        Write(BRIEF - 0.1, "patch", "performers", "avs", "worker", "status", 200),
        Change(1, "MODIFIED", "performers", performer("Pending", STARTING)),
        Change(3, "MODIFIED", "performers", performer("Running", HEALTHY)),
    ]
    assert status_histories(records, 10) == {
        ("avs", "worker", 1): [
            State(Summary("Pending", ("", "", "", "")), 1),
            State(
                Summary("Pending", ("PodPending", "PodPending", "PodPending", "NotAvailable")),
                2,
            ),
            State(Summary("Running", ("PodReady", "PodReady", "ServiceReady", "AsExpected")), 7),
        ]
    }


def test_a_performer_that_was_made_again_has_a_history_of_its_own() -> None:
    records: list[Change | Write] = [
        Change(0, "ADDED", "performers", performer("Running")),
        Change(4, "DELETED", "performers", performer("Running")),
        Change(5, "ADDED", "performers", performer("Pending", uid="2")),
    ]
    blank = ("", "", "", "")
    assert status_histories(records, 6) == {
        ("avs", "worker", 1): [State(Summary("Running", blank), 4)],
        ("avs", "worker", 2): [State(Summary("Pending", blank), 1)],
    }
