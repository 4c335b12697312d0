"""The nodes of the cluster with the devices that are published for them."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from hourglass_kube.node import NodeView
from hourglass_kube.node import view as node_view
from hourglass_kube.resourceslice import SliceView
from hourglass_operator.hardware.claim import DeviceClaim
from hourglass_operator.hardware.inventory import Inventory


class KnownNodes:
    """Nodes by name, and as they are to a claim for devices."""

    def __init__(self, device_attributes: Collection[str]) -> None:
        """`device_attributes`: what of published devices is kept."""
        self._inventory = Inventory(device_attributes)
        self._nodes: dict[str, NodeView] = {}
        self._sorted = True
        self._changes = 0
        self._to: dict[DeviceClaim, Mapping[str, NodeView]] = {}
        self._to_generation = -1

    def put(self, name: str, obj: Mapping[str, Any] | None) -> bool:
        """Put a node in the place of the one of its name; None: it is gone.

        Whether anything has changed that is kept; heartbeats change nothing.
        """
        after = node_view(obj) if obj is not None else None
        if after == self._nodes.get(name):
            return False
        if after is None:
            del self._nodes[name]
        else:
            self._sorted &= name in self._nodes
            self._nodes[name] = after
        self._changes += 1
        return True

    def put_slice(self, name: str, obj: Mapping[str, Any] | None) -> SliceView | None:
        """Put a ResourceSlice in the place of the one of its name; None: it is gone.

        The slice that it was before or is now, None if nothing has changed that is kept.
        """
        return self._inventory.put(name, obj)

    @property
    def generation(self) -> int:
        """Goes up whenever nodes or published devices change."""
        return self._changes + self._inventory.generation

    @property
    def devices_published(self) -> bool:
        """Some driver publishes devices."""
        return bool(self._inventory)

    def all(self) -> Mapping[str, NodeView]:
        """All nodes by name, in the order of their names."""
        if not self._sorted:
            self._nodes = dict(sorted(self._nodes.items()))
            self._sorted = True
        return self._nodes

    def all_to(self, claim: DeviceClaim) -> Mapping[str, NodeView]:
        """All nodes by name, in the order of their names, as they are to such a claim."""
        if not self.devices_published:
            return self.all()
        if self._to_generation != self.generation:
            self._to_generation = self.generation
            self._to.clear()
        found = self._to.get(claim)
        if found is None:
            found = self._to[claim] = self._inventory.nodes(claim, self.all())
        return found

    def reached(self, view: SliceView) -> Iterator[str]:
        """The names of the nodes whose devices these are."""
        if view.node:
            yield view.node
        else:
            yield from (name for name, node in self.all().items() if view.reaches(node))
