"""A node with what is allocated on it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from hourglass_kube import podresources
from hourglass_kube.node import NodeView
from hourglass_kube.types import JSON
from hourglass_simulator.scheduler.pod import HostPort, PodInfo

PODS = "pods"


@dataclass(slots=True)
class NodeInfo:
    """A node; CPU in thousandths of a core."""

    view: NodeView
    allocatable: dict[str, int]
    pods: dict[str, PodInfo] = field(default_factory=dict)
    """By uid."""
    requested: dict[str, int] = field(default_factory=dict)
    assumed: list[int] = field(default_factory=lambda: [0, 0])
    """CPU and memory as scores count them."""
    ports: list[HostPort] = field(default_factory=list)
    images: Mapping[str, int] = field(default_factory=dict)
    """Sizes in bytes by name."""

    def add(self, pod: PodInfo) -> None:
        """Count a pod in."""
        self.pods[pod.uid] = pod
        self.ports.extend(pod.ports)
        self._count(pod, 1)

    def remove(self, uid: str) -> PodInfo:
        """Count a pod out."""
        pod = self.pods.pop(uid)
        for port in pod.ports:
            self.ports.remove(port)
        self._count(pod, -1)
        return pod

    def replace(self, pod: PodInfo) -> None:
        """Have a pod as it is now, which counts as before."""
        del self.pods[pod.uid]
        self.pods[pod.uid] = pod

    def copy(self) -> "NodeInfo":
        """The same to try things on."""
        return NodeInfo(
            self.view,
            self.allocatable,
            dict(self.pods),
            dict(self.requested),
            list(self.assumed),
            list(self.ports),
            self.images,
        )

    def _count(self, pod: PodInfo, sign: int) -> None:
        requested = self.requested
        for resource, amount in pod.requests.items():
            requested[resource] = requested.get(resource, 0) + sign * amount
        self.assumed[0] += sign * pod.assumed[0]
        self.assumed[1] += sign * pod.assumed[1]


def node_info(view: NodeView, images: Mapping[str, int] | None = None) -> NodeInfo:
    """A node without pods."""
    return NodeInfo(view, podresources.allocatable(view.allocatable), images=images or {})


def images_of(node: JSON) -> dict[str, int]:
    """The images that a node lists: sizes in bytes by name."""
    return {
        name: int(image.get("sizeBytes") or 0)
        for image in (node.get("status") or {}).get("images") or ()
        for name in image.get("names") or ()
    }
