"""Faults of images and their registries."""

from random import Random

from hourglass_simulator.faults.target import FaultType, Target, Undo
from hourglass_simulator.kubelet.images import Pull
from hourglass_simulator.scenario.strict import Duration, Strict


class OfImages(Strict):
    """`image`: a reference or shell pattern; by default every image."""

    image: str = "*"


class SlowPull(OfImages):
    """`takes`: how long each pull takes."""

    takes: Duration


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
    FaultType("image-missing", OfImages, _missing),
    FaultType("image-unauthorized", OfImages, _unauthorized),
    FaultType("registry-down", OfImages, _registry_down),
    FaultType("slow-pull", SlowPull, _slow),
)
