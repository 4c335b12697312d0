"""One pod on its node: what the parts of the kubelet that run it share."""

from collections.abc import Mapping
from enum import Enum

from hourglass_kube.types import JSON
from hourglass_simulator.kubelet.container import Container
from hourglass_simulator.kubelet.node import NodeAgent
from hourglass_simulator.kubelet.runtime import Runtime
from hourglass_simulator.recorder import reference


class Stage(Enum):
    """Where a pod is in its life on the node."""

    NEW = "new"
    ACTIVE = "active"
    TERMINATING = "terminating"
    TERMINATED = "terminated"
    GONE = "gone"


class NodePod:
    """The pod as the API server has it, its containers, and what it holds of the node."""

    __slots__ = (
        "agent",
        "containers",
        "ended_by_kubelet",
        "epoch",
        "ip",
        "object",
        "requested",
        "runtime",
        "sandbox",
        "stage",
        "start_time",
        "uid",
    )

    def __init__(self, runtime: Runtime, agent: NodeAgent, obj: JSON) -> None:
        self.runtime = runtime
        self.agent = agent
        self.object = obj
        """The latest version that the kubelet has seen."""
        self.uid: str = obj["metadata"]["uid"]
        self.stage = Stage.NEW
        self.containers = [Container(spec) for spec in obj["spec"]["containers"]]
        self.requested: Mapping[str, int] = {}
        """What it is counted with on the node, pods included."""
        self.ip = ""
        self.sandbox = False
        self.start_time = ""
        self.ended_by_kubelet: tuple[str, str] | None = None
        """Reason and message of a pod that the kubelet itself ends."""
        self.epoch = 0
        """Counts restarts of the kubelet: what was under way before is forgotten."""

    @property
    def restart_policy(self) -> str:
        """Always, OnFailure or Never."""
        policy: str = self.object["spec"].get("restartPolicy", "Always")
        return policy

    @property
    def startable(self) -> bool:
        """Containers may still be started."""
        return self.stage is Stage.ACTIVE and self.agent.up

    @property
    def user(self) -> str:
        """Who its kubelet is to the API server."""
        return self.runtime.user(self.agent)

    def event(self, kind: str, reason: str, message: str, field_path: str = "") -> None:
        """Record an Event about the pod, or about one of its containers."""
        self.agent.recorder.event(reference(self.object, field_path), kind, reason, message)

    def hold(self, requested: Mapping[str, int]) -> None:
        """Count what it requests on its node; its devices are allocated already."""
        self.requested = requested
        self.agent.take(requested)

    def release(self) -> None:
        """Free resources and devices."""
        if self.requested:
            self.agent.take(self.requested, -1)
            self.requested = {}
        for resource in sorted(self.agent.devices):
            self.agent.devices[resource].release(self.uid)
