"""The changes of state of Performers, each in a line: what else their messages say is left out."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from hourglass_kube.types import JSON
from hourglass_operator.api.messages import essence
from hourglass_simulator.report.spans import standing_of
from hourglass_simulator.scenario.backend import Change, Write
from hourglass_simulator.scenario.history import Key, condition_of, key_of


@dataclass(frozen=True, slots=True)
class StateChange:
    """A Performer (`namespace/name`) has come into another phase, reason or degradation."""

    time: float
    performer: str
    text: str


def state_changes(records: Iterable[Change | Write]) -> Iterator[StateChange]:
    """In order; creation is none, and neither is that the phase is first written as Pending."""
    before: dict[Key, JSON] = {}
    for record in records:
        if not isinstance(record, Change) or record.resource != "performers":
            continue
        key = key_of(record.object)
        old = before.pop(key, None)
        if record.type == "DELETED":
            yield StateChange(record.time, "/".join(key), "deleted")
            continue
        before[key] = record.object
        if old is not None and standing_of(old) != standing_of(record.object):
            yield StateChange(record.time, "/".join(key), _text(old, record.object))


def _text(old: JSON, new: JSON) -> str:
    was, now = standing_of(old), standing_of(new)
    phase = now.phase if was.phase == now.phase else f"{was.phase} → {now.phase}"
    reason = f" ({now.reason})" if now.reason else ""
    if now.degraded and now.degraded != was.degraded:
        return f"{phase}{reason}, degraded: {now.degraded}{_detail(new, 'Degraded')}"
    if was.degraded and not now.degraded and was.phase == now.phase:
        return f"{phase}{reason}, no longer degraded"
    node = new.get("status", {}).get("nodeName")
    if node and (now.phase == "Running" or now.reason == "Scheduled"):
        return f"{phase}{reason} on node {node}"
    return f"{phase}{reason}{_detail(new, 'Ready')}"


def _detail(performer: JSON, kind: str) -> str:
    condition = condition_of(performer, kind)
    message = essence(condition["message"]) if condition else ""
    return f": {message}" if message else ""
