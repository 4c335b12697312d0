"""A pod's status out of the states of its containers.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/kubelet/status/generate.go
https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/kubelet/kubelet_pods.go
"""

from collections.abc import Mapping, Sequence

from hourglass_kube.types import JSON
from hourglass_simulator.kubelet import devicehealth
from hourglass_simulator.kubelet.container import Container
from hourglass_simulator.kubelet.phase import FAILED, SUCCEEDED
from hourglass_simulator.kubelet.pod import NodePod

READY_TO_START = "PodReadyToStartContainers"
OWN_CONDITIONS = frozenset(
    (
        READY_TO_START,
        "Initialized",
        "Ready",
        "ContainersReady",
        "PodScheduled",
        "PodResizePending",
        "PodResizeInProgress",
        "AllContainersRestarting",
    )
)
"""What the kubelet writes; conditions of other types are left alone."""

TRUE: JSON = {"status": "True"}
UNKNOWN: JSON = {
    "exitCode": 137,
    "reason": "ContainerStatusUnknown",
    "message": "The container could not be located when the pod was terminated",
    "startedAt": None,
    "finishedAt": None,
}
"""How a container ended of which nothing is known."""


def container_status(pod: NodePod, container: Container) -> JSON:
    """One entry of containerStatuses, initContainerStatuses or ephemeralContainerStatuses."""
    state, last = _states(pod, container)
    must_end = container.init and not container.sidecar
    ended_well = must_end and state.get("terminated", {}).get("exitCode") == 0
    status: JSON = {
        "name": container.name,
        "state": state,
        "lastState": last,
        "ready": ended_well or (container.ready and not must_end and not container.ephemeral),
        "restartCount": max(container.restarts, 0),
        "image": container.image_reference,
        "imageID": container.image_id,
    }
    if not container.ephemeral:
        status["started"] = container.started_up
    if mounts := _mounts(container.spec):
        status["volumeMounts"] = mounts
    if container.exists:
        allocated = container.spec.get("resources") or {}
        status["containerID"] = container.runtime_id
        status["resources"] = container.actuated if container.running else allocated
        if allocated.get("requests"):
            status["allocatedResources"] = allocated["requests"]
    if health := devicehealth.of_container(pod, container):
        status["allocatedResourcesStatus"] = health
    return status


def _mounts(spec: JSON) -> list[JSON]:
    found = []
    for mount in spec.get("volumeMounts") or ():
        shown = {"name": mount["name"], "mountPath": mount["mountPath"]}
        if mount.get("readOnly"):
            shown |= {"readOnly": True, "recursiveReadOnly": _recursive(mount)}
        found.append(shown)
    return found


def _recursive(mount: JSON) -> str:
    wanted = mount.get("recursiveReadOnly")
    return "Enabled" if wanted in ("Enabled", "IfPossible") else "Disabled"


def _states(pod: NodePod, container: Container) -> tuple[JSON, JSON]:
    """`state` and `lastState`."""
    last: JSON = {"terminated": container.last} if container.last else {}
    if container.running:
        return {"running": {"startedAt": container.started_at}}, last
    waits = container.reason and not pod.deleted and container.to_start(pod.restart_policy)
    # An init container that has ended well is taken for one that is done, though it be a sidecar.
    done = container.init and container.terminated and container.terminated["exitCode"] == 0
    if waits and not done and container.reason:
        reason, message = container.reason
        if container.terminated:
            last = {"terminated": container.terminated}
        waiting = {"reason": reason, **({"message": message} if message else {})}
        return {"waiting": waiting}, last
    if container.terminated:
        return {"terminated": container.terminated}, last
    reason = "PodInitializing" if pod.init_containers else "ContainerCreating"
    return {"waiting": {"reason": reason}}, last


def conditions(
    pod: NodePod, statuses: Mapping[str, JSON], pod_phase: str, foreign: Sequence[JSON]
) -> dict[str, JSON]:
    """Status, reason and message of the kubelet's own conditions; `foreign` are all others'."""
    containers = _containers_ready(pod, statuses, pod_phase)
    return {
        READY_TO_START: ready_to_start(pod),
        "Initialized": _initialized(pod, statuses, pod_phase),
        "Ready": _gates_passed(pod, foreign) if containers == TRUE else containers,
        "ContainersReady": containers,
        "PodScheduled": TRUE,
    }


