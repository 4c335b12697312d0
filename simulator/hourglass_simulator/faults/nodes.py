"""Faults of nodes, and of the pods that happen to be on them."""

from collections.abc import Callable
from functools import partial
from random import Random
from typing import Literal

from hourglass_kube.types import JSON
from hourglass_simulator import node_conditions
from hourglass_simulator.controllers.drain import cordon, drain
from hourglass_simulator.faults import present
from hourglass_simulator.faults.holds import Undo
from hourglass_simulator.faults.parameters import OfPods, Parameters
from hourglass_simulator.faults.target import FaultType, Target, nothing
from hourglass_simulator.scenario.strict import Duration

# What containerd says of a network plugin that is not there (yet).
_NO_NETWORK = (
    "rpc error: code = Unknown desc = failed to setup network for sandbox: plugin type="
    '"calico" failed (add): stat /var/lib/calico/nodename: no such file or directory'
)


class OfNode(Parameters):
    """Which node."""

    node: str
    """Its name."""


class Label(OfNode):
    """Which label."""

    label: str
    """Its key."""


class Evicted(OfPods):
    """Whose pods, and why."""

    resource: Literal["memory", "ephemeral-storage"] = "memory"
    """What the node runs low on."""


def _lost(target: Target, p: OfNode, _: Random) -> Undo:
    """A node's kubelet reports no more, its containers go on; healed, it is back."""
    present.node(target, p.node)
    kubelets = target.cluster.kubelets

    def begin() -> Undo:
        kubelets.stop(p.node)
        return end

    def end() -> None:
        if present.find_node(target, p.node) is not None:
            kubelets.start(p.node)

    return _hold_kubelet(target, p.node, begin)


def _hold_kubelet(target: Target, node: str, begin: Callable[[], Undo]) -> Undo:
    """Keep a kubelet from working, also that of a node that comes back meanwhile."""
    stop = partial(target.cluster.kubelets.stop, node)
    return target.holds.hold(("kubelet", node), begin, stop)


class Reboot(OfNode):
    """Which node, and how long it takes."""

    takes: Duration = 60.0
    """From going down to its kubelet's first report."""


class Shutdown(OfNode):
    """Which node, and how much time its pods get."""

    grace: Duration = 30.0
    """For all pods together (`shutdownGracePeriod`)."""
    critical: Duration = 10.0
    """The part of it that is kept for pods critical to the node."""


class Interruption(OfNode):
    """Which node, and how long before its end that is said."""

    notice: Duration = 30.0
    """From the notice, when the shutdown begins, to the node being gone."""


class NodeClock(OfNode):
    """Which node's clock is wrong, and by how much."""

    ahead: Duration = 0.0
    """How far it is ahead."""
    behind: Duration = 0.0
    """How far it is behind."""


def _sandbox_fails(target: Target, p: OfNode, _: Random) -> Undo:
    """A node can make no sandbox for a pod: new ones get no network and start no container."""
    present.node(target, p.node)
    kubelets = target.cluster.kubelets

    def begin() -> Undo:
        kubelets.fail_sandboxes(p.node, _NO_NETWORK)
        return end

    def end() -> None:
        if present.find_node(target, p.node) is not None:
            kubelets.fail_sandboxes(p.node, "")

    return target.holds.hold(("sandboxes", p.node), begin, begin)


def _clock(target: Target, p: NodeClock, _: Random) -> Undo:
    """A node's clock is wrong: the times in what its kubelet writes are."""
    present.node(target, p.node)
    kubelets = target.cluster.kubelets

    def end() -> None:
        if present.find_node(target, p.node) is not None:
            kubelets.set_clock(p.node, 0.0)

    def begin() -> Undo:
        kubelets.set_clock(p.node, p.ahead - p.behind)
        return end

    return target.holds.hold(("clock", p.node), begin, begin)


def _rebooted(target: Target, p: Reboot, _: Random) -> Undo:
    """A node's machine goes down with all containers and comes back."""
    present.node(target, p.node)
    kubelets = target.cluster.kubelets
    kubelets.crash(p.node)
    release = _hold_kubelet(target, p.node, lambda: partial(_boot, target, p.node))
    target.cluster.clock.after(p.takes, release)
    return release


def _shut_down(target: Target, p: Shutdown, _: Random) -> Undo:
    """A node is shut down in order: its pods are ended, then it is off; healed, it is booted."""
    present.node(target, p.node)
    return _hold_down(target, p.node, p.grace, min(p.critical, p.grace))


def _hold_down(target: Target, node: str, grace: float, critical: float = 0.0) -> Undo:
    """Shut a node down, unless its kubelet is away already; released, it is booted."""

    def begin() -> Undo:
        target.cluster.kubelets.shut_down(node, grace, critical)
        return partial(_boot, target, node)

    return _hold_kubelet(target, node, begin)


def _boot(target: Target, node: str) -> None:
    if present.find_node(target, node) is not None:
        target.cluster.kubelets.crash(node)
        target.cluster.kubelets.boot(node)


