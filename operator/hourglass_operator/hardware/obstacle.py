"""What keeps a pod off one node that has the hardware."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from hourglass_kube import podresources, quantity, toleration
from hourglass_kube.affinity import compile_pod
from hourglass_kube.node import NodeView, Taint
from hourglass_operator.hardware.requirement import Device, Requirement

_NODE_STATE = "node.kubernetes.io/"
_UNSCHEDULABLE = Taint("node.kubernetes.io/unschedulable", "", toleration.NO_SCHEDULE)


class Kind(IntEnum):
    """What sort of obstacle; in the order in which they are listed."""

    OPEN = 0
    """Nothing that is known here: the hardware is there and free."""
    SHORT = 1
    """The devices are in use, too few or unhealthy."""
    AWAY = 2
    """The node takes no pods for now: cordoned, not ready, under pressure."""
    CLOSED = 3
    """The pod's own constraints exclude the node."""


@dataclass(frozen=True, slots=True)
class Obstacle:
    """`verb` (third person) and `rest` follow the node's name; `taint` is the one in the way."""

    kind: Kind
    verb: str
    rest: str
    taint: Taint | None = None


class NodeFilter:
    """Judges nodes for one pod, as the scheduler does; `used`: devices of Performers, by node."""

    def __init__(
        self,
        needed: Requirement,
        used: Mapping[str, Mapping[str, int]],
        pod_spec: Mapping[str, Any],
    ) -> None:
        self.needed = needed
        self._used = used
        self._selector: Mapping[str, str] = pod_spec.get("nodeSelector") or {}
        self._tolerations = pod_spec.get("tolerations") or []
        self._permits: Callable[[NodeView], bool] = compile_pod(pod_spec)
        devices = {device.resource for device in needed.devices}
        asked = podresources.requests(pod_spec).items()
        self._requests = [(r, count) for r, count in asked if r not in devices]
        self._only_device = len(needed.devices) == 1

    def obstacle(self, node: NodeView) -> Obstacle:
        """The obstacle on a node that has the hardware: the pod's own constraints first."""
        return self._own_constraint(node) or self._state(node) or self._devices(node)

    def is_considered(self, node: NodeView) -> bool:
        """Whether the scheduler gets as far as counting the node's resources."""
        return self._permits(node) and self._state(node) is None and self._taint(node) is None

    def is_short(self, node: NodeView, device: Device) -> bool:
        """Whether a node has too little of a device even if only Performers used it."""
        return self._total(node, device) - self._held(node, device) < device.count

    def used_by_others(self, node: NodeView, device: Device) -> Obstacle:
        """A node that has enough by the Performers' use, but not by the scheduler's account."""
        total, held = self._words(self._total(node, device), device), self._held(node, device)
        own = f", {quantity.in_words(held)} of them used by Performers," if held else ""
        return Obstacle(Kind.SHORT, "has", f"{total}{own} but too many used by pods of others")

    def _own_constraint(self, node: NodeView) -> Obstacle | None:
        for key, value in self._selector.items():
            if node.labels.get(key) != value:
                rest = f"the label {key}={value} that spec.scheduling.nodeSelector asks for"
                return Obstacle(Kind.CLOSED, "lacks", rest)
        if not self._permits(node):
            return Obstacle(Kind.CLOSED, "does", "not match spec.scheduling.affinity")
        taint = self._taint(node)
        if taint is not None:
            value = f"={taint.value}" if taint.value else ""
            rest = f"the taint {taint.key}{value}:{taint.effect}, which is not tolerated"
            return Obstacle(Kind.CLOSED, "has", rest, taint)
        for resource, count in self._requests:
            total = podresources.amount(resource, node.allocatable.get(resource, "0"))
            # A node that says nothing of a resource has not reported yet.
            if total < count and (resource in node.allocatable or "/" in resource):
                rest = f"only {_amount(resource, total)} {resource} in all, the pod requests "
                return Obstacle(Kind.CLOSED, "has", f"{rest}{_amount(resource, count)}")
        return None

    def _state(self, node: NodeView) -> Obstacle | None:
        if not node.ready:
            return Obstacle(Kind.AWAY, "is", "not ready")
        if node.unschedulable and toleration.untolerated(self._tolerations, [_UNSCHEDULABLE]):
            return Obstacle(Kind.AWAY, "is", "cordoned")
        states = [taint for taint in node.taints if taint.key.startswith(_NODE_STATE)]
        taint = toleration.untolerated(self._tolerations, states)
        if taint is None:
            return None
        if taint.key == _UNSCHEDULABLE.key:
            return Obstacle(Kind.AWAY, "is", "cordoned")
        state = taint.key.removeprefix(_NODE_STATE).replace("-", " ")
        return Obstacle(Kind.AWAY, "is", f"in the state {state!r}")

    def _devices(self, node: NodeView) -> Obstacle:
        for device in self.needed.devices:
            total = self._total(node, device)
            free = max(total - self._held(node, device), 0)
            if total == 0:
                rest = f"no {device.resource} at present: no device is healthy, or its device "
                return Obstacle(Kind.SHORT, "offers", f"{rest}plugin does not run")
            if total < device.count:
                return Obstacle(Kind.SHORT, "has", f"only {self._words(total, device)}")
            if free < device.count:
                rest = f"{quantity.in_words(free)} free of {self._words(total, device)}"
                return Obstacle(Kind.SHORT, "has", rest)
        what = "enough that no Performer uses" if self.needed.devices else "it"
        return Obstacle(Kind.OPEN, "has", f"{what}, but another reason keeps the pod off")

    def _taint(self, node: NodeView) -> Taint | None:
        others = [taint for taint in node.taints if not taint.key.startswith(_NODE_STATE)]
        return toleration.untolerated(self._tolerations, others)

    def _total(self, node: NodeView, device: Device) -> int:
        return quantity.whole(node.allocatable.get(device.resource, "0"))

    def _held(self, node: NodeView, device: Device) -> int:
        return self._used.get(node.name, {}).get(device.resource, 0)

    def _words(self, count: int, device: Device) -> str:
        words = quantity.in_words(count)
        return words if self._only_device else f"{words} {device.resource}"


def _amount(resource: str, count: int) -> str:
    if resource != podresources.CPU:
        return quantity.in_words(count)
    return str(count // 1000) if count % 1000 == 0 else f"{count}m"
