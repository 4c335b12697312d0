"""The transition table: which phase may follow which, on which trigger, and when."""

from collections.abc import Callable
from dataclasses import dataclass

from hourglass_statemachine.facts import Facts, Serving
from hourglass_statemachine.phase import Phase


@dataclass(frozen=True, slots=True)
class Trigger:
    """A named cause that leads to the phase `dest` whenever `holds` is true of the facts.

    For any facts exactly one trigger holds: the phase is a function of the facts.
    """

    name: str
    dest: Phase
    holds: Callable[[Facts], bool]


_AS_WANTED = (Serving.WANTED, Serving.LEAVING)


def _terminates(facts: Facts) -> bool:
    return facts.deleting


def _serves(facts: Facts) -> bool:
    return not facts.deleting and facts.serving in _AS_WANTED


def _fails(facts: Facts) -> bool:
    return not facts.deleting and facts.stuck


def _upgrades(facts: Facts) -> bool:
    return (
        not facts.deleting
        and facts.serving not in _AS_WANTED
        and not facts.stuck
        and (facts.upgrading or facts.serving is not Serving.NOTHING)
    )


def _waits(facts: Facts) -> bool:
    return (
        not facts.deleting
        and facts.serving is Serving.NOTHING
        and not facts.stuck
        and not facts.upgrading
    )


TERMINATE = Trigger("terminate", Phase.TERMINATING, _terminates)
SERVE = Trigger("serve", Phase.RUNNING, _serves)
FAIL = Trigger("fail", Phase.FAILED, _fails)
UPGRADE = Trigger("upgrade", Phase.UPGRADING, _upgrades)
WAIT = Trigger("wait", Phase.PENDING, _waits)

TRIGGERS = (TERMINATE, SERVE, FAIL, UPGRADE, WAIT)


@dataclass(frozen=True, slots=True)
class Row:
    """One permitted step: from `source`, on `trigger`, to `trigger.dest`; `when` is for people."""

    source: Phase
    trigger: Trigger
    when: str


TABLE = (
    Row(Phase.PENDING, SERVE, "a pod of the wanted template is a ready endpoint of the Service"),
    Row(Phase.PENDING, FAIL, "a fault that does not mend itself, or the progress deadline passed"),
    Row(Phase.PENDING, UPGRADE, "a pod of another template serves, or did when the spec changed"),
    Row(Phase.RUNNING, WAIT, "nothing serves any more, and the fault may mend itself"),
    Row(Phase.RUNNING, FAIL, "nothing serves any more, and the fault does not mend itself"),
    Row(Phase.RUNNING, UPGRADE, "the wanted template differs from the one that serves"),
    Row(
        Phase.UPGRADING,
        SERVE,
        "the wanted template serves and has been ready for minReadySeconds, or the spec went back "
        "to the one that serves",
    ),
    Row(Phase.UPGRADING, FAIL, "nothing serves, and a fault holds or the progress deadline passed"),
    Row(
        Phase.UPGRADING, WAIT, "the spec went back to the template that served, but nothing serves"
    ),
    Row(Phase.FAILED, SERVE, "the wanted template serves"),
    Row(Phase.FAILED, WAIT, "the fault is gone or the spec changed"),
    Row(
        Phase.FAILED,
        UPGRADE,
        "the fault is gone or the old template serves, and the upgrade goes on",
    ),
    *(
        Row(phase, TERMINATE, "deletionTimestamp is set")
        for phase in (Phase.PENDING, Phase.RUNNING, Phase.UPGRADING, Phase.FAILED)
    ),
)
