"""The machines of node pools: they boot, register as nodes, come up in stages, and go."""

from collections.abc import Callable, Mapping, Sequence

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIError
from hourglass_simulator.nodepools.nodes import Nodes
from hourglass_simulator.nodepools.pool import NodePool, Stage

USER = "cloud-controller-manager"


class Machine:
    """One machine; its node has the same name."""

    __slots__ = ("launched", "name", "pool", "ready", "registered")

    def __init__(self, pool: NodePool, name: str, launched: float) -> None:
        self.pool = pool
        self.name = name
        self.launched = launched
        """In seconds of the clock."""
        self.registered = False
        self.ready = False
        """It has been through all stages."""


class Machines:
    """Launches and removes machines, in the place of a cloud."""

    def __init__(self, cluster: Nodes) -> None:
        self.exhausted: set[str] = set()
        """Pools for which the cloud has no machines left."""
        self.on_ready: list[Callable[[Machine], None]] = []
        """Called with a machine that has come up."""
        self._cluster = cluster
        self._by_name: dict[str, Machine] = {}
        self._numbers: dict[str, int] = {}

    def of(self, pool: NodePool) -> list[Machine]:
        """The machines of a pool, oldest first."""
        return [machine for machine in self._by_name.values() if machine.pool.name == pool.name]

    def find(self, name: str) -> Machine | None:
        """The machine of a node."""
        return self._by_name.get(name)

    def start(self, pool: NodePool) -> None:
        """The machines that a pool has from the start are up."""
        for _ in range(pool.least):
            machine = self._new(pool)
            self._register(machine, pool.labels, pool.taints, pool.devices)
            machine.ready = True

    def launch(
        self,
        pool: NodePool,
        labels: Mapping[str, str] | None = None,
        taints: Sequence[Mapping[str, str]] = (),
    ) -> Machine:
        """A new machine, whose node registers with these labels and taints, too."""
        machine = self._new(pool)
        early = {k: v for k, v in pool.labels.items() if k not in pool.late_labels}
        devices = {k: n for k, n in pool.devices.items() if k not in pool.late_devices}
        all_taints = [*pool.taints, *pool.startup_taints, *taints]

        def boot() -> None:
            if self._is_there(machine):
                self._register(machine, early | dict(labels or {}), all_taints, devices)
                self._stage(machine, 0)

        self._cluster.clock.after(pool.boot, boot)
        return machine

    def remove(self, machine: Machine) -> None:
        """The machine is gone, and its node with it."""
        if self._by_name.pop(machine.name, None) is None or not machine.registered:
            return
        try:
            self._cluster.remove_node(machine.name)
        except (APIError, KeyError):
            # Somebody has removed the node before.
            return

    def node(self, machine: Machine) -> JSON | None:
        """The node of a machine, once it has registered."""
        try:
            return self._cluster.api.get("nodes", "", machine.name)
        except APIError as error:
            if error.code == 404:
                return None
            raise

    def _new(self, pool: NodePool) -> Machine:
        number = self._numbers[pool.name] = self._numbers.get(pool.name, 0) + 1
        machine = Machine(pool, f"{pool.name}-{number}", self._cluster.clock.now)
        self._by_name[machine.name] = machine
        return machine

    def _is_there(self, machine: Machine) -> bool:
        return self._by_name.get(machine.name) is machine

    def _register(
        self,
        machine: Machine,
        labels: Mapping[str, str],
        taints: Sequence[Mapping[str, str]],
        devices: Mapping[str, int],
    ) -> None:
        pool = machine.pool
        machine.registered = True
        self._cluster.add_node(
            machine.name,
            cpu=pool.cpu,
            memory=pool.memory,
            pods=pool.pods,
            labels=labels,
            taints=taints,
            devices=devices,
        )

    def _stage(self, machine: Machine, number: int) -> None:
        """Wait for the next stage, if there is one."""
        stages = machine.pool.stages
        if number == len(stages):
            machine.ready = True
            for observer in self.on_ready:
                observer(machine)
            return

        def reach() -> None:
            if self._is_there(machine):
                self._change(machine, stages[number])
                self._stage(machine, number + 1)

        self._cluster.clock.after(stages[number].after, reach)

    def _change(self, machine: Machine, stage: Stage) -> None:
        node = self.node(machine)
        if node is None:
            return
        pool = machine.pool
        for resource in stage.devices:
            self._cluster.kubelets.plugins.plug(machine.name, resource, pool.devices[resource])
        change: JSON = {}
        if stage.labels:
            change["metadata"] = {"labels": {key: pool.labels[key] for key in stage.labels}}
        if stage.taints:
            kept = [t for t in node["spec"].get("taints") or () if t["key"] not in stage.taints]
            change["spec"] = {"taints": kept or None}
        if change:
            self._cluster.api.patch("nodes", "", machine.name, change, user=USER)
