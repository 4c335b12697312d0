"""What a monitor is."""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from hourglass_kube.types import JSON
from hourglass_operator.transport.calls import Request
from hourglass_simulator.scenario.backend import Write
from hourglass_simulator.scenario.expect import Mismatch
from hourglass_simulator.scenario.history import History


class Seen(NamedTuple):
    """A change of an object: as it was (None: created) and as it is (its last state if deleted)."""

    time: float
    """Seconds since the start."""
    unix: float
    """Seconds since the Unix epoch, by the API server's clock."""
    type: str
    """ADDED, MODIFIED or DELETED."""
    object: JSON
    before: JSON | None
    by: str
    """The user whose call it was."""


Judge = Callable[[Seen], Iterable[Mismatch]]


class Monitor:
    """Judges one promise of the operator, from the start of a run to its end."""

    oracle = ""
    """Its name, which findings have."""

    def __init__(self, history: History) -> None:
        """`history` is what has happened so far; at a change, without this change."""
        self.history = history
        self.calm_since: Callable[[], float] = lambda: 0.0
        """Since when (seconds) nothing has kept the operator from its work; `inf` if now."""

        self.is_news: Callable[[JSON], bool] = lambda _: False
        """Another replica has made the pod just now: whoever writes need not have seen it."""
        self.may_disagree = False
        """Two replicas may write that know different specs."""

    @property
    def changes(self) -> Mapping[str, Judge]:
        """By resource, what is called with each change of it."""
        return {}

    def wrote(self, write: Write) -> Iterable[Mismatch]:  # noqa: ARG002
        """A mutating call of the operator was answered; its change has been seen by then."""
        return ()

    def asks(self, process: str, request: Request) -> Iterable[Mismatch]:  # noqa: ARG002
        """A process of the operator is about to make a mutating call, no Lease's."""
        return ()

    def settled(self) -> Iterable[Mismatch]:
        """Everything has come to rest."""
        return ()
