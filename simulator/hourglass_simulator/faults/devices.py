"""Faults of devices and their plugins.

https://kubernetes.io/docs/concepts/extend-kubernetes/compute-storage-net/device-plugins/
"""

from random import Random
from typing import Annotated

from pydantic import Field

from hourglass_simulator.faults import present
from hourglass_simulator.faults.holds import Undo
from hourglass_simulator.faults.nodes import OfNode
from hourglass_simulator.faults.target import FaultType, Target
from hourglass_simulator.scenario.strict import Count, Duration

GPU = "nvidia.com/gpu"


class OfDevices(OfNode):
    """Which devices."""

    resource: str = GPU
    """As the device plugin names its devices."""


class Unhealthy(OfDevices):
    """Which devices, and how many."""

    count: Annotated[Count, Field(ge=1)] = 1
    """How many devices more become unhealthy."""


class Reconfigured(OfDevices):
    """Which devices, and what becomes of them."""

    into: Annotated[dict[str, Count], Field(min_length=1)]
    """What the node offers instead: resources, and how many of each."""
    takes: Duration = 60.0
    """From the end of the old devices to the new ones."""
    labels: dict[str, str] = {}  # noqa: RUF012 - pydantic copies mutable defaults
    """Labels that the node has from then on."""


class Restarted(OfDevices):
    """Which devices, and for how long."""

    duration: Annotated[Duration, Field(alias="for")] = 10.0
    """How long the plugin is away."""


def _unhealthy(target: Target, p: Unhealthy, _: Random) -> Undo:
    """Devices of a node become unhealthy; pods that have them keep running."""
    kubelets = target.cluster.kubelets
    present.device_count(target, p.node, p.resource)
    failed: set[int] = set()

    def begin() -> Undo:
        failed.clear()
        failed.update(kubelets.plugins.fail(p.node, p.resource, p.count))
        return end

    def end() -> None:
        if present.find_node(target, p.node) is not None:
            kubelets.plugins.repair(p.node, p.resource, failed)

    # Each fault has devices of its own.
    thing = ("devices", p.node, p.resource, str(next(target.holds.numbers)))
    return target.holds.hold(thing, begin, begin)


def _unplugged(target: Target, p: OfDevices, _: Random) -> Undo:
    """The device plugin of a node goes; healed, it is back with all its devices."""
    kubelets = target.cluster.kubelets
    count = present.device_count(target, p.node, p.resource)

    def begin() -> Undo:
        kubelets.plugins.unplug(p.node, p.resource)
        return end

    def end() -> None:
        if present.find_node(target, p.node) is not None:
            kubelets.plugins.plug(p.node, p.resource, count)
        else:
            change = {"status": {"capacity": {p.resource: str(count)}}}
            present.change_node(target, p.node, change)

    return target.holds.hold(("device plugin", p.node, p.resource), begin, begin)


def _restarted(target: Target, p: Restarted, random: Random) -> Undo:
    """The device plugin of a node goes and comes back."""
    end = _unplugged(target, p, random)
    target.cluster.clock.after(p.duration, end)
    return end


def _reconfigured(target: Target, p: Reconfigured, random: Random) -> Undo:
    """Devices of a node are cut into others, as by another MIG layout; healed, they are whole.

    Pods that have them keep running.
    """
    kubelets, offered, before = target.cluster.kubelets, False, dict[str, str | None]()
    plug_back = _unplugged(target, p, random)

    def offer() -> None:
        nonlocal offered
        offered = True
        if (node := present.find_node(target, p.node)) is not None:
            labels = node["metadata"].get("labels") or {}
            before.update({key: labels.get(key) for key in p.labels if key not in before})
            for resource, count in sorted(p.into.items()):
                kubelets.plugins.plug(p.node, resource, count)
            present.change_node(target, p.node, {"metadata": {"labels": p.labels}})

    def end() -> None:
        timer.cancel()
        if present.find_node(target, p.node) is None:
            gone = {"status": {"capacity": dict.fromkeys(p.into, "0")}}
            present.change_node(target, p.node, gone)
        elif offered:
            for resource in sorted(p.into):
                kubelets.plugins.unplug(p.node, resource)
        present.change_node(target, p.node, {"metadata": {"labels": before}})

    def again() -> None:
        if offered:
            offer()

    timer = target.cluster.clock.after(p.takes, offer)
    # Each fault has resources of its own.
    thing = ("layout", p.node, p.resource, str(next(target.holds.numbers)))
    make_whole = target.holds.hold(thing, lambda: end, again)

    def undo() -> None:
        make_whole()
        plug_back()

    return undo


MIG = {"node": "gpu-1", "into": {"nvidia.com/mig-1g.10gb": 7}}
FAULTS = (
    FaultType("device-plugin-gone", OfDevices, _unplugged, {"node": "gpu-1"}),
    FaultType("device-plugin-restarted", Restarted, _restarted, {"node": "gpu-1", "for": "30s"}),
    FaultType("devices-reconfigured", Reconfigured, _reconfigured, MIG),
    FaultType("devices-unhealthy", Unhealthy, _unhealthy, {"node": "gpu-1", "count": 2}),
)
