"""The first step of a pass: everything that the later steps look at, from the cache."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import ValidationError

from hourglass_kube.node import NodeView
from hourglass_operator.api import PerformerSpec, PerformerStatus
from hourglass_operator.controller.cache import Cache
from hourglass_operator.controller.plan import Memory, Refusal
from hourglass_operator.controller.pod_view import PodView
from hourglass_operator.controller.views import Key, PerformerView
from hourglass_operator.resources import names
from hourglass_operator.resources.service import ServiceView
from hourglass_operator.resources.template import template_hash


@dataclass(frozen=True, slots=True)
class Observation:
    """A Performer and what belongs to it; `now` is seconds since the Unix epoch.

    `pods` and `service` are its own; see `belongs`. Pods are in the order of their names.
    `invalid` says what is wrong with a spec that an older definition let in; `spec` is empty then.
    `nodes` are all nodes by name, in the order of their names.
    """

    performer: PerformerView
    spec: PerformerSpec
    status: PerformerStatus
    wanted: str
    pods: tuple[PodView, ...]
    service: ServiceView | None
    ready_endpoints: frozenset[str]
    nodes: Mapping[str, NodeView]
    used: Mapping[str, Mapping[str, int]]
    memory: Memory
    now: float
    invalid: str = ""

    @property
    def refusals(self) -> tuple[Refusal, ...]:
        """The API server's refusals to create what the present spec asks for and is not there.

        What was refused may exist nevertheless: an answer that got lost said yes.
        """
        exists = {
            "services": self.service is not None,
            "pods": any(pod.alive and pod.template_hash == self.wanted for pod in self.pods),
        }
        return tuple(
            refusal
            for refusal in self.memory.refusals
            if refusal.generation == self.performer.generation and not exists[refusal.resource]
        )

    def may_create(self, resource: str) -> bool:
        """No refusal of this resource asks for patience."""
        mine = (refusal for refusal in self.refusals if refusal.resource == resource)
        return all(self.now >= refusal.retry_at for refusal in mine)

    def serves(self, pod: PodView) -> bool:
        """Traffic to the Service reaches the pod."""
        return pod.alive and pod.ready and pod.name in self.ready_endpoints

    @property
    def endpoint(self) -> str:
        """Where clients reach the Performer: DNS name and port."""
        if self.invalid:
            return self.status.grpc_endpoint or ""
        performer = self.performer
        port = self.spec.config.grpc_port
        return names.grpc_endpoint(performer.name, performer.namespace, port)


def observe(cache: Cache, key: Key, memory: Memory, now: float) -> Observation | None:
    """What there is to know about a Performer; None if it is gone."""
    performer = cache.performers.get(key)
    if performer is None:
        return None
    invalid = ""
    try:
        spec = performer.spec()
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        invalid = f"spec.{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
        spec = PerformerSpec.model_construct(avs_address="", image="")
    service = cache.service(key)
    return Observation(
        performer=performer,
        spec=spec,
        status=performer.status(),
        wanted="" if invalid else template_hash(spec),
        pods=tuple(pod for pod in cache.pods(key) if belongs(pod.owner, pod.labels, performer)),
        service=service if service and belongs(service.owner, service.labels, performer) else None,
        ready_endpoints=cache.ready_endpoints(key),
        nodes=cache.nodes(),
        used=cache.used(),
        memory=memory,
        now=now,
        invalid=invalid,
    )


def belongs(owner: str, labels: Mapping[str, str], performer: PerformerView) -> bool:
    """Whether an object with this controller's uid and these labels is the Performer's.

    One that lost its owner reference still is if it bears the label; one that another owner
    controls never is.
    """
    return owner == performer.uid or (
        owner == "" and labels.get(names.PERFORMER_LABEL) == performer.name
    )
