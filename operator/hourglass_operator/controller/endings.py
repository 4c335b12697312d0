"""What the end of a pod that is being deleted waits for, in words."""

from collections.abc import Iterable

from hourglass_kube.node import NodeView
from hourglass_operator.controller.observation import Observation
from hourglass_operator.controller.pod_view import PodView
from hourglass_operator.controller.views import timestamp


def awaited(seen: Observation, pods: Iterable[PodView]) -> str:
    """What is waited for while these pods are there, with the cause of each wait."""
    ends = (f"pod {pod.name}{_because(pod, seen.nodes.get(pod.node), seen.now)}" for pod in pods)
    return f"waiting for the end of {', '.join(ends)}"


def kept(pods: Iterable[PodView]) -> str:
    """Why pods that run no more are still there; empty if no finalizer keeps one."""
    return "; ".join(
        f"pod {pod.name} has ended, {finalizers(pod.finalizers)} its object"
        for pod in pods
        if pod.finalizers
    )


def finalizers(names: Iterable[str]) -> str:
    """Who keeps an object: `finalizer a/b keeps`, `finalizers a/b, c/d keep`."""
    listed = list(names)
    text = ", ".join(listed)
    return f"finalizers {text} keep" if len(listed) > 1 else f"finalizer {text} keeps"


def _because(pod: PodView, node: NodeView | None, now: float) -> str:
    if pod.over:
        return ""
    if node is None:
        return f": its node {pod.node} is gone" if pod.node else ""
    if not node.ready:
        return f": its node {node.name} is not ready"
    if pod.deleted is None or now < pod.deleted:
        # The same before the pod is deleted and after, so that it is written once.
        return f": its grace period is {pod.grace} s"
    end = timestamp(pod.deleted)
    return f": its grace period ended at {end}, and node {node.name} has not ended it"
