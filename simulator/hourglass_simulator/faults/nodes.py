"""Faults of nodes and their devices."""

from random import Random
from typing import Annotated, Literal

from pydantic import Field

from hourglass_simulator.apiserver import APIError
from hourglass_simulator.faults.target import FaultType, Target, Undo
from hourglass_simulator.scenario.strict import Count, Duration, Strict

GPU = "nvidia.com/gpu"


class OfNode(Strict):
    """`node`: its name."""

    node: str


class OfDevices(OfNode):
    """`resource`: of the device plugin."""

    resource: str = GPU


class Unhealthy(OfDevices):
    """`count`: how many devices."""

    count: Annotated[Count, Field(ge=1)] = 1


class Restarted(OfDevices):
    """`for`: how long the plugin is away."""

    duration: Annotated[Duration, Field(alias="for")] = 10.0


class Label(OfNode):
    """`label`: its key."""

    label: str


class Evicted(Strict):
    """`performer`: whose pods; `resource`: what its node runs low on."""

    performer: str
    namespace: str = "default"
    resource: Literal["memory", "ephemeral-storage"] = "memory"


def _lost(target: Target, p: OfNode, _: Random) -> Undo:
    """A node's kubelet reports no more, its containers go on; healed, it is back."""
    kubelets = target.cluster.kubelets
    kubelets.stop(p.node)
    return lambda: kubelets.start(p.node)


def _unhealthy(target: Target, p: Unhealthy, _: Random) -> Undo:
    """Devices of a node become unhealthy; pods that have them keep running."""
    kubelets = target.cluster.kubelets
    kubelets.fail_devices(p.node, p.resource, p.count)
    return lambda: kubelets.repair_devices(p.node, p.resource)


def _unplugged(target: Target, p: OfDevices, _: Random) -> Undo:
    """The device plugin of a node goes; healed, it is back with all its devices."""
    kubelets = target.cluster.kubelets
    kubelets.unplug(p.node, p.resource)
    return lambda: kubelets.plug(p.node, p.resource)


def _restarted(target: Target, p: Restarted, _: Random) -> Undo:
    """The device plugin of a node goes and comes back."""
    kubelets = target.cluster.kubelets
    kubelets.unplug(p.node, p.resource)
    timer = target.cluster.clock.after(p.duration, lambda: kubelets.plug(p.node, p.resource))

    def end() -> None:
        timer.cancel()
        kubelets.plug(p.node, p.resource)

    return end


def _label_gone(target: Target, p: Label, _: Random) -> Undo:
    """A node loses a label; healed, it has it again."""
    api = target.cluster.api
    value = api.get("nodes", "", p.node)["metadata"].get("labels", {}).get(p.label)

    def label(to: str | None) -> None:
        try:
            api.patch("nodes", "", p.node, {"metadata": {"labels": {p.label: to}}})
        except APIError as error:
            if error.code != 404:
                raise

    label(None)
    return lambda: label(value)


def _evicted(target: Target, p: Evicted, _: Random) -> Undo:
    """The kubelet evicts a Performer's pods because its node runs low on something."""
    cluster = target.cluster
    selector = f"performer-name={p.performer}"
    for pod in cluster.api.list("pods", p.namespace, label_selector=selector).items:
        cluster.kubelets.evict(p.namespace, pod["metadata"]["name"], p.resource)
    return lambda: None


FAULTS = (
    FaultType("device-plugin-gone", OfDevices, _unplugged),
    FaultType("device-plugin-restarted", Restarted, _restarted),
    FaultType("devices-unhealthy", Unhealthy, _unhealthy),
    FaultType("label-gone", Label, _label_gone),
    FaultType("node-lost", OfNode, _lost),
    FaultType("pod-evicted", Evicted, _evicted),
)
