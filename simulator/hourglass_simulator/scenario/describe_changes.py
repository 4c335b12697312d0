"""What a change of a pod or a node means to a person."""

from collections.abc import Iterator

from hourglass_kube.types import JSON


def describe_pod(before: JSON | None, now: JSON) -> Iterator[str]:
    """Lines about a pod; `before` is None when it is new."""
    if before is None:
        yield "created"
    node = now["spec"].get("nodeName")
    if node and not (before or now)["spec"].get("nodeName"):
        yield f"scheduled to {node}"
    elif node and before is None:
        yield f"on {node}"
    state, was = _pod_state(now), _pod_state(before) if before else ""
    if state != was and state:
        yield state
    yield from being_deleted(before, now)


def _pod_state(pod: JSON) -> str:
    """What `kubectl get pods` would show, roughly: the waiting reason, or phase and readiness."""
    status = pod.get("status", {})
    for container in (
        *status.get("initContainerStatuses", ()),
        *status.get("containerStatuses", ()),
    ):
        waiting = container.get("state", {}).get("waiting")
        if waiting and waiting.get("reason") not in ("ContainerCreating", "PodInitializing"):
            return str(waiting.get("reason"))
        ended = container.get("state", {}).get("terminated")
        if ended and ended.get("exitCode"):
            return f"{ended.get('reason')} (exit code {ended['exitCode']})"
    if status.get("reason"):
        return f"{status.get('phase')}: {status['reason']}"
    for condition in status.get("conditions", ()):
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            return f"not scheduled: {condition.get('message', '')}"
        if condition["type"] == "Ready" and condition["status"] == "True":
            return "ready"
    phase = status.get("phase", "")
    return "" if phase == "Pending" else phase.lower()


def describe_node(before: JSON | None, now: JSON) -> Iterator[str]:
    """Lines about a node; none when it is new."""
    if before is None:
        return
    for text, of in (("cordoned", _cordoned), ("not ready", _not_ready)):
        if of(before) != of(now):
            yield text if of(now) else f"no longer {text}"
    old, new = (found.get("status", {}).get("allocatable", {}) for found in (before, now))
    for resource in sorted({*old, *new}):
        if "/" in resource and old.get(resource) != new.get(resource):
            was, offers = old.get(resource, "none"), new.get(resource, "none")
            yield f"allocatable {resource}: {was} → {offers}"


def _cordoned(node: JSON) -> bool:
    return bool(node.get("spec", {}).get("unschedulable"))


def _not_ready(node: JSON) -> bool:
    conditions = node.get("status", {}).get("conditions", ())
    return any(found["type"] == "Ready" and found["status"] != "True" for found in conditions)


def being_deleted(before: JSON | None, now: JSON) -> Iterator[str]:
    """A line when the deletion of an object begins."""
    old = (before or {}).get("metadata", {})
    if "deletionTimestamp" in now["metadata"] and "deletionTimestamp" not in old:
        yield "being deleted"
