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
        failed.update(kubelets.fail_devices(p.node, p.resource, p.count))
        return end

    def end() -> None:
        if present.find_node(target, p.node) is not None:
            kubelets.repair_devices(p.node, p.resource, failed)

    # Each fault has devices of its own.
    thing = ("devices", p.node, p.resource, str(next(target.holds.numbers)))
    return target.holds.hold(thing, begin, begin)


def _unplugged(target: Target, p: OfDevices, _: Random) -> Undo:
    """The device plugin of a node goes; healed, it is back with all its devices."""
    kubelets = target.cluster.kubelets
    count = present.device_count(target, p.node, p.resource)

    def begin() -> Undo:
        kubelets.unplug(p.node, p.resource)
        return end

    def end() -> None:
        if present.find_node(target, p.node) is not None:
            kubelets.plug(p.node, p.resource, count)
        else:
            change = {"status": {"capacity": {p.resource: str(count)}}}
            present.change_node(target, p.node, change)

    return target.holds.hold(("device plugin", p.node, p.resource), begin, begin)


def _restarted(target: Target, p: Restarted, random: Random) -> Undo:
    """The device plugin of a node goes and comes back."""
    end = _unplugged(target, p, random)
    target.cluster.clock.after(p.duration, end)
    return end


FAULTS = (
    FaultType("device-plugin-gone", OfDevices, _unplugged, {"node": "gpu-1"}),
    FaultType("device-plugin-restarted", Restarted, _restarted, {"node": "gpu-1", "for": "30s"}),
    FaultType("devices-unhealthy", Unhealthy, _unhealthy, {"node": "gpu-1", "count": 2}),
)
