"""What the scheduler knows of nodes and of the pods on them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from hourglass_operator.kube import podresources
from hourglass_operator.kube.node import NodeView
from hourglass_operator.kube.node import view as node_view

JSON = dict[str, Any]
PODS = "pods"


@dataclass(slots=True)
class NodeInfo:
    """A node with what is allocated on it; CPU in thousandths of a core."""

    view: NodeView
    allocatable: dict[str, int]
    pods: dict[str, "PodInfo"] = field(default_factory=dict)
    """By uid."""
    requested: dict[str, int] = field(default_factory=dict)
    ports: dict[tuple[str, int], int] = field(default_factory=dict)

    def add(self, pod: "PodInfo") -> None:
        """Count a pod in."""
        self.pods[pod.uid] = pod
        self._count(pod, 1)

    def remove(self, uid: str) -> None:
        """Count a pod out."""
        self._count(self.pods.pop(uid), -1)

    def _count(self, pod: "PodInfo", sign: int) -> None:
        for resource, amount in pod.requests.items():
            self.requested[resource] = self.requested.get(resource, 0) + sign * amount
        for port in pod.host_ports:
            self.ports[port] = self.ports.get(port, 0) + sign


@dataclass(frozen=True, slots=True)
class PodInfo:
    """A pod as far as scheduling reads it."""

    uid: str
    namespace: str
    name: str
    labels: dict[str, str]
    spec: JSON
    requests: dict[str, int]
    host_ports: tuple[tuple[str, int], ...]
    priority: int
    created: str
    terminating: bool


def pod_info(pod: JSON) -> PodInfo:
    """Trim a pod."""
    meta, spec = pod["metadata"], pod["spec"]
    return PodInfo(
        uid=meta["uid"],
        namespace=meta["namespace"],
        name=meta["name"],
        labels=meta.get("labels") or {},
        spec=spec,
        requests=podresources.requests(spec),
        host_ports=tuple(_host_ports(spec)),
        priority=spec.get("priority") or 0,
        created=meta.get("creationTimestamp", ""),
        terminating="deletionTimestamp" in meta,
    )


def node_info(node: JSON) -> NodeInfo:
    """A node without pods."""
    view = node_view(node)
    return NodeInfo(view, podresources.allocatable(view.allocatable))


def _host_ports(spec: JSON) -> Iterable[tuple[str, int]]:
    for container in spec.get("containers") or ():
        for port in container.get("ports") or ():
            if port.get("hostPort"):
                yield port.get("protocol", "TCP"), port["hostPort"]
