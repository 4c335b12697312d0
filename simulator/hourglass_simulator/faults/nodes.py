"""Faults of nodes, and of the pods that happen to be on them."""

from random import Random
from typing import Literal

from hourglass_kube.types import JSON
from hourglass_simulator import node_conditions
from hourglass_simulator.controllers.drain import cordon, drain, uncordon
from hourglass_simulator.faults import present
from hourglass_simulator.faults.holds import Undo
from hourglass_simulator.faults.parameters import Parameters
from hourglass_simulator.faults.target import FaultType, Target, nothing


class OfNode(Parameters):
    """Which node."""

    node: str
    """Its name."""


class Label(OfNode):
    """Which label."""

    label: str
    """Its key."""


class Evicted(Parameters):
    """Whose pods, and why."""

    performer: str
    """Its name."""
    namespace: str | None = None
    """Its namespace, if it is not the scenario's."""
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

    return target.holds.hold(_kubelet(p.node), begin)


def _removed(target: Target, p: OfNode, _: Random) -> Undo:
    """A node is taken away with everything on it; healed, one of its name registers anew."""
    present.node(target, p.node)

    def begin() -> Undo:
        node = present.node(target, p.node)
        target.cluster.remove_node(p.node)
        return lambda: _register(target, node)

    return target.holds.hold(("node", p.node), begin)


def _register(target: Target, node: JSON) -> None:
    """A Node as its kubelet makes it, with the labels, taints and devices that it had."""
    name = node["metadata"]["name"]
    if present.find_node(target, name) is not None:
        return
    taints = [
        taint
        for taint in node["spec"].get("taints") or ()
        if not taint["key"].startswith("node.kubernetes.io/")
    ]
    status = node["status"]
    now = target.cluster.clock.timestamp()
    target.cluster.api.create(
        "nodes",
        {
            "metadata": {"name": name, "labels": node["metadata"].get("labels") or {}},
            "spec": {"taints": taints} if taints else {},
            "status": {
                **status,
                "allocatable": status["capacity"],
                "conditions": node_conditions.all_good(now),
            },
        },
    )
    if target.holds.held(_kubelet(name)):
        target.cluster.kubelets.stop(name)


def _cordoned(target: Target, p: OfNode, _: Random) -> Undo:
    """A node takes no new pods; healed, it does again."""
    return _cordon(target, p.node)


def _drained(target: Target, p: OfNode, _: Random) -> Undo:
    """A node is cordoned and its pods are evicted; healed, it takes pods again."""
    undo = _cordon(target, p.node)
    drain(target.cluster.clock, target.cluster.api, p.node)
    return undo


def _cordon(target: Target, name: str) -> Undo:
    api = target.cluster.api
    present.node(target, name)

    def begin() -> Undo:
        if present.node(target, name)["spec"].get("unschedulable"):
            return nothing
        cordon(api, name)
        return end

    def end() -> None:
        if present.find_node(target, name) is not None:
            uncordon(api, name)

    return target.holds.hold(("cordon", name), begin)


def _label_gone(target: Target, p: Label, _: Random) -> Undo:
    """A node loses a label; healed, it has it again."""
    present.node(target, p.node)

    def begin() -> Undo:
        value = (present.node(target, p.node)["metadata"].get("labels") or {}).get(p.label)
        set_to(None)
        return lambda: set_to(value)

    def set_to(value: str | None) -> None:
        if present.find_node(target, p.node) is not None:
            merge = {"metadata": {"labels": {p.label: value}}}
            target.cluster.api.patch("nodes", "", p.node, merge)

    return target.holds.hold(("label", p.node, p.label), begin)


def _evicted(target: Target, p: Evicted, _: Random) -> Undo:
    """The kubelet evicts a Performer's pods because its node runs low on something."""
    for namespace, pod in present.pods(target, p.performer, p.namespace):
        target.cluster.kubelets.evict(namespace, pod, p.resource)
    return nothing


def _kubelet(node: str) -> tuple[str, ...]:
    return ("kubelet", node)


FAULTS = (
    FaultType("label-gone", Label, _label_gone, {"node": "tee-1", "label": "tee"}),
    FaultType("node-cordoned", OfNode, _cordoned, {"node": "gpu-1"}),
    FaultType("node-drained", OfNode, _drained, {"node": "gpu-1"}),
    FaultType("node-lost", OfNode, _lost, {"node": "gpu-1"}),
    FaultType("node-removed", OfNode, _removed, {"node": "gpu-1"}),
    FaultType("pod-evicted", Evicted, _evicted, {"performer": "worker", "resource": "memory"}),
)
