"""The life of a Performer as an explicit state machine: facts in, phase and conditions out."""

from hourglass_statemachine.conditions import Condition, ConditionType, Verdict, stamp, verdicts
from hourglass_statemachine.facts import Facts, Fault, Progress, Serving
from hourglass_statemachine.machine import Lifecycle, Step
from hourglass_statemachine.phase import Phase
from hourglass_statemachine.reason import Reason

__all__ = [
    "Condition",
    "ConditionType",
    "Facts",
    "Fault",
    "Lifecycle",
    "Phase",
    "Progress",
    "Reason",
    "Serving",
    "Step",
    "Verdict",
    "stamp",
    "verdicts",
]
