"""A field that the operator sets and that is otherwise."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

Path = tuple[str | int, ...]
"""Keys and indices that lead to a field."""

_MAPS = ("labels", "selector")


@dataclass(frozen=True, slots=True)
class Drift:
    """What was found in the field, and what is wanted there, in words (see `words`)."""

    path: Path
    found: str
    wanted: str

    @property
    def field(self) -> str:
        """The field as people write it: `spec.ports[0].appProtocol`, `metadata.labels[app]`."""
        text, before = "", ""
        for part in self.path:
            bracketed = isinstance(part, int) or before in _MAPS
            text += f"[{part}]" if bracketed else f".{part}"
            before = str(part)
        return text.removeprefix(".")

    def persists_in(self, obj: Mapping[str, Any]) -> bool:
        """Whether an object still has something else there than what is wanted."""
        value: Any = obj
        for part in self.path:
            try:
                value = value[part]
            except (KeyError, IndexError, TypeError):
                value = None
        return words(value) != self.wanted


@lru_cache(maxsize=256)
def once(paths: tuple[Path, ...]) -> tuple[Path, ...]:
    """What drifts does so alike on many objects: in memory each is there once."""
    return paths


def words(value: Any) -> str:
    """A value for a person; lists of owners and ports by their names."""
    if isinstance(value, list):
        named = (f"{each.get('kind', '')} {each.get('name', '')}".strip() for each in value)
        return ", ".join(named)
    return "nothing" if value in (None, "") else str(value)


def label_drifts(
    observed: Mapping[str, str], wanted: Mapping[str, str | None]
) -> tuple[Drift, ...]:
    """The labels that differ from the wanted ones; None is wanted of those that must not be."""
    return tuple(
        Drift(("metadata", "labels", key), words(observed.get(key)), words(value))
        for key, value in wanted.items()
        if observed.get(key) != value
    )


def owner_drift(name: str) -> Drift:
    """The Performer is not the owner, and nobody else is."""
    return Drift(("metadata", "ownerReferences"), words(None), f"Performer {name}")
