"""Which pods of a StatefulSet an update replaces where more than one may be unavailable.

https://github.com/kubernetes/kubernetes/blob/v1.37.2/pkg/controller/statefulset/stateful_set_control.go
"""

from collections.abc import Callable, Sequence

from hourglass_kube.types import JSON
from hourglass_simulator.controllers import podstatus
from hourglass_simulator.controllers.intorpercent import scaled
from hourglass_simulator.controllers.statefulset_pods import revision_of

MAX_UNAVAILABLE = "MaxUnavailableStatefulSet"
"""The feature gate."""


def to_replace(
    obj: JSON, replicas: Sequence[JSON], newest: str, is_unavailable: Callable[[JSON], bool]
) -> list[JSON]:
    """The pods to delete, in order; `newest` is the revision that stays.

    Where pods come in parallel, those that are unavailable go first and for nothing.
    """
    rolling = (obj["spec"].get("updateStrategy") or {}).get("rollingUpdate") or {}
    wanted = scaled(rolling.get("maxUnavailable", 1), obj["spec"].get("replicas", 1), up=False)
    left = max(1, wanted) - sum(map(is_unavailable, replicas))
    outdated = [
        pod
        for pod in reversed(replicas[rolling.get("partition", 0) :])
        if revision_of(pod) != newest and not podstatus.terminating(pod)
    ]
    if obj["spec"].get("podManagementPolicy") != "Parallel":
        return outdated[: max(0, left)]
    broken = [pod for pod in outdated if is_unavailable(pod)]
    others = [pod for pod in outdated if not is_unavailable(pod)]
    return [*broken, *others[: max(0, left)]]
