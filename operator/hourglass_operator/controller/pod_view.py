"""A Performer's pod, trimmed to what decisions read."""

from collections.abc import Mapping
from dataclasses import dataclass
from sys import intern
from typing import Any

from hourglass_kube.podresources import requests
from hourglass_operator.controller.views import seconds
from hourglass_operator.resources import names
from hourglass_operator.resources.owner import controller_uid


@dataclass(frozen=True, slots=True)
class Exit:
    """How a container ended."""

    reason: str
    code: int
    finished: float | None


@dataclass(frozen=True, slots=True)
class ContainerView:
    """The state of the container `performer`."""

    waiting: str = ""
    waiting_message: str = ""
    started: float | None = None
    exit: Exit | None = None
    last_exit: Exit | None = None
    restarts: int = 0


@dataclass(frozen=True, slots=True)
class PodView:
    """A pod; times are seconds since the Unix epoch.

    `deleted` is the deletionTimestamp: when its grace period ends.
    `owner` is the uid of its controller, empty when it has none. `unschedulable` is the
    scheduler's message while it finds no node; None otherwise. `ready_changed`: when the condition
    Ready last changed. `devices`: extended resources it requests.
    """

    namespace: str
    name: str
    uid: str
    performer: str
    owner: str
    labels: Mapping[str, str]
    template_hash: str
    attempt: int
    created: float
    deleted: float | None
    phase: str
    reason: str
    message: str
    node: str
    unschedulable: str | None
    disrupted: str
    ready: bool
    ready_changed: float
    container: ContainerView
    devices: tuple[tuple[str, int], ...]

    @property
    def alive(self) -> bool:
        """It may still come to serve: not being deleted and not at its end."""
        return self.deleted is None and not self.ended

    @property
    def ended(self) -> bool:
        """Its phase is final; with restartPolicy Always such a pod was evicted or rejected."""
        return self.phase in ("Failed", "Succeeded")


def pod_view(pod: Mapping[str, Any]) -> PodView | None:
    """Trim a pod; None if its name is not one that the operator gives."""
    meta = pod["metadata"]
    parsed = names.parse_pod_name(meta["name"])
    if parsed is None:
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
        performer=parsed.performer,
        owner=controller_uid(meta),
        labels=names.OwnLabels(meta.get("labels") or {}),
        template_hash=parsed.template_hash,
        attempt=parsed.attempt,
        created=created,
        deleted=seconds(meta.get("deletionTimestamp")),
        phase=intern(status.get("phase", "Pending")),
        reason=status.get("reason", ""),
        message=status.get("message", ""),
        node=intern(spec.get("nodeName", "")),
        unschedulable=scheduled.get("message", "")
        if scheduled.get("reason") == "Unschedulable" and scheduled.get("status") == "False"
        else None,
        disrupted=disrupted.get("reason", "") if disrupted.get("status") == "True" else "",
        ready=ready.get("status") == "True",
        ready_changed=created if ready_changed is None else ready_changed,
        container=_container(status),
        devices=tuple(sorted((k, v) for k, v in requests(spec).items() if "/" in k)),
    )


def _container(status: Mapping[str, Any]) -> ContainerView:
    mine = [c for c in status.get("containerStatuses") or () if c["name"] == names.CONTAINER]
    if not mine:
        return ContainerView()
    state, last = mine[0].get("state") or {}, mine[0].get("lastState") or {}
    waiting, running = state.get("waiting") or {}, state.get("running") or {}
    return ContainerView(
        waiting=waiting.get("reason", ""),
        waiting_message=waiting.get("message", ""),
        started=seconds(running.get("startedAt")),
        exit=_exit(state.get("terminated")),
        last_exit=_exit(last.get("terminated")),
        restarts=mine[0].get("restartCount", 0),
    )


def _exit(terminated: Mapping[str, Any] | None) -> Exit | None:
    if not terminated:
        return None
    return Exit(
        reason=terminated.get("reason", ""),
        code=terminated.get("exitCode", 0),
        finished=seconds(terminated.get("finishedAt")),
    )
