"""Faults of drivers for Dynamic Resource Allocation.

https://kubernetes.io/docs/concepts/scheduling-eviction/dynamic-resource-allocation/
"""

from random import Random

from hourglass_simulator.faults import present
from hourglass_simulator.faults.holds import Undo
from hourglass_simulator.faults.nodes import OfNode
from hourglass_simulator.faults.target import FaultNotPossibleError, FaultType, Target
from hourglass_simulator.kubelet.driver import Driver


class OfDriver(OfNode):
    """Which driver."""

    driver: str = "gpu.example.com"
    """Its name."""


class Unhealthy(OfDriver):
    """Which device, and what is said of it."""

    device: str
    """Its name in the ResourceSlice."""
    message: str = ""
    """What the driver says of it, as the pod's status shows it."""


class Refused(OfDriver):
    """Which driver, and what it says."""

    message: str = "the device is being reset"
    """Why it does not prepare claims."""


def _unhealthy(target: Target, p: Unhealthy, _: Random) -> Undo:
    """A device that a DRA driver has published is unhealthy; pods that have it keep running."""
    drivers = target.cluster.kubelets.drivers
    devices = [device["name"] for device in _driver(target, p).devices]
    if p.device not in devices:
        listed = ", ".join(devices) or "none"
        raise FaultNotPossibleError(f"{p.driver} has no device {p.device}; there are {listed}")

    def begin() -> Undo:
        drivers.report(p.node, p.driver, p.device, "Unhealthy", p.message)
        return lambda: drivers.report(p.node, p.driver, p.device, "Healthy")

    return target.holds.hold(("claimed device", p.node, p.driver, p.device), begin)


def _gone(target: Target, p: OfDriver, _: Random) -> Undo:
    """A DRA driver goes: claims are not prepared, and its ResourceSlices go 30 s later."""
    drivers = target.cluster.kubelets.drivers
    _driver(target, p)

    def begin() -> Undo:
        drivers.stop(p.node, p.driver)
        return lambda: drivers.start(p.node, p.driver)

    return target.holds.hold(("driver", p.node, p.driver), begin)


def _refused(target: Target, p: Refused, _: Random) -> Undo:
    """A DRA driver prepares no claims."""
    drivers = target.cluster.kubelets.drivers
    _driver(target, p)

    def begin() -> Undo:
        drivers.refuse(p.node, p.driver, p.message)
        return lambda: drivers.refuse(p.node, p.driver, "")

    return target.holds.hold(("claims", p.node, p.driver), begin)


def _driver(target: Target, p: OfDriver) -> Driver:
    present.node(target, p.node)
    found = target.cluster.kubelets.drivers.of(p.node).get(p.driver)
    if found is None:
        raise FaultNotPossibleError(f"node {p.node} has no driver {p.driver}")
    return found


FAULTS = (
    FaultType("dra-claims-refused", Refused, _refused, {"node": "gpu-1"}),
    FaultType("dra-device-unhealthy", Unhealthy, _unhealthy, {"node": "gpu-1", "device": "gpu-0"}),
    FaultType("dra-driver-gone", OfDriver, _gone, {"node": "gpu-1"}),
)
