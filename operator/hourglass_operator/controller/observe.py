"""The first step of a pass: everything that the later steps read, derived once."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial

from hourglass_kube.node import NodeView
from hourglass_kube.types import JSON
from hourglass_operator.api import PerformerStatus
from hourglass_operator.controller.availability import (
    STEADY_SECONDS,
    is_crash_reported,
    ready_since,
)
from hourglass_operator.controller.cache import Cache
from hourglass_operator.controller.competitors import Waiting
from hourglass_operator.controller.departures import (
    Departures,
    departures,
    evictable_at,
    patience_ends,
)
from hourglass_operator.controller.moves import leaving_pods
from hourglass_operator.controller.observation import Observation
from hourglass_operator.controller.ownership import belongs, own_pod, own_service
from hourglass_operator.controller.plan import (
    RESIZE,
    WHAT_THE_CORE_OFFERS,
    Memory,
    Read,
    Refusal,
)
from hourglass_operator.controller.pod_roles import assign_roles, find_candidate
from hourglass_operator.controller.pod_view import PodView
from hourglass_operator.controller.resizes import (
    Resizing,
    Terms,
    read_by_environment,
    resize_pods,
)
from hourglass_operator.controller.resolve import ResolvedSpec, SpecResolver
from hourglass_operator.controller.stall import stall_of
from hourglass_operator.controller.views import Key, PerformerView, seconds
from hourglass_operator.hardware.requirement import Requirement
from hourglass_operator.resources import names
from hourglass_operator.resources.budget import BudgetView
from hourglass_operator.resources.claim import TemplateView, template_of
from hourglass_operator.resources.pod import build_pod_spec
from hourglass_operator.resources.service import ServiceView
from hourglass_operator.resources.template import hash_of_one_pod
from hourglass_statemachine import Reason, Serving


def observe(
    cache: Cache,
    key: Key,
    memory: Memory,
    specs: SpecResolver,
    now: float,
    phase_rests_until: float | None = None,
    refused: Callable[[str, str], Iterable[Key]] = lambda *_: (),
) -> Observation | None:
    """What there is to know about a Performer; None if it is gone."""
    performer = cache.performers.get(key)
    if performer is None:
        return None
    resolved = specs.resolve(performer.stored_spec)
    spec, wanted = resolved.spec, resolved.template_hash
    stored, fields = performer.parsed_status()
    known = cache.pods(key)
    own = tuple(pod for pod in known if own_pod(pod, performer, stored.pod_name))
    service = cache.service(key)
    if service is not None and not own_service(service, performer, stored.service_name):
        service = None
    endpoints = _endpoints(cache, key, service, own)
    own = tuple(_known_by_former_hash(pod, resolved) for pod in own)
    offered = cache.discovery.offers_resize(now)
    states = specs.catalogue.node_states
    leave = departures(own, performer, resolved, cache.nodes(), states)
    resizing = _resizing(performer, resolved, stored, own, endpoints, leave, memory, offered, now)
    pods = resizing.pods
    status = _known_hashes(stored, resolved, pods)
    served_before = status.serving_template_hash
    requirement = _requirement(resolved, pods, cache)
    leaving = leaving_pods(pods, wanted, endpoints, leave.of)
    candidate = find_candidate(pods, wanted, endpoints, leaving)
    started = _progress_start(status, performer, resizing, wanted, pods, candidate, leaving, now)
    since = ready_since(candidate, memory.ready_since, now)
    min_ready = spec.upgrade_strategy.min_ready_seconds
    available = since.at + min_ready if since else None
    steady = since.at + STEADY_SECONDS if since else None
    crashed = is_crash_reported(candidate, status, wanted)
    roles = assign_roles(
        pods,
        wanted,
        candidate,
        endpoints,
        served_before,
        leaving=leaving,
        ready_long_enough=available is not None and now >= available,
    )
    budget = _budget(cache, performer)
    templates = tuple(
        each for each in cache.templates(key) if belongs(each.owner, each.labels, performer)
    )
    moving = roles.serving is Serving.LEAVING
    patience = spec.upgrade_strategy.progress_deadline_seconds
    let_go = patience_ends(candidate, started, spec.disruption.max_wait_seconds)
    pod = roles.serving_pod if moving else None
    return Observation(
        performer=performer,
        spec=spec,
        invalid=resolved.invalid,
        wanted=wanted,
        requirement=requirement,
        constraints=resolved.constraints,
        status=status,
        status_fields=fields,
        pods=pods,
        next_attempt=_next_attempt(performer, known, own, wanted),
        roles=roles,
        resources=resolved.resources,
        resizing=resizing,
        service=service,
        unread=(
            *_unread(cache, key, status),
            *([WHAT_THE_CORE_OFFERS] if resizing.undecided else ()),
        ),
        nodes=_nodes(cache, requirement),
        used=cache.used(),
        waiting=partial(_waiting, cache, specs),
        capacity_generation=cache.capacity_generation,
        memory=memory,
        phase_rests_until=phase_rests_until,
        refused=partial(_refused, cache, key, refused),
        changed=_changed(cache, performer.namespace, memory),
        refusals=_refusals(memory, performer, candidate, service, budget, requirement, templates),
        progress_start=started,
        deadline=let_go if moving else started + patience,
        evictable_at=evictable_at(roles, pods, leave, let_go),
        stall=stall_of(candidate, memory.stall, now),
        # Until the status says so, what is over must not begin again.
        ready_since=since
        if crashed or (min_ready and (leaving or served_before != wanted))
        else None,
        available_at=available if roles.on_trial else None,
        steady_at=steady if crashed and steady is not None and now < steady else None,
        pod_defaults=specs.pod_defaults,
        endpoint=_endpoint(performer, resolved, status),
        move_first=resolved.move_first,
        moves=leave.of(pod) if pod else "",
        going=leave.nodes.get(pod.name) if pod else None,
        budget=budget,
        templates=templates,
        serves_claims=cache.serves("resourceclaimtemplates"),
        other_budgets=_other_budgets(cache, performer, resolved, pods)
        if resolved.move_first
        else (),
        now=now,
    )


def _known_by_former_hash(pod: PodView, resolved: ResolvedSpec) -> PodView:
    """A pod that an earlier release has made of this very spec is as wanted."""
    if pod.template_hash in ("", resolved.template_hash):
        return pod
    if pod.template_hash != resolved.former_hash:
        return pod
    return replace(pod, template_hash=resolved.template_hash, made_for=resolved.resources)


def _known_hashes(
    status: PerformerStatus, resolved: ResolvedSpec, pods: Collection[PodView]
) -> PerformerStatus:
    """The stored status with the present hash in the place of others for the same template."""
    wanted, serving = resolved.template_hash, status.serving_template_hash
    of_spec = (wanted, resolved.former_hash)
    if serving is not None and serving not in of_spec:
        # Of a pod that was to be succeeded and, after another change of the spec, need not be.
        own = (hash_of_one_pod(pod.uid) for pod in pods if pod.template_hash == wanted)
        serving = wanted if serving in own else serving
    known = {
        "template_hash": wanted if status.template_hash in of_spec else status.template_hash,
        "serving_template_hash": wanted if serving in of_spec else serving,
    }
    as_stored = (status.template_hash, status.serving_template_hash)
    return status if tuple(known.values()) == as_stored else status.model_copy(update=known)


def _resizing(
    performer: PerformerView,
    resolved: ResolvedSpec,
    status: PerformerStatus,
    pods: tuple[PodView, ...],
    endpoints: frozenset[str],
    leave: Departures,
    memory: Memory,
    offered: bool | None,
    now: float,
) -> Resizing:
    if performer.deleted is not None or resolved.invalid:
        return Resizing(pods)
    since, same = seconds(status.progress_start_time), _is_of_the_spec(status, performer)
    patience = resolved.spec.upgrade_strategy.progress_deadline_seconds
    refusals = _of_generation(memory, performer)
    terms = Terms(
        wanted=resolved.resources,
        read=read_by_environment(resolved.spec),
        offered=offered,
        refused=next((r.message for r in refusals if r.resource == RESIZE and not r.transient), ""),
        late=same and since is not None and now >= since + patience,
        given_up=status.serving_template_hash if same else None,
        leaving=frozenset(leave.why),
    )
    return resize_pods(pods, resolved.template_hash, endpoints, terms)


def _is_of_the_spec(status: PerformerStatus, performer: PerformerView) -> bool:
    return status.observed_generation in (None, performer.generation)


def _of_generation(memory: Memory, performer: PerformerView) -> tuple[Refusal, ...]:
    return tuple(r for r in memory.refusals if r.generation == performer.generation)


def _budget(cache: Cache, performer: PerformerView) -> BudgetView | None:
    found = cache.budgets.get(performer.namespace, names.budget_name(performer.name))
    if found is None or not belongs(found.owner, found.labels, performer):
        return None
    return found


def _other_budgets(
    cache: Cache, performer: PerformerView, resolved: ResolvedSpec, pods: Iterable[PodView]
) -> tuple[str, ...]:
    """Those that select a pod of the Performer, or would select the next one."""
    made = names.labels(performer.name, resolved.spec.avs_address, resolved.template_hash)
    labelled = [{**pod.labels, **dict(pod.other_labels)} for pod in pods if pod.alive] or [made]
    select = cache.budgets.others_selecting
    return tuple(sorted({n for each in labelled for n in select(performer.namespace, each)}))


def _requirement(
    resolved: ResolvedSpec, pods: tuple[PodView, ...], cache: Cache
) -> Requirement | None:
    """In the form that the wanted pod has or, before there is one, the nodes have."""
    needed = resolved.requirement
    if needed is None or not (needed.others or needed.alternative):
        return needed
    wanted = [pod for pod in pods if pod.template_hash == resolved.template_hash and pod.alive]
    if needed.alternative is not None:
        claiming = any(pod.claim_template for pod in wanted) if wanted else None
        if not cache.devices_published and not claiming:
            # Nothing is published: as in a cluster without claims.
            needed = replace(needed, alternative=None)
        else:
            nodes = _nodes(cache, needed).values()
            needed = needed.allocated(nodes, claiming=claiming)
    if not needed.others:
        return needed
    held = {resource for pod in wanted for resource, _ in pod.devices}
    return needed.suited(cache.nodes().values(), held)


def _nodes(cache: Cache, needed: Requirement | None) -> Mapping[str, NodeView]:
    """All nodes, as they are to the claim if there may be one."""
    if needed is None:
        return cache.nodes()
    claim = needed.claim or (needed.alternative.claim if needed.alternative else None)
    return cache.nodes() if claim is None else cache.nodes_to(claim)


def _endpoint(performer: PerformerView, resolved: ResolvedSpec, status: PerformerStatus) -> str:
    """Where clients reach the Performer; of a spec that cannot be read, where they did so far."""
    if resolved.invalid:
        return status.grpc_endpoint or ""
    port = resolved.spec.config.grpc_port
    return names.grpc_endpoint(performer.name, performer.namespace, port)


def _changed(cache: Cache, namespace: str, memory: Memory) -> frozenset[tuple[str, str]]:
    return frozenset(
        (past.resource, past.name)
        for past in memory.repairs
        if past.version != str(cache.version(past.resource, (namespace, past.name)))
    )


def _unread(cache: Cache, key: Key, status: PerformerStatus) -> tuple[Read, ...]:
    """What has left a watch, and what the stored status names and nothing has been seen of.

    That may have lost its labels while no operator ran.
    """
    recorded, name = [], status.pod_name
    parsed = names.parse_pod_name(name) if name else None
    if name and parsed is not None and parsed.performer == key[1]:
        recorded.append(Read("pods", key[0], name))
    if status.service_name == names.service_name(key[1]):
        recorded.append(Read("services", key[0], status.service_name))
    unseen = [read for read in recorded if not cache.has_seen(read.resource, (key[0], read.name))]
    return tuple(sorted({*cache.unread(key), *unseen})) if unseen else cache.unread(key)


def _endpoints(
    cache: Cache, key: Key, service: ServiceView | None, pods: tuple[PodView, ...]
) -> frozenset[str]:
    """The pods that traffic to the Performer's own Service reaches.

    The EndpointSlices of the Go operator's Service may not have been read yet; until then its pod's
    readiness counts.
    """
    if service is None:
        return frozenset()
    if cache.has_endpoints(key, service.uid):
        return cache.ready_endpoints(key, service.uid)
    return frozenset(pod.name for pod in pods if pod.of_go_operator and pod.ready)


def _refused(
    cache: Cache, key: Key, refused: Callable[[str, str], Iterable[Key]], quota: str
) -> Iterator[Key]:
    """Other Performers that wait for a quota; of two upgrades that do, one goes first."""
    for other in refused(key[0], quota):
        performer = cache.performers.get(other)
        if other == key or performer is None or performer.deleted is not None:
            continue
        if other < key or not cache.pods(other):
            yield other


def _waiting(cache: Cache, specs: SpecResolver) -> Iterator[Waiting]:
    for key, pod in cache.waiting():
        yield Waiting(key, pod, partial(_pod_spec, cache.performers.get(key), pod, specs))


def _pod_spec(performer: PerformerView | None, pod: PodView, specs: SpecResolver) -> JSON | None:
    """The PodSpec of a pod whose template is still the Performer's."""
    resolved = specs.resolve(performer.stored_spec) if performer else None
    if (
        resolved is None
        or _known_by_former_hash(pod, resolved).template_hash != resolved.template_hash
    ):
        return None
    needed = resolved.requirement
    if needed is not None:
        needed = needed.allocated((), claiming=bool(pod.claim_template))
    return build_pod_spec(resolved.spec, needed)


