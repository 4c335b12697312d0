"""Why an assertion does not hold, in text: the object, and what happened last."""

import textwrap
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from hourglass_kube.types import JSON
from hourglass_simulator.testing.timeline import Entry, Key, conditions, describe_condition
from hourglass_simulator.testing.writes import Writes

LAST = 15
"""Entries and writes that are shown."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Of which object an assertion is; `object` is None where there is none.

    `family`: what entries may be about to be of interest, the object included.
    """

    key: Key
    object: JSON | None
    family: Collection[Key]

    def __str__(self) -> str:
        kind, namespace, name = self.key
        return f"{kind} {namespace}/{name}" if namespace else f"{kind} {name}"


def explanation(
    claim: str, subject: Subject | None, entries: Sequence[Entry], writes: Writes
) -> str:
    """The text of an AssertionError: the claim, and what helps to see why it does not hold.

    The entries are about the subject and what it owns, and about everything if there are none.
    """
    parts, about = [claim], []
    if subject is not None:
        parts.append(_object(subject))
        about = [entry for entry in entries if entry.key in subject.family]
    title = "last of it and what it owns" if about else "last in the cluster"
    parts.append(_section(title, about or entries))
    parts.append(_section("last writes of clients", writes))
    if writes:
        parts.append(f"all of them:\n{textwrap.indent(str(writes), '  ')}")
    return "\n\n".join(parts)


def happened(entries: Sequence[Entry], writes: Writes) -> str:
    """The whole timeline, and the table of writes."""
    lines = [str(entry) for entry in entries] or ["nothing happened"]
    return "\n".join([*lines, "", str(writes) if writes else "no client wrote anything"])


def _object(subject: Subject) -> str:
    if subject.object is None:
        return f"{subject}: there is none"
    return "\n".join([f"{subject}:", *(f"  {line}" for line in _facts(subject.object))])


def _facts(obj: JSON) -> Iterator[str]:
    meta, status = obj["metadata"], obj.get("status") or {}
    if "deletionTimestamp" in meta:
        yield f"being deleted since {meta['deletionTimestamp']}"
    if meta.get("finalizers"):
        yield f"finalizers: {', '.join(meta['finalizers'])}"
    if "generation" in meta:
        observed = status.get("observedGeneration") if isinstance(status, dict) else None
        yield f"generation: {meta['generation']}, observed: {observed or 'none'}"
    found = conditions(status)
    yield from (describe_condition(condition) for condition in found)
    if not found:
        yield f"no conditions; status: {status!r:.500}"


def _section(title: str, lines: Sequence[object]) -> str:
    shown = [f"  {line}" for line in lines[-LAST:]] or ["  none"]
    left = len(lines) - LAST
    head = f"{title} ({left} earlier ones left out):" if left > 0 else f"{title}:"
    return "\n".join([head, *shown])
