"""The kubelets of all nodes.

Heartbeats are not written while a kubelet is well, as they would say nothing: whoever wants to know
when a kubelet reported last asks `heartbeat`, or reads its Lease (`leases`).
"""

import random
from collections.abc import Callable, Collection, Mapping

from hourglass_kube import quantity
from hourglass_kube.types import JSON
from hourglass_simulator import node_conditions
from hourglass_simulator.apiserver import APIError, APIServer, CallTimeoutError, WatchEvent
from hourglass_simulator.clock import Clock
from hourglass_simulator.kubelet import adoption, devicehealth, nodestatus
from hourglass_simulator.kubelet.container import Container, undeclared
from hourglass_simulator.kubelet.devices import MOST_DEVICES, Devices
from hourglass_simulator.kubelet.drivers import Drivers
from hourglass_simulator.kubelet.eviction import CRITICAL_PRIORITY, priority
from hourglass_simulator.kubelet.images import ImageRegistry, qualified
from hourglass_simulator.kubelet.node import NodeAgent
from hourglass_simulator.kubelet.plugins import DevicePlugins
from hourglass_simulator.kubelet.pod import NodePod
from hourglass_simulator.kubelet.podworker import PodWorker
from hourglass_simulator.kubelet.runtime import Runtime
from hourglass_simulator.kubelet.status import OWN_CONDITIONS
from hourglass_simulator.kubelet.workload import Workload
from hourglass_simulator.recorder import NORMAL, WARNING, EventRecorder, reference

WATCH_SECONDS = 0.02
"""From a commit to the kubelet acting on it."""
RECONNECT_SECONDS = 1.0
"""From a kubelet's return to its first report."""

_ENDED = ("Succeeded", "Failed")