def _next_attempt(
    performer: PerformerView, known: Iterable[PodView], own: Collection[PodView], wanted: str
) -> int:
    """One more than the latest: also of what finalizers keep of an earlier Performer's pods.

    A name that somebody wants to be succeeded is not given again: the wish was about another pod.
    """
    taken = (
        pod.attempt for pod in known if pod.template_hash == wanted and (pod.over or pod in own)
    )
    attempt = max(taken, default=-1) + 1
    asked = (performer.replaced, performer.moved)
    while names.pod_name(performer.name, wanted, attempt) in asked:
        attempt += 1
    return attempt


def _progress_start(
    status: PerformerStatus,
    performer: PerformerView,
    resizing: Resizing,
    wanted: str,
    pods: Collection[PodView],
    candidate: PodView | None,
    leaving: Collection[PodView],
    now: float,
) -> float:
    # A queue may be long: the time counts from when the pod may be scheduled.
    gated = candidate is not None and bool(candidate.scheduling_gates)
    stored = seconds(status.progress_start_time)
    if stored is None or gated or status.template_hash != wanted:
        return now
    begun = any(
        pod.alive and pod.template_hash == wanted and pod is not resizing.resized for pod in pods
    )
    if not begun and not _is_of_the_spec(status, performer):
        # It may ask for other resources: that is another change, of the same template.
        return now
    if resizing.replaced and status.serving_template_hash == wanted:
        # What could not be resized has its time as an upgrade.
        return now
    if leaving and any(c.reason == Reason.RESIZE_IN_PROGRESS for c in status.conditions):
        # The time that a resize has taken is not the move's.
        return now
    # One that is yet to come was written by a clock that was wrong.
    return min(stored, now)


def _refusals(
    memory: Memory,
    performer: PerformerView,
    candidate: PodView | None,
    service: ServiceView | None,
    budget: BudgetView | None,
    requirement: Requirement | None,
    templates: tuple[TemplateView, ...],
) -> tuple[Refusal, ...]:
    """What was not to be created may exist nevertheless: an answer that got lost said yes.

    A pod that is to move and a template for another claim are not what was refused.
    """
    if not memory.refusals:
        return ()
    claim = requirement.claim if requirement is not None else None
    template = template_of(performer.name, claim) if claim is not None else ""
    exists = {
        "services": service is not None,
        "poddisruptionbudgets": budget is not None,
        "resourceclaimtemplates": any(each.name == template for each in templates),
        "pods": candidate is not None,
    }
    refusals = _of_generation(memory, performer)
    return tuple(r for r in refusals if r.verb != "create" or not exists[r.resource])
