"""Which devices of a node serve a pod's claims: the allocator of structured parameters.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/dynamic-resource-allocation/structured/internal/incubating/allocator_incubating.go

Like the real one it tries every device for every request until a solution is found; pools and
slices, whose order is chance there, are tried by name. Devices that share counters and devices
that are chosen per device for nodes are left out, as without their feature gates.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from hourglass_kube import affinity
from hourglass_kube.node import NodeView
from hourglass_kube.types import JSON
from hourglass_simulator.scheduler import deviceselector
from hourglass_simulator.scheduler.deviceselector import SelectorError

MAX_RESULTS = 32
DeviceID = tuple[str, str, str]
"""Driver, pool and name."""


class AllocationError(Exception):
    """A claim that cannot be judged: kube-scheduler gives the attempt up."""


@dataclass(frozen=True, slots=True)
class Device:
    """A device with the slice that lists it."""

    id: DeviceID
    spec: JSON
    slice: JSON


@dataclass(slots=True)
class Pool:
    """The newest generation of a pool's slices that a node reaches."""

    driver: str
    name: str
    slices: list[JSON]

    @property
    def incomplete(self) -> bool:
        """Slices are missing."""
        wanted: int = self.slices[0]["spec"]["pool"]["resourceSliceCount"]
        return len(self.slices) != wanted

    @property
    def invalid(self) -> str:
        """Why devices of it may not be used; "" if they may."""
        seen: set[str] = set()
        for device in self.devices():
            name = device.id[2]
            if name in seen:
                return f"duplicate device name {name}"
            seen.add(name)
        return ""

    def devices(self) -> Iterator[Device]:
        """All of its devices."""
        for one in self.slices:
            for spec in one["spec"].get("devices") or ():
                yield Device((self.driver, self.name, spec["name"]), spec, one)


def pools_of(slices: Sequence[JSON], node: NodeView) -> list[Pool]:
    """The pools that a node reaches."""
    found: dict[tuple[str, str], Pool] = {}
    for one in sorted(slices, key=lambda s: s["metadata"]["name"]):
        spec = one["spec"]
        if "perDeviceNodeSelection" in spec or not _reaches(spec, node):
            continue
        key = (spec["driver"], spec["pool"]["name"])
        pool = found.setdefault(key, Pool(*key, []))
        generation = spec["pool"].get("generation", 0)
        newest = pool.slices[0]["spec"]["pool"].get("generation", 0) if pool.slices else generation
        if generation > newest:
            pool.slices.clear()
        if generation >= newest:
            pool.slices.append(one)
    return [found[key] for key in sorted(found)]


def _reaches(spec: JSON, node: NodeView) -> bool:
    if spec.get("nodeName"):
        return bool(spec["nodeName"] == node.name)
    if spec.get("allNodes"):
        return True
    chosen = spec.get("nodeSelector")
    return chosen is not None and affinity.compile_terms(chosen["nodeSelectorTerms"])(node)


@dataclass(slots=True)
class _Request:
    """A request, or one of the alternatives of a request, with what it needs."""

    name: str
    """`request` or `request/alternative`."""
    spec: JSON
    device_class: JSON
    count: int = 0
    all_devices: list[Device] | None = None
    """For allocation mode All."""

    @property
    def admin(self) -> bool:
        return bool(self.spec.get("adminAccess"))


@dataclass(slots=True)
class _Match:
    """The constraint matchAttribute."""

    attribute: str
    requests: frozenset[str]
    values: list[JSON] = field(default_factory=list)

    def add(self, request: str, device: Device) -> bool:
        """Whether a device may join those that are chosen; if so it has."""
        if not self._applies(request):
            return True
        value = self._value(device)
        if value is None or (self.values and self.values[0] != value):
            return False
        self.values.append(value)
        return True

    def remove(self, request: str) -> None:
        """The device that joined last is not chosen after all."""
        if self._applies(request):
            self.values.pop()

    def _applies(self, request: str) -> bool:
        names = {request, request.split("/")[0]}
        return not self.requests or bool(names & self.requests)

    def _value(self, device: Device) -> JSON | None:
        attributes = device.spec.get("attributes") or {}
        if self.attribute in attributes:
            found: JSON = attributes[self.attribute]
            return found
        domain, _, name = self.attribute.rpartition("/")
        return attributes.get(name) if domain == device.id[0] else None


