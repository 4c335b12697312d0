"""The devices that ResourceSlices publish, and what they are to a node that a claim is to find."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from hourglass_kube.node import NodeView
from hourglass_kube.resourceslice import DeviceView, SliceView
from hourglass_kube.resourceslice import view as slice_view
from hourglass_operator.hardware.claim import DeviceClaim

_VALUES = 3
"""So many values of an attribute are named of a node."""


class Inventory:
    """The ResourceSlices of a cluster, trimmed to the `attributes` that a catalogue asks for."""

    def __init__(self, attributes: Collection[str]) -> None:
        self._attributes = frozenset(attributes)
        self._slices: dict[str, SliceView] = {}
        self.generation = 0
        """Goes up whenever anything changes that is kept."""

    def put(self, name: str, obj: Mapping[str, Any] | None) -> SliceView | None:
        """Put a slice in the place of the one of its name; None: it is gone.

        The slice that it was before or is now, None if nothing has changed.
        """
        after = slice_view(obj, self._attributes) if obj is not None else None
        before = self._slices.pop(name, None)
        if after is not None:
            self._slices[name] = after
        if _comparable(before) == _comparable(after):
            return None
        self.generation += 1
        return after or before

    def __bool__(self) -> bool:
        return bool(self._slices)

    def nodes(self, claim: DeviceClaim, nodes: Mapping[str, NodeView]) -> dict[str, NodeView]:
        """The nodes as they are to such a claim.

        Devices that will do and that no taint keeps claims off are allocatable as
        `claim.resource`; the attributes that the claim asks for are labels of the nodes, under the
        driver's name.
        """
        of_driver = [each for each in self._newest() if each.driver == claim.driver]
        of_nodes: dict[str, list[SliceView]] = {}
        for each in of_driver:
            of_nodes.setdefault(each.node, []).append(each)
        several = of_nodes.pop("", [])
        return {
            name: _seen(
                claim,
                node,
                [*of_nodes.get(name, ()), *(each for each in several if each.reaches(node))],
            )
            for name, node in nodes.items()
        }

    def _newest(self) -> Iterator[SliceView]:
        newest: dict[tuple[str, str], int] = {}
        for each in self._slices.values():
            pool = (each.driver, each.pool)
            newest[pool] = max(each.generation, newest.get(pool, 0))
        for _, each in sorted(self._slices.items()):
            if each.generation == newest[each.driver, each.pool]:
                yield each


def _seen(claim: DeviceClaim, node: NodeView, slices: Iterable[SliceView]) -> NodeView:
    devices = [device for each in slices for device in each.devices]
    if not devices:
        return node
    fitting = [device for device in devices if claim.matches(claim.driver, device)]
    labels = dict(node.labels)
    for name in claim.attributes:
        if values := sorted(set(_values(devices, name))):
            labels[f"{claim.driver}/{name}"] = ", ".join(values[:_VALUES])
    allocatable = dict(node.allocatable)
    if fitting:
        allocatable[claim.resource] = str(sum(not device.taints for device in fitting))
    tainted = tuple((device.name, device.taints[0]) for device in fitting if device.taints)
    return replace(node, labels=labels, allocatable=allocatable, device_taints=tainted)


def _values(devices: list[DeviceView], name: str) -> Iterator[str]:
    for device in devices:
        said = dict((*device.kind.attributes, *device.kind.capacity))
        if name in said:
            yield said[name]


def _comparable(view: SliceView | None) -> SliceView | None:
    """Without the predicate, which is another one each time."""
    if view is None or view.selector is None:
        return view
    return replace(view, selector=(view.selector[0], bool))
