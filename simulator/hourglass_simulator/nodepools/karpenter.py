"""Karpenter's controllers over the node pools that it provisions.

There are no NodeClaims and NodePools as objects; Nodes and Events are as with Karpenter.
https://karpenter.sh/docs/concepts/
"""

from collections.abc import Sequence
from functools import partial

from hourglass_kube.types import JSON
from hourglass_simulator.nodepools import refusals
from hourglass_simulator.nodepools.disruption import allowed
from hourglass_simulator.nodepools.fitting import Fitting
from hourglass_simulator.nodepools.leaving import (
    Eviction,
    blocking_budget,
    may_be_disrupted,
    that_leave,
)
from hourglass_simulator.nodepools.machines import Machine, Machines
from hourglass_simulator.nodepools.nodes import Nodes
from hourglass_simulator.nodepools.pending import PendingPods
from hourglass_simulator.nodepools.pool import Karpenter as Settings
from hourglass_simulator.nodepools.pool import NodePool, Reason
from hourglass_simulator.nodepools.scaler import Scaler
from hourglass_simulator.recorder import NORMAL, WARNING, reference

BATCH_SECONDS = 1.0
"""From a pod that finds no node to the decision, for those that come with it."""
REGISTRATION_SECONDS = 1.0
"""From a node's registration to Karpenter's taking its taint away."""
DISRUPTION_SECONDS = 10.0
"""From one look for nodes to disrupt to the next."""
VALIDATION_SECONDS = 15.0
"""From the decision to consolidate a node to its execution, if it still holds then."""
TERMINATION_SECONDS = 5.0
"""From a drained node to the end of its machine."""
NAME = "karpenter"
_POOL, _REGISTERED, _INITIALIZED = (
    "karpenter.sh/nodepool",
    "karpenter.sh/registered",
    "karpenter.sh/initialized",
)
_REASONS: tuple[Reason, ...] = ("Empty", "Drifted", "Underutilized")
_TRIED = "hostname-placeholder"
_UNREGISTERED = {"key": "karpenter.sh/unregistered", "effect": "NoExecute"}
_DISRUPTED = {"key": "karpenter.sh/disrupted", "effect": "NoSchedule"}


