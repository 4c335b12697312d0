"""Which planted bugs the search finds, by which oracle, after how many plans.

python benchmarks/planted.py [--seconds 40] [--jobs 2] [NAME…]

Each file of `planted/` is a small patch of the operator: its first line says of which class the bug
is, and what. The patched operator is searched in a process of its own, by plans alone, until the
CPU seconds are over: by turns a scenario file without its checks and a random plan, then a file
with a single trouble and a random plan.
"""

import argparse
import json
import os
import pickle
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from threading import Lock

from hourglass_simulator.garbage_collector import raise_gc_thresholds
from hourglass_simulator.search.census import Census
from hourglass_simulator.search.chance import random_plan
from hourglass_simulator.search.draw import Draw
from hourglass_simulator.search.plan import Plan
from hourglass_simulator.search.play import play
from hourglass_simulator.search.systematic import single
from hourglass_simulator.search.tasks import read

ROOT = Path(__file__).parents[1]
FOLDER = Path(__file__).parent / "planted"
SOURCES = ("kube", "operator", "statemachine")
_ONE_AT_A_TIME = Lock()
"""All plays of a process share the operator's log."""
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
    parser.add_argument("--seconds", type=float, default=40.0, help="of CPU for each bug at most")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--hunt", type=Path, nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.hunt:
        plans, hit = options.hunt
        json.dump(hunt(options.seconds, pickle.loads(plans.read_bytes()), hit), sys.stdout)
        return
    names = options.names or sorted(path.stem for path in FOLDER.glob("*.patch"))
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(options.jobs) as pool:
        # Made by the operator as it is: a bug must not change the plans.
        plans = Path(folder) / "plans"
        plans.write_bytes(pickle.dumps(read_plans()))
        hunts = list(pool.map(lambda name: planted(name, options.seconds, plans), names))
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


def read_plans() -> dict[str, Plan]:
    """The plans of all scenario files, by their names, one of each folder after the other.

    Neighbours in a folder show much the same. What shows something without any bug is left out.
    """
    folder = ROOT / "scenarios"
    places: Counter[Path] = Counter()
    order = []
    for path in sorted(folder.rglob("*.yaml")):
        order.append((places[path.parent], path))
        places[path.parent] += 1
    found = {str(path.relative_to(folder)): read(path) for _, path in sorted(order)}
    return {name: plan for name, plan in found.items() if not play(plan).findings}


def planted(name: str, seconds: float, plans: Path) -> Hunt:
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
        hit = Path(folder) / "hit"
        path = os.pathsep.join(str(Path(folder) / source) for source in SOURCES)
        answer = subprocess.run(
            [sys.executable, __file__, "--hunt", str(plans), str(hit), "--seconds", str(seconds)],
            env={**os.environ, "PYTHONPATH": path},
            stdout=subprocess.PIPE,
            check=True,
        )
        hunted = Hunt(name, kind, **json.loads(answer.stdout))
        if hunted.oracle and _shows_something(hit):
            print(f"{name}: {hunted.origin} finds something without the bug too", flush=True)
            hunted = replace(hunted, oracle="")
    by = f"{hunted.oracle} ({hunted.origin})" if hunted.oracle else "NOT FOUND"
    print(f"{name:<36}{hunted.plans:>6} plans {hunted.seconds:>6.1f} s  {by}", flush=True)
    return hunted


def _shows_something(hit: Path) -> bool:
    """Whether a plan has findings with the operator as it is."""
    with _ONE_AT_A_TIME:
        return bool(play(*pickle.loads(hit.read_bytes())).findings)


def hunt(seconds: float, plans: dict[str, Plan], hit: Path) -> dict[str, object]:
    """Search until something is found or the time is over; runs in the patched process.

    The plan that shows it, and its seed, are written to `hit`.
    """
    raise_gc_thresholds()
    began = time.process_time()
    censuses = {path: Census() for path in plans}
    for number, (origin, plan, seed) in enumerate(_in_turn(plans, censuses), 1):
        findings = play(plan, seed, censuses.get(origin)).findings
        took = time.process_time() - began
        if findings:
            hit.write_bytes(pickle.dumps((plan, seed)))
            return _row(number, took, findings[0].oracle, str(findings[0]), origin)
        if took > seconds:
            break
    return _row(number, took, "", "", "")


def _in_turn(
    plans: dict[str, Plan], censuses: dict[str, Census]
) -> Iterator[tuple[str, Plan, int]]:
    """A file as it is, a random plan, and so on; when all were played, each with some trouble."""
    unchanged = ((path, plan, 0) for path, plan in plans.items())
    for number, each in enumerate(chain(unchanged, _struck(plans, censuses))):
        yield each
        yield f"seed {number}", random_plan(number), number


def _struck(plans: dict[str, Plan], censuses: dict[str, Census]) -> Iterator[tuple[str, Plan, int]]:
    """Single troubles, one of each file in turn, drawn by chance."""
    draw = Draw("planted")
    troubles = {path: tuple(single(plan, censuses[path])) for path, plan in plans.items()}
    while True:
        for path, among in troubles.items():
            yield f"{path}, struck", draw.one(among), 0


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