class Kubelets:
    """One object that serves every node of the API server."""

    def __init__(
        self, clock: Clock, api: APIServer, images: ImageRegistry, *, seed: int = 0
    ) -> None:
        self.images = images
        self.on_silence: list[Callable[[str], None]] = []
        """Called with the name of a node whose kubelet has just stopped to report."""
        self.declared: Callable[[JSON, str], Workload | None] = lambda *_: None
        """(pod, container) → how the pod itself says that the container behaves.

        A ValueError about what it says becomes an Event, and the container behaves as its image.
        """
        self._clock = clock
        self._api = api
        self._agents: dict[str, NodeAgent] = {}
        self._workers: dict[str, PodWorker] = {}
        self._by_node: dict[str, dict[str, PodWorker]] = {}
        self._behaviours: dict[tuple[str, str, str], Workload] = {}
        """By namespace, pod and container; without a container, of all of the pod's."""
        self._numbers = 0
        rng = random.Random(f"kubelet/{seed}")
        self._runtime = Runtime(clock, api, images, rng, self._workload)
        self.plugins = DevicePlugins(clock, self._agents, self._set_resource, self._health_changed)
        self.drivers = Drivers(clock, api, self._claims_changed)
        """Of Dynamic Resource Allocation."""
        api.watch("nodes", sink=self._node_event)
        api.watch("pods", sink=self._pod_event)

    # Behaviour

    def behave(
        self, namespace: str, pod: str, workload: Workload | None, container: str = ""
    ) -> None:
        """A container of a pod, or all of them, behave like this, also those that run.

        None: as the pod's annotation or their image says.
        """
        if workload is None:
            self._behaviours.pop((namespace, pod, container), None)
        else:
            self._behaviours[namespace, pod, container] = workload
        for worker in self._named(namespace, pod):
            self._behave(worker)

    def behave_as_declared(self) -> None:
        """Running containers follow what ImageRegistry says now."""
        for worker in self._workers.values():
            self._behave(worker)

    def exit(self, namespace: str, pod: str, code: int = 1, *, out_of_memory: bool = False) -> None:
        """All running containers of a pod exit now."""
        for worker in self._named(namespace, pod):
            for container in worker.pod.all_containers:
                if container.running:
                    worker.exit_with(container, code, out_of_memory=out_of_memory)

    def evict(self, namespace: str, pod: str, resource: str = "memory") -> None:
        """A kubelet evicts a pod because its node runs low on memory or ephemeral-storage."""
        for worker in self._named(namespace, pod):
            worker.evict(resource)

    # Nodes

    def stop(self, node: str) -> None:
        """A kubelet reports nothing and does nothing any more; its containers go on."""
        agent = self._agents[node]
        if agent.up:
            agent.up, agent.heartbeat = False, self._clock.now
            for observer in self.on_silence:
                observer(node)

    def start(self, node: str) -> None:
        """A kubelet is back: it reports its node as Ready and looks at its pods."""
        agent = self._agents[node]
        if not agent.up:
            agent.up = True
            self._clock.after(RECONNECT_SECONDS, lambda: self._resume(agent))

    def crash(self, node: str) -> None:
        """A machine goes down without notice, with all that runs on it."""
        self.stop(node)
        for worker in self._by_node.get(node, {}).values():
            worker.lose_containers()

    def boot(self, node: str) -> None:
        """A machine that went down is back, and its kubelet with it."""
        agent = self._agents[node]
        agent.shutting_down = False
        agent.boots += 1
        text = f"Node {node} has been rebooted, boot id: {agent.boot_id}"
        agent.recorder.event(reference(agent.node), WARNING, "Rebooted", text)
        self.start(node)

    def shut_down(self, node: str, seconds: float, critical: float = 0.0) -> None:
        """A node is shut down in order: its pods have so many seconds to end, then it is off.

        Of these seconds the last `critical` ones are for pods that are critical to the node.
        https://kubernetes.io/docs/concepts/cluster-administration/node-shutdown/
        """
        agent = self._agents[node]
        agent.shutting_down, boots = True, agent.boots
        status, now = agent.node.get("status") or {}, self._clock.timestamp_after(agent.ahead)
        conditions = [
            node_conditions.shutting_down(c, now) if c["type"] == "Ready" else c
            for c in status.get("conditions") or ()
        ]
        self._set_node_status(agent, {**status, "conditions": conditions})
        workers = list(self._by_node.get(node, {}).values())
        for worker in workers:
            if priority(worker.pod.object) < CRITICAL_PRIORITY:
                worker.shut_down(seconds - critical)

        def goes_on() -> bool:
            return self._agents.get(node) is agent and agent.up and agent.boots == boots

        def end_critical() -> None:
            if goes_on():
                for worker in workers:
                    worker.shut_down(critical)

        def off() -> None:
            if goes_on():
                self.crash(node)

        self._clock.after(seconds - critical, end_critical)
        self._clock.after(seconds, off)

    def set_clock(self, node: str, ahead: float) -> None:
        """Set a node's clock so many seconds ahead of the cluster's, or behind if negative."""
        self._agents[node].ahead = ahead

    def press(self, node: str, condition: str, *, on: bool) -> None:
        """A node comes under MemoryPressure, DiskPressure or PIDPressure, or is well again."""
        agent = self._agents[node]
        state = node_conditions.PRESSURES[condition][on]
        text = f"Node {node} status is now: {state}"
        agent.recorder.event(reference(agent.node), NORMAL, state, text)
        status = agent.node.get("status") or {}
        now = self._clock.timestamp_after(agent.ahead)
        change = node_conditions.bad if on else node_conditions.good
        conditions = [
            change(c, now) if c["type"] == condition else c for c in status.get("conditions") or ()
        ]
        self._set_node_status(agent, {**status, "conditions": conditions})

    def heartbeat(self, node: str) -> float:
        """When a node's kubelet reported last, in seconds of the clock; now if it is well."""
        agent = self._agents.get(node)
        return self._clock.now if agent is None or agent.up else agent.heartbeat

    def nodes(self) -> list[JSON]:
        """The nodes that have a kubelet, whether or not it reports."""
        return [agent.node for agent in self._agents.values()]

    def fail_sandboxes(self, node: str, why: str) -> None:
        """The runtime of a node makes no sandboxes any more; empty: it does again."""
        self._agents[node].sandbox_failure = why

    def sandbox_failure(self, node: str) -> str:
        """Why the runtime of a node can make no sandboxes; empty if it can."""
        return self._agents[node].sandbox_failure

    def agent(self, node: str) -> NodeAgent | None:
        """The kubelet of a node, if there is such a node."""
        return self._agents.get(node)

    def running(self, node: str) -> list[NodePod]:
        """The pods that a node runs and that nothing ends yet."""
        found = [worker.pod for worker in self._by_node.get(node, {}).values()]
        return [p for p in found if p.startable and "deletionTimestamp" not in p.object["metadata"]]

    def pods(self, node: str) -> list[JSON]:
        """The pods bound to a node, in the order of their binding."""
        return [worker.pod.object for worker in self._by_node.get(node, {}).values()]

    def preload(self, node: str, reference: str) -> None:
        """A node has an image already."""
        self._agents[node].images[qualified(reference)] = self.images.image(reference).build

    def equip(
        self,
        node: str,
        *,
        handlers: Collection[str] | None = None,
        paths: Mapping[str, str] | None = None,
    ) -> None:
        """Say what handlers a node's runtime has, and what is at paths of its file system.

        Where nothing is said it has every handler, and at every path what a pod expects there.
        `paths`: Directory, File, Socket, or empty for nothing, by path.
        """
        agent = self._agents[node]
        if handlers is not None:
            agent.runtime_handlers = frozenset(handlers)
        agent.paths.update(paths or {})

    # Devices

    def _health_changed(self, node: str, uids: Collection[str]) -> None:
        for uid, worker in list(self._by_node.get(node, {}).items()):
            if uid in uids:
                worker.health_changed()

    def _claims_changed(self, node: str, devices: Collection[tuple[str, str]]) -> None:
        workers = self._by_node.get(node, {})
        uses = [uid for uid, worker in workers.items() if devicehealth.uses(worker.pod, devices)]
        self._health_changed(node, uses)

    def _set_resource(self, node: str, resource: str, capacity: str, allocatable: str) -> None:
        agent = self._agents.get(node)
        if agent is None or not agent.up:
            return
        status = agent.node.get("status") or {}
        self._set_node_status(
            agent,
            {
                **status,
                "capacity": {**(status.get("capacity") or {}), resource: capacity},
                "allocatable": {**(status.get("allocatable") or {}), resource: allocatable},
            },
        )

    def _set_node_status(self, agent: NodeAgent, status: JSON) -> None:
        try:
            self._api.set_status("nodes", "", agent.name, status, user=self._runtime.user(agent))
        except (APIError, CallTimeoutError):
            if self._agents.get(agent.name) is agent:
                self._clock.after(RECONNECT_SECONDS, lambda: self._set_node_status(agent, status))

    # Watches

    def _node_event(self, event: WatchEvent) -> None:
        node = event.object
        name = node["metadata"]["name"]
        if event.type == "DELETED":
            self._agents.pop(name, None)
            return
        agent = self._agents.get(name)
        if agent is not None:
            agent.node = node
            return
        recorder = EventRecorder(self._clock, self._api, "kubelet", name)
        self._agents[name] = agent = NodeAgent(node, self._numbers, recorder, self.drivers.of(name))
        self.drivers.renew(name)
        self._numbers += 1
        for resource, count in ((node.get("status") or {}).get("capacity") or {}).items():
            # An amount, such as memory of an enclave, is announced without a device plugin.
            if "/" in resource and (number := quantity.whole(count)) <= MOST_DEVICES:
                agent.devices[resource] = Devices(number)
        if held := self._by_node.get(name):
            for worker in held.values():
                worker.move(agent)
            self._clock.after(RECONNECT_SECONDS, lambda: self._resume(agent))

    def _pod_event(self, event: WatchEvent) -> None:
        pod = event.object
        node = pod["spec"].get("nodeName")
        if not node:
            return
        meta = pod["metadata"]
        uid = meta["uid"]
        worker = self._workers.get(uid)
        if event.type == "DELETED":
            if worker is not None:
                self._forget(worker, node)
        elif worker is None:
            agent = self._agents.get(node)
            if agent is not None and pod["status"].get("phase") not in _ENDED:
                self._add(PodWorker(self._runtime, agent, pod), node)
                if "deletionTimestamp" in meta and agent.up:
                    self._clock.after(WATCH_SECONDS, self._workers[uid].deleted)
        else:
            before = worker.pod.object
            shortened = _grace(pod) < _grace(before)
            worker.pod.object = pod
            if pod["spec"].get("readinessGates") and _foreign(pod) != _foreign(before):
                self._clock.after(WATCH_SECONDS, worker.readiness_changed)
            if before["metadata"].get("generation") != meta.get("generation"):
                self._clock.after(WATCH_SECONDS, worker.updated)
            if "deletionTimestamp" in meta and worker.pod.agent.up and shortened:
                self._clock.after(WATCH_SECONDS, worker.deleted)

    def _add(self, worker: PodWorker, node: str) -> None:
        self._workers[worker.pod.uid] = worker
        self._by_node.setdefault(node, {})[worker.pod.uid] = worker
        if adoption.runs(worker.pod.object):
            worker.adopt()
        elif worker.pod.agent.up:
            worker.sync_after(WATCH_SECONDS)

    def _forget(self, worker: PodWorker, node: str) -> None:
        del self._workers[worker.pod.uid]
        del self._by_node[node][worker.pod.uid]
        self._clock.after(0, worker.gone)

    def _resume(self, agent: NodeAgent) -> None:
        if not agent.up or self._agents.get(agent.name) is not agent:
            return
        now = self._clock.timestamp_after(agent.ahead)
        self._set_node_status(agent, nodestatus.resumed(agent, now))
        for worker in list(self._by_node.get(agent.name, {}).values()):
            worker.resume()

    def _workload(self, pod: JSON, container: Container) -> Workload:
        """What is declared for the container, for its pod, by its pod, or for its image."""
        meta = pod["metadata"]
        found = None
        if self._behaviours:
            key = (meta["namespace"], meta["name"])
            found = self._behaviours.get((*key, container.name)) or self._behaviours.get((*key, ""))
        return (
            found
            or self._declared(pod, container)
            or self.images.image(container.spec["image"], container.build).workload
            or undeclared(pod, container)
        )

    def _declared(self, pod: JSON, container: Container) -> Workload | None:
        try:
            return self.declared(pod, container.name)
        except ValueError as mistake:
            recorder = self._agents[pod["spec"]["nodeName"]].recorder
            recorder.event(reference(pod), WARNING, "InvalidBehaviour", str(mistake))
            return None

    def _behave(self, worker: PodWorker) -> None:
        for container in worker.pod.all_containers:
            if container.running:
                container.workload = self._workload(worker.pod.object, container)
                worker.behave(container)

    def _named(self, namespace: str, pod: str) -> list[PodWorker]:
        return [
            worker
            for worker in self._workers.values()
            if worker.pod.object["metadata"]["name"] == pod
            and worker.pod.object["metadata"]["namespace"] == namespace
        ]


def _foreign(pod: JSON) -> list[JSON]:
    """The conditions that are not the kubelet's own."""
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return [condition for condition in conditions if condition["type"] not in OWN_CONDITIONS]


def _grace(pod: JSON) -> float:
    seconds = pod["metadata"].get("deletionGracePeriodSeconds")
    return float("inf") if seconds is None else float(seconds)
