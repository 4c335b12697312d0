"""`hourglass-sim search`."""

import json
import sys
import time
from collections.abc import Iterable, Iterator
from itertools import chain, count
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from hourglass_operator.console.terminal import Terminal, styled
from hourglass_simulator.cli.input import scenarios
from hourglass_simulator.cli.parts import Parts, pass_parts
from hourglass_simulator.scenario import ScenarioFile
from hourglass_simulator.scenario.duration import parse
from hourglass_simulator.search.plan import read_plan
from hourglass_simulator.search.play import play
from hourglass_simulator.search.session import Progress, smallest, workers, write
from hourglass_simulator.search.tasks import PARTS, Found, OfFile, OfSeeds, Shard, Task, of_seeds

FOUND = 1
_AT_ONCE = 20
"""Random plans of a task."""
_SEEDS = (0, 500)
_BETWEEN_LINES = 10.0
"""Seconds between two lines of progress."""


class _Seeds(click.ParamType[tuple[int, int]]):
    name = "A..B"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[int, int]:
        """Numbers from A to before B."""
        first, dots, last = str(value).partition("..")
        if dots and first.isdigit() and last.isdigit() and int(first) < int(last):
            return int(first), int(last)
        return self.fail(f"{value!r}: expected A..B with A < B, such as 0..1000", param, ctx)


class _Shard(click.ParamType[Shard]):
    name = "I/N"

    def convert(self, value: Any, param: Any, ctx: Any) -> Shard:
        """Part I, counted from 0, of N."""
        if isinstance(value, Shard):
            return value
        index, slash, of = str(value).partition("/")
        if slash and index.isdigit() and of.isdigit() and int(index) < int(of):
            return Shard(int(index), int(of))
        return self.fail(f"{value!r}: expected I/N with I from 0 to N-1, such as 0/4", param, ctx)


class _Duration(click.ParamType[float]):
    name = "DURATION"

    def convert(self, value: Any, param: Any, ctx: Any) -> float:
        """Seconds."""
        try:
            return value if isinstance(value, float) else parse(value)
        except ValueError as error:
            return self.fail(str(error), param, ctx)


