"""The first step of a pass: everything that the later steps read, derived once."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from hourglass_kube.node import NodeView
from hourglass_kube.types import JSON
from hourglass_operator.api import PerformerSpec, PerformerStatus
from hourglass_operator.controller.cache import Cache
from hourglass_operator.controller.plan import Memory, Refusal
from hourglass_operator.controller.pod_roles import PodRoles, assign_roles
from hourglass_operator.controller.pod_view import PodView
from hourglass_operator.controller.resolve import SpecResolver
from hourglass_operator.controller.views import Key, PerformerView, seconds
from hourglass_operator.hardware.requirement import Requirement
from hourglass_operator.resources import names
from hourglass_operator.resources.pod import build_pod_spec
from hourglass_operator.resources.service import ServiceView


@dataclass(frozen=True)
class Observation:
    """A Performer, what belongs to it and what follows from that.

    Times are seconds since the Unix epoch. `spec`, `invalid`, `wanted` (the template hash),
    `requirement` and `constraints` are as in ResolvedSpec. `status` is the stored one and
    `status_fields` its JSON. `pods` (in the order of their names) and `service` are the
    Performer's own; see `belongs`. `nodes` are all nodes by name, in the order of their names;
    `used` are the devices that pods of Performers hold, by node and resource, and
    `capacity_generation` goes up when one of the two changes. `refusals` are the API server's
    refusals to create what the present spec asks for and is not there. `progress_start`: since
    when the wanted template has been on its way to serve; `deadline`: when it must serve.
    `endpoint`: where clients reach the Performer, DNS name and port.
    """

    performer: PerformerView
    spec: PerformerSpec
    invalid: str
    wanted: str
    requirement: Requirement | None
    constraints: str
    status: PerformerStatus
    status_fields: Mapping[str, Any]
    pods: tuple[PodView, ...]
    roles: PodRoles
    service: ServiceView | None
    nodes: Mapping[str, NodeView]
    used: Mapping[str, Mapping[str, int]]
    capacity_generation: int
    memory: Memory
    refusals: tuple[Refusal, ...]
    progress_start: float
    deadline: float
    endpoint: str
    now: float

    @property
    def deleting(self) -> bool:
        """The Performer is being deleted."""
        return self.performer.deleted is not None

    @cached_property
    def pod_spec(self) -> JSON:
        """The PodSpec that the spec asks for; costly, and few passes need it."""
        return build_pod_spec(self.spec, self.requirement)

    def may_create(self, resource: str) -> bool:
        """No refusal of this resource asks for patience."""
        mine = (refusal for refusal in self.refusals if refusal.resource == resource)
        return all(self.now >= refusal.retry_at for refusal in mine)


def observe(
    cache: Cache, key: Key, memory: Memory, specs: SpecResolver, now: float
) -> Observation | None:
    """What there is to know about a Performer; None if it is gone."""
    performer = cache.performers.get(key)
    if performer is None:
        return None
    resolved = specs.resolve(performer.stored_spec)
    spec, wanted = resolved.spec, resolved.template_hash
    status, fields = performer.parsed_status()
    pods = tuple(pod for pod in cache.pods(key) if belongs(pod.owner, pod.labels, performer))
    service = cache.service(key)
    if service is not None and not belongs(service.owner, service.labels, performer):
        service = None
    endpoints, served_before = cache.ready_endpoints(key), status.serving_template_hash
    started = _progress_start(status, wanted, now)
    return Observation(
        performer=performer,
        spec=spec,
        invalid=resolved.invalid,
        wanted=wanted,
        requirement=resolved.requirement,
        constraints=resolved.constraints,
        status=status,
        status_fields=fields,
        pods=pods,
        roles=assign_roles(pods, wanted, endpoints, served_before),
        service=service,
        nodes=cache.nodes(),
        used=cache.used(),
        capacity_generation=cache.capacity_generation,
        memory=memory,
        refusals=_refusals(memory, performer, pods, service, wanted),
        progress_start=started,
        deadline=started + spec.upgrade_strategy.progress_deadline_seconds,
        endpoint=(status.grpc_endpoint or "")
        if resolved.invalid
        else names.grpc_endpoint(performer.name, performer.namespace, spec.config.grpc_port),
        now=now,
    )


def belongs(owner: str, labels: Mapping[str, str], performer: PerformerView) -> bool:
    """Whether an object with this controller's uid and these labels is the Performer's.

    One that lost its owner reference still is if it bears the label; one that another owner
    controls never is.
    """
    return owner == performer.uid or (
        owner == "" and labels.get(names.PERFORMER_LABEL) == performer.name
    )


def _progress_start(status: PerformerStatus, wanted: str, now: float) -> float:
    stored = seconds(status.progress_start_time)
    return now if stored is None or status.template_hash != wanted else stored


def _refusals(
    memory: Memory,
    performer: PerformerView,
    pods: tuple[PodView, ...],
    service: ServiceView | None,
    wanted: str,
) -> tuple[Refusal, ...]:
    """What was refused may exist nevertheless: an answer that got lost said yes."""
    if not memory.refusals:
        return ()
    exists = {
        "services": service is not None,
        "pods": any(pod.alive and pod.template_hash == wanted for pod in pods),
    }
    return tuple(
        refusal
        for refusal in memory.refusals
        if refusal.generation == performer.generation and not exists[refusal.resource]
    )
