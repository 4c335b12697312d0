"""A Performer's pod, trimmed to what decisions read."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from sys import intern
from typing import Any

from hourglass_kube.podresources import requests
from hourglass_operator.controller.quota_usage import QuotaUsage, quota_usage
from hourglass_operator.controller.views import seconds
from hourglass_operator.hardware.claim import claimed
from hourglass_operator.resources import go_operator, names
from hourglass_operator.resources.claim import template_used
from hourglass_operator.resources.owner import owner_uid
from hourglass_operator.resources.resizable import Amounts, amounts, equal, from_annotation

ENDED = ("Failed", "Succeeded")
"""Phases that are final: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-phase"""

_SCHEDULER = "default-scheduler"
_UNSCHEDULABLE = ("Unschedulable", "SchedulerError")
"""Why a condition PodScheduled is False while no gate holds the pod back: no node fits, or binding
it to one has failed:
https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/scheduler/schedule_one.go"""


@dataclass(frozen=True, slots=True)
class Exit:
    """How a container ended."""

    reason: str
    code: int
    finished: float | None


@dataclass(frozen=True, slots=True)
class ContainerView:
    """The state of a container.

    `init`: it must end before the others start. `started`: since when it runs, None if it does not
    or is ready.
    """

    name: str = names.CONTAINER
    init: bool = False
    ready: bool = False
    waiting: str = ""
    waiting_message: str = ""
    started: float | None = None
    exit: Exit | None = None
    last_exit: Exit | None = None
    restarts: int = 0

    @property
    def title(self) -> str:
        """How messages name it."""
        return f"{'init container' if self.init else 'container'} {self.name}"


_WELL = ContainerView(ready=True)
"""What nearly every pod has: one for all."""


@dataclass(frozen=True, slots=True)
class Unready:
    """Why a pod is not Ready, its containers aside.

    `reason` and `message` are those of its condition Ready. `sandbox`: there is one, or it is not
    known that there is none. `readiness_gates` (with what is said of them) and `scheduling_gates`
    are those that hold it back. `lost`: it was Ready, and its containers still are. `scheduler` is
    the one that it waits for, empty for Kubernetes' own. `kept_off`: the node that it must not come
    to, as it takes over from a pod there; otherwise empty.
    """

    reason: str
    message: str
    sandbox: bool
    readiness_gates: tuple[str, ...]
    scheduling_gates: tuple[str, ...]
    lost: bool = False
    scheduler: str = ""
    kept_off: str = ""


@dataclass(frozen=True, slots=True)
class Resize:
    """What the kubelet says of a change of the pod's CPU and memory that is not complete.

    `reason` is empty while it says nothing, otherwise Infeasible, Deferred, Error or InProgress.
    """

    reason: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class PodView:
    """A pod; times are seconds since the Unix epoch, `version` is the resourceVersion.

    `template_hash` is `go_operator.TEMPLATE` for a pod of the Go operator. `deleted` is the
    deletionTimestamp: when its grace period ends; `finalizers` keep its object.
    `owner` is as in `owner_uid`; `owner_before`: while it has no owner, the last one that it was
    seen with, otherwise empty. `unschedulable` is the
    scheduler's message while it finds no node; None otherwise. `ready_changed`: when the condition
    Ready last changed; `unready`: None while it is Ready. `container` is `performer`; `others` are
    init containers that have not ended and containers that are not ready or have crashed, in the
    order in which they start; ephemeral containers do not count. `preempts`: less important pods
    may have to make room for it. `nominated`: the node on which they already do, or empty.
    `devices`: extended resources it requests, and devices that it claims by the operator's
    `claim_template` (empty: by none). `unhealthy`: those it holds that the kubelet says are
    unhealthy, in words. `quota_usage`: what a ResourceQuota counts of it. `made_for`: the CPU and
    memory that the operator has asked for; `resources`: what the container `performer` is to have,
    with what others have added; `has`: what the kubelet says that it has, empty until it does.
    `resize`: what it says while that is not the same. `other_labels`: those that others have set.
    """

    namespace: str
    name: str
    uid: str
    version: str
    performer: str
    owner: str
    labels: Mapping[str, str]
    template_hash: str
    attempt: int
    created: float
    deleted: float | None
    grace: int
    finalizers: tuple[str, ...]
    phase: str
    reason: str
    message: str
    node: str
    unschedulable: str | None
    disrupted: str
    ready: bool
    ready_changed: float
    unready: Unready | None
    container: ContainerView
    others: tuple[ContainerView, ...]
    priority: int
    preempts: bool
    nominated: str
    devices: tuple[tuple[str, int], ...]
    quota_usage: QuotaUsage
    unhealthy: tuple[str, ...] = ()
    claim_template: str = ""
    owner_before: str = ""
    made_for: Amounts = ()
    resources: Amounts = ()
    has: Amounts = ()
    resize: Resize | None = None
    other_labels: tuple[tuple[str, str], ...] = ()

    @property
    def alive(self) -> bool:
        """It may still come to serve: not being deleted and not at its end."""
        return self.deleted is None and not self.ended

    @property
    def ended(self) -> bool:
        """Its phase is final; with restartPolicy Always such a pod was evicted or rejected."""
        return self.phase in ENDED

    @property
    def over(self) -> bool:
        """It is being deleted and will never run again: it holds no device and serves nothing.

        Its object may stay for as long as finalizers of others keep it. A pod without a node is
        given none once it is being deleted.
        """
        return self.deleted is not None and (self.ended or not self.node)

    @property
    def unready_containers(self) -> tuple[ContainerView, ...]:
        """Those that keep it from being Ready, `performer` first."""
        every = (self.container, *self.others)
        return tuple(container for container in every if not container.ready)

    @property
    def restarted(self) -> ContainerView | None:
        """The first of its containers, `performer` before others, that has ended before."""
        every = (self.container, *self.others)
        return next((c for c in every if c.last_exit is not None and not c.init), None)

    @property
    def restarts(self) -> int:
        """How often its containers were started again, as far as they are known."""
        return self.container.restarts + sum(container.restarts for container in self.others)

    @property
    def scheduling_gates(self) -> tuple[str, ...]:
        """What holds its scheduling back."""
        return self.unready.scheduling_gates if self.unready is not None else ()

    @property
    def of_go_operator(self) -> bool:
        """The Go operator has made it."""
        return self.template_hash == go_operator.TEMPLATE


def pod_view(pod: Mapping[str, Any]) -> PodView | None:
    """Trim a pod; None if its name is one that neither this operator gives nor the Go operator."""
    meta = pod["metadata"]
    theirs = go_operator.performer_of_pod(meta)
    if theirs is not None:
        parsed = names.PodName(theirs, go_operator.TEMPLATE, 0)
    elif (ours := names.parse_pod_name(meta["name"])) is not None:
        parsed = ours
    else:
        return None
    spec, status = pod.get("spec") or {}, pod.get("status") or {}
    conditions = {c["type"]: c for c in status.get("conditions") or ()}
    scheduled = conditions.get("PodScheduled") or {}
    ready = conditions.get("Ready") or {}
    disrupted = conditions.get("DisruptionTarget") or {}
    created = seconds(meta.get("creationTimestamp")) or 0.0
    ready_changed = seconds(ready.get("lastTransitionTime"))
    return PodView(
        namespace=intern(meta["namespace"]),
        name=intern(meta["name"]),
        uid=meta["uid"],
        version=meta["resourceVersion"],
        performer=parsed.performer,
        owner=owner_uid(meta),
        labels=names.OwnLabels(meta.get("labels") or {}),
        template_hash=parsed.template_hash,
        attempt=parsed.attempt,
        created=created,
        deleted=seconds(meta.get("deletionTimestamp")),
        grace=meta.get("deletionGracePeriodSeconds", spec.get("terminationGracePeriodSeconds", 30)),
        finalizers=tuple(map(intern, meta.get("finalizers") or ())),
        phase=intern(status.get("phase", "Pending")),
        reason=status.get("reason", ""),
        message=status.get("message", ""),
        node=intern(spec.get("nodeName", "")),
        unschedulable=scheduled.get("message", "")
        if scheduled.get("reason") in _UNSCHEDULABLE and scheduled.get("status") == "False"
        else None,
        disrupted=disrupted.get("reason", "") if disrupted.get("status") == "True" else "",
        ready=ready.get("status") == "True",
        ready_changed=created if ready_changed is None else ready_changed,
        unready=None if ready.get("status") == "True" else _unready(meta, spec, conditions),
        container=_container(status),
        others=_others(spec, status),
        priority=spec.get("priority") or 0,
        preempts=spec.get("preemptionPolicy") != "Never",
        nominated=intern(status.get("nominatedNodeName") or ""),
        devices=_devices(meta, spec),
        quota_usage=quota_usage(spec),
        unhealthy=_unhealthy(status),
        made_for=from_annotation((meta.get("annotations") or {}).get(names.MADE_FOR, "{}")),
        resources=_resources(spec.get("containers")) or (),
        has=_resources(status.get("containerStatuses")) or (),
        resize=_resize(meta, spec, status, conditions),
        claim_template=template_used(spec),
        other_labels=_other_labels(meta.get("labels") or {}),
    )


def _other_labels(labels: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Those that webhooks, the API server or people have set, by key."""
    others = sorted(item for item in labels.items() if item[0] not in names.OWN_LABELS)
    return tuple((intern(key), intern(value)) for key, value in others)


