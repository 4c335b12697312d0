"""A pod whose containers run before its kubelet has seen it: one of a copy of a cluster.

A kubelet that begins finds them in its runtime and lets them go on; it admits nothing again.
https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/kubelet/kubelet.go#L2575
"""

from collections.abc import Iterator

from hourglass_kube import podresources
from hourglass_kube.types import JSON
from hourglass_simulator.kubelet import admission, claims, podadmission, restart
from hourglass_simulator.kubelet.container import CONTAINERS, INIT, Container
from hourglass_simulator.kubelet.pod import NodePod, Stage

_LISTS = ((INIT, "initContainerStatuses"), (CONTAINERS, "containerStatuses"))


def runs(pod: JSON) -> bool:
    """Whether its status says that all its containers run, or have ended if they are to."""
    status = pod.get("status") or {}
    if status.get("phase") != "Running" or "deletionTimestamp" in pod["metadata"]:
        return False
    return all(_is_as_it_should_be(*found) for found in _containers(pod))


def adopt(pod: NodePod) -> list[Container]:
    """Take over what the status of a pod says of it; the result is which containers run.

    It holds what it asks for, whether or not the node has as much.
    """
    status = pod.object["status"]
    found = {spec["name"]: said for _, spec, said in _containers(pod.object)}
    pod.stage, pod.start_time = Stage.ACTIVE, status.get("startTime") or pod.timestamp()
    pod.sandbox, pod.sandboxes, pod.ip = True, 1, status.get("podIP") or pod.agent.pod_address()
    requested = podresources.requests(pod.object["spec"])
    served = claims.served(pod.object)
    pod.hold({**{r: n for r, n in requested.items() if r not in served}, admission.PODS: 1})
    podadmission.take_devices(pod, pod.requested)
    claims.prepare(pod)
    for container in (*pod.init_containers, *pod.containers):
        _adopt(pod, container, found[container.name])
    return [container for container in pod.all_containers if container.running]


def _containers(pod: JSON) -> Iterator[tuple[str, JSON, JSON]]:
    """The list that each container stands in, the container, and its status, {} without one."""
    for where, statuses in _LISTS:
        said = {each["name"]: each for each in pod["status"].get(statuses) or ()}
        for spec in pod["spec"].get(where) or ():
            yield where, spec, said.get(spec["name"], {})


def _is_as_it_should_be(where: str, spec: JSON, status: JSON) -> bool:
    state = status.get("state") or {}
    if where == INIT and spec.get("restartPolicy") != restart.ALWAYS:
        return (state.get("terminated") or {}).get("exitCode") == 0
    return "running" in state


def _adopt(pod: NodePod, container: Container, status: JSON) -> None:
    runtime, state = pod.runtime, status["state"]
    container.build = runtime.images.image(container.spec["image"]).build
    container.workload = runtime.workload(pod.object, container)
    container.create(pod.uid, pod.sandboxes)
    container.restarts = status.get("restartCount", 0)
    container.runtime_id = status.get("containerID", container.runtime_id)
    container.image_reference = status.get("image", container.image_reference)
    container.image_id = status.get("imageID", "")
    container.last = (status.get("lastState") or {}).get("terminated")
    if "running" not in state:
        container.terminated = state["terminated"]
        return
    container.run(runtime.clock.now, state["running"].get("startedAt") or pod.timestamp())
    container.started_up = status.get("started", True)
    container.ready = status.get("ready", False)
    container.actuated = status.get("resources") or container.actuated
