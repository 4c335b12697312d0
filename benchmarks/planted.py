"""Which planted bugs the search finds, by which oracle, after how many plans.

python benchmarks/planted.py [--seconds 15] [--jobs 2] [NAME…]

Each file of `planted/` is a small patch of the operator: its first line says of which class the bug
is, and what. The patched operator is searched in a process of its own, by plans alone: random ones,
then single troubles of a few scenario files, then all files without their checks, then random ones
again until the CPU seconds are over.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDER = Path(__file__).parent / "planted"
SOURCES = ("kube", "operator", "statemachine")
FIRST, SLICE = 100, 25
"""Random plans before the scenario files, and plans between two looks at the clock."""
STRUCK = ("deletion/while-upgrading.yaml", "upgrades/auto-takes-the-gpus.yaml")
"""Scenario files that are played with every single crash and event."""
OF_ALL, OF_CLASS = 0.95, 0.9
"""Bounds: the share of all bugs that is found, and of each class."""


@dataclass(frozen=True, slots=True)
class Hunt:
    """What came of the search for one bug; `oracle` is empty if it was not found."""

    name: str
    kind: str
    plans: int
    seconds: float
    oracle: str
    finding: str
    origin: str


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="by default all")
    parser.add_argument("--seconds", type=float, default=15.0, help="of CPU for each bug at most")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--hunt", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.hunt:
        json.dump(hunt(options.seconds), sys.stdout)
        return
    names = options.names or sorted(path.stem for path in FOLDER.glob("*.patch"))
    with ThreadPoolExecutor(options.jobs) as pool:
        hunts = list(pool.map(lambda name: planted(name, options.seconds), names))
    sys.exit(report(hunts))


def report(hunts: list[Hunt]) -> int:
    """Print what was found; 1 if it is less than the bounds ask for."""
    found, there = Counter[str](), Counter[str]()
    for each in hunts:
        there[each.kind] += 1
        found[each.kind] += bool(each.oracle)
    print(f"{sum(each.seconds for each in hunts):.0f} s of CPU")
    missed = False
    for kind, count in (*sorted(there.items()), ("all", sum(there.values()))):
        hits = sum(found.values()) if kind == "all" else found[kind]
        missed |= hits < (OF_ALL if kind == "all" else OF_CLASS) * count
        print(f"{kind:<14}{hits} of {count}")
    return int(missed)


def planted(name: str, seconds: float) -> Hunt:
    """Search the operator with this bug in it."""
    patch = FOLDER / f"{name}.patch"
    kind = patch.read_text().partition(":")[0]
    with tempfile.TemporaryDirectory() as folder:
        for source in SOURCES:
            shutil.copytree(ROOT / source, Path(folder) / source)
        applied = subprocess.run(
            ["patch", "--quiet", "-p1", "-i", str(patch)], cwd=folder, check=False, timeout=60
        )
        if applied.returncode:
            print(f"{name}: the patch does not apply any more: make it anew", flush=True)
            return Hunt(name, kind, 0, 0.0, "", "", "")
        path = os.pathsep.join(str(Path(folder) / source) for source in SOURCES)
        answer = subprocess.run(
            [sys.executable, __file__, "--hunt", "--seconds", str(seconds)],
            env={**os.environ, "PYTHONPATH": path},
            stdout=subprocess.PIPE,
            check=True,
        )
    hunted = Hunt(name, kind, **json.loads(answer.stdout))
    by = f"{hunted.oracle} ({hunted.origin})" if hunted.oracle else "NOT FOUND"
    print(f"{name:<36}{hunted.plans:>6} plans {hunted.seconds:>6.1f} s  {by}", flush=True)
    return hunted


def hunt(seconds: float) -> dict[str, object]:
    """Search until something is found or the time is over; runs in the patched process."""
    from hourglass_simulator.cluster import raise_gc_thresholds
    from hourglass_simulator.search.tasks import OfFile, OfSeeds, Shard, Task, do

    def tasks() -> Iterator[Task]:
        yield from (OfSeeds(at, at + SLICE) for at in range(0, FIRST, SLICE))
        for part in ("crashes", "events"):
            yield from (OfFile(str(ROOT / "scenarios" / name), (part,)) for name in STRUCK)
        yield from (OfFile(str(path), ()) for path in sorted((ROOT / "scenarios").rglob("*.yaml")))
        at = FIRST
        while True:
            yield OfSeeds(at, at + SLICE)
            at += SLICE

    raise_gc_thresholds()
    began, plans = time.process_time(), 0
    for task in tasks():
        done = do(task, Shard(), stop_at_first=True)
        plans += done.plans
        took = time.process_time() - began
        if done.found:
            first = done.found[0]
            finding = first.findings[0]
            return _row(plans, took, finding.oracle, str(finding), first.origin)
        if took > seconds:
            break
    return _row(plans, took, "", "", "")


def _row(plans: int, seconds: float, oracle: str, finding: str, origin: str) -> dict[str, object]:
    return {
        "plans": plans,
        "seconds": seconds,
        "oracle": oracle,
        "finding": finding,
        "origin": origin,
    }


if __name__ == "__main__":
    main()
