"""In which phase each Performer was, and for how long."""

from collections.abc import Iterable
from dataclasses import dataclass

from hourglass_simulator.scenario.backend import Change, Write
from hourglass_simulator.scenario.history import condition_of, key_of


@dataclass(frozen=True, slots=True)
class Span:
    """A time in which phase and reason of a Performer stayed as they were; in seconds."""

    performer: str
    phase: str
    reason: str
    start: float
    end: float


def spans(records: Iterable[Change | Write], end: float) -> list[Span]:
    """The spans of every Performer, in the order in which they began."""
    open_spans: dict[str, tuple[str, str, float]] = {}
    found: list[Span] = []
    for record in records:
        if not isinstance(record, Change) or record.resource != "performers":
            continue
        performer = "/".join(key_of(record.object))
        ready = condition_of(record.object, "Ready")
        phase = record.object.get("status", {}).get("phase", "Pending")
        now = (phase, ready["reason"] if ready else "")
        before = open_spans.get(performer)
        gone = record.type == "DELETED"
        if before is not None and (gone or before[:2] != now):
            found.append(Span(performer, *before, record.time))
            del open_spans[performer]
        if not gone and performer not in open_spans:
            open_spans[performer] = (*now, record.time)
    found += [Span(performer, *span, end) for performer, span in open_spans.items()]
    return sorted(found, key=lambda span: span.start)
