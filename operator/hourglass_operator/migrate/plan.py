"""What must change in an object of the previous architecture; pure data in, changes out.

docs/api-reference.md, "Migration Notes": `executorRef` is gone, and `scheduling.nodeAffinity` has
become part of `scheduling.affinity`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hourglass_operator.api import GROUP, KIND
from hourglass_operator.migrate.differences import differences

Path = tuple[str | int, ...]

OLD_EXECUTOR = "HourglassExecutor"


@dataclass(frozen=True, slots=True)
class Remove:
    """Take a field away; `why` is for the user, empty if another change explains it."""

    path: Path
    why: str = ""


@dataclass(frozen=True, slots=True)
class Move:
    """Put a field into another mapping, under the same name; the mapping is made if need be."""

    path: Path
    into: Path


@dataclass(frozen=True, slots=True)
class Refuse:
    """A field that cannot be converted, and what to do about it."""

    path: Path
    why: str


@dataclass(frozen=True, slots=True)
class Note:
    """A field that stays, and what the user should know of it."""

    path: Path
    text: str


Step = Remove | Move | Refuse | Note


def plan(document: Any, base: Path = ()) -> Iterator[Step]:
    """The steps for a document: a Performer, a list of them, or something else (none)."""
    if not isinstance(document, Mapping):
        return
    kind, items = document.get("kind"), document.get("items")
    ours = str(document.get("apiVersion", "")).startswith(f"{GROUP}/")
    if kind == "List" or (ours and str(kind).endswith("List")):
        for number, item in enumerate(items if isinstance(items, list) else ()):
            yield from plan(item, (*base, "items", number))
    elif ours and kind == OLD_EXECUTOR:
        yield Refuse(
            (*base, "kind"),
            f"{OLD_EXECUTOR} is gone: run the executor as a StatefulSet of your own (see "
            "docs/executors.md) and take this object out of the file",
        )
    elif ours and kind == KIND and isinstance(document.get("spec"), Mapping):
        yield from _performer(document["spec"], (*base, "spec"))


def _performer(spec: Mapping[str, Any], base: Path) -> Iterator[Step]:
    if "executorRef" in spec:
        yield Remove((*base, "executorRef"), f"removed, was {spec['executorRef']!r}")
    scheduling = spec.get("scheduling")
    if isinstance(scheduling, Mapping) and "nodeAffinity" in scheduling:
        yield from _node_affinity(scheduling, (*base, "scheduling"))
    for path, text in differences(spec):
        yield Note((*base, *path), text)


def _node_affinity(scheduling: Mapping[str, Any], base: Path) -> Iterator[Step]:
    old, affinity = scheduling["nodeAffinity"], scheduling.get("affinity")
    source, target = (*base, "nodeAffinity"), (*base, "affinity")
    for path, value in ((source, old), (target, affinity)):
        if value is not None and not isinstance(value, Mapping):
            yield Refuse(path, f"expected a mapping, found {value!r}")
            return
    if not old:
        yield Remove(source if len(scheduling) > 1 else base, "removed, was empty")
        return
    new = (affinity or {}).get("nodeAffinity")
    if new and not isinstance(new, Mapping):
        yield Refuse((*target, "nodeAffinity"), f"expected a mapping, found {new!r}")
        return
    if new and not all(key in old and old[key] and not new[key] for key in new):
        yield from _merge(old, new, source, (*target, "nodeAffinity"))
        return
    # Nothing is put into a mapping that is empty, or would be.
    if "affinity" in scheduling and not (affinity or {}).keys() - {"nodeAffinity"}:
        yield Remove(target)
    elif affinity and "nodeAffinity" in affinity:
        yield Remove((*target, "nodeAffinity"))
    yield Move(source, target)


def _merge(
    old: Mapping[str, Any], new: Mapping[str, Any], source: Path, target: Path
) -> Iterator[Step]:
    for key, value in old.items():
        if not value or value == new.get(key):
            continue
        if new.get(key):
            yield Refuse(
                (*source, key),
                f"differs from {dotted((*target, key))}; decide which of the two is meant and "
                "remove the other",
            )
            continue
        if key in new:
            yield Remove((*target, key))
        yield Move((*source, key), target)
    yield Remove(source, f"removed, is now in {dotted(target)}")


def carry_out(document: Any, step: Remove | Move) -> None:
    """Change the document in place."""
    value = _parent(document, step.path).pop(step.path[-1])
    if isinstance(step, Move):
        parent = _parent(document, step.into)
        parent.setdefault(step.into[-1], {})[step.path[-1]] = value


def _parent(document: Any, path: Path) -> Any:
    for key in path[:-1]:
        document = document[key]
    return document


def dotted(path: Path) -> str:
    """As people write it: items[0].spec.executorRef."""
    text = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path)
    return text.removeprefix(".")
