"""The order of merged lists, and what their items are known by.

https://github.com/kubernetes/design-proposals-archive/blob/main/cli/preserve-order-in-strategic-merge-patch.md
"""

from typing import Any

from hourglass_simulator.apiserver import go_format
from hourglass_simulator.apiserver.errors import internal, patch_does_not_apply


def identity(item: Any, key: str) -> Any:
    """What an item of a list is known by: its key, or itself; 500 as on the real server without."""
    if not key:
        return item
    if not isinstance(item, dict):
        shown = go_format.type_of(item)
        raise internal(f"expected a map[string]interface {{}}, but received a {shown}")
    if key not in item:
        raise internal(f"map: {go_format.plain(item)} does not contain declared merge key: {key}")
    return item[key]


def require_alike(*lists: list[Any]) -> None:
    """500 as on the real server for items of several types, 422 for lists of lists."""
    types = {go_format.type_of(item) for items in lists for item in items}
    if "[]interface {}" in types and go_format.type_of([*lists[0], *lists[-1]][0]).startswith("["):
        raise patch_does_not_apply()
    if len(types) > 1:
        shown = " ".join(go_format.plain(items) for items in lists)
        raise internal(f"list element types are not identical: [{shown}]")


def ordered(merged: list[Any], wanted: list[Any], before: list[Any], key: str) -> list[Any]:
    """The items that are wanted in that order, and the others where they stood before."""
    order = [identity(item, key) for item in before]
    names = [identity(item, key) for item in wanted]
    patched = sorted(
        (item for item in merged if identity(item, key) in names),
        key=lambda item: names.index(identity(item, key)),
    )
    others = [item for item in merged if identity(item, key) not in names]
    others.sort(key=lambda item: _place(order, identity(item, key)))
    result = []
    while patched and others:
        ours, theirs = identity(patched[0], key), identity(others[0], key)
        both = ours in order and theirs in order
        server_first = both and order.index(theirs) < order.index(ours)
        result.append((others if server_first else patched).pop(0))
    return [*result, *patched, *others]


def _place(order: list[Any], name: Any) -> int:
    return order.index(name) if name in order else -1
