"""Which Performers' passes go first."""

from hourglass_operator.controller.queue import Priority
from hourglass_operator.controller.views import PerformerView
from hourglass_statemachine import Phase


def priority(performer: PerformerView | None, *, has_pods: bool) -> Priority:
    """High for work that has begun: it brings a Performer to Running, or a deletion to its end.

    Otherwise everybody's first pass would go before anybody's second, and all would be Running at
    the very end.
    """
    if performer is None:
        return Priority.NORMAL
    if performer.deleted is not None:
        begun = performer.phase == Phase.TERMINATING or not has_pods
    else:
        begun = has_pods and performer.phase != Phase.RUNNING
    return Priority.HIGH if begun else Priority.NORMAL
