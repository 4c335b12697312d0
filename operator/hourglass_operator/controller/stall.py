"""Where a pod stands that has a node and is not Ready, and whether it still gets on.

Times count from when the operator saw the pod there: conditions and containers bear the times of
the node's clock, and nodes' clocks differ.
"""

from dataclasses import replace

from hourglass_operator.controller.plan import Stall
from hourglass_operator.controller.pod_view import ContainerView, PodView
from hourglass_operator.resources import names

STALL_SECONDS = 30.0
"""How long a pod may stand where it is and be called starting."""


def stall_of(pod: PodView | None, before: Stall | None, now: float) -> Stall | None:
    """Where the pod stands, and since when; None if it has no node or is Ready.

    `before` is what an earlier pass has remembered.
    """
    if pod is None or pod.ready or not pod.node:
        return None
    obstacles, own = _obstacles(pod)
    place = f"pod {pod.name} on node {pod.node} is not ready: {'; '.join(obstacles)}"
    lost = pod.unready is not None and pod.unready.lost
    if before is not None and (before.uid, before.place) == (pod.uid, place):
        return before if before.lost == lost else replace(before, lost=lost)
    return Stall(pod.uid, place, own, now, lost)


def _obstacles(pod: PodView) -> tuple[list[str], bool]:
    """What the pod waits for, and whether that is the container `performer` alone.

    Why a sandbox cannot be made stands in no status: https://github.com/kubernetes/kubernetes/issues/135299
    """
    unready = pod.unready
    if unready is not None and not unready.sandbox:
        describe = f"kubectl describe pod {pod.name} -n {pod.namespace}"
        return [f"it has no sandbox yet, and its events say why: {describe}"], False
    containers = pod.unready_containers
    initializing = pod.container.waiting == "PodInitializing" and pod.others
    if initializing:
        # What comes after waits for its turn.
        containers = pod.others[:1]
    if containers:
        own = [container.name for container in containers] == [names.CONTAINER]
        return [_standing(container) for container in containers], own
    if unready is not None and unready.readiness_gates:
        gates = ", ".join(unready.readiness_gates)
        plural = "s are" if len(unready.readiness_gates) > 1 else " is"
        return [f"readiness gate{plural} not met: {gates}"], False
    said = (unready.reason, unready.message) if unready is not None else ()
    return [": ".join(filter(None, said)) or "its condition Ready does not say why"], False


def _standing(container: ContainerView) -> str:
    if container.started is None:
        return f"{container.title} has not started"
    if container.init:
        return f"{container.title} has not ended"
    return f"{container.title} runs but is not ready"
