"""A search from its tasks to its findings: who does them, what is new, what is written."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

from hourglass_simulator.garbage_collector import raise_gc_thresholds
from hourglass_simulator.scenario import dump
from hourglass_simulator.search.plan import Plan
from hourglass_simulator.search.play import Finding, play
from hourglass_simulator.search.shrink import shrink
from hourglass_simulator.search.tasks import Done, Found, Shard, Task, do

Do = Callable[[Task], Done]


@dataclass(slots=True)
class Progress:
    """How far a search has come; `started` is by the monotonic clock."""

    plans: int = 0
    coverage: set[str] = field(default_factory=set)
    kinds: dict[tuple[str, str], int] = field(default_factory=dict)
    """Distinct findings, and how many plans showed each."""
    started: float = field(default_factory=time.monotonic)

    @property
    def rate(self) -> float:
        """Plans a second."""
        return self.plans / max(time.monotonic() - self.started, 1e-9)

    def take_in(self, done: Done) -> Iterator[Found]:
        """Count what was done; the plans whose first finding is of a kind not seen before."""
        self.plans += done.plans
        self.coverage |= done.coverage
        for found in done.found:
            kind = kind_of(found.findings[0])
            self.kinds[kind] = self.kinds.get(kind, 0) + 1
            if self.kinds[kind] == 1:
                yield found


def kind_of(finding: Finding) -> tuple[str, str]:
    """What distinguishes findings: the oracle, and what it expected but for names and numbers."""
    words = "".join(each if each.isalpha() or each == " " else "#" for each in finding.expected)
    return finding.oracle, " ".join(word for word in words.split() if "#" not in word)


@contextmanager
def workers(jobs: int, shard: Shard) -> Iterator[Callable[[Iterable[Task]], Iterator[Done]]]:
    """Within the `with` block tasks are done, by so many processes; in any order with several."""
    one = partial(do, shard=shard)
    if jobs == 1:
        yield lambda tasks: map(one, tasks)
        return
    with get_context("spawn").Pool(jobs, raise_gc_thresholds) as pool:
        # Tasks may never end: only a few are taken beforehand.
        def several(tasks: Iterable[Task]) -> Iterator[Done]:
            left = iter(tasks)
            while some := list(islice(left, 8 * jobs)):
                yield from pool.imap_unordered(one, some)

        yield several


def smallest(found: Found) -> Found:
    """The plan shrunk to what its first finding needs, as its file would be played again."""
    oracle, kind = found.findings[0].oracle, kind_of(found.findings[0])

    def fails(plan: Plan) -> bool:
        return any(kind_of(each) == kind for each in play(plan, found.seed).findings)

    plan = shrink(found.plan, fails)
    findings = play(plan, found.seed).findings
    first = sorted(findings, key=lambda each: (each.oracle != oracle, kind_of(each) != kind))
    return Found(plan, found.seed, found.origin, tuple(first))


def write(found: Found, folder: Path) -> Path:
    """Write the plan as a scenario file whose name says what it shows."""
    finding = found.findings[0]
    number = sum(1 for _ in folder.glob("*.yaml")) + 1
    file = folder / f"{number:03d}-{finding.oracle.replace(' ', '-')}.yaml"
    scenario = found.plan.as_scenario(
        f"Found by the search: {finding.oracle} ({found.origin}, seed {found.seed})",
        f"At {finding.time:.3f} s: {finding}",
    )
    file.write_text(dump(scenario), encoding="utf-8")
    return file