@click.command()
@click.argument("paths", metavar="[SCENARIO…]", nargs=-1, type=click.Path(path_type=Path))
@click.option("--seeds", type=_Seeds(), help="Random plans of these numbers, B left out.")
@click.option("--for", "seconds", type=_Duration(), help="Random plans for so long, such as 10m.")
@click.option(
    "--only", type=click.Choice(sorted(PARTS)), multiple=True, help="Of the single troubles."
)
@click.option("--plan", type=click.Path(path_type=Path), help="Play this plan again, as found.")
@click.option("--seed", type=click.IntRange(min=0), default=0, help="Of --plan.")
@click.option("--jobs", type=click.IntRange(min=1), default=1, show_default=True)
@click.option("--shard", type=_Shard(), default=Shard(), help="Only part I of N, from 0/N on.")
@click.option("--shrink/--no-shrink", default=True, help="Whether findings are made small.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="For what is found.")
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text")
@pass_parts
def search(
    parts: Parts,
    paths: tuple[Path, ...],
    seeds: tuple[int, int] | None,
    seconds: float | None,
    only: tuple[str, ...],
    plan: Path | None,
    seed: int,
    jobs: int,
    shard: Shard,
    shrink: bool,
    out: Path | None,
    output: str,
) -> None:
    """Look for what goes wrong that nobody has thought of.

    Scenario files are played with each single trouble: a crash around each write, an error for each
    call, each event missed, late and doubled. Without files, plans are made by chance.

    \b
    Examples:
      hourglass-sim search scenarios/rolling-upgrade.yaml
      hourglass-sim search --seeds 0..20000 --jobs 8 --out found
      hourglass-sim search --for 10m -o json | jq 'select(.finding)'
      hourglass-sim search --plan found/001-serving.yaml
    """
    report = _Report(output, out, shrink=shrink)
    if plan is not None:
        (file,) = scenarios(parts, [plan])
        sys.exit(report.again(file, seed))
    if seeds is not None and seconds is not None:
        raise click.UsageError("--seeds and --for exclude each other")
    files = scenarios(parts, paths)
    order = tuple(part for part in PARTS if part in only or not only)
    tasks: Iterable[Task] = [OfFile(file.path, order) for file in files]
    if seconds is not None:
        tasks = chain(tasks, _until(time.monotonic() + seconds))
    elif seeds is not None or not files:
        tasks = chain(tasks, of_seeds(*(seeds or _SEEDS), _AT_ONCE))
    with workers(jobs, shard) as do_all:
        for done in do_all(tasks):
            for found in report.progress.take_in(done):
                report.found(found)
            report.goes_on()
    sys.exit(report.end())


def _until(end: float) -> Iterator[Task]:
    """Random plans one after the other, until then."""
    for first in count(0, _AT_ONCE):
        if time.monotonic() >= end:
            return
        yield OfSeeds(first, first + _AT_ONCE)


class _Report:
    """What the user sees of a search; what is found is written to `out`, if there is one."""

    def __init__(self, output: str, out: Path | None, *, shrink: bool) -> None:
        self.progress = Progress()
        self._json = output == "json"
        self._out = out
        self._shrink = shrink
        self._shown: Console = Terminal()
        self._errors = Console(stderr=True, highlight=False)
        self._last = time.monotonic()

    def found(self, found: Found) -> None:
        """A finding of a new kind."""
        self.goes_on(now=True)
        found = smallest(found) if self._shrink else found
        file = None
        if self._out is not None:
            self._out.mkdir(parents=True, exist_ok=True)
            file = write(found, self._out)
        self._print(found, file)

    def goes_on(self, *, now: bool = False) -> None:
        """Say now and then how far it is."""
        if now or time.monotonic() - self._last > _BETWEEN_LINES:
            self._last = time.monotonic()
            if self._json:
                click.echo(json.dumps({"progress": self._counts()}))
            else:
                self._errors.print(self._line())

    def end(self) -> int:
        """Say what came of it; the exit code."""
        if self._json:
            click.echo(json.dumps({"end": self._counts()}))
        else:
            self._shown.print(self._line())
        return FOUND if self.progress.kinds else 0

    def again(self, file: ScenarioFile, seed: int) -> int:
        """Play what was found again."""
        plan = read_plan(file.scenario)
        if plan is None:
            text = f"{file.path}: no plan: each step of a plan has `at`, and none checks anything"
            raise click.UsageError(text)
        played = play(plan, seed)
        self.progress.plans = 1
        if played.findings:
            self.progress.kinds = {("", ""): 1}
            self._print(Found(plan, seed, file.path, played.findings), None)
        return self.end()

    def _print(self, found: Found, file: Path | None) -> None:
        if self._json:
            first = found.findings[0]
            row = {
                "oracle": first.oracle,
                "subject": first.subject,
                "expected": first.expected,
                "seen": first.seen,
                "time": first.time,
                "origin": found.origin,
                "seed": found.seed,
                "file": None if file is None else str(file),
                "plan": list(found.plan.operations()),
            }
            click.echo(json.dumps({"finding": row}, ensure_ascii=False))
            return
        for finding in found.findings[:3]:
            line = styled(f"{finding.time:9.3f} s  ", "dim")
            line.append_text(styled(str(finding), "red"))
            self._shown.print(line, soft_wrap=True)
        where = f"{found.origin}, seed {found.seed}" + (f" → {file}" if file else "")
        self._shown.print(styled(f"             {where}", "dim"), soft_wrap=True)
        for at, name, arguments in found.plan.operations():
            text = f"{at:13.3f}  {name} {json.dumps(arguments, ensure_ascii=False)}"
            self._shown.print(styled(text, "default"), soft_wrap=True)

    def _counts(self) -> dict[str, object]:
        progress = self.progress
        return {
            "plans": progress.plans,
            "rate": round(progress.rate, 1),
            "coverage": len(progress.coverage),
            "findings": len(progress.kinds),
        }

    def _line(self) -> str:
        counts = self._counts()
        return (
            f"{counts['plans']} plans, {counts['rate']} a second, {counts['coverage']} situations, "
            f"{counts['findings']} kinds of findings"
        )
