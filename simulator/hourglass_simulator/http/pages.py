"""Lists in parts, for clients that ask with `limit` and `continue`.

https://kubernetes.io/docs/reference/using-api/api-concepts/#retrieving-large-results-sets-in-chunks
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIError
from hourglass_simulator.apiserver.server import ObjectList

_KEPT = 100
_TOO_OLD = (
    "The provided continue parameter is too old to display a consistent list result. You can start"
    " a new list without the continue parameter, or use the continue token in this response to"
    " retrieve the remainder of the results. Continuing with the provided token results in an"
    " inconsistent list - objects that were created, modified, or deleted between the time the"
    " first chunk was returned and now may show up in the list."
)


@dataclass(frozen=True, slots=True)
class Page:
    """Some objects of a list, and the `metadata` of the answer that holds them."""

    items: Sequence[JSON]
    metadata: JSON


class Pages:
    """Remembers what is left of the latest lists that were not read to their end."""

    def __init__(self) -> None:
        self._rests: dict[str, ObjectList] = {}
        self._numbers = count(1)

    def page(self, listed: ObjectList, limit: int, token: str = "") -> Page:
        """The first `limit` objects (0: all) of a list, or of what `token` stands for.

        All pages of a list show the state in which the first one found it. Raises 410 for a token
        that is not known any more.
        """
        if token:
            try:
                listed = self._rests[token]
            except KeyError:
                raise APIError(410, "Expired", _TOO_OLD) from None
        metadata: JSON = {"resourceVersion": listed.resource_version}
        if not 0 < limit < len(listed.items):
            return Page(listed.items, metadata)
        rest = ObjectList(listed.items[limit:], listed.resource_version)
        metadata["continue"] = f"page-{next(self._numbers)}"
        metadata["remainingItemCount"] = len(rest.items)
        self._rests[metadata["continue"]] = rest
        if len(self._rests) > _KEPT:
            del self._rests[next(iter(self._rests))]
        return Page(listed.items[:limit], metadata)
