"""Who else waits for what an old pod would free, and could take it before the new pod does.

kube-scheduler tries the most important pods first, and those of equal priority in the order in
which they were queued; what becomes free is reserved for nobody:
https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/scheduler/framework/plugins/queuesort/priority_sort.go
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from hourglass_kube import affinity, podresources, quantity, toleration
from hourglass_kube.node import NodeView
from hourglass_kube.types import JSON
from hourglass_operator.controller.pod_view import PodView
from hourglass_operator.controller.views import Key
from hourglass_operator.hardware.scheduler_message import insufficient


@dataclass(frozen=True, slots=True)
class Waiting:
    """A pod of any Performer that waits for a node; `pod_spec` gives None where it is not known."""

    performer: Key
    pod: PodView
    pod_spec: Callable[[], JSON | None]


@dataclass(frozen=True, slots=True)
class Competitor:
    """A Performer that waits for the same resource, or for room in the same quota."""

    performer: Key
    resource: str


def first_competitor(
    waiting: Iterable[Waiting],
    old: PodView,
    new: PodView,
    node: NodeView,
    used: Mapping[str, int],
) -> Competitor | None:
    """Whose pod could take what `old` holds on its node before `new` does; None for certain.

    `waiting`: all pods that wait for a node, `new` among them, those that were created in the same
    second in the order in which they were created. `used`: the devices of the node that pods of
    Performers hold.
    """
    behind = False
    for each in waiting:
        pod = each.pod
        if pod.uid == new.uid:
            behind = True
        elif _goes_first(pod, new, behind=behind):
            resource = _wanted(pod, old)
            if resource and _could_run(each, old, node, used):
                return Competitor(each.performer, resource)
    return None


def _goes_first(pod: PodView, new: PodView, *, behind: bool) -> bool:
    """The scheduler may try it before the new pod, and the new pod does not get it back."""
    if pod.priority != new.priority:
        # The scheduler may come to the less important one first, while the other waits for its
        # back-off; but then it is preempted.
        return pod.priority > new.priority or not new.preempts
    if pod.created != new.created:
        return pod.created < new.created
    return not behind


def _wanted(pod: PodView, old: PodView) -> str:
    """What of the old pod's another pod waits for; empty if nothing."""
    asked = dict(pod.devices)
    for resource, _ in old.devices:
        if resource in asked:
            return resource
    short = pod.unschedulable or ""
    return next((r for r in (podresources.CPU, podresources.MEMORY) if insufficient(r, short)), "")


def _could_run(each: Waiting, old: PodView, node: NodeView, used: Mapping[str, int]) -> bool:
    """Nothing that is known keeps it off the node once the old pod is gone."""
    held = dict(old.devices)
    for resource, count in each.pod.devices:
        most = quantity.whole(node.allocatable.get(resource, "0"))
        if count > most - used.get(resource, 0) + held.get(resource, 0):
            return False
    spec = each.pod_spec()
    if spec is None:
        return True
    allocatable = podresources.allocatable(node.allocatable)
    if any(
        count > allocatable.get(resource, 0)
        for resource, count in podresources.requests(spec).items()
        if resource in (podresources.CPU, podresources.MEMORY)
    ):
        return False
    if not affinity.node_matches(spec, node):
        return False
    return not toleration.untolerated(spec.get("tolerations") or [], node.taints)