def _resources(containers: Iterable[Mapping[str, Any]] | None) -> Amounts | None:
    """Of the container `performer`; None where nothing is said of them."""
    for found in containers or ():
        if found["name"] == names.CONTAINER and "resources" in found:
            return amounts(found["resources"])
    return None


def _resize(
    meta: Mapping[str, Any],
    spec: Mapping[str, Any],
    status: Mapping[str, Any],
    conditions: Mapping[str, Mapping[str, Any]],
) -> Resize | None:
    """https://kubernetes.io/docs/tasks/configure-pod-container/resize-container-resources/#pod-resize-status"""
    has, wanted = _resources(status.get("containerStatuses")), _resources(spec.get("containers"))
    unlike = has is not None and not equal(has, wanted or ())
    generation, observed = meta.get("generation", 0), status.get("observedGeneration")
    if observed is None or observed >= generation:
        # What is said of an earlier wish does not count.
        for kind in ("PodResizePending", "PodResizeInProgress"):
            found = conditions.get(kind) or {}
            if found.get("status") == "True" and (
                observed is not None or found.get("observedGeneration", generation) >= generation
            ):
                reason = found.get("reason") or kind.removeprefix("PodResize")
                return Resize(intern(reason), found.get("message") or "")
    return Resize() if unlike and (observed is None or observed < generation) else None


