"""DynamicResources: the plugin that allocates the devices of a pod's ResourceClaims.

https://github.com/kubernetes/kubernetes/blob/v1.37.2/pkg/scheduler/framework/plugins/dynamicresources/dynamicresources.go
"""

from collections.abc import Sequence
from dataclasses import dataclass

from hourglass_kube import affinity
from hourglass_kube.types import JSON
from hourglass_simulator.kubernetes.texts import Texts
from hourglass_simulator.scheduler import bindingconditions, extendedresources, status
from hourglass_simulator.scheduler.allocator import AllocationError, Allocator, NodeError
from hourglass_simulator.scheduler.node import NodeInfo
from hourglass_simulator.scheduler.pod import PodInfo
from hourglass_simulator.scheduler.pools import pools_of
from hourglass_simulator.scheduler.snapshot import Snapshot
from hourglass_simulator.scheduler.status import DYNAMIC_RESOURCES, PluginError, Status

MAX_USERS = 256
"""So many pods may share a claim."""
_MAX_ALTERNATIVES = 8
_CANNOT_ALLOCATE = status.rejected(DYNAMIC_RESOURCES, "cannot allocate all claims")
_ELSEWHERE = status.rejected(DYNAMIC_RESOURCES, "resourceclaim not available on the node")
_IN_USE = status.rejected(DYNAMIC_RESOURCES, "resourceclaim in use")
_STALE = status.rejected(DYNAMIC_RESOURCES, "cannot schedule extended resource claim")


@dataclass(frozen=True, slots=True)
class Extended:
    """A claim to be made for extended resources that device classes serve."""

    claim: JSON
    allocation: JSON
    mappings: Sequence[JSON]
    """Which request is for which resource of which container."""


@dataclass(frozen=True, slots=True)
class Allocation:
    """What is to be written before the pod is bound: claims to reserve, in their order.

    Each with the allocation to write into its status, or None if it has one.
    """

    claims: tuple[tuple[str, JSON | None], ...] = ()
    extended: Extended | None = None
    waits: tuple[str, ...] = ()
    """Claims with devices that have conditions that the pod waits for."""

    def __bool__(self) -> bool:
        return bool(self.claims or self.extended or self.waits)


NO_ALLOCATION = Allocation()


@dataclass(frozen=True, slots=True)
class PostFilter:
    """What the plugin says when no node fits; `error` keeps preemption from being tried."""

    message: str
    error: bool = False
    deallocate: str = ""
    """The claim that is to be deallocated."""
    delete: str = ""
    """The claim for extended resources that is to be deleted."""


