"""Faults of images and their registries."""

from random import Random

from hourglass_simulator.faults.holds import Undo
from hourglass_simulator.faults.parameters import Parameters
from hourglass_simulator.faults.target import FaultType, Target
from hourglass_simulator.kubelet.images import Pull
from hourglass_simulator.scenario.strict import Duration


class OfImages(Parameters):
    """Which images."""

    image: str = "*"
    """A reference or shell pattern."""


class SlowPull(OfImages):
    """Which images, and how slow."""

    takes: Duration
    """How long each pull takes."""


def _missing(target: Target, p: OfImages, _: Random) -> Undo:
    """Images are not in their registry; nodes that have pulled them keep them."""
    return target.cluster.images.override(p.image, pull=Pull.MISSING)


def _registry_down(target: Target, p: OfImages, _: Random) -> Undo:
    """The registry refuses connections."""
    return target.cluster.images.override(p.image, pull=Pull.REGISTRY_DOWN)


def _unauthorized(target: Target, p: OfImages, _: Random) -> Undo:
    """The registry wants credentials that the pod does not have."""
    return target.cluster.images.override(p.image, pull=Pull.UNAUTHORIZED)


def _slow(target: Target, p: SlowPull, _: Random) -> Undo:
    """Pulls take long."""
    return target.cluster.images.override(p.image, seconds=p.takes)


FAULTS = (
    FaultType("image-missing", OfImages, _missing, {"image": "avs/worker:v2"}),
    FaultType("image-unauthorized", OfImages, _unauthorized, {"image": "private.example.com/*"}),
    FaultType("registry-down", OfImages, _registry_down, {}),
    FaultType("slow-pull", SlowPull, _slow, {"takes": "5m"}),
)
