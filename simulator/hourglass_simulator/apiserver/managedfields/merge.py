"""An object with what somebody applies to it.

https://github.com/kubernetes-sigs/structured-merge-diff/blob/v6.3.0/typed/merge.go
"""

from collections import deque
from typing import Any

from hourglass_simulator.apiserver.managedfields.schema import List, Map, Type
from hourglass_simulator.apiserver.managedfields.typed import (
    ABSENT,
    elements,
    field_type,
    kind_of,
)


def merged(live: Any, applied: Any, known: Type) -> Any:
    """`live` with the fields of `applied`; shares what it takes from either."""
    if applied is ABSENT or applied is live:
        return live
    if live is ABSENT:
        return applied
    atom = known.atom
    kind = kind_of(atom, applied)
    if kind is Map and atom.map is not None:
        lives = live if isinstance(live, dict) else {}
        wanted = applied if isinstance(applied, dict) else {}
        if atom.map.atomic or not (lives or wanted):
            return applied
        return _maps(lives, wanted, atom.map)
    if kind is List and atom.list is not None:
        live_items = live if isinstance(live, list) else []
        wanted_items = applied if isinstance(applied, list) else []
        if not atom.list.associative or not (live_items or wanted_items):
            return applied
        return _lists(live_items, wanted_items, atom.list)
    return applied


def _maps(lives: Any, wanted: Any, known: Map) -> Any:
    result = dict(lives)
    for name, value in wanted.items():
        result[name] = merged(lives.get(name, ABSENT), value, field_type(known, name))
    return result


def _lists(lives: list[Any], wanted: list[Any], known: List) -> list[Any]:
    """The items in the order of what is applied; others stay where they stood beside them."""
    left, right = list(elements(known, lives)), list(elements(known, wanted))
    of_live: dict[str, Any] = {}
    for element, item in left:
        # Items that come twice are not merged.
        of_live[element] = None if element in of_live else item
    of_wanted = dict(right)
    shared = deque(element for element, _ in right if element in of_live)
    next_shared = shared.popleft() if shared else None
    result: list[Any] = []
    done: set[str] = set()

    def take(element: str) -> None:
        done.add(element)
        live = of_live.get(element, ABSENT)
        result.append(merged(live, of_wanted[element], known.element))

    at = to = 0
    while at < len(left) or to < len(right):
        if at < len(left) and to < len(right):
            element = left[at][0]
            if element == right[to][0]:
                take(element)
                at, to = at + 1, to + 1
                next_shared = shared.popleft() if shared else None
                continue
            if element in of_wanted and next_shared is not None and next_shared != element:
                # It is wanted, but not next.
                at += 1
                continue
        if at < len(left):
            element, item = left[at]
            if element not in of_wanted:
                result.append(item)
                at += 1
                continue
            if element in done:
                at += 1
        if to < len(right):
            element = right[to][0]
            take(element)
            to += 1
            if next_shared == element:
                next_shared = shared.popleft() if shared else None
    return result
