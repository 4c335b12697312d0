"""The machine walks the table and nothing but the table."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facts_strategy import FACTS
from hourglass_statemachine import Facts, Fault, Lifecycle, Phase, Reason, Serving
from hourglass_statemachine.table import TABLE, TRIGGERS

STORED = st.sampled_from([None, "", "Nonsense", *Phase])
LASTING = Fault(Reason.POD_REJECTED, "exceeded quota", permanent=True)


@given(FACTS)
def test_exactly_one_trigger_holds_for_any_facts(facts: Facts) -> None:
    assert sum(trigger.holds(facts) for trigger in TRIGGERS) == 1


@given(STORED, STORED, FACTS)
def test_the_phase_is_a_function_of_the_facts(one: str, other: str, facts: Facts) -> None:
    lifecycle = Lifecycle()
    assert lifecycle.advance(one, facts)[0] == lifecycle.advance(other, facts)[0]


@given(STORED, FACTS)
def test_only_steps_of_the_table_are_taken(stored: str, facts: Facts) -> None:
    permitted = {(row.source, row.trigger.name, row.trigger.dest) for row in TABLE}
    _, steps = Lifecycle().advance(stored, facts)
    assert {(step.source, step.trigger, step.dest) for step in steps} <= permitted


@given(STORED, FACTS)
def test_steps_form_a_path_that_ends_in_the_phase(stored: str, facts: Facts) -> None:
    phase, steps = Lifecycle().advance(stored, facts)
    ends = [step.dest for step in steps]
    assert ends[:-1] == [step.source for step in steps[1:]]
    assert not steps or ends[-1] == phase


@given(STORED, FACTS)
def test_advancing_again_takes_no_step(stored: str, facts: Facts) -> None:
    lifecycle = Lifecycle()
    phase, _ = lifecycle.advance(stored, facts)
    assert lifecycle.advance(phase, facts) == (phase, ())


STEPS = [
    ("a new performer starts pending", None, Facts(), Phase.PENDING, []),
    ("it serves", "Pending", Facts(serving=Serving.WANTED), Phase.RUNNING, ["serve"]),
    ("a lasting fault fails it", "Pending", Facts(fault=LASTING), Phase.FAILED, ["fail"]),
    ("its deadline fails it", "Pending", Facts(deadline_exceeded=True), Phase.FAILED, ["fail"]),
    ("losing the pod makes it wait", "Running", Facts(), Phase.PENDING, ["wait"]),
    (
        "another template upgrades it",
        "Running",
        Facts(serving=Serving.PREVIOUS, upgrading=True),
        Phase.UPGRADING,
        ["upgrade"],
    ),
    (
        "an upgrade with a fault goes on while the old pod serves",
        "Upgrading",
        Facts(serving=Serving.PREVIOUS, upgrading=True, fault=LASTING, deadline_exceeded=True),
        Phase.UPGRADING,
        [],
    ),
    (
        "an upgrade with a fault fails once nothing serves",
        "Upgrading",
        Facts(upgrading=True, fault=LASTING),
        Phase.FAILED,
        ["fail"],
    ),
    ("the upgrade ends", "Upgrading", Facts(serving=Serving.WANTED), Phase.RUNNING, ["serve"]),
    ("a withdrawn upgrade waits for its pod", "Upgrading", Facts(), Phase.PENDING, ["wait"]),
    ("a fault that is gone is forgotten", "Failed", Facts(), Phase.PENDING, ["wait"]),
    ("a failed upgrade goes on", "Failed", Facts(upgrading=True), Phase.UPGRADING, ["upgrade"]),
    (
        "a deletion goes before everything",
        "Failed",
        Facts(deleting=True, serving=Serving.WANTED, fault=LASTING),
        Phase.TERMINATING,
        ["terminate"],
    ),
    ("a deletion stays a deletion", "Terminating", Facts(deleting=True), Phase.TERMINATING, []),
    (
        "Terminating without a deletion starts over",
        "Terminating",
        Facts(serving=Serving.WANTED),
        Phase.RUNNING,
        ["serve"],
    ),
]


@pytest.mark.parametrize(
    ("stored", "facts", "phase", "triggers"),
    [case[1:] for case in STEPS],
    ids=[case[0] for case in STEPS],
)
def test_steps(stored: str | None, facts: Facts, phase: Phase, triggers: list[str]) -> None:
    reached, steps = Lifecycle().advance(stored, facts)
    assert (reached, [step.trigger for step in steps]) == (phase, triggers)
