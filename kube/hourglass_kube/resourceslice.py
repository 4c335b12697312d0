"""A ResourceSlice, trimmed to what hardware decisions read.

https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/resource-slice-v1/
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from hourglass_kube.affinity import compile_terms
from hourglass_kube.node import NodeView, Taint


@dataclass(frozen=True, slots=True)
class DeviceKind:
    """What devices have in common: attributes and capacities as texts, by name.

    A name without a domain is of the driver's own.
    """

    attributes: tuple[tuple[str, str], ...]
    capacity: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class DeviceView:
    """A device that a driver publishes; `taints` are those that keep claims off it."""

    name: str
    kind: DeviceKind
    taints: tuple[Taint, ...] = ()


@dataclass(frozen=True, slots=True)
class SliceView:
    """A part of a driver's pool of devices.

    Of a pool only the slices of the newest `generation` count. `node` is the one that can reach the
    devices; empty: see `selector`, whose terms (as of a node selector) say which nodes can; None:
    all can.
    """

    name: str
    driver: str
    pool: str
    generation: int
    node: str
    selector: tuple[str, Callable[[NodeView], bool]] | None
    devices: tuple[DeviceView, ...]

    def reaches(self, node: NodeView) -> bool:
        """Whether the devices can be given to pods on a node."""
        if self.node:
            return self.node == node.name
        return self.selector is None or self.selector[1](node)


def view(obj: Mapping[str, Any], kept: Collection[str]) -> SliceView:
    """Trim a ResourceSlice as the API returns it to the attributes and capacities of these names.

    Devices that say themselves which nodes can reach them are left out: they are no node's own.
    """
    spec = obj["spec"]
    driver, pool = spec["driver"], spec["pool"]
    devices = () if spec.get("perDeviceNodeSelection") else spec.get("devices") or ()
    terms = (spec.get("nodeSelector") or {}).get("nodeSelectorTerms")
    return SliceView(
        name=obj["metadata"]["name"],
        driver=driver,
        pool=pool["name"],
        generation=pool.get("generation", 0),
        node=spec.get("nodeName") or "",
        selector=None if terms is None else (str(terms), compile_terms(terms)),
        devices=tuple(_device(device, driver, kept) for device in devices),
    )


def _device(device: Mapping[str, Any], driver: str, kept: Collection[str]) -> DeviceView:
    attributes = _named(device.get("attributes") or {}, driver, kept)
    capacity = _named(device.get("capacity") or {}, driver, kept)
    taints = tuple(
        Taint(taint["key"], taint.get("value", ""), taint["effect"])
        for taint in device.get("taints") or ()
        if taint.get("effect") in ("NoSchedule", "NoExecute")
    )
    return DeviceView(device["name"], _shared(attributes, capacity), taints)


def _named(
    values: Mapping[str, Mapping[str, Any]], driver: str, kept: Collection[str]
) -> tuple[tuple[str, str], ...]:
    own = {name.removeprefix(f"{driver}/"): value for name, value in values.items()}
    return tuple(
        sorted(
            (name, _text(next(iter(value.values()), "")))
            for name, value in own.items()
            if name in kept
        )
    )


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@lru_cache(maxsize=4096)
def _shared(
    attributes: tuple[tuple[str, str], ...], capacity: tuple[tuple[str, str], ...]
) -> DeviceKind:
    """One for all devices of a model, as nearly all of a cluster are of few."""
    return DeviceKind(attributes, capacity)