class Karpenter(Scaler):
    """Launches nodes for pending pods at once, and looks every ten seconds for nodes to disrupt."""

    def __init__(self, cluster: Nodes, machines: Machines, pools: Sequence[NodePool]) -> None:
        super().__init__(cluster, machines, pools, NAME)
        self._drifted: set[str] = set()
        self._nominated: set[str] = set()
        """Nodes that pods were about to be scheduled to at the last look at them."""
        self._known = {machine.name for pool in pools for machine in machines.of(pool)}
        """Nodes that have been taken over after their registration."""
        self._quiet: dict[str, tuple[tuple[str, ...], float]] = {}
        """The pods of nodes, and since when they are the same."""
        self._batching = self._looking = False
        self._pending = PendingPods(cluster.api, self._batch)
        machines.on_ready.append(self._initialized)
        self._look()

    def drift(self, pool: str) -> None:
        """The template of a pool has changed: its nodes are to be replaced by others."""
        self._drifted.update(m.name for p in self._pools if p.name == pool for m in self._of(p))
        self._look()

    def _of(self, pool: NodePool) -> list[Machine]:
        return self._machines.of(pool)

    # Provisioning

    def _batch(self) -> None:
        if not self._batching and len(self._pending):
            self._batching = True
            self._clock.after(BATCH_SECONDS, self._provision)

    def _provision(self) -> None:
        self._batching = False
        fitting = self._fitting()
        self._nominated.clear()
        for pod in self._pending:
            node = fitting.place(pod)
            if node is not None:
                self._nominated.add(node)
                machine = self._machines.find(node)
                if machine is not None and not self._is_up(machine):
                    self._nominate(pod, machine)
                continue
            self._launch_for(pod, fitting)
        if len(self._pending):
            # Something else than a pod may change what is possible.
            self._batching = True
            self._clock.after(DISRUPTION_SECONDS, self._provision)

    def _launch_for(self, pod: JSON, fitting: Fitting) -> None:
        errors = []
        for pool in self._pools:
            if len(self._of(pool)) - len(self._leaving_of(pool)) >= pool.most:
                errors.append(refusals.over_limits(pool))
                continue
            template = pool.template(pool.name, self._api.version.git_version)
            why = refusals.refusal(pod, template)
            if why is None and pool.name in self._machines.exhausted:
                why = refusals.NO_OFFERING
            if why is not None:
                errors.append(why)
                continue
            fitting.add(pool.template(_TRIED, self._api.version.git_version))
            fits = fitting.place(pod) == _TRIED
            fitting.remove(_TRIED)
            if fits:
                machine = self._launch(pool)
                fitting.add(pool.template(machine.name, self._api.version.git_version))
                fitting.place(pod)
                self._nominate(pod, machine)
                return
            errors.append(refusals.NO_TOPOLOGY)
        text = f"Failed to schedule pod, {'; '.join(errors)}"
        self._events.say(pod, WARNING, "FailedScheduling", text)

    def _launch(self, pool: NodePool) -> Machine:
        machine = self._machines.launch(pool, {_POOL: pool.name}, [_UNREGISTERED])
        self._clock.after(pool.boot + REGISTRATION_SECONDS, partial(self._registered, machine))
        self._look()
        return machine

    def _nominate(self, pod: JSON, machine: Machine) -> None:
        node = f", node/{machine.name}" if machine.registered else ""
        text = f"Pod should schedule on: nodeclaim/{machine.name}{node}"
        self._events.say(pod, NORMAL, "Nominated", text)

    def _registered(self, machine: Machine) -> None:
        """Karpenter has taken over a node: it may be used."""
        node = self._machines.node(machine)
        if node is None:
            return
        self._known.add(machine.name)
        taints = [t for t in node["spec"].get("taints") or () if t["key"] != _UNREGISTERED["key"]]
        labels = {_REGISTERED: "true"} | ({_INITIALIZED: "true"} if machine.ready else {})
        self._patch(machine, {"labels": labels}, {"taints": taints or None})

    def _initialized(self, machine: Machine) -> None:
        if self._is_up(machine) and self._machines.node(machine) is not None:
            self._patch(machine, {"labels": {_INITIALIZED: "true"}}, None)

    def _is_up(self, machine: Machine) -> bool:
        return machine.ready and machine.name in self._known

    def _fitting(self, without: Sequence[str] = ()) -> Fitting:
        """The cluster as it will be: machines that come up are there, those that go are not."""
        fitting = Fitting(self._api, without=[*without, *self._leaving])
        for pool in self._pools:
            for machine in self._of(pool):
                gone = machine.name in without or machine.name in self._leaving
                if not self._is_up(machine) and not gone:
                    fitting.add(pool.template(machine.name, self._api.version.git_version))
        return fitting

    # Disruption

    def _look(self) -> None:
        if not self._looking:
            self._looking = True
            rounds = self._clock.now // DISRUPTION_SECONDS + 1
            self._clock.at(rounds * DISRUPTION_SECONDS, self._disrupt)

    def _disrupt(self) -> None:
        self._looking = False
        for pool in self._pools:
            for machine in self._of(pool):
                self._settle(machine)
        for pool in self._pools:
            found = self._next(pool)
            if found is not None:
                self._begin(*found)
                break
        if any(len(self._of(pool)) > pool.least for pool in self._pools) or self._drifted:
            self._look()

    def _settle(self, machine: Machine) -> None:
        """Note since when no pod has come to a node or left it."""
        pods = tuple(p["metadata"]["uid"] for p in that_leave(self._pods(machine)))
        known = self._quiet.get(machine.name)
        if known is None or known[0] != pods:
            self._quiet[machine.name] = (pods, self._clock.now)

    def _next(self, pool: NodePool) -> tuple[Machine, Reason] | None:
        """The first node that may be disrupted: empty ones, then drifted, then underutilized."""
        settings = _settings(pool)
        machines = self._of(pool)
        disrupting = sum(m.name in self._leaving or not self._is_up(m) for m in machines)
        spare = len(machines) - len(self._leaving_of(pool)) > pool.least
        candidates = [m for m in machines if self._is_up(m) and m.name not in self._leaving]
        for reason in _REASONS:
            if not allowed(settings, reason, len(machines), disrupting):
                continue
            for machine in candidates:
                if len(self._pending) and machine.name in self._nominated:
                    continue
                applies = self._applies(reason, machine, settings, spare=spare)
                if applies and self._may_be_disrupted(machine):
                    return machine, reason
        return None

    def _may_be_disrupted(self, machine: Machine) -> bool:
        pods = that_leave(self._pods(machine))
        budget = blocking_budget(self._api, pods)
        node = self._machines.node(machine)
        if budget and node is not None:
            text = f"Pdb prevents pod evictions (PodDisruptionBudget={budget})"
            self._events.say(node, NORMAL, "DisruptionBlocked", text)
        return not budget and all(map(may_be_disrupted, pods))

    def _applies(
        self, reason: Reason, machine: Machine, settings: Settings, *, spare: bool
    ) -> bool:
        if reason == "Drifted":
            return machine.name in self._drifted
        found = self._is_empty if reason == "Empty" else self._is_underutilized
        return spare and found(machine, settings)

    def _rested(self, machine: Machine, settings: Settings) -> bool:
        wait = settings.consolidate_after
        since = self._quiet.get(machine.name, ((), self._clock.now))[1]
        return wait is not None and self._clock.now - since >= wait

    def _is_empty(self, machine: Machine, settings: Settings) -> bool:
        return not that_leave(self._pods(machine)) and self._rested(machine, settings)

    def _is_underutilized(self, machine: Machine, settings: Settings) -> bool:
        if not settings.underutilized or not self._rested(machine, settings):
            return False
        pods = that_leave(self._pods(machine))
        rest = self._fitting([machine.name])
        return bool(pods) and all(rest.place(pod) is not None for pod in pods)

    def _begin(self, machine: Machine, reason: Reason) -> None:
        """Consolidation waits once more, drift begins with the replacements."""
        self._leaving.add(machine.name)
        if reason != "Drifted":
            self._clock.after(VALIDATION_SECONDS, partial(self._validate, machine, reason))
            return
        rest = self._fitting()
        launched: list[Machine] = []
        for pod in that_leave(self._pods(machine)):
            if rest.place(pod) is None:
                launched.append(self._launch(machine.pool))
                rest.add(machine.pool.template(launched[-1].name, self._api.version.git_version))
                rest.place(pod)
        if len(self._of(machine.pool)) - len(self._leaving_of(machine.pool)) < machine.pool.least:
            launched.append(self._launch(machine.pool))
        self._mark(machine, reason)
        self._await(machine, launched)

    def _validate(self, machine: Machine, reason: Reason) -> None:
        self._leaving.discard(machine.name)
        settings, node = _settings(machine.pool), self._machines.node(machine)
        still = self._is_empty if reason == "Empty" else self._is_underutilized
        if node is None or not still(machine, settings):
            self._look()
            return
        self._leaving.add(machine.name)
        self._mark(machine, reason)
        self._drain(machine)

    def _mark(self, machine: Machine, reason: Reason) -> None:
        node = self._machines.node(machine)
        if node is not None:
            taints = [*(node["spec"].get("taints") or ()), _DISRUPTED]
            self._patch(machine, None, {"taints": taints})
            text = f"Disrupting Node: {reason}"
            self._recorder.event(reference(node), NORMAL, "DisruptionTerminating", text)

    def _await(self, machine: Machine, launched: Sequence[Machine]) -> None:
        """Drain a node when all that replace it have come up."""
        if all(map(self._is_up, launched)):
            self._drain(machine)
        else:
            self._clock.after(1.0, lambda: self._await(machine, launched))

    def _drain(self, machine: Machine) -> None:
        def gone() -> None:
            self._machines.remove(machine)
            self._leaving.discard(machine.name)
            self._drifted.discard(machine.name)
            self._known.discard(machine.name)
            self._quiet.pop(machine.name, None)
            self._look()

        pods = that_leave(self._pods(machine))

        def drained(_: bool) -> None:
            self._clock.after(TERMINATION_SECONDS, gone)

        Eviction(self._clock, self._api, pods, NAME, patience=None, done=drained)

    def _leaving_of(self, pool: NodePool) -> list[str]:
        return [m.name for m in self._of(pool) if m.name in self._leaving]

    def _pods(self, machine: Machine) -> list[JSON]:
        return self._cluster.kubelets.pods(machine.name)

    def _patch(self, machine: Machine, meta: JSON | None, spec: JSON | None) -> None:
        change = {k: v for k, v in (("metadata", meta), ("spec", spec)) if v is not None}
        self._api.patch("nodes", "", machine.name, change, user=NAME)


def _settings(pool: NodePool) -> Settings:
    assert isinstance(pool.scaler, Settings)
    return pool.scaler
