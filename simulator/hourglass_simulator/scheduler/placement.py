"""Where pods of one kind fit, other pods elsewhere aside: kept up to date as nodes change.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/scheduler/schedule_one.go
"""

from bisect import bisect_left, insort
from collections.abc import Iterator, Sequence
from random import Random

from hourglass_simulator.scheduler import scores
from hourglass_simulator.scheduler.filters import Filters
from hourglass_simulator.scheduler.node import NodeInfo
from hourglass_simulator.scheduler.pod import PodInfo, images, kind_of
from hourglass_simulator.scheduler.scores import NodeScores, Traits
from hourglass_simulator.scheduler.snapshot import Snapshot
from hourglass_simulator.scheduler.status import NodeToStatus

_KINDS = 64
"""Kinds of pods whose nodes are kept up to date; the least recently used is forgotten."""

_Entry = tuple[int, str]
"""The allocation scores, negative, and the name of the node."""
_Group = tuple[Traits, int]
"""Traits and ImageLocality."""


class Placement:
    """Nodes for pods of one kind: those that fit with their scores, and why others do not.

    Nodes of the same traits are kept in the order of their allocation scores: what a pod scores is
    the same for all of them besides, so that the best node is the best of the best of each group.
    """

    def __init__(self, pod: PodInfo, images: Sequence[str], snapshot: Snapshot) -> None:
        self.filters = Filters(pod, snapshot.resource_classes)
        self.statuses = NodeToStatus()
        self._scores = NodeScores(pod, by_change=snapshot.version.balances_by_change)
        self._images = images
        self._places: dict[str, tuple[_Group, _Entry]] = {}
        self._groups: dict[_Group, list[_Entry]] = {}
        self._seen = 0
        self._era = -1
        self._images_era = -1

    def refresh(self, snapshot: Snapshot) -> None:
        """Look at the nodes that have changed since the last time."""
        era = snapshot.images_era if self._images else 0
        if self._era != snapshot.era or self._images_era != era:
            self._images_era = era
            self._begin(snapshot)
        else:
            for name in dict.fromkeys(snapshot.changes[self._seen :]):
                self._look(name, snapshot.nodes.get(name), snapshot)
        self._seen = len(snapshot.changes)

    def __contains__(self, name: str) -> bool:
        return name in self._places

    def __len__(self) -> int:
        return len(self._places)

    def best(self, random: Random) -> str | None:
        """The node with the highest score; chance decides between equal ones."""
        relative = scores.normalised(traits for traits, _ in self._groups)
        best, ties = -1, list[tuple[list[_Entry], int]]()
        for (traits, image), entries in self._groups.items():
            top = entries[0][0]
            score = image - top + _weighed(relative[traits])
            if score >= best:
                ties = ties if score == best else []
                ties.append((entries, bisect_left(entries, (top + 1, ""))))
                best = score
        count = sum(number for _, number in ties)
        index = random.randrange(count) if count > 1 else 0
        for entries, number in ties:
            if index < number:
                return entries[index][1]
            index -= number
        return None

    def names(self) -> list[str]:
        """The nodes that fit."""
        return sorted(self._places)

    def ranked(self) -> Iterator[Iterator[_Entry]]:
        """The nodes of each group with their scores, negative, best first."""
        relative = scores.normalised(traits for traits, _ in self._groups)
        for (traits, image), entries in self._groups.items():
            more = image + _weighed(relative[traits])
            yield ((entry - more, name) for entry, name in entries)

    def traits(self, name: str) -> Traits:
        """The traits of a node that fits."""
        return self._places[name][0][0]

    def totals(self, names: Sequence[str]) -> list[int]:
        """The sums of what all plugins say of nodes that fit, other pods aside."""
        relative = scores.normalised(self._places[name][0][0] for name in names)
        weighed = {traits: _weighed(given) for traits, given in relative.items()}
        found = []
        for name in names:
            (traits, image), entry = self._places[name]
            found.append(image - entry[0] + weighed[traits])
        return found

    def scores(self, node: NodeInfo) -> dict[str, int]:
        """Scores of a node that fits, by plugin, which do not depend on the others."""
        (_, image), _ = self._places[node.view.name]
        least, balanced = self._scores.allocation(node)
        return {
            "NodeResourcesFit": least,
            "NodeResourcesBalancedAllocation": balanced,
            "ImageLocality": image,
        }

    def _begin(self, snapshot: Snapshot) -> None:
        self.statuses.clear()
        self._places.clear()
        self._groups.clear()
        self._era = snapshot.era
        for name, node in snapshot.nodes.items():
            status = self.filters.filter(node)
            if status is not None:
                self.statuses.set(name, status)
            else:
                group, entry = self._places[name] = self._place(name, node, snapshot)
                self._groups.setdefault(group, []).append(entry)
        for entries in self._groups.values():
            entries.sort()

    def _look(self, name: str, node: NodeInfo | None, snapshot: Snapshot) -> None:
        old = self._places.pop(name, None)
        if old is not None:
            group, entry = old
            entries = self._groups[group]
            del entries[bisect_left(entries, entry)]
            if not entries:
                del self._groups[group]
        status = None if node is None else self.filters.filter(node)
        if status is not None or name in self.statuses.by_node:
            self.statuses.set(name, status)
        if node is None or status is not None:
            return
        group, entry = self._places[name] = self._place(name, node, snapshot)
        insort(self._groups.setdefault(group, []), entry)

    def _place(self, name: str, node: NodeInfo, snapshot: Snapshot) -> tuple[_Group, _Entry]:
        image = 0
        if self._images and node.images:
            image = scores.image_locality(
                self._images, node, snapshot.nodes_with_image, len(snapshot.nodes)
            )
        return (self._scores.traits(node), image), (-sum(self._scores.allocation(node)), name)


def _weighed(relative: tuple[int, int]) -> int:
    taints, affinity = relative
    return scores.WEIGHTS["TaintToleration"] * taints + scores.WEIGHTS["NodeAffinity"] * affinity


class Placements:
    """The placements of the kinds of pods that came last."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.start = 0
        """Where the search for nodes goes on when not all of them are looked at."""
        self._snapshot = snapshot
        self._kinds: dict[str, Placement] = {}

    def of(self, pod: PodInfo) -> Placement:
        """The placement for a pod, up to date."""
        kind, known = kind_of(pod), self._snapshot.nodes_with_image
        listed: list[str] = []
        if known:
            listed = images(pod)
            listed = listed if any(name in known for name in listed) else []
            kind = f"{kind} {listed}"
        placement = self._kinds.pop(kind, None)
        if placement is None:
            placement = Placement(pod, listed, self._snapshot)
        self._kinds[kind] = placement
        if len(self._kinds) > _KINDS:
            del self._kinds[next(iter(self._kinds))]
        placement.refresh(self._snapshot)
        return placement
