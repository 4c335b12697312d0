"""Why no node is found: in words for a person, and whether the hardware is to blame."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from hourglass_operator.hardware.requirement import Requirement
from hourglass_operator.kube import quantity, toleration
from hourglass_operator.kube.affinity import compile_pod
from hourglass_operator.kube.node import NodeView, Taint

_NAMED_NODES = 5
_LIMIT = 1024


@dataclass(frozen=True, slots=True)
class Explanation:
    """`hardware`: the hardware is what keeps the pod off. `message` is for a person."""

    hardware: bool
    message: str


class _Obstacle(Enum):
    """What keeps the pod off a node that has the hardware."""

    SHORT = "devices in use or too few"
    AWAY = "cordoned or not ready"
    CLOSED = "tainted, or not what the pod's own constraints ask for"
    OTHER = "nothing that is known here"


def offers(node: NodeView, needed: Requirement) -> bool:
    """Whether a node has the hardware at all, whoever uses it."""
    return needed.labelled(node.labels) and all(
        _allocatable(node, resource) >= count for resource, count in needed.devices
    )


def explain(
    needed: Requirement | None,
    nodes: Sequence[NodeView],
    used: Mapping[str, Mapping[str, int]],
    pod_spec: Mapping[str, Any],
    scheduler_message: str,
) -> Explanation:
    """Explain an unschedulable pod.

    `nodes` in the order of their names; `used`: devices that pods of Performers hold, by node and
    resource (other pods are not known); `pod_spec`: the pod's; `scheduler_message`: what the
    scheduler says of it.

    The hardware is to blame if no node has it, or if every node that has it and is otherwise open
    to the pod has none free, or if none is open and at least one is only away (cordoned, not
    ready). It is not to blame if a node with free hardware is kept from the pod by something else.
    """
    if needed is None:
        return Explanation(False, scheduler_message[:_LIMIT])
    permits = compile_pod(pod_spec)
    tolerations = pod_spec.get("tolerations") or []
    found: list[tuple[_Obstacle, str]] = []
    without = 0
    for node in nodes:
        if _has(node, needed):
            found.append(_look(node, needed, used, permits, tolerations, scheduler_message))
        else:
            without += 1
    obstacles = {obstacle for obstacle, _ in found}
    if not found:
        hardware = True
    elif _Obstacle.OTHER in obstacles:
        hardware = False
    else:
        hardware = bool(obstacles & {_Obstacle.SHORT, _Obstacle.AWAY})
    words = f"needs {needed}: {_sentence(needed, [text for _, text in found], without)}"
    hint = _hint(needed, nodes)
    said = f". The scheduler says: {scheduler_message}" if scheduler_message else ""
    return Explanation(hardware, f"{words}{hint}{said}"[:_LIMIT])


def _has(node: NodeView, needed: Requirement) -> bool:
    if not needed.labelled(node.labels):
        return False
    # A node that is labelled with the GPU but offers no device has a broken device plugin.
    return bool(needed.choices) or all(r in node.allocatable for r, _ in needed.devices)


def _look(
    node: NodeView,
    needed: Requirement,
    used: Mapping[str, Mapping[str, int]],
    permits: Callable[[NodeView], bool],
    tolerations: Sequence[Mapping[str, Any]],
    scheduler_message: str,
) -> tuple[_Obstacle, str]:
    if not node.ready:
        return _Obstacle.AWAY, f"{node.name} is not ready"
    if node.unschedulable:
        return _Obstacle.AWAY, f"{node.name} is cordoned"
    taint = toleration.untolerated(tolerations, node.taints)
    if taint is not None:
        return (
            _Obstacle.CLOSED,
            f"{node.name} has the taint {_taint(taint)}, which is not tolerated",
        )
    if not permits(node):
        closed = f"{node.name} does not match spec.scheduling.nodeSelector or affinity"
        return _Obstacle.CLOSED, closed
    for resource, count in needed.devices:
        total = _allocatable(node, resource)
        free = total - used.get(node.name, {}).get(resource, 0)
        if total == 0:
            return _Obstacle.SHORT, f"{node.name} offers no {resource} at present"
        if total < count:
            return _Obstacle.SHORT, f"{node.name} has only {total}"
        if free < count:
            return _Obstacle.SHORT, f"{node.name} has {max(free, 0)} free of {total}"
        if f"Insufficient {resource}" in scheduler_message:
            return _Obstacle.SHORT, f"{node.name} has {total}, used by pods of others"
    return _Obstacle.OTHER, f"{node.name} has it, but does not take the pod for another reason"


def _sentence(needed: Requirement, found: list[str], without: int) -> str:
    shown = found[:_NAMED_NODES]
    if len(found) > _NAMED_NODES:
        shown.append(f"{len(found) - _NAMED_NODES} more nodes with it are of no use either")
    lack = f"no such {needed.noun}"
    if not found:
        if not without:
            return "the cluster has no nodes"
        return f"none of the {without} nodes has it" if without > 1 else f"the only node has {lack}"
    words = "node " + ", ".join(shown)
    if without:
        words += f"; {without} other node{'s have' if without > 1 else ' has'} {lack}"
    return words


def _hint(needed: Requirement, nodes: Sequence[NodeView]) -> str:
    """A custom label that no node has, but which is a resource of some: a common mix-up."""
    for key, value in needed.custom_labels:
        labelled = any(node.labels.get(key) == value for node in nodes)
        if not labelled and any(key in node.allocatable for node in nodes):
            return f"; {key} is a resource, not a label: request {key} under spec.resources.limits"
    return ""


def _allocatable(node: NodeView, resource: str) -> int:
    return quantity.whole(node.allocatable.get(resource, "0"))


def _taint(taint: Taint) -> str:
    value = f"={taint.value}" if taint.value else ""
    return f"{taint.key}{value}:{taint.effect}"
