"""The phase of a pod, out of the statuses of its containers.

https://github.com/kubernetes/kubernetes/blob/v1.37.2/pkg/kubelet/kubelet_pods.go#L1672
"""

from collections.abc import Mapping

from hourglass_kube.types import JSON
from hourglass_simulator.kubelet.container import Container
from hourglass_simulator.kubelet.pod import NodePod

PENDING, RUNNING = "Pending", "Running"
SUCCEEDED, FAILED = "Succeeded", "Failed"
FINAL = (SUCCEEDED, FAILED)


def phase(pod: NodePod, statuses: Mapping[str, JSON], *, terminal: bool) -> str:
    """The pod's phase; `terminal` says that nothing will run again."""
    own = [(c, statuses[c.name]) for c in pod.containers]
    sidecars = [statuses[c.name] for c in pod.init_containers if c.sidecar]
    init = [(c, statuses[c.name]) for c in pod.init_containers if not c.sidecar]
    if any(_ended_for_good(pod, c, status) for c, status in init):
        return FAILED
    starting = any(_begins(status) or _runs(status) for _, status in init)
    begun = any(c.running for c in pod.containers)
    unstarted = [s for s in sidecars if _begins(s) or (_runs(s) and not s["started"])]
    if starting or (unstarted and not begun):
        return PENDING
    if any(_begins(status) for status in (*sidecars, *(s for _, s in own))):
        return PENDING
    if any(_runs(status) for status in (*sidecars, *(s for _, s in own))):
        return RUNNING
    ends = [status["state"].get("terminated") for _, status in own]
    succeeded = all(end is not None and end["exitCode"] == 0 for end in ends)
    if terminal or not any(_restarts(pod, c, status) for c, status in own):
        return SUCCEEDED if succeeded else FAILED
    return RUNNING


def _runs(status: JSON) -> bool:
    return "running" in status["state"]


def _begins(status: JSON) -> bool:
    """It waits, and has never run."""
    return "waiting" in status["state"] and "terminated" not in status["lastState"]


def _end(status: JSON) -> JSON:
    found: JSON = status["state"].get("terminated") or status["lastState"]["terminated"]
    return found


def _restarts(pod: NodePod, container: Container, status: JSON) -> bool:
    end = _end(status)
    return end["reason"] == RESTARTING_ALL or container.restarts_after(
        end["exitCode"], pod.restart_policy
    )


def _ended_for_good(pod: NodePod, container: Container, status: JSON) -> bool:
    """An init container has failed and is not started again."""
    if _runs(status) or _begins(status) or _end(status)["exitCode"] == 0:
        return False
    return not _restarts(pod, container, status)


RESTARTING_ALL = "RestartingAllContainers"
"""The reason of a container that was removed to be started again with all others."""
