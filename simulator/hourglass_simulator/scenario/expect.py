"""Whether expectations hold: pure functions of a history."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from hourglass_kube.types import JSON
from hourglass_simulator.scenario import duration
from hourglass_simulator.scenario.backend import Write
from hourglass_simulator.scenario.expectation import (
    ANYTHING,
    Expectation,
    ObjectsAre,
    Pattern,
    PerformerIs,
    WritesAre,
)
from hourglass_simulator.scenario.history import (
    History,
    Key,
    condition_of,
    pod_name,
    service_of,
)


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One thing that is not as expected."""

    subject: str
    """`performer default/worker`, `pods`, `writes` …"""
    expected: str
    seen: str

    def __str__(self) -> str:
        return f"{self.subject}: expected {self.expected}, found {self.seen}"


def mismatches(
    expectation: Expectation, history: History, namespace: str, writes_from: int | None = None
) -> list[Mismatch]:
    """Everything that does not hold now; empty if all does.

    `namespace` is where names without one are looked up. `writes_from` is the number of writes
    before those that a budget counts: without it, those before the last step that did something.
    """
    found = [
        mismatch
        for name, expected in expectation.performers.items()
        for mismatch in performer_mismatches(expected, performer_key(name, namespace), history)
    ]
    for objects in expectation.objects:
        found += _objects(objects, history, namespace)
    if expectation.writes is not None:
        start = history.writes_before if writes_from is None else writes_from
        found += _writes(expectation.writes, history, start)
    if expectation.no_writes_for is not None:
        found += quiet_mismatches(expectation.no_writes_for, history)
    return found


def performer_key(name: str, namespace: str) -> Key:
    """`worker` or `avs/worker` → namespace and name."""
    before, _, after = name.rpartition("/")
    return before or namespace, after


def subject_of(key: Key) -> str:
    """How a Performer is named in mismatches."""
    return f"performer {'/'.join(key)}"


def performer_mismatches(expected: PerformerIs, key: Key, history: History) -> Iterator[Mismatch]:
    """What is not as expected of one Performer."""
    performer = history.get("performers", key)
    for what, seen in _differences(expected, key, performer, history):
        yield Mismatch(subject_of(key), what, seen)


def _differences(
    expected: PerformerIs, key: Key, performer: JSON | None, history: History
) -> Iterator[tuple[str, str]]:
    if expected.exists is not None and expected.exists != (performer is not None):
        yield ("it exists" if expected.exists else "it is gone"), _existence(performer)
    if performer is None:
        if _needs_object(expected):
            yield "it exists", "no such Performer"
    else:
        yield from _status(expected, performer.get("status", {}))
        yield from _conditions(expected, performer)
        yield from _pod_change(expected, key, performer, history)
        if expected.has is not None and not contains(performer, expected.has):
            yield f"has {expected.has}", difference(performer, expected.has)
    yield from _possessions(expected, key, history)
    yield from _past(expected, key, history)


_OF_THE_PAST = {"exists", "phases", "reasons", "pods", "services", "pods_created", "events"}


def _needs_object(expected: PerformerIs) -> bool:
    """Whether more is expected than can be said of a Performer that is gone."""
    return bool(expected.model_fields_set - _OF_THE_PAST)


def _existence(performer: JSON | None) -> str:
    return "no such Performer" if performer is None else "it exists"


def _status(expected: PerformerIs, status: JSON) -> Iterator[tuple[str, str]]:
    phase = status.get("phase", "none")
    if expected.phase and phase not in expected.phase:
        yield f"phase {' or '.join(expected.phase)}", phase
    ready = status.get("ready", False)
    if expected.ready is not None and ready != expected.ready:
        yield f"ready {_text(expected.ready)}", _text(ready)
    for word, wanted, field in (
        ("node", expected.node, "nodeName"),
        ("service", expected.service, "serviceName"),
        ("endpoint", expected.endpoint, "grpcEndpoint"),
    ):
        if wanted is not None and status.get(field, "") != wanted:
            yield f"{word} {wanted}", status.get(field) or "none"
    upgraded = status.get("lastUpgrade")
    if expected.last_upgrade is not None and (expected.last_upgrade == "set") != bool(upgraded):
        yield f"lastUpgrade {expected.last_upgrade}", upgraded or "unset"


def _conditions(expected: PerformerIs, performer: JSON) -> Iterator[tuple[str, str]]:
    for name, wanted in expected.conditions.items():
        found = condition_of(performer, name)
        status, reason = (found["status"], found["reason"]) if found else ("none", "")
        if status != wanted.status or wanted.reason not in ("", reason):
            yield f"{name} {wanted}", f"{status}/{reason}" if found else "no such condition"
    for pattern in expected.message:
        yield from _message("Ready", pattern, performer)
    for name, pattern in expected.messages.items():
        yield from _message(name, pattern, performer)


def _message(name: str, pattern: Pattern, performer: JSON) -> Iterator[tuple[str, str]]:
    found = condition_of(performer, name)
    message = found["message"] if found else ""
    if not pattern.found_in(message):
        yield f"the message of {name} {pattern}", f'"{message}"'


def _pod_change(
    expected: PerformerIs, key: Key, performer: JSON, history: History
) -> Iterator[tuple[str, str]]:
    before, now = history.pod_name_before(key), pod_name(performer)
    if expected.pod == "same" and now != before:
        yield f"pod {before or 'none'} as before", now or "none"
    if expected.pod == "other" and now in ("", before):
        yield f"another pod than {before or 'none'}", now or "none"


