"""What lets a pod run that no node takes: the label, the toleration or the node, by name."""

from collections.abc import Mapping

from hourglass_kube import toleration
from hourglass_kube.node import NodeView
from hourglass_operator.api.messages import TOLERATED_BY
from hourglass_operator.hardware.explain import offers
from hourglass_operator.plugin.view import View

_OF_KUBERNETES = ("kubernetes.io", "k8s.io")
"""Domains of labels that say what a node is: it is not for people to change them."""


def cure(view: View, message: str, *, no_node: bool) -> str:
    """Empty if none is known.

    `message`: of the condition, which lists taints in the way; `no_node`: none is open to the pod
    that has what it needs.
    """
    if no_node and view.cordoned:
        return f"kubectl uncordon {' '.join(view.cordoned)}"
    lacking = _label(view)
    if lacking:
        return lacking
    _, _, tolerations = message.partition(TOLERATED_BY)
    if tolerations:
        return f"add to spec.scheduling.tolerations: {tolerations}"
    return ""


def _label(view: View) -> str:
    """That a node would do if it had the labels that the Performer selects nodes by."""
    spec = view.performer["spec"].get("scheduling") or {}
    wanted: Mapping[str, str] = spec.get("nodeSelector") or {}
    if not wanted:
        return ""
    needed = view.observation.requirement
    nodes = [n for n in view.observation.nodes.values() if needed is None or offers(n, needed)]
    lacking = {node.name: _missing(node, wanted) for node in nodes}
    if not all(lacking.values()):
        return ""
    tolerated = spec.get("tolerations") or []
    for node in sorted(nodes, key=lambda node: (len(lacking[node.name]), node.name)):
        fits = not toleration.untolerated(tolerated, node.taints)
        if fits and all(_may_be_set(node, key) for key in lacking[node.name]):
            labels = " ".join(f"{key}={value}" for key, value in lacking[node.name].items())
            return f"kubectl label node {node.name} {labels}"
    return ""


def _missing(node: NodeView, wanted: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in wanted.items() if node.labels.get(key) != value}


def _may_be_set(node: NodeView, key: str) -> bool:
    return key not in node.labels and not key.partition("/")[0].endswith(_OF_KUBERNETES)
