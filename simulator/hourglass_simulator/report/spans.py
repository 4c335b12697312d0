"""In which phase each Performer was, and for how long."""

from collections.abc import Iterable
from dataclasses import dataclass

from hourglass_kube.types import JSON
from hourglass_simulator.scenario.backend import Change, Write
from hourglass_simulator.scenario.history import condition_of, key_of


@dataclass(frozen=True, slots=True)
class Standing:
    """How a Performer is at one moment."""

    phase: str
    reason: str
    """Of its Ready condition."""
    degraded: str
    """The reason of Degraded=True, "" while it is not."""


@dataclass(frozen=True, slots=True)
class Span:
    """A time in which a Performer's standing stayed as it was; in seconds."""

    performer: str
    standing: Standing
    start: float
    end: float


def spans(records: Iterable[Change | Write], end: float) -> list[Span]:
    """The spans of every Performer, in the order in which they began."""
    begun: dict[str, tuple[Standing, float]] = {}
    found: list[Span] = []
    for record in records:
        if not isinstance(record, Change) or record.resource != "performers":
            continue
        performer = "/".join(key_of(record.object))
        now = None if record.type == "DELETED" else standing_of(record.object)
        before = begun.get(performer)
        if before is not None and before[0] != now:
            found.append(Span(performer, *before, record.time))
            del begun[performer]
        if now is not None and performer not in begun:
            begun[performer] = (now, record.time)
    found += [Span(performer, *span, end) for performer, span in begun.items()]
    return sorted(found, key=lambda span: span.start)


def standing_of(performer: JSON) -> Standing:
    """How a Performer says it is."""
    ready, degraded = (condition_of(performer, kind) for kind in ("Ready", "Degraded"))
    return Standing(
        performer.get("status", {}).get("phase", "Pending"),
        ready["reason"] if ready else "",
        degraded["reason"] if degraded and degraded["status"] == "True" else "",
    )