def ready_to_start(pod: NodePod) -> JSON:
    """Whether there is a sandbox with its network, and since 1.37 why not.

    https://github.com/kubernetes/kubernetes/blob/v1.37.2/pkg/kubelet/kuberuntime/util/util.go#L32
    """
    if pod.sandbox:
        return TRUE
    found: JSON = {"status": "False"}
    if pod.runtime.api.version.says_why_there_is_no_sandbox:
        found["reason"] = "PodSandboxNotReady"
        found["message"] = "pod sandbox is not ready" if pod.sandboxes else "no pod sandbox exists"
    return found


def _initialized(pod: NodePod, statuses: Mapping[str, JSON], pod_phase: str) -> JSON:
    if pod_phase == SUCCEEDED:
        return {"status": "True", "reason": "PodCompleted"}
    if any(c.exists for c in pod.containers):
        return TRUE
    incomplete = [
        c.name
        for c in pod.init_containers
        if not statuses[c.name]["started" if c.sidecar else "ready"]
    ]
    if not incomplete:
        return TRUE
    return {
        "status": "False",
        "reason": "ContainersNotInitialized",
        "message": f"containers with incomplete status: [{' '.join(incomplete)}]",
    }


def _containers_ready(pod: NodePod, statuses: Mapping[str, JSON], pod_phase: str) -> JSON:
    ended = {FAILED: "PodFailed", SUCCEEDED: "PodCompleted"}.get(pod_phase)
    if ended:
        return {"status": "False", "reason": ended}
    counted = [*(c for c in pod.init_containers if c.sidecar), *pod.containers]
    unready = [c.name for c in counted if not statuses[c.name]["ready"]]
    if not unready:
        return TRUE
    return {
        "status": "False",
        "reason": "ContainersNotReady",
        "message": f"containers with unready status: [{' '.join(unready)}]",
    }


def _gates_passed(pod: NodePod, foreign: Sequence[JSON]) -> JSON:
    known = {condition["type"]: condition["status"] for condition in foreign}
    unmet = []
    for gate in pod.object["spec"].get("readinessGates") or ():
        kind = gate["conditionType"]
        if kind not in known:
            text = f'corresponding condition of pod readiness gate "{kind}" does not exist.'
            unmet.append(text)
        elif known[kind] != "True":
            text = f'the status of pod readiness gate "{kind}" is not "True", but {known[kind]}'
            unmet.append(text)
    if not unmet:
        return TRUE
    return {"status": "False", "reason": "ReadinessGatesNotReady", "message": ", ".join(unmet)}


def condition(kind: str, fields: JSON, before: JSON | None, generation: int, now: str) -> JSON:
    """A condition as it is stored; its time is that of its last change of status."""
    same = before is not None and before["status"] == fields["status"]
    return {
        "type": kind,
        "observedGeneration": generation,
        "lastProbeTime": None,
        "lastTransitionTime": before["lastTransitionTime"] if same and before else now,
        **fields,
    }


def terminated(pod: NodePod, status: JSON) -> JSON:
    """A status of a pod that has ended: what never started is said to be lost.

    https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/kubelet/status/status_manager.go#L556
    """
    found = dict(status)
    own: list[JSON] = status["containerStatuses"]
    init: list[JSON] = status.get("initContainerStatuses") or []
    if _has_initialized(pod, own, init):
        found["containerStatuses"] = [_lost(one) for one in own]
    if init:
        tried = [n for n, one in enumerate(init) if _tried(one)]
        until = tried[-1] + 1 if tried else 1
        found["initContainerStatuses"] = [*map(_lost, init[:until]), *init[until:]]
    if found["phase"] not in (SUCCEEDED, FAILED):
        found["phase"] = FAILED
    return found


def _lost(status: JSON) -> JSON:
    return (
        status if "terminated" in status["state"] else {**status, "state": {"terminated": UNKNOWN}}
    )


def _tried(status: JSON) -> bool:
    return "waiting" not in status["state"] or "terminated" in status["lastState"]


def _has_initialized(pod: NodePod, own: Sequence[JSON], init: Sequence[JSON]) -> bool:
    if not init or any(_tried(one) for one in own):
        return True
    last, status = pod.init_containers[-1], init[-1]
    if last.sidecar:
        return "running" in status["state"] and bool(status.get("started"))
    ends = [status["lastState"].get("terminated"), status["state"].get("terminated")]
    return any(end is not None and end["exitCode"] == 0 for end in ends)
