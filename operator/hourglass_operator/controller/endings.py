"""What the end of a pod that is being deleted waits for, in words."""

from collections.abc import Iterable

from hourglass_kube.node import NodeView
from hourglass_operator.controller.observation import Observation
from hourglass_operator.controller.pod_view import PodView
from hourglass_operator.controller.views import timestamp
from hourglass_statemachine import Serving


def beside_a_move(seen: Observation) -> tuple[PodView, ...]:
    """The pods that leave or end beside the one that serves until its successor does.

    Not those whose end nobody will report, as their node is dead.
    """
    if seen.roles.serving is not Serving.LEAVING:
        return ()
    serving, leaving = seen.roles.serving_pod, seen.roles.leaving
    return tuple(
        pod
        for pod in seen.pods
        if pod is not serving
        and (pod in leaving or (pod.deleted is not None and not (pod.ended or pod.over)))
        and (node := seen.nodes.get(pod.node)) is not None
        and node.ready
    )


def crowd(seen: Observation) -> tuple[PodView, ...]:
    """The pods whose end the next successor of a move waits for; empty if it need not.

    One may leave or end beside the pod that serves and its successor: more would hold devices that
    others wait for, where each successor is to leave in its turn.
    """
    beside = beside_a_move(seen)
    return beside if len(beside) > 1 else ()


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
