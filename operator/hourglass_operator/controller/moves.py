"""Planned moves: which pods make room for a successor on another node, and why."""

from collections.abc import Callable, Collection, Sequence

from hourglass_kube.node import NodeView, Taint
from hourglass_kube.toleration import NO_SCHEDULE, PREFER_NO_SCHEDULE, untolerated
from hourglass_kube.types import JSON
from hourglass_operator.controller.pod_view import PodView
from hourglass_operator.hardware.node_state import NodeStates
from hourglass_operator.resources import names

_CORDONED = Taint("node.kubernetes.io/unschedulable", "", NO_SCHEDULE)
"""Who tolerates this is scheduled to cordoned nodes:
https://kubernetes.io/docs/reference/labels-annotations-taints/#node-kubernetes-io-unschedulable"""
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


def leaving_pods(
    pods: Sequence[PodView],
    wanted: str,
    ready_endpoints: Collection[str],
    why: Callable[[PodView], str],
) -> tuple[PodView, ...]:
    """The pods of the `wanted` template that another is to succeed, for what `why` says.

    A move begins with a pod that serves: what does not is no better off elsewhere before somebody
    evicts it. It goes on while that pod is not ready for a moment.
    """
    mine = [pod for pod in pods if pod.alive and pod.template_hash == wanted]
    going = [pod for pod in mine if why(pod)]
    begun = len(going) < len(mine)
    return tuple(pod for pod in going if begun or (pod.ready and pod.name in ready_endpoints))


def unhealthy(pod: PodView) -> str:
    """Which of the pod's devices are unhealthy, as a sentence; empty if none is known to be."""
    if not pod.unhealthy:
        return ""
    plural = len(pod.unhealthy) > 1
    devices = f"device{'s' if plural else ''} {', '.join(pod.unhealthy)}"
    return f"{devices} of pod {pod.name} {'are' if plural else 'is'} unhealthy"


def leaves(node: NodeView | None, states: NodeStates) -> str:
    """Why pods should leave a node, as text that follows "the node is"; empty if they should not.

    Taints that only make the scheduler prefer other nodes say nothing: the successor could come to
    the same node.
    """
    if node is None:
        return ""
    if node.unschedulable:
        return "cordoned"
    taints = (taint for taint in node.taints if taint.effect != PREFER_NO_SCHEDULE)
    found = (states.leaving(taint) for taint in taints)
    return next((state.text for state in found if state is not None), "")


def kept_off(pod: JSON, node: NodeView) -> JSON:
    """A successor (a Pod) that must not come to the node, in a form that the scheduler heeds.

    Nearly always it would not: it is kept off only if it tolerates all that marks the node as
    going.
    """
    marks = (*node.taints, _CORDONED) if node.unschedulable else node.taints
    if untolerated(pod["spec"].get("tolerations") or (), marks) is not None:
        return pod
    affinity = pod["spec"].get("affinity") or {}
    of_nodes = affinity.get("nodeAffinity") or {}
    terms = (of_nodes.get(_REQUIRED) or {}).get("nodeSelectorTerms") or [{}]
    elsewhere = {"key": "metadata.name", "operator": "NotIn", "values": [node.name]}
    required = {
        "nodeSelectorTerms": [
            {**term, "matchFields": [*(term.get("matchFields") or ()), elsewhere]} for term in terms
        ]
    }
    affinity = {**affinity, "nodeAffinity": {**of_nodes, _REQUIRED: required}}
    annotations = pod["metadata"].get("annotations") or {}
    return {
        **pod,
        "metadata": {**pod["metadata"], "annotations": {**annotations, names.KEPT_OFF: node.name}},
        "spec": {**pod["spec"], "affinity": affinity},
    }
