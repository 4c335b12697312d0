"""Which devices of a node serve a pod's claims: the allocator of structured parameters.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/dynamic-resource-allocation/structured/internal/incubating/allocator_incubating.go
https://github.com/kubernetes/kubernetes/blob/v1.37.2/staging/src/k8s.io/dynamic-resource-allocation/structured/internal/incubating/allocator_incubating.go

Like the real one it tries every device for every request until a solution is found; pools and
slices, whose order is chance in 1.34, are tried by name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import NAMESPACE_OID, uuid5

from hourglass_kube.node import NodeView
from hourglass_kube.types import JSON
from hourglass_simulator.kubernetes.version import Version
from hourglass_simulator.scheduler import allocation, capacity, deviceselector, devicetaints
from hourglass_simulator.scheduler.allocation import Chosen, Served
from hourglass_simulator.scheduler.capacity import CapacityError
from hourglass_simulator.scheduler.constraints import Constraint, constraints_of
from hourglass_simulator.scheduler.counters import PoolCounters
from hourglass_simulator.scheduler.deviceindex import DevicesInUse
from hourglass_simulator.scheduler.deviceselector import SelectorError
from hourglass_simulator.scheduler.pools import Device, DeviceID, Pool, reaches
from hourglass_simulator.scheduler.shares import Shares

MAX_RESULTS = 32


class AllocationError(Exception):
    """A claim that cannot be judged: kube-scheduler gives the attempt up."""


class NodeError(Exception):
    """There is something wrong with the pools of a node; another one may do."""


@dataclass(slots=True)
class _Request:
    """A request, or one of the alternatives of a request, with what it needs."""

    served: Served
    count: int = 0
    all_devices: list[Device] | None = None
    """For allocation mode All."""

    @property
    def name(self) -> str:
        return self.served.name

    @property
    def spec(self) -> JSON:
        return self.served.spec

    @property
    def admin(self) -> bool:
        return self.served.admin


class Allocator:
    """One attempt to serve claims on one node."""

    def __init__(
        self,
        claims: Sequence[JSON],
        classes: Mapping[str, JSON],
        pools: Sequence[Pool],
        in_use: DevicesInUse,
        node: NodeView,
        rules: Sequence[JSON],
        version: Version,
    ) -> None:
        """`rules` are the DeviceTaintRules."""
        self._claims = claims
        self._pools = pools
        self._in_use = in_use
        self._node = node
        self._rules = rules
        self._classes = classes
        self._texts = version.texts
        self._tainted = version.enabled("DRADeviceTaints")
        self._partitionable = version.enabled("DRAPartitionableDevices")
        self._consumable = version.enabled("DRAConsumableCapacity")
        self._bound_late = version.enabled("DRADeviceBindingConditions")
        self._matching: dict[tuple[int, str, DeviceID], bool] = {}
        self._taken: dict[DeviceID, list[int]] = {}
        self._shares = Shares(in_use)
        self._counters = {pool.id: PoolCounters(pool, in_use) for pool in pools}
        self._chosen: list[list[Chosen]] = [[] for _ in claims]
        self._requests: list[list[list[_Request]]] = []
        self._constraints: list[list[Constraint]] = []
        self._selected: dict[tuple[int, int], int] = {}

    def allocate(self) -> list[JSON] | None:
        """The allocation of each claim; None if there is none.

        Raises AllocationError and NodeError.
        """
        for index, claim in enumerate(self._claims):
            devices = claim["spec"].get("devices") or {}
            self._requests.append(
                [self._alternatives(index, r) for r in devices.get("requests") or ()]
            )
            self._constraints.append(constraints_of(claim))
            self._limit(index)
        if not self._one(0, 0):
            if self._partitionable and any(pool.invalid for pool in self._pools):
                raise NodeError("invalid resource pools were encountered")
            return None
        return [
            allocation.of(
                claim,
                self._chosen[index],
                self._served(index),
                self._node.name,
                full=self._partitionable,
            )
            for index, claim in enumerate(self._claims)
        ]

    def _limit(self, index: int) -> None:
        """No claim has more devices than it can list."""
        counts = [(min(a.count for a in r), r[0].name) for r in self._requests[index]]
        total = sum(count for count, _ in counts)
        before = 0
        for count, name in counts:
            if before + count > MAX_RESULTS:
                raise AllocationError(
                    self._texts.too_many_devices.format(
                        claim=_name(self._claims[index]),
                        request=name.split("/")[0],
                        total=total,
                        count=count,
                        before=before,
                        limit=MAX_RESULTS,
                    )
                )
            before += count

    def _alternatives(self, index: int, request: JSON) -> list[_Request]:
        if "exactly" in request:
            return [self._validated(index, request["name"], request["name"], request["exactly"])]
        return [
            self._validated(index, one["name"], f"{request['name']}/{one['name']}", one)
            for one in request["firstAvailable"]
        ]

    def _validated(self, index: int, shown: str, name: str, spec: JSON) -> _Request:
        claim, wanted = self._claims[index], spec["deviceClassName"]
        where = f"claim {_name(claim)}, request {shown}"
        device_class = self._classes.get(wanted)
        if device_class is None:
            raise AllocationError(
                f"{where}: could not retrieve device class {wanted}: "
                f'deviceclass.resource.k8s.io "{wanted}" not found'
            )
        found = _Request(Served(name, spec, device_class), spec.get("count") or 1)
        if spec.get("allocationMode") == "All":
            found.all_devices = []
            for pool in self._pools:
                state = "being updated" if pool.incomplete else "invalid" if pool.invalid else ""
                if state:
                    raise AllocationError(
                        f"{where}: asks for all devices, but resource pool {pool} is currently "
                        f"{state}"
                    )
                found.all_devices += [
                    device
                    for device in pool.devices()
                    if self._selects(index, found, device) and self._large_enough(found, device)
                ]
            found.count = len(found.all_devices)
        return found

    def _one(self, claim: int, request: int) -> bool:
        """Serve a request and all that follow it."""
        if claim == len(self._claims):
            return True
        if request == len(self._requests[claim]):
            return self._one(claim + 1, 0)
        for number, alternative in enumerate(self._requests[claim][request]):
            if self._devices(claim, request, alternative, 0, (0, 0)):
                self._selected[claim, request] = number
                return True
        return False

    def _devices(
        self, claim: int, index: int, request: _Request, number: int, start: tuple[int, int]
    ) -> bool:
        """Choose the devices of a request from the one of that number on, and go on.

        `start` is a pool and a device of it: in another order the same devices are not tried again.
        """
        if request.all_devices is not None and not request.all_devices:
            return False
        if number >= request.count:
            return self._one(claim, index + 1)
        if len(self._chosen[claim]) + request.count - number > MAX_RESULTS:
            return False
        if request.all_devices is not None:
            device = request.all_devices[number]
            if not self._take(claim, request, device, must=True):
                return False
            if self._devices(claim, index, request, number + 1, start):
                return True
            self._give_back(claim, request, device)
            return False
        for p, pool in enumerate(self._pools[start[0] :], start[0]):
            if pool.invalid and not self._partitionable:
                raise AllocationError(f"pool {pool.id[1]} is invalid: {pool.invalid}")
            if pool.invalid:
                continue
            for d, device in enumerate(pool.devices()):
                if p == start[0] and d < start[1]:
                    continue
                if self._busy(claim, request, device) or not self._selects(claim, request, device):
                    continue
                if not self._take(claim, request, device, must=False):
                    continue
                if self._devices(claim, index, request, number + 1, (p, d + 1)):
                    return True
                self._give_back(claim, request, device)
        return False

    def _shared(self, device: Device) -> bool:
        """Whether several requests may have it."""
        return self._consumable and bool(device.spec.get("allowMultipleAllocations"))

    def _busy(self, claim: int, request: _Request, device: Device) -> bool:
        taken = self._taken.get(device.id)
        if request.admin:
            return bool(taken) and claim in (taken or ())
        return bool(taken) or self._in_use.dedicated(device.id)

    def _take(self, claim: int, request: _Request, device: Device, *, must: bool) -> bool:
        if self._busy(claim, request, device) or not self._has_room(request, device):
            return False
        if self._tainted and not devicetaints.tolerated(
            device, request.spec.get("tolerations") or (), self._rules
        ):
            return False
        counted = self._counts(device)
        if counted and not self._counters[device.id[:2]].take(device):
            return False
        if not self._joins(claim, request, device, must=must):
            if counted:
                self._counters[device.id[:2]].give_back(device)
            return False
        chosen = Chosen(device, request.served, counted)
        if self._shared(device):
            chosen.consumed = capacity.consumed(request.spec, device.spec)
            place = f"{self._claims[claim]['metadata'].get('uid')} {len(self._chosen[claim])}"
            chosen.share = str(uuid5(NAMESPACE_OID, f"{place} {'/'.join(device.id)}"))
            self._shares.add(device.id, chosen.consumed)
        else:
            self._taken.setdefault(device.id, []).append(claim)
        self._chosen[claim].append(chosen)
        return True

    def _has_room(self, request: _Request, device: Device) -> bool:
        if device.spec.get("consumesCounters") and not self._partitionable:
            return False
        if not self._consumable:
            return True
        try:
            return capacity.suffices(request.spec, device.spec, self._shares.held(device.id))
        except CapacityError as error:
            where = f"request {request.name.split('/')[-1]}"
            raise AllocationError(
                f"{where}: checking capacity for device {'/'.join(device.id)}: {error}"
            ) from None

    def _large_enough(self, request: _Request, device: Device) -> bool:
        """Whether it would do if nobody else had any of it."""
        return not self._consumable or capacity.suffices(request.spec, device.spec, {})

    def _counts(self, device: Device) -> bool:
        """Whether it takes of its pool's counters now: shared devices do so once."""
        if not device.spec.get("consumesCounters"):
            return False
        return not (self._shared(device) and self._shares.any(device.id))

    def _joins(self, claim: int, request: _Request, device: Device, *, must: bool) -> bool:
        constraints = self._constraints[claim]
        for number, constraint in enumerate(constraints):
            if constraint.add(request.name, device):
                continue
            if must:
                raise AllocationError(
                    f"claim {_name(self._claims[claim])}, request {request.name.split('/')[-1]}: "
                    f"cannot add device {'/'.join(device.id)} because a claim constraint would not "
                    "be satisfied"
                )
            for earlier in constraints[:number]:
                earlier.remove(request.name)
            return False
        return True

    def _give_back(self, claim: int, request: _Request, device: Device) -> None:
        for constraint in self._constraints[claim]:
            constraint.remove(request.name)
        chosen = self._chosen[claim].pop()
        if chosen.counted:
            self._counters[device.id[:2]].give_back(device)
        if chosen.share:
            self._shares.remove(device.id, chosen.consumed)
        else:
            self._taken[device.id].remove(claim)

    def _selects(self, claim: int, request: _Request, device: Device) -> bool:
        key = (claim, request.name, device.id)
        if key not in self._matching:
            self._matching[key] = self._judge(claim, request, device)
        return self._matching[key]

    def _judge(self, claim: int, request: _Request, device: Device) -> bool:
        if device.spec.get("bindingConditions") and not self._bound_late:
            return False
        device_class = request.served.device_class
        for where, selectors in (
            (f"class {device_class['metadata']['name']}", device_class["spec"].get("selectors")),
            (f"claim {_name(self._claims[claim])}", request.spec.get("selectors")),
        ):
            for number, selector in enumerate(selectors or ()):
                try:
                    expression = deviceselector.compiled(selector["cel"]["expression"])
                    if not expression.matches(device.id[0], device.spec):
                        return False
                except SelectorError as error:
                    text = self._texts.failing_selector if error.at_run else "{number}: {error}"
                    said = text.format(number=number, device="/".join(device.id), error=error)
                    hint = self._texts.no_such_key if "no such key:" in said else ""
                    raise AllocationError(f"{where}: selector #{said}{hint}") from None
        alone = device.slice["spec"].get("perDeviceNodeSelection")
        return not alone or reaches(device.spec, self._node)

    def _served(self, index: int) -> list[Served]:
        return [
            alternatives[self._selected.get((index, number), 0)].served
            for number, alternatives in enumerate(self._requests[index])
        ]


def _name(claim: JSON) -> str:
    return f"{claim['metadata']['namespace']}/{claim['metadata']['name']}"