def _possessions(expected: PerformerIs, key: Key, history: History) -> Iterator[tuple[str, str]]:
    for resource, count in (("pods", expected.pods), ("services", expected.services)):
        if count is None:
            continue
        names = [obj["metadata"]["name"] for obj in history.labelled(resource, key)]
        if len(names) != count:
            yield f"{count} {resource}", f"{len(names)} ({', '.join(names)})" if names else "none"
    service = service_of(key)
    if expected.serving is not None and history.serving(service) != expected.serving:
        yield (("a ready endpoint", "none") if expected.serving else ("no ready endpoint", "one"))
    if expected.served_throughout and not history.served_throughout(service):
        yield "a ready endpoint at every moment", "moments without one"


def _past(expected: PerformerIs, key: Key, history: History) -> Iterator[tuple[str, str]]:
    past = history.past(key)
    for word, wanted, seen in (
        ("phases", expected.phases, past.phases),
        ("reasons", expected.reasons, past.reasons),
    ):
        if wanted and not in_order(wanted, seen):
            yield f"{word} {', '.join(wanted)}", ", ".join(seen) or "none"
    if expected.pods_created is not None and len(past.pods) != expected.pods_created:
        yield f"{expected.pods_created} pods created", str(len(past.pods))
    for reason, count in expected.events.items():
        recorded = sum(past.events.get(reason, {}).values())
        if recorded != count:
            others = ", ".join(
                f"{name} × {sum(past.events[name].values())}" for name in past.events
            )
            yield f"event {reason} × {count}", f"{recorded} (events: {others or 'none'})"


def in_order(wanted: Sequence[str], seen: Sequence[str]) -> bool:
    """Whether `seen` is `wanted`, in which `...` stands for any number of anything."""
    if not wanted:
        return not seen
    if wanted[0] == ANYTHING:
        return any(in_order(wanted[1:], seen[skipped:]) for skipped in range(len(seen) + 1))
    return bool(seen) and seen[0] == wanted[0] and in_order(wanted[1:], seen[1:])


def _objects(expected: ObjectsAre, history: History, namespace: str) -> Iterator[Mismatch]:
    objects = history.objects(expected.resource)
    meant = [found for found in objects if is_meant(expected, found, namespace)]
    count = sum(1 for found in meant if is_counted(expected, found))
    if not is_enough(expected, count):
        wanted = "at least 1" if expected.count is None else str(expected.count)
        which = f" with {expected.has}" if expected.has is not None else ""
        seen = str(count)
        if expected.has is not None and len(meant) == 1 and not count:
            seen += f" ({difference(meant[0], expected.has)})"
        name = " ".join(part for part in (expected.resource, expected.name) if part)
        yield Mismatch(name, wanted + which, seen)


def is_meant(expected: ObjectsAre, obj: JSON, namespace: str) -> bool:
    """Whether an object of the resource is one that the expectation is about."""
    metadata = obj["metadata"]
    spaces = ("", namespace) if expected.namespace is None else (expected.namespace,)
    return (
        metadata.get("namespace", "") in spaces
        and expected.name in (None, metadata["name"])
        and contains(metadata.get("labels", {}), expected.labels)
    )


def is_counted(expected: ObjectsAre, meant: JSON) -> bool:
    """Whether an object that is meant has what is expected of it."""
    return expected.has is None or contains(meant, expected.has)


def is_enough(expected: ObjectsAre, count: int) -> bool:
    """Whether so many objects are as many as expected."""
    return count >= 1 if expected.count is None else count == expected.count


def contains(found: Any, part: Any) -> bool:
    """Whether everything in `part` is in `found`; null in a mapping stands for absence."""
    if isinstance(part, dict):
        return isinstance(found, dict) and all(
            (name not in found or found[name] is None)
            if value is None
            else name in found and contains(found[name], value)
            for name, value in part.items()
        )
    if isinstance(part, list):
        return (
            isinstance(found, list)
            and len(found) == len(part)
            and all(contains(*pair) for pair in zip(found, part, strict=True))
        )
    return type(found) is type(part) and bool(found == part)


def difference(found: Any, part: Any, path: str = "") -> str:
    """The first place in which `found` does not contain `part`, and what is there."""
    if isinstance(part, dict) and isinstance(found, dict):
        for name, value in part.items():
            if not contains(found, {name: value}):
                return difference(found.get(name), value, f"{path}.{name}" if path else name)
    return f"{path or 'it'} is {_text(found)}"


def _text(value: object) -> str:
    if value is None:
        return "absent"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _writes(expected: WritesAre, history: History, start: int) -> Iterator[Mismatch]:
    counted = [write for write in history.writes[start:] if is_budgeted(expected, write)]
    if len(counted) > expected.at_most:
        which = " ".join(part for part in (expected.verb, expected.resource) if part)
        kinds = Counter(f"{write.verb} {write.resource}" for write in counted)
        seen = ", ".join(f"{count} × {kind}" for kind, count in kinds.items())
        yield Mismatch(
            f"writes ({which})" if which else "writes",
            f"at most {expected.at_most}",
            f"{len(counted)} ({seen})",
        )


def is_budgeted(expected: WritesAre, write: Write) -> bool:
    """Whether the budget counts a write."""
    return expected.resource in (None, write.resource) and expected.verb in (None, write.verb)


def quiet_mismatches(expected: float, history: History) -> Iterator[Mismatch]:
    """The last write, if it is less than the expected seconds ago."""
    ago = history.now - history.last_write
    if ago < expected:
        last = history.writes[-1] if history.writes else None
        what = f"{last.verb} {last.resource}" if last else "the start of the scenario"
        wanted = f"none for {duration.text(expected)}"
        yield Mismatch("writes", wanted, f"{what} {duration.text(ago)} ago")