class PodDevices:
    """The claims of one pod; false if it has none."""

    def __init__(self, pod: PodInfo, snapshot: Snapshot) -> None:
        self._pod = pod
        self._snapshot = snapshot
        self._claims: list[JSON] = []
        self._reached = False
        self._filtering = False
        self._elsewhere: set[str] = set()
        self._found: dict[str, list[JSON]] = {}
        self._extended = snapshot.resource_classes.served(pod.requests)
        self._stale = self._left_over() if self._extended else ""

    def __bool__(self) -> bool:
        return bool(self._pod.resource_claims or self._extended)

    def pre_filter(self) -> Status | None:
        """What keeps the pod off all nodes."""
        self._reached = True
        if not self:
            return None
        fault = claim_fault(self._pod, self._snapshot)
        if fault:
            return status.rejected(DYNAMIC_RESOURCES, fault)
        claims = [self._claim(name) for _, name in self._pod.resource_claims if name]
        for claim in claims:
            found = self._unusable(claim)
            if found is not None:
                return found
        self._claims = claims
        self._filtering = True
        return None

    def filter(self, node: NodeInfo) -> Status | None:
        """What keeps the pod off a node."""
        if self._stale:
            return _STALE
        away = [c["metadata"]["name"] for c in self._claims if not self._available(c, node)]
        try:
            if self._allocations(node) is None:
                return _CANNOT_ALLOCATE
        except NodeError as error:
            return status.rejected(DYNAMIC_RESOURCES, str(error))
        if away:
            self._elsewhere.update(away)
            return _ELSEWHERE
        return None

    def post_filter(self, texts: Texts) -> PostFilter:
        """What the plugin does when no node fits."""
        if not self._reached:
            return PostFilter("not found", error=True)
        if not self._filtering or not (self._claims or self._extended):
            return PostFilter(texts.nothing_to_deallocate)
        for name in sorted(self._elsewhere):
            users = _users(self._claim(name))
            if not users or users == [self._pod.uid]:
                return PostFilter("deallocation of ResourceClaim completed", deallocate=name)
        if self._stale:
            return PostFilter("deletion of ResourceClaim completed", delete=self._stale)
        return PostFilter(texts.still_no_devices)

    @property
    def prefers(self) -> bool:
        """Whether some devices are better than others."""
        return self._snapshot.version.prefers_first_alternatives and any(
            "firstAvailable" in request for claim in self._claims for request in _requests(claim)
        )

    def scores(self, nodes: Sequence[NodeInfo]) -> list[int]:
        """How early in their lists the alternatives are that nodes have, up to 100."""
        found = [self._score(node) for node in nodes]
        most = max(found, default=0)
        return [score * 100 // most for score in found] if most else found

    def allocation(self, node: NodeInfo) -> Allocation:
        """What is to be written for a node that fits."""
        if not self:
            return NO_ALLOCATION
        found = list(self._allocations(node) or ())
        extended = None
        if wanted := self._wanted(node):
            claim, mappings = self._for_extended(wanted)
            extended = Extended(claim, found.pop(), mappings)
        new = iter(found)
        claims = [(c, None if _allocated(c) else next(new)) for c in self._claims]
        return Allocation(
            tuple(
                (claim["metadata"]["name"], made)
                for claim, made in claims
                if self._pod.uid not in _users(claim)
            ),
            extended,
            tuple(
                claim["metadata"]["name"]
                for claim, made in claims
                if bindingconditions.any_of(made or claim["status"]["allocation"])
            ),
        )

    def _left_over(self) -> str:
        """A claim for its extended resources that an earlier attempt has left; "" if none."""
        claims = self._snapshot.listers["resourceclaims"].of(self._pod.namespace)
        names = (c["metadata"]["name"] for c in claims if extendedresources.is_of(c, self._pod.uid))
        return min(names, default="")

    def _available(self, claim: JSON, node: NodeInfo) -> bool:
        allocation = (claim.get("status") or {}).get("allocation") or {}
        chosen = allocation.get("nodeSelector")
        if chosen and not affinity.compile_terms(chosen["nodeSelectorTerms"])(node.view):
            return False
        late = claim["metadata"]["uid"] in self._snapshot.never_bound
        return not late and not bindingconditions.failure(claim)

    def _unusable(self, claim: JSON) -> Status | None:
        meta = claim["metadata"]
        if _allocated(claim):
            users = _users(claim)
            if len(users) >= MAX_USERS and self._pod.uid not in users:
                return _IN_USE
            return None
        if self._snapshot.is_held(meta["namespace"], meta["name"]):
            fault = (
                f"resource claim {meta['namespace']}/{meta['name']} is in the process of being "
                "allocated"
            )
            return status.rejected(DYNAMIC_RESOURCES, fault)
        classes = self._snapshot.listers["deviceclasses"]
        for request in _requests(claim):
            for name, one in _alternatives(request):
                if classes.get(one["deviceClassName"]) is None:
                    fault = f"request {name}: device class {one['deviceClassName']} does not exist"
                    return status.rejected(DYNAMIC_RESOURCES, fault)
        return None

    def _wanted(self, node: NodeInfo) -> dict[str, str]:
        """Extended resources that the node has no device plugin for, with their classes."""
        return {r: c for r, c in self._extended.items() if not node.allocatable.get(r)}

    def _for_extended(self, wanted: dict[str, str]) -> tuple[JSON, list[JSON]]:
        pod = self._pod
        requests, mappings = extendedresources.requests_of(pod.spec, wanted)
        claim = extendedresources.claim_of(pod.namespace, pod.name, pod.uid)
        return {**claim, "spec": {"devices": {"requests": requests}}}, mappings

    def _allocations(self, node: NodeInfo) -> list[JSON] | None:
        """The allocations of the claims that have none, None if there are none to be had.

        That for extended resources is the last.
        """
        name = node.view.name
        if name in self._found:
            return self._found[name]
        wanted = [claim for claim in self._claims if not _allocated(claim)]
        if resources := self._wanted(node):
            wanted.append(self._for_extended(resources)[0])
        if not wanted:
            return []
        snapshot = self._snapshot
        version = snapshot.version
        allocator = Allocator(
            wanted,
            {one["metadata"]["name"]: one for one in snapshot.listers["deviceclasses"]},
            pools_of(
                snapshot.slices.of(name),
                snapshot.slices.of_pool,
                node.view,
                partitionable=version.enabled("DRAPartitionableDevices"),
            ),
            snapshot.devices_in_use,
            node.view,
            list(snapshot.listers["devicetaintrules"]),
            version,
        )
        try:
            found = allocator.allocate()
        except AllocationError as error:
            raise PluginError(f'running "DynamicResources" filter plugin: {error}') from None
        if found is not None:
            self._found[name] = found
        return found

    def _score(self, node: NodeInfo) -> int:
        new = iter(self._allocations(node) or ())
        score = 0
        for claim in self._claims:
            allocation = claim["status"]["allocation"] if _allocated(claim) else next(new)
            served = {one["request"] for one in allocation["devices"].get("results") or ()}
            for request in _requests(claim):
                for number, (name, _) in enumerate(_alternatives(request)):
                    if "firstAvailable" in request and name in served:
                        score += _MAX_ALTERNATIVES - number
        return score

    def _claim(self, name: str) -> JSON:
        found = self._snapshot.listers["resourceclaims"].get(name, self._pod.namespace)
        assert found is not None
        return found


def claim_fault(pod: PodInfo, snapshot: Snapshot) -> str:
    """Which claim of a pod is not there yet; "" if all are. Until then it is not even tried."""
    for _, name in pod.resource_claims:
        if name is None:
            return f'pod "{pod.namespace}/{pod.name}": ResourceClaim not created yet'
        claim = snapshot.listers["resourceclaims"].get(name, pod.namespace)
        if claim is None:
            return f'resourceclaim.resource.k8s.io "{name}" not found'
        if "deletionTimestamp" in claim["metadata"]:
            return f'resourceclaim "{name}" is being deleted'
        if name in pod.generated_claims and not _belongs(claim, pod):
            return (
                f"ResourceClaim {pod.namespace}/{name} was not created for pod "
                f"{pod.namespace}/{pod.name} (pod is not owner)"
            )
    return ""


def _belongs(claim: JSON, pod: PodInfo) -> bool:
    owners = claim["metadata"].get("ownerReferences") or ()
    return any(owner.get("controller") and owner["uid"] == pod.uid for owner in owners)


def _requests(claim: JSON) -> Sequence[JSON]:
    found: Sequence[JSON] = (claim["spec"].get("devices") or {}).get("requests") or ()
    return found


def _alternatives(request: JSON) -> list[tuple[str, JSON]]:
    if "exactly" in request:
        return [(request["name"], request["exactly"])]
    return [(f"{request['name']}/{one['name']}", one) for one in request["firstAvailable"]]


def _allocated(claim: JSON) -> bool:
    return (claim.get("status") or {}).get("allocation") is not None


def _users(claim: JSON) -> list[str]:
    return [user["uid"] for user in (claim.get("status") or {}).get("reservedFor") or ()]
