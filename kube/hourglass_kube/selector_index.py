"""Which selectors match an object, without trying all of them."""

from collections.abc import Iterator, Mapping
from typing import Any

from hourglass_kube.expression import Selector
from hourglass_kube.selector import compile_selector, matches_all

Key = tuple[str, str]
"""Namespace and name of the object that has the selector."""
_Place = tuple[str, str, str]


class SelectorIndex:
    """Selectors by one of the labels that they ask for; those that ask for none by namespace."""

    def __init__(self) -> None:
        self._selectors: dict[Key, tuple[_Place, Selector]] = {}
        self._places: dict[_Place, dict[Key, None]] = {}

    def set(self, key: Key, selector: Mapping[str, Any] | None) -> None:
        """Note the selector of an object; None matches nothing."""
        self.remove(key)
        if selector is None:
            return
        exact = selector.get("matchLabels") or {}
        label = max(exact, default="")
        place = (key[0], label, exact.get(label, ""))
        self._selectors[key] = (place, compile_selector(selector))
        self._places.setdefault(place, {})[key] = None

    def remove(self, key: Key) -> None:
        """Forget an object."""
        known = self._selectors.pop(key, None)
        if known is not None:
            held = self._places[known[0]]
            del held[key]
            if not held:
                del self._places[known[0]]

    def matching(self, namespace: str, labels: Mapping[str, str]) -> Iterator[Key]:
        """The objects of a namespace whose selectors match, oldest first."""
        if not self._selectors:
            return
        places = [(namespace, "", ""), *((namespace, k, v) for k, v in labels.items())]
        for place in places:
            for key in self._places.get(place, ()):
                if matches_all(self._selectors[key][1], labels):
                    yield key
