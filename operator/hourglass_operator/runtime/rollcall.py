"""Which objects exist: compared with what is known, at the start and whenever events may be lost.

kopf hands over objects, not lists: it neither tells when its first list is complete, nor which
objects have gone while its watch was down. A list of names answers both.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from sys import intern
from typing import Protocol

from hourglass_operator.controller.cache import Name
from hourglass_operator.runtime.api import NAMES_ONLY, Answer, Caller
from hourglass_operator.runtime.watch import SELECTORS

_PAGE = "500"


class Inventory(Protocol):
    """What is known of the cluster's objects."""

    def remain(self, resource: str, names: Collection[Name], version: str) -> None:
        """Whatever of the resource is not among the names is gone."""
        ...

    def missing(self, resource: str, versions: Mapping[Name, int]) -> Collection[Name]:
        """Those of which no version as new as this is known."""
        ...


@dataclass
class RollCall:
    """Decides which resources to ask for next, and when all is known; times are seconds.

    After events of a list (kopf has listed anew: something may be gone), and after `period`, a
    resource is asked for again.
    """

    period: float
    pause: float = 1.0
    """Between two calls, and from the last event of a list to the call that it causes."""
    complete: bool = False
    """Everything that existed when the watches began has been told."""
    _due: dict[str, float] = field(default_factory=dict)
    _missing: dict[str, set[Name]] = field(default_factory=dict)
    _missing_since: float | None = None

    def begin(self, now: float) -> None:
        """The watches begin: nothing is known for sure."""
        self.complete = False
        self._due = dict.fromkeys(SELECTORS, now)
        self._missing = {}
        self._missing_since = now

    def told(self, resource: str, name: Name, now: float, *, by_list: bool) -> None:
        """An object has been told, by a list or by a watch."""
        if resource in self._missing:
            if name in self._missing[resource]:
                self._missing[resource].remove(name)
                # There is progress: a first list of thousands may take its time.
                self._missing_since = now
            if by_list:
                self._due[resource] = now + self.pause
            self._judge(now)

    def called(self, resource: str, missing: Collection[Name], now: float) -> None:
        """A call has been answered; `missing` are the names that no event has told yet."""
        self._missing[resource] = set(missing)
        self._due[resource] = now + (self.pause if missing else self.period)
        self._judge(now)

    def failed(self, resource: str, now: float) -> None:
        """A call was not answered."""
        self._due[resource] = now + self.pause

    def due(self, now: float) -> list[str]:
        """The resources to ask for now."""
        return [resource for resource, when in self._due.items() if when <= now]

    def waiting(self, now: float) -> float:
        """For how long the watches have owed objects that exist and told none of them."""
        return 0.0 if self._missing_since is None else now - self._missing_since

    def _judge(self, now: float) -> None:
        if len(self._missing) < len(SELECTORS) or any(self._missing.values()):
            self._missing_since = now if self._missing_since is None else self._missing_since
            return
        self.complete = True
        self._missing_since = None


async def call_roll(
    api: Caller, resource: str, namespaces: Collection[str], inventory: Inventory
) -> Collection[Name] | Answer:
    """List the names of a resource, tell the inventory, and return which are still missing.

    Returns the answer of the API server instead if it did not give the list.
    """
    versions: dict[Name, int] = {}
    listed_at: list[int] = []
    for namespace in (sorted(namespaces) if resource != "nodes" else []) or [""]:
        query = {"limit": _PAGE, "labelSelector": SELECTORS[resource]}
        while True:
            answer = await api.call("list", resource, namespace, query=query, accept=NAMES_ONLY)
            if not answer.succeeded:
                return answer
            for item in answer.body.get("items") or ():
                meta = item["metadata"]
                # The same texts as in the cache: there are tens of thousands.
                name = (intern(meta.get("namespace", "")), intern(meta["name"]))
                versions[name] = int(meta["resourceVersion"])
            meta = answer.body["metadata"]
            if not meta.get("continue"):
                listed_at.append(int(meta["resourceVersion"]))
                break
            query = query | {"continue": meta["continue"]}
    # The oldest list of several: what a later one misses may be in an earlier one's future.
    inventory.remain(resource, versions.keys(), str(min(listed_at)))
    return inventory.missing(resource, versions)
