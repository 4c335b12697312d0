"""`hourglass-sim run`."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from hourglass_operator.console.terminal import Terminal, styled
from hourglass_simulator import report
from hourglass_simulator.cli.input import scenarios
from hourglass_simulator.cli.parts import Parts, pass_parts
from hourglass_simulator.scenario import Result, ScenarioFile
from hourglass_simulator.scenario import run as play
from hourglass_simulator.scenario.duration import text

NOT_MET = 1

_FILE = click.File("w", encoding="utf-8", lazy=False)


@click.command()
@click.argument(
    "paths", metavar="SCENARIO…", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option("--trace", type=_FILE, help="Write every change and call; same seed, same bytes.")
@click.option("--junit", type=_FILE, help="Write a JUnit XML report, for CI.")
@click.option("--html", type=_FILE, help="Write a page to look at and to share.")
@click.option("--summary", type=_FILE, help="Write a summary in Markdown, for CI.")
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text")
@click.option("-v", "--verbose", is_flag=True, help="Also pods, Events and the operator's writes.")
@pass_parts
def run(
    parts: Parts,
    paths: tuple[Path, ...],
    seed: int,
    trace: IO[str] | None,
    junit: IO[str] | None,
    html: IO[str] | None,
    summary: IO[str] | None,
    output: str,
    verbose: bool,
) -> None:
    """Play scenarios: files, or directories that are searched for *.yaml.

    One scenario shows how each Performer fared, the steps and every change of state; many show
    a line each.

    \b
    Examples:
      hourglass-sim run scenarios/first-performer.yaml
      hourglass-sim run scenarios --seed 7 --trace a.trace
      hourglass-sim run scenarios --junit report.xml --html report.html --summary report.md
      hourglass-sim run scenarios -o json | jq '.[] | select(.met | not)'
    """
    files = scenarios(parts, paths)
    shown = Terminal()
    results = []
    for result in _results(parts, files, seed):
        results.append(result)
        if trace is not None:
            trace.writelines(f"{line}\n" for line in report.trace(result))
        if output == "text":
            _show(shown, result, alone=len(files) == 1, verbose=verbose)
    if junit is not None:
        junit.write(report.junit(results))
    if html is not None:
        html.write(report.html(results))
    if summary is not None:
        summary.write(report.summary(results))
    if output == "json":
        rows = [_row(result) for result in results]
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
    elif len(results) > 1:
        met = sum(result.met for result in results)
        shown.print(f"{met} of {len(results)} scenarios met every expectation (seed {seed})")
    if not all(result.met for result in results):
        sys.exit(NOT_MET)


def _results(parts: Parts, files: list[ScenarioFile], seed: int) -> Iterator[Result]:
    """Play one after the other; on a terminal a bar shows how far it has come."""
    bar = Progress(
        MofNCompleteColumn(),
        BarColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
        console=Console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),
    )
    task = bar.add_task("", total=len(files))
    for file in files:
        bar.update(task, description=file.path)
        # The bar is gone while a result is shown: both may go to the same terminal.
        with bar:
            result = _play(parts, file, seed)
            bar.advance(task)
        yield result


def _play(parts: Parts, file: ScenarioFile, seed: int) -> Result:
    try:
        backend = parts.backend(seed, file.scenario.cluster)
        return play(file, backend, seed)
    except Exception as error:
        error.add_note(f"while {file.path} was played with seed {seed}")
        raise


def _show(shown: Console, result: Result, *, alone: bool, verbose: bool) -> None:
    if alone:
        report.timeline(result, shown, verbose=verbose)
        return
    line = styled("met     ", "green") if result.met else styled("NOT MET ", "bold red")
    line.append_text(styled(result.file, "default"))
    line.append_text(styled(f"  {result.scenario.title}", "dim"))
    line.append(f"  ({text(result.duration)})", "dim")
    shown.print(line, soft_wrap=True)
    for step, failure in result.failures:
        shown.print(styled(f"          {step.where}: {failure}", "red"), soft_wrap=True)


def _row(result: Result) -> dict[str, object]:
    return {
        "file": result.file,
        "scenario": result.scenario.title,
        "seed": result.seed,
        "met": result.met,
        "seconds": result.duration,
        "steps": [
            {
                "where": step.where,
                "text": step.text,
                "started": step.started,
                "ended": step.ended,
                "met": step.met,
                "failures": [
                    {
                        "subject": failure.subject,
                        "expected": failure.expected,
                        "seen": failure.seen,
                    }
                    for failure in step.failures
                ],
            }
            for step in result.steps
        ],
    }
