"""What happened in a cluster, in the few lines that a person wants to see."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import WatchEvent
from hourglass_simulator.apiserver.resources import Resource
from hourglass_simulator.scenario.describe_changes import describe_node, describe_pod

Key = tuple[str, str, str]
"""Kind, namespace and name of an object."""
SILENT = frozenset(["leases"])
"""Resources that change all the time and say nothing."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: `kind`, `namespace` and `name` say of which object, "" where it has none."""

    time: float
    """Seconds since the start of the cluster's clock."""
    kind: str
    namespace: str
    name: str
    text: str

    def __str__(self) -> str:
        where = "/".join(part for part in (self.namespace, self.name) if part)
        return f"{self.time:9.2f}s  {self.kind} {where}  {self.text}"

    @property
    def key(self) -> Key:
        """The object that it is about."""
        return self.kind, self.namespace, self.name


class Timeline:
    """Is given every change of every object, and keeps what is worth a line."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self._before: dict[Key, JSON] = {}
        self._owned: dict[Key, set[Key]] = {}

    def family(self, key: Key) -> set[Key]:
        """An object and all that it owned at any time, what that owned included."""
        found, left = {key}, [key]
        while left:
            more = self._owned.get(left.pop(), set()) - found
            found |= more
            left += more
        return found

    def change(self, time: float, resource: Resource, event: WatchEvent, by: str) -> None:
        """Take in what a watch shows; `by` is the client that made the change, if one did."""
        if resource.plural in SILENT:
            return
        obj = event.object
        meta = obj["metadata"]
        key = (resource.kind, meta.get("namespace", ""), meta["name"])
        for owner in meta.get("ownerReferences") or ():
            # In the same namespace, or of no namespace: both are tried.
            for namespace in {key[1], ""}:
                self._owned.setdefault((owner["kind"], namespace, owner["name"]), set()).add(key)
        before = self._before.pop(key, None)
        deleted = event.type == "DELETED"
        if not deleted:
            self._before[key] = obj
        if resource.name == "events":
            if not deleted:
                self.entries.append(event_entry(time, obj))
            return
        for text in ["deleted"] if deleted else lines(resource, before, obj):
            text = f"{text} (by {by})" if by else text
            self.entries.append(Entry(time, resource.kind, key[1], key[2], text))


def event_entry(time: float, event: JSON) -> Entry:
    """The line about what an Event says of its object."""
    about = event.get("involvedObject") or {}
    times = event.get("count") or 1
    again = f" (x{times})" if times > 1 else ""
    text = f"{event.get('type')} {event.get('reason')}: {event.get('message')}{again}"
    return Entry(
        time, about.get("kind", ""), about.get("namespace", ""), about.get("name", ""), text
    )


def lines(resource: Resource, before: JSON | None, now: JSON) -> Iterator[str]:
    """What a change of an object means; `before` is None when it is new."""
    if resource.name == "pods":
        yield from describe_pod(before, now)
        return
    if resource.name == "nodes":
        yield from describe_node(before, now)
        return
    if before is None:
        yield "created"
    else:
        yield from _spec(before.get("spec"), now.get("spec"))
    yield from _status((before or {}).get("status"), now.get("status"))
    if "deletionTimestamp" in now["metadata"] and not (
        before and "deletionTimestamp" in before["metadata"]
    ):
        held = ", ".join(now["metadata"].get("finalizers") or ())
        yield f"being deleted, held by {held}" if held else "being deleted"


def _spec(before: object, now: object) -> Iterator[str]:
    if before == now or not (isinstance(before, dict) and isinstance(now, dict)):
        return
    for key in sorted({*before, *now}):
        old, new = before.get(key), now.get(key)
        if old == new:
            continue
        plain = all(not isinstance(value, dict | list) for value in (old, new))
        yield f"spec.{key}: {_shown(old)} → {_shown(new)}" if plain else f"spec.{key} changed"


def _status(before: object, now: object) -> Iterator[str]:
    old = before if isinstance(before, dict) else {}
    new = now if isinstance(now, dict) else {}
    for key in ("phase", "readyReplicas"):
        if old.get(key) != new.get(key):
            yield f"status.{key}: {_shown(old.get(key))} → {_shown(new.get(key))}"
    known = {each["type"]: each for each in conditions(old)}
    for condition in conditions(new):
        was = known.get(condition["type"], {})
        seen = [(each.get("status"), each.get("reason")) for each in (was, condition)]
        if seen[0] != seen[1]:
            yield describe_condition(condition)


def conditions(status: object) -> list[JSON]:
    """The conditions of a status; those of others may be of any form, and are passed over."""
    found = status.get("conditions") if isinstance(status, dict) else None
    listed: Iterable[object] = found if isinstance(found, list) else ()
    return [each for each in listed if isinstance(each, dict) and isinstance(each.get("type"), str)]


def describe_condition(condition: JSON) -> str:
    """`Ready=False (NoPods: 0 of 1 pods are ready)`."""
    why = ": ".join(filter(None, (condition.get("reason"), condition.get("message"))))
    return f"{condition['type']}={condition.get('status')}" + (f" ({why})" if why else "")


def _shown(value: object) -> str:
    return "none" if value is None else str(value)
