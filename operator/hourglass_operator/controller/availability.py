"""For how long the wanted pod has been ready: whether an upgrade and a crash are over.

Times count from when the operator saw the pod ready, not from the pod's own
`lastTransitionTime`: that one is by the node's clock, and nodes' clocks differ. An operator that
has just started counts anew, so that it may be late, but never early.
"""

from dataclasses import replace

from hourglass_operator.api import PerformerStatus
from hourglass_operator.controller.plan import ReadySince
from hourglass_operator.controller.pod_view import PodView
from hourglass_statemachine import Reason

STEADY_SECONDS = 10.0
"""How long a container that has crashed must be ready again until nothing is said of it.

The kubelet's first back-off: one that crashes sooner is on its way into a crash loop.
https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#restart-policy
"""


def ready_since(pod: PodView | None, before: ReadySince | None, now: float) -> ReadySince | None:
    """Since when the pod has been ready without a break; None if it is not ready.

    `before` is what an earlier pass has remembered.
    """
    if pod is None or not pod.ready:
        return None
    since = ReadySince(pod.uid, pod.ready_changed, pod.restarts, now)
    if before is not None and replace(before, at=now) == since:
        return before
    return since


def is_crash_reported(pod: PodView | None, status: PerformerStatus, wanted: str) -> bool:
    """Whether the stored status reports a crash of this pod of the `wanted` template.

    Exit times are by the node's clock: they do not say whether the pod has just come back from the
    crash or did so last week. The status does.
    """
    if pod is None or pod.restarted is None or status.template_hash != wanted:
        return False
    return any(condition.reason == Reason.CONTAINER_FAILED for condition in status.conditions)
