"""The cluster autoscaler's loop over the node pools that it scales.

https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/core/static_autoscaler.go
"""

from collections.abc import Iterable, Sequence
from functools import partial

from hourglass_kube.types import JSON
from hourglass_simulator.nodepools import scaleup
from hourglass_simulator.nodepools.fitting import Fitting, reasons
from hourglass_simulator.nodepools.leaving import Eviction, blocking_budget, that_leave
from hourglass_simulator.nodepools.machines import Machine, Machines
from hourglass_simulator.nodepools.nodes import Nodes
from hourglass_simulator.nodepools.pending import PendingPods
from hourglass_simulator.nodepools.pool import ClusterAutoscaler, NodePool
from hourglass_simulator.nodepools.scaledown import is_unneeded
from hourglass_simulator.nodepools.scaler import Scaler
from hourglass_simulator.recorder import NORMAL, WARNING, reference

SCAN_SECONDS = 10.0
BACKOFF_SECONDS = 300.0
"""After a scale-up that failed; each further one doubles it, up to half an hour."""
LONGEST_BACKOFF_SECONDS = 1800.0
EVICTION_SECONDS = 120.0
"""How long pods may refuse to be evicted."""
DELETE_DELAY_SECONDS = 5.0
"""From the taint of an empty node to its end."""
NAME = "cluster-autoscaler"
_TO_BE_DELETED = "ToBeDeletedByClusterAutoscaler"
_CANDIDATE = "DeletionCandidateOfClusterAutoscaler"