def _interrupted(target: Target, p: Interruption, _: Random) -> Undo:
    """A spot machine is taken away: its node is shut down in order and then removed.

    Healed, a node of its name registers anew.
    """
    present.node(target, p.node)

    def begin() -> Undo:
        node = present.node(target, p.node)
        boot = _hold_down(target, p.node, p.notice)

        def gone() -> None:
            found = present.find_node(target, p.node)
            if found is not None and found["metadata"]["uid"] == node["metadata"]["uid"]:
                target.holds.removed[p.node] = found
                target.cluster.remove_node(p.node)

        timer = target.cluster.clock.after(p.notice, gone)

        def end() -> None:
            timer.cancel()
            boot()
            if present.find_node(target, p.node) is None:
                _register(target, target.holds.removed.pop(p.node, node))

        return end

    return target.holds.hold(("node", p.node), begin)


def _removed(target: Target, p: OfNode, _: Random) -> Undo:
    """A node is taken away with everything on it; healed, one of its name registers anew."""
    present.node(target, p.node)
    removed = target.holds.removed

    def begin() -> Undo:
        removed[p.node] = present.node(target, p.node)
        target.cluster.remove_node(p.node)
        return lambda: _register(target, removed.pop(p.node))

    return target.holds.hold(("node", p.node), begin)


def _register(target: Target, node: JSON) -> None:
    """A Node as it was: its labels, taints, devices, and whether it was cordoned."""
    name = node["metadata"]["name"]
    if present.find_node(target, name) is not None:
        return
    taints = [
        taint
        for taint in node["spec"].get("taints") or ()
        if not taint["key"].startswith("node.kubernetes.io/")
    ]
    spec: JSON = {"taints": taints} if taints else {}
    if node["spec"].get("unschedulable"):
        spec["unschedulable"] = True
    now = target.cluster.clock.timestamp()
    status = {
        **node["status"],
        "allocatable": node["status"]["capacity"],
        "conditions": node_conditions.all_good(now),
    }
    meta = {"name": name, "labels": node["metadata"].get("labels") or {}}
    target.cluster.api.create("nodes", {"metadata": meta, "spec": spec, "status": status})
    target.holds.renew(name)


def _cordoned(target: Target, p: OfNode, _: Random) -> Undo:
    """A node takes no new pods; healed, it does again."""
    return _cordon(target, p.node)


def _drained(target: Target, p: OfNode, _: Random) -> Undo:
    """A node is cordoned and its pods are evicted; healed, it takes pods again."""
    undo = _cordon(target, p.node)
    drain(target.cluster.clock, target.cluster.api, p.node)
    return undo


def _cordon(target: Target, name: str) -> Undo:
    present.node(target, name)

    def begin() -> Undo:
        if present.node(target, name)["spec"].get("unschedulable"):
            return nothing
        cordon(target.cluster.api, name)
        return lambda: present.change_node(target, name, {"spec": {"unschedulable": None}})

    return target.holds.hold(("cordon", name), begin)


def _label_gone(target: Target, p: Label, _: Random) -> Undo:
    """A node loses a label; healed, it has it again."""
    present.node(target, p.node)

    def begin() -> Undo:
        value = (present.node(target, p.node)["metadata"].get("labels") or {}).get(p.label)
        set_to(None)
        return lambda: set_to(value)

    def set_to(value: str | None) -> None:
        change = {"metadata": {"labels": {p.label: value}}}
        present.change_node(target, p.node, change)

    return target.holds.hold(("label", p.node, p.label), begin)


def _evicted(target: Target, p: Evicted, _: Random) -> Undo:
    """The kubelet evicts pods because their node runs low on something."""
    for namespace, pod in present.pods(target, p):
        target.cluster.kubelets.evict(namespace, pod, p.resource)
    return nothing


FAULTS = (
    FaultType("label-gone", Label, _label_gone, {"node": "tee-1", "label": "tee"}),
    FaultType("node-clock", NodeClock, _clock, {"node": "gpu-1", "behind": "10m"}),
    FaultType("node-cordoned", OfNode, _cordoned, {"node": "gpu-1"}),
    FaultType("node-drained", OfNode, _drained, {"node": "gpu-1"}),
    FaultType("node-lost", OfNode, _lost, {"node": "gpu-1"}),
    FaultType("node-removed", OfNode, _removed, {"node": "gpu-1"}),
    FaultType("node-rebooted", Reboot, _rebooted, {"node": "gpu-1", "takes": "2m"}),
    FaultType("node-shut-down", Shutdown, _shut_down, {"node": "gpu-1", "grace": "30s"}),
    FaultType("spot-interrupted", Interruption, _interrupted, {"node": "gpu-1", "notice": "2m"}),
    FaultType("pod-evicted", Evicted, _evicted, {"performer": "worker", "resource": "memory"}),
    FaultType("sandbox-fails", OfNode, _sandbox_fails, {"node": "gpu-1"}),
)
