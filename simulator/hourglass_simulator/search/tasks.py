"""What a search is made of: tasks that any process can do, each alone and in any order."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from hourglass_simulator.faults import REGISTRY
from hourglass_simulator.harness.backend import SimulatedBackend
from hourglass_simulator.kubernetes.version import version
from hourglass_simulator.scenario import load, run
from hourglass_simulator.search.census import Census
from hourglass_simulator.search.chance import random_plan
from hourglass_simulator.search.plan import Plan, plan_of
from hourglass_simulator.search.play import Finding, Played, play
from hourglass_simulator.search.systematic import crashes, errors, events

PARTS = {"crashes": crashes, "errors": errors, "events": events}
"""Of the systematic part, in the order in which they are played."""


@dataclass(frozen=True, slots=True)
class Shard:
    """One of `of` parts, counted from 0, that have nothing in common."""

    index: int = 0
    of: int = 1

    def has(self, number: int) -> bool:
        """Whether what has this number is of this part."""
        return number % self.of == self.index


@dataclass(frozen=True, slots=True)
class OfFile:
    """A scenario file as it is and, of the named parts, with each single trouble."""

    path: str
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OfSeeds:
    """Random plans of these numbers, the last one left out."""

    first: int
    last: int


Task = OfFile | OfSeeds


@dataclass(frozen=True, slots=True)
class Found:
    """A plan with findings, the seed that it was played with, and where it comes from."""

    plan: Plan
    seed: int
    origin: str
    findings: tuple[Finding, ...]


@dataclass(slots=True)
class Done:
    """What came of a task; times are seconds of the CPU."""

    task: Task
    plans: int = 0
    found: list[Found] = field(default_factory=list)
    coverage: set[str] = field(default_factory=set)
    digests: list[str] = field(default_factory=list)


def do(task: Task, shard: Shard, *, stop_at_first: bool = False) -> Done:
    """Play what the task says, as far as it is of this shard."""
    done = Done(task)
    for number, (origin, plan, seed) in enumerate(_plans(task)):
        if not shard.has(number if isinstance(task, OfFile) else seed):
            continue
        _take_in(done, origin, plan, seed, play(plan, seed))
        if done.found and stop_at_first:
            break
    return done


def _take_in(done: Done, origin: str, plan: Plan, seed: int, played: Played) -> None:
    done.plans += 1
    done.coverage |= played.coverage
    done.digests.append(played.digest)
    if played.findings:
        done.found.append(Found(plan, seed, origin, played.findings))


def _plans(task: Task) -> Iterator[tuple[str, Plan, int]]:
    if isinstance(task, OfSeeds):
        for seed in range(task.first, task.last):
            yield f"seed {seed}", random_plan(seed), seed
        return
    plan = read(Path(task.path))
    yield task.path, plan, 0
    if not task.parts:
        return
    census = Census()
    play(plan, census=census)
    single = chain.from_iterable(PARTS[part](plan, census) for part in task.parts)
    for number, struck in enumerate(single, 1):
        yield f"{task.path} #{number}", struck, 0


def read(path: Path) -> Plan:
    """The plan that a scenario file is; raises UnreadableError."""
    file = load(path, REGISTRY)
    wanted = file.scenario.cluster
    backend = SimulatedBackend(0, version(wanted.kubernetes), managed_fields=wanted.managed_fields)
    return plan_of(run(file, backend))


def of_seeds(first: int, last: int, size: int) -> Iterable[OfSeeds]:
    """Seeds from `first` to before `last`, so many at a time."""
    return (OfSeeds(at, min(at + size, last)) for at in range(first, last, size))