class Allocator:
    """One attempt to serve claims on one node."""

    def __init__(
        self,
        claims: Sequence[JSON],
        classes: Mapping[str, JSON],
        pools: Sequence[Pool],
        in_use: Mapping[DeviceID, int],
        *,
        device_taints: bool,
    ) -> None:
        self._claims = claims
        self._pools = pools
        self._in_use = in_use
        self._device_taints = device_taints
        self._classes = classes
        self._matching: dict[tuple[int, str, DeviceID], bool] = {}
        self._taken: dict[DeviceID, list[int]] = {}
        self._chosen: list[list[tuple[_Request, Device]]] = [[] for _ in claims]
        self._requests: list[list[list[_Request]]] = []
        self._constraints: list[list[_Match]] = []
        self._selected: dict[tuple[int, int], int] = {}

    def allocate(self) -> list[JSON] | None:
        """The allocation of each claim; None if there is none. Raises AllocationError."""
        for index, claim in enumerate(self._claims):
            devices = claim["spec"].get("devices") or {}
            self._requests.append(
                [self._alternatives(index, r) for r in devices.get("requests") or ()]
            )
            self._constraints.append(
                [
                    _Match(c["matchAttribute"], frozenset(c.get("requests") or ()))
                    for c in devices.get("constraints") or ()
                    if "matchAttribute" in c
                ]
            )
            least = sum(min(a.count for a in request) for request in self._requests[index])
            if least > MAX_RESULTS:
                raise AllocationError(
                    f"claim {_name(claim)}: number of requested devices {least} exceeds the claim "
                    f"limit of {MAX_RESULTS}"
                )
        if not self._one(0, 0):
            return None
        return [self._result(index) for index in range(len(self._claims))]

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
        found = _Request(name, spec, device_class, spec.get("count") or 1)
        if spec.get("allocationMode") == "All":
            found.all_devices = []
            for pool in self._pools:
                state = "being updated" if pool.incomplete else "invalid" if pool.invalid else ""
                if state:
                    raise AllocationError(
                        f"{where}: asks for all devices, but resource pool "
                        f"{pool.driver}/{pool.name} is currently {state}"
                    )
                found.all_devices += [d for d in pool.devices() if self._selects(index, found, d)]
            found.count = len(found.all_devices)
        return found

    def _one(self, claim: int, request: int) -> bool:
        """Serve a request and all that follow it."""
        if claim == len(self._claims):
            return True
        if request == len(self._requests[claim]):
            return self._one(claim + 1, 0)
        for number, alternative in enumerate(self._requests[claim][request]):
            if self._devices(claim, request, alternative, 0):
                self._selected[claim, request] = number
                return True
        return False

    def _devices(self, claim: int, index: int, request: _Request, number: int) -> bool:
        """Choose the devices of a request from the one of that number on, and go on."""
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
            if self._devices(claim, index, request, number + 1):
                return True
            self._give_back(claim, request, device)
            return False
        for pool in self._pools:
            if pool.invalid:
                raise AllocationError(f"pool {pool.name} is invalid: {pool.invalid}")
            for device in pool.devices():
                if self._busy(claim, request, device) or not self._selects(claim, request, device):
                    continue
                if not self._take(claim, request, device, must=False):
                    continue
                if self._devices(claim, index, request, number + 1):
                    return True
                self._give_back(claim, request, device)
        return False

    def _busy(self, claim: int, request: _Request, device: Device) -> bool:
        taken = self._taken.get(device.id)
        if request.admin:
            return bool(taken) and claim in (taken or ())
        return bool(taken) or self._in_use.get(device.id, 0) > 0

    def _take(self, claim: int, request: _Request, device: Device, *, must: bool) -> bool:
        if self._busy(claim, request, device) or device.spec.get("consumesCounters"):
            return False
        if self._device_taints and not _tolerated(device, request.spec):
            return False
        constraints = self._constraints[claim]
        for number, constraint in enumerate(constraints):
            if constraint.add(request.name, device):
                continue
            if must:
                shown = "/".join(device.id)
                raise AllocationError(
                    f"claim {_name(self._claims[claim])}, request {request.name.split('/')[-1]}: "
                    f"cannot add device {shown} because a claim constraint would not be satisfied"
                )
            for earlier in constraints[:number]:
                earlier.remove(request.name)
            return False
        self._taken.setdefault(device.id, []).append(claim)
        self._chosen[claim].append((request, device))
        return True

    def _give_back(self, claim: int, request: _Request, device: Device) -> None:
        for constraint in self._constraints[claim]:
            constraint.remove(request.name)
        self._taken[device.id].remove(claim)
        self._chosen[claim].pop()

    def _selects(self, claim: int, request: _Request, device: Device) -> bool:
        key = (claim, request.name, device.id)
        if key not in self._matching:
            self._matching[key] = self._judge(claim, request, device)
        return self._matching[key]

    def _judge(self, claim: int, request: _Request, device: Device) -> bool:
        if device.spec.get("bindingConditions"):
            return False
        class_name = request.device_class["metadata"]["name"]
        for where, selectors in (
            (f"class {class_name}", request.device_class["spec"].get("selectors")),
            (f"claim {_name(self._claims[claim])}", request.spec.get("selectors")),
        ):
            for number, selector in enumerate(selectors or ()):
                try:
                    expression = deviceselector.compiled(selector["cel"]["expression"])
                    if not expression.matches(device.id[0], device.spec):
                        return False
                except SelectorError as error:
                    raise AllocationError(f"{where}: selector #{number}: {error}") from None
        return True

    def _result(self, index: int) -> JSON:
        """status.allocation of a claim."""
        devices: JSON = {}
        chosen = self._chosen[index]
        if chosen:
            devices["results"] = [
                {
                    "request": request.name,
                    **dict(zip(("driver", "pool", "device"), device.id, strict=True)),
                    **({"adminAccess": True} if request.admin else {}),
                }
                for request, device in chosen
            ]
        if config := [*self._class_config(index), *self._claim_config(index)]:
            devices["config"] = config
        found: JSON = {"devices": devices}
        if selector := _node_selector([device for _, device in chosen]):
            found["nodeSelector"] = selector
        return found

    def _served(self, index: int) -> list[_Request]:
        return [
            alternatives[self._selected.get((index, number), 0)]
            for number, alternatives in enumerate(self._requests[index])
        ]

    def _class_config(self, index: int) -> list[JSON]:
        by_class: dict[str, list[JSON]] = {}
        for request in self._served(index):
            name = request.device_class["metadata"]["name"]
            if name in by_class:
                for one in by_class[name]:
                    one["requests"].append(request.name)
                continue
            by_class[name] = [
                {"source": "FromClass", "requests": [request.name], **one}
                for one in request.device_class["spec"].get("config") or ()
            ]
        return [one for found in by_class.values() for one in found]

    def _claim_config(self, index: int) -> list[JSON]:
        found = []
        devices = self._claims[index]["spec"].get("devices") or {}
        served = [request.name for request in self._served(index)]
        for one in devices.get("config") or ():
            meant = one.get("requests") or ()
            times = sum(n in meant or n.split("/")[0] in meant for n in served) if meant else 1
            found += [{"source": "FromClaim", **one}] * times
        return found


