"""The pools of devices that a node reaches, and what is wrong with them.

https://github.com/kubernetes/kubernetes/blob/v1.37.2/staging/src/k8s.io/dynamic-resource-allocation/structured/internal/incubating/pools_incubating.go
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from hourglass_kube import affinity, quantity
from hourglass_kube.node import NodeView
from hourglass_kube.types import JSON

DeviceID = tuple[str, str, str]
"""Driver, pool and name."""
PoolID = tuple[str, str]
"""Driver and name."""
Counters = dict[tuple[str, str], Decimal]
"""Amounts by the names of a set of counters and of a counter in it."""


@dataclass(frozen=True, slots=True)
class Device:
    """A device with the slice that lists it."""

    id: DeviceID
    spec: JSON
    slice: JSON


@dataclass(slots=True)
class Pool:
    """The newest generation of a pool."""

    id: PoolID
    slices: list[JSON]
    """Those with devices that the node reaches."""
    others: list[JSON] = field(default_factory=list)
    """Those of other nodes, whose devices may consume the same counters."""
    counters: Counters = field(default_factory=dict)
    """What the devices of the pool share."""
    incomplete: bool = False
    """Slices are missing."""
    invalid: str = ""
    """Why devices of it may not be used; "" if they may."""

    def __str__(self) -> str:
        return "/".join(self.id)

    def devices(self) -> Iterator[Device]:
        """The devices of its slices for the node."""
        return _devices(self.id, self.slices)

    def all_devices(self) -> Iterator[Device]:
        """Its devices, those for other nodes too."""
        return _devices(self.id, [*self.slices, *self.others])


def consumed(device: JSON) -> Counters:
    """What a device takes of the counters of its pool."""
    return {
        (one["counterSet"], name): quantity.parse(counter["value"])
        for one in device.get("consumesCounters") or ()
        for name, counter in one["counters"].items()
    }


def reaches(where: JSON, node: NodeView) -> bool:
    """Whether a slice, or a device with a choice of nodes of its own, is there for a node."""
    if where.get("nodeName"):
        return bool(where["nodeName"] == node.name)
    if where.get("allNodes"):
        return True
    chosen = where.get("nodeSelector")
    return chosen is not None and affinity.compile_terms(chosen["nodeSelectorTerms"])(node)


def pools_of(
    slices: Sequence[JSON],
    whole: Callable[[PoolID], Sequence[JSON]],
    node: NodeView,
    *,
    partitionable: bool,
) -> list[Pool]:
    """The pools that a node reaches, by name, those whose devices are bound late at the end.

    `slices` are those that may be for the node, `whole` gives all of a pool. `partitionable`:
    devices may share counters, and have a choice of nodes each.
    """
    found: dict[PoolID, list[JSON]] = {}
    for one in sorted(slices, key=lambda s: s["metadata"]["name"]):
        if _is_for(one["spec"], node, partitionable=partitionable):
            _add(found, one)
    pools = []
    for key in sorted(found):
        pool = _complete(key, found[key], whole) if partitionable else _plain(key, found[key])
        if pool is not None:
            pools.append(pool)
    return sorted(pools, key=_bound_late)


def _is_for(spec: JSON, node: NodeView, *, partitionable: bool) -> bool:
    if not partitionable:
        return "perDeviceNodeSelection" not in spec and reaches(spec, node)
    if spec.get("perDeviceNodeSelection"):
        return any(reaches(device, node) for device in spec.get("devices") or ())
    return reaches(spec, node)


def _add(found: dict[PoolID, list[JSON]], one: JSON) -> None:
    """Slices of an older generation go."""
    spec = one["spec"]
    key = (spec["driver"], spec["pool"]["name"])
    known = found.setdefault(key, [])
    newest = _generation(known[0]) if known else _generation(one)
    if _generation(one) > newest:
        known.clear()
    if _generation(one) >= newest:
        known.append(one)


def _generation(one: JSON) -> int:
    generation: int = one["spec"]["pool"].get("generation", 0)
    return generation


def _plain(key: PoolID, slices: list[JSON]) -> Pool:
    wanted = slices[0]["spec"]["pool"]["resourceSliceCount"]
    return Pool(key, slices, incomplete=len(slices) != wanted, invalid=_repeated(key, slices))


def _complete(
    key: PoolID, slices: list[JSON], whole: Callable[[PoolID], Sequence[JSON]]
) -> Pool | None:
    """A pool with what of it is for other nodes; None if there is a newer one of its name."""
    everything = sorted(whole(key), key=lambda s: s["metadata"]["name"])
    generation = _generation(slices[0])
    if any(_generation(one) > generation for one in everything):
        return None
    everything = [one for one in everything if _generation(one) == generation]
    if len(everything) != slices[0]["spec"]["pool"]["resourceSliceCount"]:
        return Pool(key, [], incomplete=True)
    mine = {one["metadata"]["name"] for one in slices}
    found = Pool(key, [one for one in slices if not one["spec"].get("sharedCounters")])
    found.invalid = _repeated(key, found.slices)
    for one in everything:
        if not one["spec"].get("sharedCounters"):
            if one["metadata"]["name"] not in mine:
                found.others.append(one)
            continue
        for shared in one["spec"]["sharedCounters"]:
            if any(name == shared["name"] for name, _ in found.counters):
                found.invalid = found.invalid or f"duplicate counter set name {shared['name']}"
            for name, counter in shared["counters"].items():
                found.counters[shared["name"], name] = quantity.parse(counter["value"])
    found.invalid = found.invalid or _uncounted(found)
    return found


def _repeated(key: PoolID, slices: Sequence[JSON]) -> str:
    seen: set[str] = set()
    for device in _devices(key, slices):
        name = device.id[2]
        if name in seen:
            return f"duplicate device name {name}"
        seen.add(name)
    return ""


def _uncounted(pool: Pool) -> str:
    """Which counter is consumed and not there."""
    sets = {name for name, _ in pool.counters}
    for device in pool.all_devices():
        for shared, counter in consumed(device.spec):
            if shared not in sets:
                return f"counter set {shared} not found"
            if (shared, counter) not in pool.counters:
                return f"counter {counter} not found in counter set {shared}"
    return ""


def _bound_late(pool: Pool) -> bool:
    return any(device.spec.get("bindingConditions") for device in pool.devices())


def _devices(key: PoolID, slices: Sequence[JSON]) -> Iterator[Device]:
    for one in slices:
        for spec in one["spec"].get("devices") or ():
            yield Device((*key, spec["name"]), spec, one)
