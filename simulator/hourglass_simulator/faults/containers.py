"""Faults of the program in the container."""

from random import Random
from typing import Annotated

from pydantic import Field

from hourglass_simulator.faults import present
from hourglass_simulator.faults.holds import Undo
from hourglass_simulator.faults.parameters import OfPods, Parameters
from hourglass_simulator.faults.target import FaultType, Target, nothing
from hourglass_simulator.kubelet.workload import Workload
from hourglass_simulator.scenario.strict import Bool, Count, Duration


class OfContainers(Parameters):
    """Whose containers."""

    image: str = "*"
    """Of containers, a reference or shell pattern."""


class Exits(OfPods):
    """Whose containers, and how they end."""

    code: Count = 1
    """With which the container ends."""
    out_of_memory: Bool = False
    """It is killed for using too much memory, with code 137."""


class CrashLoop(OfContainers):
    """Whose containers, and how they end."""

    after: Duration = 1.0
    """From each start to the exit."""
    code: Count = 1
    """With which containers end."""


class Flaps(OfContainers):
    """Whose containers, and how often."""

    every: Annotated[Duration, Field(ge=1)] = 20.0
    """How long they are unready, and then ready, in turn."""


def _exits(target: Target, p: Exits, _: Random) -> Undo:
    """The container of a Performer or of another pod ends once."""
    for namespace, pod in present.pods(target, p):
        target.cluster.kubelets.exit(namespace, pod, p.code, out_of_memory=p.out_of_memory)
    return nothing


def _crash_loop(target: Target, p: CrashLoop, _: Random) -> Undo:
    """Containers end shortly after each start, also those that run."""
    return _behave(target, p.image, Workload(exit_after=p.after, exit_code=p.code))


def _never_ready(target: Target, p: OfContainers, _: Random) -> Undo:
    """Readiness probes fail, also of containers that were ready."""
    return _behave(target, p.image, Workload(ready_after=None))


def _ignores_termination(target: Target, p: OfContainers, _: Random) -> Undo:
    """SIGTERM is ignored: containers end when their grace period is over."""
    return _behave(target, p.image, Workload(stop_after=None))


def _flaps(target: Target, p: Flaps, _: Random) -> Undo:
    """Readiness comes and goes."""
    clock = target.cluster.clock
    undo = _behave(target, p.image, Workload(ready_after=None))
    unready, over = True, False

    def turn() -> None:
        nonlocal undo, unready
        if over:
            return
        undo()
        unready = not unready
        undo = _behave(target, p.image, Workload(ready_after=None)) if unready else nothing
        clock.after(p.every, turn)

    def end() -> None:
        nonlocal over
        over = True
        undo()

    clock.after(p.every, turn)
    return end


def _behave(target: Target, image: str, workload: Workload) -> Undo:
    cluster = target.cluster
    undo = cluster.images.override(image, workload=workload)
    cluster.kubelets.behave_as_declared()

    def end() -> None:
        undo()
        cluster.kubelets.behave_as_declared()

    return end


FAULTS = (
    FaultType("container-exits", Exits, _exits, {"performer": "worker", "code": 2}),
    FaultType("crash-loop", CrashLoop, _crash_loop, {"image": "avs/worker:*", "after": "5s"}),
    FaultType("ignores-termination", OfContainers, _ignores_termination, {}),
    FaultType("never-ready", OfContainers, _never_ready, {"image": "avs/worker:v2"}),
    FaultType("readiness-flaps", Flaps, _flaps, {"every": "30s"}),
)
