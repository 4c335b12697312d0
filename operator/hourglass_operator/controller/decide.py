"""The last step of a pass: the writes that bring a Performer closer to what its spec asks for."""

from hourglass_operator.controller import status as statuses
from hourglass_operator.controller.assess import deadline
from hourglass_operator.controller.events import events
from hourglass_operator.controller.lifecycle import PodPlan, plan_pods
from hourglass_operator.controller.observe import Observation
from hourglass_operator.controller.plan import Memory, Plan, Write
from hourglass_operator.controller.settings import Settings
from hourglass_operator.hardware.catalogue import Catalogue
from hourglass_operator.resources import names
from hourglass_operator.resources.pod import pod_repair
from hourglass_operator.resources.service import build_service, service_repair
from hourglass_statemachine import Facts, Phase, Serving, Step


def decide(
    seen: Observation,
    facts: Facts,
    phase: Phase,
    steps: tuple[Step, ...],
    catalogue: Catalogue,
    settings: Settings,
) -> Plan:
    """What to write and when to look again; pure.

    The status comes after the writes on other objects, so that a crash in between leaves a status
    that is behind the truth rather than ahead of it, and Events come last.
    """
    wakes = [deadline(seen)] if _on_the_way(facts) else []
    # Finalizers of others may keep a Performer that this operator is done with.
    released = facts.deleting and names.FINALIZER not in seen.performer.finalizers
    if facts.deleting and not released:
        until = release_at(seen, settings)
        if not seen.pods or seen.now >= until:
            return Plan(writes=(_finalizer(seen, present=False),), steps=steps)
        wakes.append(until)
    hands_off = facts.deleting or seen.invalid
    repairs = [] if hands_off else [*_adopt(seen), *_service(seen), *_pod_repairs(seen)]
    pods = PodPlan() if released else plan_pods(seen, catalogue, settings)
    if pods.wake_at is not None:
        wakes.append(pods.wake_at)
    wakes += [refusal.retry_at for refusal in seen.refusals]
    told, pending_since = _tell(seen, facts, phase, settings)
    if pending_since is not None:
        wakes.append(pending_since + settings.status_delay)
    return Plan(
        writes=(*repairs, *pods.writes, *told),
        wake_at=min((wake for wake in wakes if wake > seen.now), default=None),
        memory=Memory(seen.refusals, pending_since),
        steps=steps,
    )


def release_at(seen: Observation, settings: Settings) -> float:
    """When (seconds) a deleted Performer no longer waits for its pods.

    A pod on a dead node never ends; without a limit it would hold the Performer for ever. A pod's
    deletionTimestamp is the end of its grace period.
    """
    ends = [seen.now if pod.deleted is None else pod.deleted for pod in seen.pods]
    return max(ends, default=seen.now) + settings.termination_slack


def _on_the_way(facts: Facts) -> bool:
    waiting = facts.serving is not Serving.WANTED and not facts.deleting
    return waiting and not facts.deadline_exceeded


def _adopt(seen: Observation) -> list[Write]:
    return [] if names.FINALIZER in seen.performer.finalizers else [_finalizer(seen, present=True)]


def _finalizer(seen: Observation, *, present: bool) -> Write:
    performer = seen.performer
    others = [name for name in performer.finalizers if name != names.FINALIZER]
    finalizers = [*others, names.FINALIZER] if present else others
    # The patch replaces the list: the version makes sure that nobody else's finalizer is lost.
    body = {"metadata": {"resourceVersion": performer.version, "finalizers": finalizers}}
    return Write("patch", "performers", performer.namespace, performer.name, body)


def _service(seen: Observation) -> list[Write]:
    performer = seen.performer
    wanted = build_service(performer.name, performer.namespace, performer.uid, seen.spec)
    name = wanted["metadata"]["name"]
    if seen.service is None:
        if not seen.may_create("services"):
            return []
        return [Write("create", "services", performer.namespace, name, wanted)]
    body = service_repair(seen.service, wanted)
    return [Write("patch", "services", performer.namespace, name, body)] if body else []


def _pod_repairs(seen: Observation) -> list[Write]:
    performer = seen.performer
    writes = []
    for pod in seen.pods:
        labels = names.labels(performer.name, seen.spec.avs_address, pod.template_hash)
        if pod.template_hash != seen.wanted:
            # It goes with its template, under which the address may have been another.
            del labels[names.AVS_LABEL]
        body = pod_repair(pod.labels, pod.owner, labels, performer.name, performer.uid)
        if body is not None and pod.alive:
            writes.append(Write("patch", "pods", pod.namespace, pod.name, body))
    return writes


def _tell(
    seen: Observation, facts: Facts, phase: Phase, settings: Settings
) -> tuple[list[Write], float | None]:
    """The status write with its Events, or since when (seconds) it has been held back.

    A change that leaves the phase alone is held back for a moment: often the next one overtakes it.
    """
    performer, stored = seen.performer, seen.status
    wanted = statuses.status(seen, facts, phase)
    changes = statuses.patch(stored, wanted)
    if not changes:
        return [], None
    since = seen.memory.status_pending_since
    if stored.phase == phase:
        since = seen.now if since is None else since
        if seen.now < since + settings.status_delay:
            return [], since
    body = {"metadata": {"uid": performer.uid}, "status": changes}
    write = Write("patch", "performers", performer.namespace, performer.name, body, "status")
    return [write, *events(seen, facts, phase, wanted["conditions"][-1]["message"])], None