def _name(claim: JSON) -> str:
    return f"{claim['metadata']['namespace']}/{claim['metadata']['name']}"


def _tolerated(device: Device, request: JSON) -> bool:
    tolerations = request.get("tolerations") or ()
    return all(
        any(_tolerates(toleration, taint) for toleration in tolerations)
        for taint in device.spec.get("taints") or ()
    )


def _tolerates(toleration: JSON, taint: JSON) -> bool:
    """https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/dynamic-resource-allocation/resourceclaim/devicetoleration.go"""
    if toleration.get("effect") and toleration["effect"] != taint["effect"]:
        return False
    if toleration.get("key") and toleration["key"] != taint["key"]:
        return False
    if (toleration.get("operator") or "Equal") == "Exists":
        return True
    return bool((toleration.get("value") or "") == (taint.get("value") or ""))


def _node_selector(devices: Sequence[Device]) -> JSON | None:
    """The nodes that reach all of the devices; None for all nodes."""
    term: dict[str, list[JSON]] = {}
    for device in devices:
        spec = device.slice["spec"]
        if spec.get("nodeName"):
            named = {"key": "metadata.name", "operator": "In", "values": [spec["nodeName"]]}
            return {"nodeSelectorTerms": [{"matchFields": [named]}]}
        for terms in (spec.get("nodeSelector") or {}).get("nodeSelectorTerms") or ():
            for kind in ("matchFields", "matchExpressions"):
                for requirement in terms.get(kind) or ():
                    if requirement not in term.setdefault(kind, []):
                        term[kind].append(requirement)
    term = {kind: found for kind, found in term.items() if found}
    return {"nodeSelectorTerms": [term]} if term else None
