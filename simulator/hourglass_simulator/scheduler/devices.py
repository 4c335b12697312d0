"""DynamicResources: the plugin that allocates the devices of a pod's ResourceClaims.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/scheduler/framework/plugins/dynamicresources/dynamicresources.go
"""

from dataclasses import dataclass

from hourglass_kube import affinity
from hourglass_kube.types import JSON
from hourglass_simulator.kubernetes.texts import Texts
from hourglass_simulator.scheduler import status
from hourglass_simulator.scheduler.allocator import AllocationError, Allocator, pools_of
from hourglass_simulator.scheduler.node import NodeInfo
from hourglass_simulator.scheduler.pod import PodInfo
from hourglass_simulator.scheduler.snapshot import Snapshot
from hourglass_simulator.scheduler.status import DYNAMIC_RESOURCES, PluginError, Status

MAX_USERS = 256
"""So many pods may share a claim."""
_CANNOT_ALLOCATE = status.rejected(DYNAMIC_RESOURCES, "cannot allocate all claims")
_ELSEWHERE = status.rejected(DYNAMIC_RESOURCES, "resourceclaim not available on the node")
_IN_USE = status.rejected(DYNAMIC_RESOURCES, "resourceclaim in use")


@dataclass(frozen=True, slots=True)
class Allocation:
    """What is to be written before the pod is bound: claims to reserve, in their order.

    Each with the allocation to write into its status, or None if it has one.
    """

    claims: tuple[tuple[str, JSON | None], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.claims)


NO_ALLOCATION = Allocation()


@dataclass(frozen=True, slots=True)
class PostFilter:
    """What the plugin says when no node fits; `error` keeps preemption from being tried."""

    message: str
    error: bool = False
    deallocate: str = ""
    """The claim that is to be deallocated."""


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

    def __bool__(self) -> bool:
        return bool(self._pod.resource_claims)

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
        away = [claim["metadata"]["name"] for claim in self._claims if not _available(claim, node)]
        if self._allocations(node) is None:
            return _CANNOT_ALLOCATE
        if away:
            self._elsewhere.update(away)
            return _ELSEWHERE
        return None

    def post_filter(self, texts: Texts) -> PostFilter:
        """What the plugin does when no node fits."""
        if not self._reached:
            return PostFilter("not found", error=True)
        if not self._filtering or not self._claims:
            return PostFilter(texts.nothing_to_deallocate)
        for name in sorted(self._elsewhere):
            users = _users(self._claim(name))
            if not users or users == [self._pod.uid]:
                return PostFilter("deallocation of ResourceClaim completed", deallocate=name)
        return PostFilter("still not schedulable")

    def allocation(self, node: NodeInfo) -> Allocation:
        """What is to be written for a node that fits."""
        if not self._claims:
            return NO_ALLOCATION
        new = iter(self._allocations(node) or ())
        return Allocation(
            tuple(
                (claim["metadata"]["name"], None if _allocated(claim) else next(new))
                for claim in self._claims
                if self._pod.uid not in _users(claim)
            )
        )

    def _unusable(self, claim: JSON) -> Status | None:
        if _allocated(claim):
            users = _users(claim)
            if len(users) >= MAX_USERS and self._pod.uid not in users:
                return _IN_USE
            return None
        classes = self._snapshot.listers["deviceclasses"]
        for request in (claim["spec"].get("devices") or {}).get("requests") or ():
            for name, one in _alternatives(request):
                if classes.get(one["deviceClassName"]) is None:
                    fault = f"request {name}: device class {one['deviceClassName']} does not exist"
                    return status.rejected(DYNAMIC_RESOURCES, fault)
        return None

    def _allocations(self, node: NodeInfo) -> list[JSON] | None:
        """The allocations of the claims that have none; None if there are none to be had."""
        name = node.view.name
        if name in self._found:
            return self._found[name]
        wanted = [claim for claim in self._claims if not _allocated(claim)]
        if not wanted:
            return []
        snapshot = self._snapshot
        classes = {one["metadata"]["name"]: one for one in snapshot.listers["deviceclasses"]}
        allocator = Allocator(
            wanted,
            classes,
            pools_of(snapshot.slices.of(name), node.view),
            snapshot.devices_in_use,
            device_taints=snapshot.gates.device_taints,
        )
        try:
            found = allocator.allocate()
        except AllocationError as error:
            raise PluginError(f'running "DynamicResources" filter plugin: {error}') from None
        if found is not None:
            self._found[name] = found
        return found

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


def _alternatives(request: JSON) -> list[tuple[str, JSON]]:
    if "exactly" in request:
        return [(request["name"], request["exactly"])]
    return [(f"{request['name']}/{one['name']}", one) for one in request["firstAvailable"]]


def _allocated(claim: JSON) -> bool:
    return (claim.get("status") or {}).get("allocation") is not None


def _users(claim: JSON) -> list[str]:
    return [user["uid"] for user in (claim.get("status") or {}).get("reservedFor") or ()]


def _available(claim: JSON, node: NodeInfo) -> bool:
    allocation = (claim.get("status") or {}).get("allocation") or {}
    chosen = allocation.get("nodeSelector")
    return chosen is None or affinity.compile_terms(chosen["nodeSelectorTerms"])(node.view)
