"""How the devices of a pod are: `allocatedResourcesStatus` of its containers.

Init containers and those for debugging have none.
https://github.com/kubernetes/kubernetes/blob/v1.37.2/pkg/kubelet/cm/devicemanager/manager.go#L1157
https://github.com/kubernetes/kubernetes/blob/v1.37.2/pkg/kubelet/cm/dra/manager.go#L871
"""

from collections.abc import Collection, Iterator

from hourglass_kube.types import JSON
from hourglass_simulator.kubelet.container import Container
from hourglass_simulator.kubelet.driver import Driver
from hourglass_simulator.kubelet.pod import NodePod


def of_container(pod: NodePod, container: Container) -> list[JSON]:
    """How the devices of a container are, where the version says it."""
    if container.init or container.ephemeral or not reported(pod):
        return []
    return [*_of_plugins(pod, container), *_of_claims(pod, container)]


def reported(pod: NodePod) -> bool:
    """Whether the version says anything."""
    return pod.runtime.api.version.enabled("ResourceHealthStatus")


def _of_plugins(pod: NodePod, container: Container) -> Iterator[JSON]:
    for resource, devices, held in pod.plugged(container):
        health = [{"resourceID": f"d{d}", "health": devices.health(d)} for d in held]
        yield {"name": resource, "resources": health}


def _of_claims(pod: NodePod, container: Container) -> Iterator[JSON]:
    """Request by request."""
    for wanted in (container.spec.get("resources") or {}).get("claims") or ():
        request = wanted.get("request")
        devices = [
            _device(pod, result)
            for result in pod.claimed.get(wanted["name"], ())
            if not request or result["request"].split("/")[0] == request.split("/")[0]
        ]
        if devices:
            suffix = f"/{request}" if request else ""
            yield {"name": f"claim:{wanted['name']}{suffix}", "resources": devices}


def _device(pod: NodePod, result: JSON) -> JSON:
    driver, pool, device = result["driver"], result["pool"], result["device"]
    state, message = pod.agent.drivers.get(driver, Driver()).health(device)
    found = {"resourceID": f"{driver}/{pool}/{device}", "health": state}
    if message and pod.runtime.api.version.enabled("ResourceHealthStatusMessage"):
        found["message"] = message
    return found


def uses(pod: NodePod, devices: Collection[tuple[str, str]]) -> bool:
    """Whether any of these (driver, device) of its node is of its claims."""
    return any(
        (result["driver"], result["device"]) in devices
        for results in pod.claimed.values()
        for result in results
    )
