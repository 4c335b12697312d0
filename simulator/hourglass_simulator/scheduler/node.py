"""A node with what is allocated on it."""

from dataclasses import dataclass, field

from hourglass_kube import podresources
from hourglass_kube.node import NodeView
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

    def copy(self) -> "NodeInfo":
        """The same to try things on."""
        return NodeInfo(
            self.view,
            self.allocatable,
            dict(self.pods),
            dict(self.requested),
            list(self.assumed),
            list(self.ports),
        )

    def _count(self, pod: PodInfo, sign: int) -> None:
        requested = self.requested
        for resource, amount in pod.requests.items():
            requested[resource] = requested.get(resource, 0) + sign * amount
        self.assumed[0] += sign * pod.assumed[0]
        self.assumed[1] += sign * pod.assumed[1]


def node_info(view: NodeView) -> NodeInfo:
    """A node without pods."""
    return NodeInfo(view, podresources.allocatable(view.allocatable))
