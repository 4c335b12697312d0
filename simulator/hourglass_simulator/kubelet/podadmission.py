"""Whether a node takes a pod in, and what the pod holds of it from then on."""

from collections.abc import Mapping

from hourglass_kube import podresources
from hourglass_simulator.kubelet import admission, claims, security
from hourglass_simulator.kubelet.admission import Rejection
from hourglass_simulator.kubelet.pod import NodePod, host_ports


def admit(pod: NodePod) -> Rejection | None:
    """Why it is not taken in; if it is, it holds what it asks for."""
    agent, spec = pod.agent, pod.object["spec"]
    served = claims.served(pod.object)
    requested = {r: n for r, n in podresources.requests(spec).items() if r not in served}
    refusal = admission.refusal(pod.object, agent.node, ends=agent.shutting_down)
    if refusal is None and (why := security.apparmor_refusal(spec, agent.paths)):
        refusal = Rejection("AppArmor", why)
    refusal = refusal or take_devices(pod, requested)
    if refusal is not None:
        return refusal
    counted = {**requested, admission.PODS: 1}
    refusal = admission.rejection(
        pod.object,
        agent.view,
        agent.offered,
        counted,
        agent.used,
        host_ports(spec),
        agent.ports_in_use,
    )
    if refusal is not None:
        pod.release_devices()
        return refusal
    pod.hold(counted)
    return None


def take_devices(pod: NodePod, requested: Mapping[str, int]) -> Rejection | None:
    """Allocate the devices that the containers ask for; those of init containers are reused."""
    for resource in sorted(requested):
        devices, left = pod.agent.devices.get(resource), requested[resource]
        if devices is None or not left:
            continue
        for container in (*pod.containers, *pod.init_containers):
            limits = (container.spec.get("resources") or {}).get("limits") or {}
            wanted = min(left, podresources.amount(resource, limits.get(resource, 0)))
            if not devices.allocate(pod.uid, container.name, wanted):
                pod.release_devices()
                return admission.no_device(resource, wanted, len(devices.free))
            left -= wanted
    return None
