"""One pod on its node: what the parts of the kubelet that run it share."""

from collections.abc import Iterator, Mapping
from enum import Enum

from hourglass_kube.types import JSON
from hourglass_simulator.kubelet import restart
from hourglass_simulator.kubelet.container import EPHEMERAL, INIT, Container
from hourglass_simulator.kubelet.devices import Devices
from hourglass_simulator.kubelet.node import HostPort, NodeAgent
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
        "claimed",
        "containers",
        "deadline_passed",
        "disrupted",
        "ended_by_kubelet",
        "ephemeral_containers",
        "epoch",
        "init_containers",
        "ip",
        "object",
        "requested",
        "resize_conditions",
        "runtime",
        "sandbox",
        "sandboxes",
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
        spec = obj["spec"]
        rules = runtime.api.version.enabled("ContainerRestartRules")
        self.init_containers = [
            Container(c, INIT, rules=rules) for c in spec.get("initContainers") or ()
        ]
        self.containers = [Container(c, rules=rules) for c in spec["containers"]]
        self.ephemeral_containers: list[Container] = []
        self.take_ephemeral()
        self.claimed: dict[str, list[JSON]] = {}
        """By its name for a claim the devices that are prepared for it, as the claim has them."""
        self.requested: Mapping[str, int] = {}
        """What it is counted with on the node, pods included."""
        self.ip = ""
        self.sandbox = False
        """It has a sandbox with its network."""
        self.sandboxes = 0
        """How many it has had."""
        self.start_time = ""
        self.ended_by_kubelet: tuple[str, str] | None = None
        """Reason and message of a pod that the kubelet itself ends."""
        self.disrupted = False
        """It is ended for the sake of its node, and has a condition that says so."""
        self.deadline_passed = False
        self.resize_conditions: dict[str, JSON] = {}
        """What is said of a change of its resources, by type of condition."""
        self.epoch = 0
        """Counts restarts of the kubelet: what was under way before is forgotten."""

    def timestamp(self) -> str:
        """Now by the clock of its node, as metav1.Time prints it."""
        return self.runtime.clock.timestamp_after(self.agent.ahead)

    @property
    def restart_policy(self) -> str:
        """Always, OnFailure or Never."""
        policy: str = self.object["spec"].get("restartPolicy", "Always")
        return policy

    @property
    def all_containers(self) -> list[Container]:
        """Init containers first, as in the spec; those that were added for debugging last."""
        return [*self.init_containers, *self.containers, *self.ephemeral_containers]

    @property
    def deleted(self) -> bool:
        """Somebody has deleted it: no container is restarted any more."""
        return "deletionTimestamp" in self.object["metadata"]

    @property
    def described(self) -> str:
        """How messages name it: name_namespace(uid)."""
        meta = self.object["metadata"]
        return f"{meta['name']}_{meta['namespace']}({meta['uid']})"

    @property
    def allocated_spec(self) -> JSON:
        """Its spec with the resources that its node has allotted to its containers."""
        spec = self.object["spec"]
        own = {"containers": [c.spec for c in self.containers]}
        if self.init_containers:
            own["initContainers"] = [c.spec for c in self.init_containers]
        return {**spec, **own}

    def image_of(self, container: Container) -> str:
        """The image that a container has in the spec by now."""
        spec = self.object["spec"]
        found: str = next(c["image"] for c in spec[container.where] if c["name"] == container.name)
        return found

    def take_ephemeral(self) -> None:
        """Take over the containers that were added since."""
        known = {c.name for c in self.ephemeral_containers}
        self.ephemeral_containers += [
            Container(spec, EPHEMERAL)
            for spec in self.object["spec"].get("ephemeralContainers") or ()
            if spec["name"] not in known
        ]

    def plugged(self, container: Container) -> Iterator[tuple[str, Devices, list[int]]]:
        """The devices that device plugins gave a container, by resource."""
        for resource in sorted((container.spec.get("resources") or {}).get("limits") or {}):
            devices = self.agent.devices.get(resource)
            held = devices.held(self.uid, container.name) if devices else []
            if devices and held:
                yield resource, devices, held

    @property
    def initialized(self) -> bool:
        """Its containers may start, or have been started before."""
        started = any(c.exists and not self._outlived(c) for c in self.containers)
        return started or all(c.initialized and not self._outlived(c) for c in self.init_containers)

    def _outlived(self, container: Container) -> bool:
        """Its sandbox is gone: where there is a new one, the pod begins anew."""
        return container.exists and container.sandbox < self.sandboxes

    def to_start(self) -> list[Container]:
        """What a sync starts: init containers one by one, then all containers.

        https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/kubelet/kuberuntime/kuberuntime_container.go
        """
        policy, due = self.restart_policy, list(self.ephemeral_containers)
        if self.initialized:
            due += [*(c for c in self.init_containers if c.sidecar), *self.containers]
        else:
            for container in self.init_containers:
                due.append(container)
                if not container.initialized or self._outlived(container):
                    break
        return [c for c in due if c.to_start(policy) or (c.init and self._outlived(c))]

    def pass_deadline(self) -> None:
        """It has been active for longer than its activeDeadlineSeconds."""
        self.deadline_passed = True
        text = "Pod was active on the node longer than the specified deadline"
        self.ended_by_kubelet = ("DeadlineExceeded", text)

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
        if ports := host_ports(self.object["spec"]):
            self.agent.ports[self.uid] = ports

    def release(self) -> None:
        """Free resources and devices."""
        if self.requested:
            self.agent.take(self.requested, -1)
            self.requested = {}
        self.agent.ports.pop(self.uid, None)
        self.release_devices()

    def release_devices(self) -> None:
        """Free its devices."""
        for resource in sorted(self.agent.devices):
            self.agent.devices[resource].release(self.uid)


def host_ports(spec: JSON) -> frozenset[HostPort]:
    """The ports of its node that a pod wants for itself."""
    sidecars = [
        c for c in spec.get("initContainers") or () if c.get("restartPolicy") == restart.ALWAYS
    ]
    return frozenset(
        (port.get("hostIP") or "0.0.0.0", port.get("protocol", "TCP"), port["hostPort"])
        for container in (*spec["containers"], *sidecars)
        for port in container.get("ports") or ()
        if port.get("hostPort")
    )
