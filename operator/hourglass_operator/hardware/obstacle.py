"""What keeps a pod off one node that has the hardware."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any

from hourglass_kube import podresources, quantity, toleration
from hourglass_kube.affinity import compile_pod
from hourglass_kube.node import NodeView, Taint
from hourglass_operator.hardware.node_state import NodeStates, State, in_words
from hourglass_operator.hardware.requirement import Device, Requirement

_UNSCHEDULABLE = Taint("node.kubernetes.io/unschedulable", "", toleration.NO_SCHEDULE)


# How device plugins name parts of GPUs: NVIDIA's, and AMD's with resource_naming_strategy "mixed".
_PARTS = (
    ("cut into MIG slices", r"mig-.+"),
    ("sharing its GPUs", r".+\.shared"),
    ("partitioned", r"[sdtqc]px_nps\d"),
)


class Kind(IntEnum):
    """What sort of obstacle; in the order in which they are listed."""

    OPEN = 0
    """Nothing that is known here: the hardware is there and free."""
    SHORT = 1
    """The devices are in use, too few or unhealthy."""
    AWAY = 2
    """The node takes no pods for now: cordoned, not ready, going or coming."""
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
    """Judges nodes for one pod, as the scheduler does.

    `used`: devices of Performers, by node; `states`: what says that a node is going or coming.
    """

    def __init__(
        self,
        needed: Requirement,
        used: Mapping[str, Mapping[str, int]],
        pod_spec: Mapping[str, Any],
        states: NodeStates,
    ) -> None:
        self.needed = needed
        self._states = states
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
        own, state = self._own_constraint(node), None
        if own is None or own.taint is not None:
            state = self._state(node)
        if own is not None and state is not None:
            # Whoever tolerates the taint alone has the state to wait for.
            return replace(own, verb="is", rest=f"{state.rest}, with {own.rest}")
        return own or state or self._devices(node)

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
            rest = f"the taint {taint}, which is not tolerated"
            return Obstacle(Kind.CLOSED, "has", rest, taint)
        for resource, count in self._requests:
            total = podresources.amount(resource, node.allocatable.get(resource, "0"))
            # A node that says nothing of a resource has not reported yet.
            if total < count and (resource in node.allocatable or "/" in resource):
                rest = f"only {_amount(resource, total)} {resource} in all, the pod requests "
                return Obstacle(Kind.CLOSED, "has", f"{rest}{_amount(resource, count)}")
        return None

    def _state(self, node: NodeView) -> Obstacle | None:
        states = [] if node.ready else [State("not ready")]
        taints = (*((_UNSCHEDULABLE,) if node.unschedulable else ()), *node.taints)
        for taint in taints:
            state = self._states.of_taint(taint)
            if state and toleration.untolerated(self._tolerations, [taint]):
                states.append(state)
        if not states:
            return None
        return Obstacle(Kind.AWAY, "is", in_words([*states, *self._states.signs(node)]))

    def _devices(self, node: NodeView) -> Obstacle:
        for device in self.needed.devices:
            total = self._total(node, device)
            free = max(total - self._held(node, device), 0)
            if total < device.count and (signs := self._states.signs(node)):
                return Obstacle(Kind.AWAY, "is", in_words(signs))
            if total == 0 and (parts := offered_parts(node, device.resource)):
                return Obstacle(Kind.SHORT, "is", parts)
            if taints := self._device_taints(node, device, total):
                return Obstacle(Kind.SHORT, "has", taints)
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

    def _device_taints(self, node: NodeView, device: Device, total: int) -> str:
        """That too few devices are without a taint, after "has"; empty if it is not for that."""
        claim = self.needed.claim
        if claim is None or device.resource != claim.resource or not node.device_taints:
            return ""
        free = max(total - self._held(node, device), 0)
        if free >= device.count:
            return ""
        by_taint: dict[Taint, list[str]] = {}
        for name, taint in node.device_taints:
            by_taint.setdefault(taint, []).append(name)
        tainted = " and ".join(
            f"the taint {taint} on device{'s' if len(names) > 1 else ''} {', '.join(names)}"
            for taint, names in by_taint.items()
        )
        some = f"{free} free of {total} and " if total else ""
        return f"{some}{tainted}, which the claim does not tolerate"

    def _taint(self, node: NodeView) -> Taint | None:
        lasting = [taint for taint in node.taints if not self._states.of_taint(taint)]
        return toleration.untolerated(self._tolerations, lasting)

    def _total(self, node: NodeView, device: Device) -> int:
        return quantity.whole(node.allocatable.get(device.resource, "0"))

    def _held(self, node: NodeView, device: Device) -> int:
        return self._used.get(node.name, {}).get(device.resource, 0)

    def _words(self, count: int, device: Device) -> str:
        words = quantity.in_words(count)
        return words if self._only_device else f"{words} {device.resource}"


def offered_parts(node: NodeView, resource: str) -> str:
    """What a node offers in place of whole GPUs, after "is"; empty if nothing."""
    domain = resource.partition("/")[0]
    for state, pattern in _PARTS:
        offered = [
            f"{other}: {quantity.in_words(count)}"
            for other in sorted(node.allocatable)
            if re.fullmatch(rf"{re.escape(domain)}/{pattern}", other)
            and (count := quantity.whole(node.allocatable[other]))
        ]
        if offered:
            return f"{state}; offers {', '.join(offered)}"
    return ""


def _amount(resource: str, count: int) -> str:
    if resource != podresources.CPU:
        return quantity.in_words(count)
    return str(count // 1000) if count % 1000 == 0 else f"{count}m"