class Autoscaler(Scaler):
    """Looks at the cluster every ten seconds while there is something to decide."""

    def __init__(self, cluster: Nodes, machines: Machines, pools: Sequence[NodePool]) -> None:
        super().__init__(cluster, machines, pools, NAME)
        self._unneeded: dict[str, float] = {}
        """Since when nodes are unneeded."""
        self._awaiting: set[str] = set()
        """Nodes that pods are about to be scheduled to."""
        self._added = -max((_settings(pool).delay_after_add for pool in pools), default=0.0)
        self._backoff: dict[str, tuple[float, float]] = {}
        """Until when a pool is left alone, and how long that is."""
        self._armed = False
        self._pending = PendingPods(cluster.api, self._wake)
        machines.on_ready.append(lambda _: self._wake())
        self._wake()

    def _wake(self) -> None:
        if not self._armed:
            self._armed = True
            rounds = self._clock.now // SCAN_SECONDS + 1
            self._clock.at(rounds * SCAN_SECONDS, self._scan)

    def _scan(self) -> None:
        self._armed = False
        grown = self._scale_up()
        if not grown:
            self._scale_down()
        extra = any(len(self._machines.of(pool)) > pool.least for pool in self._pools)
        if len(self._pending) or extra:
            self._wake()

    # Growing

    def _scale_up(self) -> bool:
        """Whether a pool grows."""
        waiting = [
            pod
            for pod in self._pending
            if pod["spec"].get("priority", 0) >= scaleup.EXPENDABLE_PRIORITY
        ]
        self._awaiting = set()
        if not waiting:
            return False
        fitting = self._fitting()
        places = [(pod, fitting.place(pod)) for pod in waiting]
        self._awaiting = {node for _, node in places if node is not None}
        unplaced = [pod for pod, node in places if node is None]
        skipped: dict[str, list[str]] = {}
        options = []
        for pool in self._pools:
            room = pool.most - len(self._machines.of(pool))
            if room <= 0:
                skipped[pool.name] = [scaleup.MAX_REACHED]
            elif self._clock.now < self._backoff.get(pool.name, (0.0, 0.0))[0]:
                skipped[pool.name] = [scaleup.IN_BACKOFF]
            else:
                template = partial(pool.template, version=self._api.version.git_version)
                option = scaleup.estimated(pool, unplaced, self._fitting(), room, template)
                options += [option] if option is not None else []
        if options:
            self._grow(scaleup.best(options))
            return True
        for pod in unplaced:
            self._events.say(
                pod, NORMAL, "NotTriggerScaleUp", scaleup.not_triggered(self._why(pod, skipped))
            )
        return False

    def _why(self, pod: JSON, skipped: dict[str, list[str]]) -> dict[str, list[str]]:
        found = dict(skipped)
        for pool in self._pools:
            if pool.name not in skipped:
                template = pool.template(pool.name, self._api.version.git_version)
                found[pool.name] = reasons(self._api, pod, template)
        return found

    def _grow(self, option: scaleup.Option) -> None:
        pool = option.pool
        size = len(self._machines.of(pool))
        for pod in option.pods:
            self._events.say(pod, NORMAL, "TriggeredScaleUp", scaleup.triggered(option, size))
        if pool.name in self._machines.exhausted:
            before = self._backoff.get(pool.name, (0.0, 0.0))[1]
            wait = min(2 * before, LONGEST_BACKOFF_SECONDS) if before else BACKOFF_SECONDS
            self._backoff[pool.name] = (self._clock.now + wait, wait)
            return
        self._backoff.pop(pool.name, None)
        self._added = self._clock.now
        for _ in range(option.count):
            self._machines.launch(pool)

    def _fitting(self) -> Fitting:
        """The cluster with all machines that are coming up as they will be."""
        fitting = Fitting(self._api)
        for pool in self._pools:
            for machine in self._machines.of(pool):
                if not machine.ready:
                    fitting.add(pool.template(machine.name, self._api.version.git_version))
        return fitting

    # Shrinking

    def _scale_down(self) -> None:
        now, unneeded = self._clock.now, dict[str, float]()
        draining = bool(self._leaving)
        for pool in self._pools:
            settings, machines = _settings(pool), self._machines.of(pool)
            spare = len(machines) - pool.least - sum(m.name in self._leaving for m in machines)
            for machine in machines:
                node = self._machines.node(machine)
                if not machine.ready or node is None or machine.name in self._leaving:
                    continue
                leaving = that_leave(self._cluster.kubelets.pods(machine.name))
                needed = spare <= 0 or machine.name in self._awaiting
                if needed or not self._is_unneeded(machine, node, leaving, unneeded):
                    self._taint(node, _CANDIDATE, None)
                    continue
                since = unneeded[machine.name] = self._unneeded.get(machine.name, now)
                self._taint(node, _CANDIDATE, "PreferNoSchedule")
                spare -= 1
                cooled = now - self._added >= settings.delay_after_add
                due = now - since >= settings.unneeded and cooled
                if due and not (leaving and draining):
                    draining = draining or bool(leaving)
                    self._remove(machine, node, leaving)
        self._unneeded = unneeded

    def _is_unneeded(
        self, machine: Machine, node: JSON, leaving: Sequence[JSON], others: Iterable[str]
    ) -> bool:
        """Beside other nodes that are unneeded, which nobody may go to."""
        if blocking_budget(self._api, leaving):
            return False
        pods, devices = self._cluster.kubelets.pods(machine.name), sorted(machine.pool.devices)

        def rest() -> Fitting:
            return Fitting(self._api, without=[machine.name, *others, *self._leaving])

        return is_unneeded(node, pods, leaving, devices, rest)

    def _remove(self, machine: Machine, node: JSON, pods: Sequence[JSON]) -> None:
        self._leaving.add(machine.name)
        self._taint(node, _TO_BE_DELETED, "NoSchedule")
        text = "marked the node as toBeDeleted/unschedulable"
        self._recorder.event(reference(node), NORMAL, "ScaleDown", text)
        if not pods:
            self._clock.after(DELETE_DELAY_SECONDS, lambda: self._gone(machine))
            return
        for pod in pods:
            text = "deleting pod for node scale down"
            self._recorder.event(reference(pod), NORMAL, "ScaleDown", text)
        done = partial(self._drained, machine, pods)
        Eviction(self._clock, self._api, pods, NAME, patience=EVICTION_SECONDS, done=done)

    def _drained(self, machine: Machine, pods: Sequence[JSON], succeeded: bool) -> None:
        node = self._machines.node(machine)
        if succeeded or node is None:
            self._gone(machine)
            return
        there = {pod["metadata"]["uid"] for pod in self._cluster.kubelets.pods(machine.name)}
        for pod in pods:
            if pod["metadata"]["uid"] in there:
                text = "failed to delete pod for ScaleDown"
                self._recorder.event(reference(pod), WARNING, "ScaleDownFailed", text)
        self._leaving.discard(machine.name)
        self._unneeded.pop(machine.name, None)
        self._taint(node, _TO_BE_DELETED, None)
        self._wake()

    def _gone(self, machine: Machine) -> None:
        node = self._machines.node(machine)
        if node is not None:
            text = "node removed by cluster autoscaler"
            self._recorder.event(reference(node), NORMAL, "ScaleDown", text)
        self._machines.remove(machine)
        self._leaving.discard(machine.name)
        self._wake()

    def _taint(self, node: JSON, key: str, effect: str | None) -> None:
        """Set a taint that says since when, or take it away (None)."""
        name = node["metadata"]["name"]
        current = self._api.get("nodes", "", name)["spec"].get("taints") or []
        if any(taint["key"] == key for taint in current) is (effect is not None):
            return
        kept = [taint for taint in current if taint["key"] != key]
        if effect is not None:
            kept.append({"key": key, "value": str(int(self._clock.unix_time)), "effect": effect})
        self._api.patch("nodes", "", name, {"spec": {"taints": kept or None}}, user=NAME)


def _settings(pool: NodePool) -> ClusterAutoscaler:
    assert isinstance(pool.scaler, ClusterAutoscaler)
    return pool.scaler