def _devices(meta: Mapping[str, Any], spec: Mapping[str, Any]) -> tuple[tuple[str, int], ...]:
    extended = {name: count for name, count in requests(spec).items() if "/" in name}
    said = (meta.get("annotations") or {}).get(names.CLAIMED, "")
    by_claim = claimed(said) if template_used(spec) else {}
    return tuple(sorted({**extended, **by_claim}.items()))


def _unhealthy(status: Mapping[str, Any]) -> tuple[str, ...]:
    """https://kubernetes.io/docs/concepts/extend-kubernetes/compute-storage-net/device-plugins/#device-plugin-and-unhealthy-devices"""
    found = {
        f"{resource['name']} {device['resourceID']}{_said(device)}"
        for container in status.get("containerStatuses") or ()
        for resource in container.get("allocatedResourcesStatus") or ()
        for device in resource.get("resources") or ()
        if device.get("health") == "Unhealthy"
    }
    return tuple(sorted(found))


def _said(device: Mapping[str, Any]) -> str:
    message = device.get("message") or ""
    return f" ({message})" if message else ""


def _unready(
    meta: Mapping[str, Any], spec: Mapping[str, Any], conditions: Mapping[str, Mapping[str, Any]]
) -> Unready:
    ready, nothing = conditions.get("Ready") or {}, {"status": "False"}
    kinds = [gate["conditionType"] for gate in spec.get("readinessGates") or ()]
    sandbox = conditions.get("PodReadyToStartContainers") or {}
    gates = [] if spec.get("nodeName") else spec.get("schedulingGates") or []
    containers = conditions.get("ContainersReady") or {}
    # Both times are by the clock of the same node.
    lost = containers.get("status") == "True" and (
        (ready.get("lastTransitionTime") or "") > (containers.get("lastTransitionTime") or "")
    )
    scheduler = spec.get("schedulerName", _SCHEDULER)
    return Unready(
        reason=intern(ready.get("reason") or ""),
        message=intern(ready.get("message") or ""),
        sandbox=sandbox.get("status") != "False",
        readiness_gates=tuple(
            _gate(kind, conditions.get(kind, nothing))
            for kind in kinds
            if conditions.get(kind, nothing)["status"] != "True"
        ),
        scheduling_gates=tuple(intern(gate["name"]) for gate in gates),
        lost=lost,
        scheduler="" if scheduler == _SCHEDULER else intern(scheduler),
        kept_off=intern((meta.get("annotations") or {}).get(names.KEPT_OFF, "")),
    )


def _gate(kind: str, condition: Mapping[str, Any]) -> str:
    said = ": ".join(filter(None, (condition.get("reason"), condition.get("message"))))
    return intern(f"{kind} ({said})" if said else kind)


def _container(status: Mapping[str, Any]) -> ContainerView:
    for found in status.get("containerStatuses") or ():
        if found["name"] == names.CONTAINER:
            view = _container_view(found)
            return _WELL if view == _WELL else view
    return ContainerView()


def _others(spec: Mapping[str, Any], status: Mapping[str, Any]) -> tuple[ContainerView, ...]:
    init = spec.get("initContainers") or ()
    sidecars = [c["name"] for c in init if c.get("restartPolicy") == "Always"]
    views = [
        *(
            _container_view(found, init=found["name"] not in sidecars)
            for found in status.get("initContainerStatuses") or ()
        ),
        *(
            _container_view(found)
            for found in status.get("containerStatuses") or ()
            if found["name"] != names.CONTAINER
        ),
    ]
    return tuple(c for c in views if not c.ready or (c.last_exit is not None and not c.init))


def _container_view(found: Mapping[str, Any], *, init: bool = False) -> ContainerView:
    state, last = found.get("state") or {}, found.get("lastState") or {}
    waiting, running = state.get("waiting") or {}, state.get("running") or {}
    ready = bool(found.get("ready"))
    return ContainerView(
        name=intern(found["name"]),
        init=init,
        ready=ready,
        waiting=waiting.get("reason", ""),
        waiting_message=waiting.get("message", ""),
        started=None if ready else seconds(running.get("startedAt")),
        exit=_exit(state.get("terminated")),
        last_exit=_exit(last.get("terminated")),
        restarts=found.get("restartCount", 0),
    )


def _exit(terminated: Mapping[str, Any] | None) -> Exit | None:
    if not terminated:
        return None
    return Exit(
        reason=terminated.get("reason", ""),
        code=terminated.get("exitCode", 0),
        finished=seconds(terminated.get("finishedAt")),
    )
