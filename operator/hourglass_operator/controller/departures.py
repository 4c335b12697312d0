"""Which pods are to leave and why, and from when on evictions no longer wait for that."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hourglass_kube.node import NodeView
from hourglass_operator.controller.moves import leaves, unhealthy
from hourglass_operator.controller.pod_roles import PodRoles
from hourglass_operator.controller.pod_view import PodView
from hourglass_operator.controller.resolve import ResolvedSpec
from hourglass_operator.controller.views import PerformerView
from hourglass_operator.hardware.node_state import NodeStates
from hourglass_statemachine import Serving


@dataclass(frozen=True, slots=True)
class Departures:
    """By the names of the pods that have a cause to leave.

    `nodes`: the nodes that are going, whatever the policy says. `why`: why another pod is to
    succeed this one, as a sentence.
    """

    nodes: Mapping[str, NodeView]
    why: Mapping[str, str]

    def of(self, pod: PodView) -> str:
        """Why another pod is to succeed this one; empty if none is."""
        return self.why.get(pod.name, "")


def departures(
    pods: Iterable[PodView],
    performer: PerformerView,
    resolved: ResolvedSpec,
    nodes: Mapping[str, NodeView],
    states: NodeStates,
) -> Departures:
    """Of a Performer's pods; those of a Performer that is deleted leave anyhow."""
    going: dict[str, NodeView] = {}
    why: dict[str, str] = {}
    for pod in pods if performer.deleted is None else ():
        node = nodes.get(pod.node)
        state = leaves(node, states)
        if node is not None and (state or pod.name == performer.moved):
            going[pod.name] = node
        if pod.name in (performer.replaced, performer.moved):
            why[pod.name] = f"another pod than {pod.name} was asked for"
        elif resolved.move_first and state:
            why[pod.name] = f"node {pod.node} is {state}"
        elif resolved.replace_unhealthy and pod.unhealthy:
            why[pod.name] = unhealthy(pod)
    return Departures(going, why)


def patience_ends(candidate: PodView | None, started: float, seconds: float) -> float:
    """When (seconds) evictions have waited for long enough: a drain does not wait for a queue."""
    gated = candidate is not None and candidate.scheduling_gates
    return (candidate.created if candidate is not None and gated else started) + seconds


def evictable_at(
    roles: PodRoles, pods: Iterable[PodView], leave: Departures, patience: float
) -> float | None:
    """When (seconds) evictions no longer wait for a successor; None while nothing is to leave.

    Where nothing moves they wait for a pod that is Ready on a node that is going: a budget keeps
    it, though an upgrade is under way or it does not serve.
    """
    if roles.serving is Serving.WANTED:
        return None
    drained = any(pod.alive and pod.ready and pod.name in leave.nodes for pod in pods)
    return patience if roles.serving is Serving.LEAVING or drained else None
