"""Faults of the program in the container."""

from random import Random

from hourglass_simulator.faults.target import FaultType, Target, Undo, nothing
from hourglass_simulator.kubelet.workload import Workload
from hourglass_simulator.scenario.strict import Bool, Count, Duration, Strict


class OfContainers(Strict):
    """`image`: whose containers, a reference or shell pattern; by default all."""

    image: str = "*"


class Exits(Strict):
    """`performer`: of which one, `namespace` as well; `code`, or `outOfMemory` for 137."""

    performer: str
    namespace: str = "default"
    code: Count = 1
    out_of_memory: Bool = False


class CrashLoop(OfContainers):
    """`after`: from each start to the exit; `code`: with which it ends."""

    after: Duration = 1.0
    code: Count = 1


class Flaps(OfContainers):
    """`every`: how long it is unready, and ready, in turn."""

    every: Duration = 20.0


def _exits(target: Target, p: Exits, _: Random) -> Undo:
    """The container of a Performer ends once."""
    api = target.cluster.api
    found = api.list("pods", p.namespace, label_selector=f"performer-name={p.performer}")
    for pod in found.items:
        name = pod["metadata"]["name"]
        target.cluster.kubelets.exit(p.namespace, name, p.code, out_of_memory=p.out_of_memory)
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
    FaultType("container-exits", Exits, _exits),
    FaultType("crash-loop", CrashLoop, _crash_loop),
    FaultType("ignores-termination", OfContainers, _ignores_termination),
    FaultType("never-ready", OfContainers, _never_ready),
    FaultType("readiness-flaps", Flaps, _flaps),
)
