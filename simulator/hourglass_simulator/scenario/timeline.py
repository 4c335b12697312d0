"""Turns changes of objects into the few lines that a person wants to see."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from hourglass_kube.types import JSON
from hourglass_simulator.scenario.backend import Change, Write
from hourglass_simulator.scenario.describe_changes import (
    being_deleted,
    describe_node,
    describe_pod,
)
from hourglass_simulator.scenario.history import condition_of, key_of

Kind = Literal["step", "failure", "performer", "pod", "node", "event", "write"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the timeline."""

    time: float
    """Seconds since the start of the scenario."""
    kind: Kind
    subject: str
    """`default/worker`, `gpu-1`; for a step its place in the file."""
    text: str


class TimelineWriter:
    """Remembers each object as it was, and describes what a change of it means."""

    def __init__(self) -> None:
        self._before: dict[tuple[str, tuple[str, str]], JSON] = {}

    def change(self, change: Change) -> Iterator[Entry]:
        """Lines about a change; none if it is of no interest."""
        found = _DESCRIBED.get(change.resource)
        if found is None:
            return
        kind, describe = found
        key = key_of(change.object)
        slot = change.resource, key
        if change.type == "DELETED":
            self._before.pop(slot, None)
            lines: Iterator[str] = iter(()) if kind == "event" else iter(("deleted",))
        else:
            lines = describe(self._before.get(slot), change.object)
            self._before[slot] = change.object
        about = change.object["involvedObject"] if kind == "event" else change.object["metadata"]
        subject = "/".join(part for part in (about.get("namespace"), about["name"]) if part)
        yield from (Entry(change.time, kind, subject, line) for line in lines)

    def write(self, write: Write) -> Entry:
        """A mutating call of the operator."""
        resource = "/".join(part for part in (write.resource, write.subresource) if part)
        subject = "/".join(part for part in (write.namespace, write.name) if part)
        refused = "" if 200 <= write.code < 300 else f" → {write.code or 'no answer'}"
        return Entry(write.time, "write", subject, f"{write.verb} {resource}{refused}")


def _performer(before: JSON | None, now: JSON) -> Iterator[str]:
    if before is None:
        yield "created"
    old, new = (before or {}).get("status", {}), now.get("status", {})
    ready = condition_of(now, "Ready")
    was = condition_of(before, "Ready") if before else None
    reason = f"{ready['reason']}: {ready['message']}" if ready else ""
    if old.get("phase") != new.get("phase") and new.get("phase"):
        came = f"{old['phase']} → " if old.get("phase") else ""
        yield f"{came}{new['phase']}" + (f" ({reason})" if reason else "")
    elif ready and (
        was is None or (was["reason"], was["message"]) != (ready["reason"], ready["message"])
    ):
        yield reason
    yield from being_deleted(before, now)


def _event(_: JSON | None, now: JSON) -> Iterator[str]:
    about = now.get("involvedObject", {})
    if about.get("kind") == "Performer":
        times = now.get("count") or 1
        again = f" (× {times})" if times > 1 else ""
        yield f"{now.get('type')} {now.get('reason')}: {now.get('message')}{again}"


_DESCRIBED: dict[str, tuple[Kind, Callable[[JSON | None, JSON], Iterator[str]]]] = {
    "performers": ("performer", _performer),
    "pods": ("pod", describe_pod),
    "nodes": ("node", describe_node),
    "events": ("event", _event),
}
