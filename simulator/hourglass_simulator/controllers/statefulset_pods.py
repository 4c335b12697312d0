"""The names, labels and states of a StatefulSet's pods.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/controller/statefulset/stateful_set_utils.go
"""

from hourglass_kube.types import JSON
from hourglass_simulator.controllers import podstatus

POD_NAME = "statefulset.kubernetes.io/pod-name"
POD_INDEX = "apps.kubernetes.io/pod-index"
REVISION = "controller-revision-hash"


def ordinal(pod: JSON) -> int:
    """The number at the end of a pod's name."""
    return int(pod["metadata"]["name"].rpartition("-")[2])


def in_range(obj: JSON, pod: JSON) -> bool:
    """Whether a pod is one of those that are asked for."""
    start = first_ordinal(obj)
    return bool(start <= ordinal(pod) < start + obj["spec"].get("replicas", 1))


def first_ordinal(obj: JSON) -> int:
    """The number of the first pod."""
    return int((obj["spec"].get("ordinals") or {}).get("start", 0))


def is_member(obj: JSON, pod: JSON) -> bool:
    """Whether a pod has the name of one of a StatefulSet's pods."""
    parent, _, number = pod["metadata"]["name"].rpartition("-")
    return bool(parent == obj["metadata"]["name"] and number.isdecimal())


def identity(name: str) -> dict[str, str]:
    """The labels by which a pod is known."""
    return {POD_NAME: name, POD_INDEX: name.rpartition("-")[2]}


def is_identified(pod: JSON) -> bool:
    """Whether a pod has its labels."""
    labels = pod["metadata"].get("labels") or {}
    return bool(labels.get(POD_NAME) == pod["metadata"]["name"])


def exists(pod: JSON) -> bool:
    """Whether a pod was created."""
    return "uid" in pod["metadata"]


def running_and_ready(pod: JSON) -> bool:
    """Whether a pod runs and is ready."""
    return podstatus.phase(pod) == "Running" and podstatus.ready(pod)


def revision_of(pod: JSON) -> str:
    """The revision that a pod is of."""
    return str((pod["metadata"].get("labels") or {}).get(REVISION, ""))
