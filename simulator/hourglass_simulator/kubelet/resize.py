"""Resources of containers that change while they run: what is allotted, and what is said of it.

https://kubernetes.io/docs/tasks/configure-pod-container/resize-container-resources/
https://github.com/kubernetes/kubernetes/blob/v1.37.2/pkg/kubelet/allocation/allocation_manager.go
"""

import json
from collections.abc import Iterable

from hourglass_kube import podresources
from hourglass_kube.types import JSON
from hourglass_simulator.kubelet import admission
from hourglass_simulator.kubelet.container import Container
from hourglass_simulator.kubelet.pod import NodePod
from hourglass_simulator.recorder import NORMAL, WARNING

PENDING, IN_PROGRESS = "PodResizePending", "PodResizeInProgress"
DEFERRED, INFEASIBLE, ERROR = "Deferred", "Infeasible", "Error"
RESIZABLE = (podresources.CPU, podresources.MEMORY)


def allot(pod: NodePod) -> None:
    """Allot what the spec asks for, or say why it is not allotted."""
    wanted = _wanted(pod)
    if not wanted:
        pod.resize_conditions.pop(PENDING, None)
        return
    refusal = _refusal(pod)
    if refusal is not None:
        reason, message = refusal
        _say_pending(pod, reason, message)
        return
    for container in pod.all_containers:
        if container.name in wanted:
            container.spec = {**container.spec, "resources": wanted[container.name]}
    requested = {**podresources.requests(pod.allocated_spec), admission.PODS: 1}
    pod.agent.take(pod.requested, -1)
    pod.agent.take(requested)
    pod.requested = requested
    pod.resize_conditions.pop(PENDING, None)
    pod.resize_conditions[IN_PROGRESS] = _condition(pod)
    if _says_all(pod):
        _event(pod, NORMAL, "ResizeStarted", "Pod resize started", pod.object["spec"])


def deferred(pod: NodePod) -> bool:
    """What it asks for may be allotted once others leave."""
    found: JSON = pod.resize_conditions.get(PENDING, {})
    return found.get("reason") == DEFERRED


def check(pod: NodePod) -> None:
    """Say whether a resize is in progress, and once that it is complete."""
    if any(_differs(container) for container in pod.all_containers):
        pod.resize_conditions.setdefault(IN_PROGRESS, _condition(pod))
    elif pod.resize_conditions.pop(IN_PROGRESS, None) is not None:
        _event(pod, NORMAL, "ResizeCompleted", "Pod resize completed", pod.allocated_spec)


def restarting(pod: NodePod) -> list[Container]:
    """The containers that are to be restarted for what is allotted to them."""
    return [c for c in pod.all_containers if _differs(c) and _needs_restart(c)]


def actuate(pod: NodePod) -> bool:
    """Give the containers what is allotted to them; whether anything has changed."""
    due = [c for c in pod.all_containers if _differs(c)]
    if not due:
        return False
    if faults := [text for c in due for text in _too_small(c)]:
        why = faults[0] if len(faults) == 1 else f"[{', '.join(faults)}]"
        message = f"cannot decrease memory limits: {why}"
        before = pod.resize_conditions.get(IN_PROGRESS) or _condition(pod)
        found = {**before, "reason": ERROR, "message": message}
        pod.resize_conditions[IN_PROGRESS] = found
        if before.get("message") != message and _says_all(pod):
            _event(
                pod, WARNING, "ResizeError", "Pod resize error", pod.allocated_spec, error=message
            )
        return False
    for container in due:
        container.actuated = container.spec.get("resources") or {}
    return True


def _wanted(pod: NodePod) -> dict[str, JSON]:
    """By container the resources that it has in the spec and that it is not allotted."""
    spec = pod.object["spec"]
    stored = {c["name"]: c for c in (*spec["containers"], *(spec.get("initContainers") or ()))}
    return {
        c.name: stored[c.name].get("resources") or {}
        for c in (*pod.containers, *(c for c in pod.init_containers if c.sidecar))
        if (stored[c.name].get("resources") or {}) != (c.spec.get("resources") or {})
    }


