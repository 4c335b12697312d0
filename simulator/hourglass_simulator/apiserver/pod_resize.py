"""Whether a node could ever give a pod other resources: the admission plugin PodResizeValidator.

https://github.com/kubernetes/kubernetes/blob/v1.37.2/plugin/pkg/admission/podresize/admission.go
"""

from hourglass_kube import podresources
from hourglass_kube.types import JSON

UNSUPPORTED, TOO_SMALL = "UnsupportedPlatform", "NodeCapacity"
"""Reasons of the cause of a refusal."""


def refusal(pod: JSON, node: JSON | None) -> tuple[str, str]:
    """Why it could not, and the reason of the cause; both are empty if it could."""
    if node is None:
        return f'node "{pod["spec"]["nodeName"]}" not found', ""
    system = (node["metadata"].get("labels") or {}).get("kubernetes.io/os", "linux")
    if system != "linux":
        name = node["metadata"]["name"]
        why = f'pod resize is only supported on linux nodes, node "{name}" is "{system}"'
        return why, UNSUPPORTED
    there = podresources.allocatable((node.get("status") or {}).get("allocatable") or {})
    wanted = podresources.requests(pod["spec"])
    short = [
        f"{resource}, requested: {wanted.get(resource, 0)}, allocatable: {there.get(resource, 0)}"
        for resource in (podresources.CPU, podresources.MEMORY)
        if wanted.get(resource, 0) > there.get(resource, 0)
    ]
    if short:
        return f"node didn't have enough allocatable resources: {'; '.join(short)}", TOO_SMALL
    return "", ""
