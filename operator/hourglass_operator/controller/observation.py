"""What a pass knows of a Performer: derived once by `observe`, and only read by the later steps."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from hourglass_kube.node import NodeView
from hourglass_kube.types import JSON
from hourglass_operator.api import PerformerSpec, PerformerStatus
from hourglass_operator.controller.competitors import Waiting
from hourglass_operator.controller.plan import Memory, Read, ReadySince, Refusal, Stall
from hourglass_operator.controller.pod_roles import PodRoles
from hourglass_operator.controller.pod_view import PodView
from hourglass_operator.controller.resizes import Resizing
from hourglass_operator.controller.stall import STALL_SECONDS
from hourglass_operator.controller.views import Key, PerformerView
from hourglass_operator.hardware.requirement import Requirement
from hourglass_operator.resources.budget import BudgetView
from hourglass_operator.resources.claim import TemplateView
from hourglass_operator.resources.pod import PodDefaults, build_pod_spec
from hourglass_operator.resources.resizable import Amounts
from hourglass_operator.resources.service import ServiceView


@dataclass(frozen=True)
class Observation:
    """A Performer, what belongs to it and what follows from that.

    Times are seconds since the Unix epoch.
    """

    performer: PerformerView
    spec: PerformerSpec
    """As in ResolvedSpec, like the next two."""
    invalid: str
    constraints: str
    wanted: str
    """The template hash of the spec."""
    requirement: Requirement | None
    """In the form that the wanted pod has or, before there is one, the nodes have."""
    status: PerformerStatus
    """The stored one."""
    status_fields: Mapping[str, Any]
    """Its JSON."""
    pods: tuple[PodView, ...]
    """The Performer's own (see `ownership`), in the order of their names."""
    next_attempt: int
    """The number of the next pod of the wanted template: no pod has the name."""
    roles: PodRoles
    resources: Amounts
    """The CPU and memory that the wanted pod asks for."""
    resizing: Resizing
    service: ServiceView | None
    """The Performer's own."""
    move_first: bool
    """Whether a pod whose node is going is to be succeeded before it is evicted."""
    moves: str
    """Why the pod that serves is to be succeeded, as a sentence; empty if it is not."""
    going: NodeView | None
    """Its node, if no successor is to come to it."""
    budget: BudgetView | None
    """The Performer's own PodDisruptionBudget."""
    other_budgets: tuple[str, ...]
    """PodDisruptionBudgets of others that select the Performer's pods, if that matters: by name."""
    templates: tuple[TemplateView, ...]
    """The Performer's own ResourceClaimTemplates, by name."""
    serves_claims: bool
    """Whether the API server serves Dynamic Resource Allocation, as far as is known."""
    endpoint: str
    """Where clients reach the Performer: DNS name and port."""
    unread: tuple[Read, ...]
    """What may be the Performer's and must be read before anything is decided."""
    nodes: Mapping[str, NodeView]
    """All nodes by name, in the order of their names, as they are to the claim if devices may be
    claimed (see `Inventory.nodes`)."""
    used: Mapping[str, Mapping[str, int]]
    """The devices that pods of Performers hold, by node and resource."""
    capacity_generation: int
    """Goes up when `nodes` or `used` change."""
    waiting: Callable[[], Iterable[Waiting]]
    """The pods of all Performers that wait for a node; few passes ask."""
    refused: Callable[[str], Iterable[Key]]
    """The other Performers to whose pods a quota of this name has no room to give."""
    memory: Memory
    phase_rests_until: float | None
    """The phase has changed often of late, and is not to be changed again before then."""
    changed: frozenset[tuple[str, str]]
    """Of the objects that were repaired those (resource and name) that have changed since."""
    refusals: tuple[Refusal, ...]
    """Of the API server: to write what the present spec asks for and is not there yet."""
    progress_start: float
    """Since when the wanted template, or the successor of a pod that moves, has been on its way to
    serve."""
    deadline: float
    """When it must serve."""
    evictable_at: float | None
    """When evictions no longer wait for a successor; None while no pod that serves is to leave."""
    stall: Stall | None
    """Where the candidate stands, None if it has no node or is Ready."""
    ready_since: ReadySince | None
    """Of the candidate, None if it is not Ready or nothing depends on it."""
    available_at: float | None
    """When the candidate's trial ends, None if it is not on trial."""
    steady_at: float | None
    """When the candidate's crash belongs to the past, None if it has not crashed or it does."""
    pod_defaults: PodDefaults
    now: float

    @property
    def deleting(self) -> bool:
        """The Performer is being deleted."""
        return self.performer.deleted is not None

    @property
    def resized(self) -> PodView | None:
        """The pod that serves, while its CPU and memory change."""
        pod = self.resizing.resized
        return pod if pod is not None and pod is self.roles.serving_pod else None

    @property
    def impossible(self) -> str:
        """Why no pod can be made that has what the spec asks for, as a sentence; empty if one can.

        A server that does not know claims leaves them out, and the pod would run without devices.
        """
        needed = self.requirement
        if needed is not None and needed.impossible:
            return needed.impossible
        claimed = needed is not None and needed.claim is not None
        if self.serves_claims or not (claimed or self.spec.config.resource_claims):
            return ""
        asks = (
            "spec.hardwareRequirements.allocation ResourceClaim"
            if claimed
            else "spec.config.resourceClaims"
        )
        return (
            "the cluster does not serve resource.k8s.io/v1 (Dynamic Resource Allocation), which"
            f" {asks} needs"
        )

    @property
    def stalls_at(self) -> float | None:
        """From when on (seconds) a pod that still stands where it does is not called starting."""
        stall, pod = self.stall, self.roles.candidate
        if stall is None or pod is None:
            return None
        if stall.lost:
            return stall.since
        patient = stall.since + STALL_SECONDS
        if pod.created >= self.deadline:
            # A pod that comes after the deadline has only begun.
            return patient
        # How long a performer needs to start, only its deadline says.
        return self.deadline if stall.own else min(patient, self.deadline)

    @property
    def stalled(self) -> Stall | None:
        """Where the candidate stands, if it does so for long or the status says so already."""
        stall, at = self.stall, self.stalls_at
        if stall is None or at is None or self.now >= at:
            return stall
        reported = any(stall.place in condition.message for condition in self.status.conditions)
        return stall if reported else None

    @property
    def draining(self) -> tuple[PodView, ...]:
        """The pods that a deletion waits for: not those whose objects alone others keep."""
        if not self.deleting:
            return ()
        return tuple(pod for pod in self.pods if not (pod.over and pod.finalizers))

    @cached_property
    def pod_spec(self) -> JSON:
        """The PodSpec that the spec asks for; costly, and few passes need it."""
        return build_pod_spec(self.spec, self.requirement, self.pod_defaults)

    def with_refusals(self, refusals: tuple[Refusal, ...]) -> "Observation":
        """The same with these refusals."""
        return self if refusals == self.refusals else replace(self, refusals=refusals)

    def may_create(self, resource: str) -> bool:
        """No refusal to create one asks for patience."""
        mine = (r for r in self.refusals if (r.verb, r.resource) == ("create", resource))
        return all(self.now >= refusal.retry_at for refusal in mine)