def _refusal(pod: NodePod) -> tuple[str, str] | None:
    """Reason and message if the node has not what is asked for."""
    agent = pod.agent
    requested = {**podresources.requests(pod.object["spec"]), admission.PODS: 1}
    for resource in reversed(RESIZABLE):
        asked, capacity = requested.get(resource, 0), agent.offered.get(resource, 0)
        if asked > capacity:
            what = f"{resource}, requested: {asked}, capacity: {capacity}"
            return INFEASIBLE, f"Node didn't have enough capacity: {what}"
    used = {r: n - pod.requested.get(r, 0) for r, n in agent.used.items()}
    refusal = admission.rejection(pod.object, agent.view, agent.offered, requested, used)
    return None if refusal is None else (DEFERRED, refusal.message)


def _differs(container: Container) -> bool:
    if not container.running or (container.init and not container.sidecar):
        return False
    allotted = container.spec.get("resources") or {}
    # Nearly always they are one object, and amounts need not be parsed.
    return container.actuated != allotted and _resizable(container.actuated) != _resizable(allotted)


def _resizable(resources: JSON) -> dict[tuple[str, str], int]:
    return {
        (field, resource): podresources.amount(resource, amounts[resource])
        for field in ("limits", "requests")
        for resource in RESIZABLE
        if resource in (amounts := resources.get(field) or {})
    }


def _needs_restart(container: Container) -> bool:
    before = _resizable(container.actuated)
    after = _resizable(container.spec.get("resources") or {})
    changed = {r for _, r in {key for key, _ in before.items() ^ after.items()}}
    return any(
        policy["resourceName"] in changed and policy.get("restartPolicy") == "RestartContainer"
        for policy in container.spec.get("resizePolicy") or ()
    )


def _too_small(container: Container) -> Iterable[str]:
    key = ("limits", podresources.MEMORY)
    before = _resizable(container.actuated).get(key, 0)
    after = _resizable(container.spec.get("resources") or {}).get(key, 0)
    used = container.workload.memory
    if after and (not before or after < before) and used >= after:
        yield (
            f'attempting to set container "{container.name}" memory limit ({after})'
            f" below current usage ({used})"
        )


def _say_pending(pod: NodePod, reason: str, message: str) -> None:
    found = {**_condition(pod), "reason": reason, "message": message}
    before = pod.resize_conditions.get(PENDING)
    pod.resize_conditions[PENDING] = found
    if before != found and _says_all(pod):
        text = f"Pod resize {reason}"
        _event(pod, WARNING, f"Resize{reason}", text, pod.object["spec"], error=message)


def _condition(pod: NodePod) -> JSON:
    return {
        "status": "True",
        "observedGeneration": _generation(pod),
        "lastProbeTime": pod.timestamp(),
    }


def _generation(pod: NodePod) -> int:
    found: int = pod.object["metadata"].get("generation", 1)
    return found


def _says_all(pod: NodePod) -> bool:
    """Before that only the end of a resize is an Event."""
    return pod.runtime.api.version.reports_resizes


def _event(pod: NodePod, kind: str, reason: str, text: str, spec: JSON, *, error: str = "") -> None:
    summary: JSON = {
        key: [
            {"name": c["name"], "resources": _sorted(c.get("resources") or {})} for c in spec[key]
        ]
        for key in ("initContainers", "containers")
        if spec.get(key)
    }
    if _says_all(pod):
        summary["generation"] = _generation(pod)
        if error:
            summary["error"] = error
    pod.event(kind, reason, f"{text}: {json.dumps(summary, separators=(',', ':'))}")


def _sorted(resources: JSON) -> JSON:
    return {field: dict(sorted(resources[field].items())) for field in sorted(resources)}
