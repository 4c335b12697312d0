"""A run in the terminal: how each Performer fared, what was done, and what came of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from rich.console import Console
from rich.table import Table
from rich.text import Text

from hourglass_kube.text import harmless
from hourglass_operator.console.terminal import styled
from hourglass_simulator.clock import EPOCH
from hourglass_simulator.report.moments import clock, took
from hourglass_simulator.report.performers import performers_at_end, performers_table
from hourglass_simulator.report.states import state_changes
from hourglass_simulator.report.terminal_lanes import lanes
from hourglass_simulator.scenario.duration import text as duration
from hourglass_simulator.scenario.result import Result, StepResult
from hourglass_simulator.scenario.timeline import Kind

_STYLES: dict[Kind, str] = {
    "step": "bold",
    "failure": "bold red",
    "performer": "cyan",
    "pod": "default",
    "node": "yellow",
    "event": "magenta",
    "write": "dim",
}
_SPEAKERS: dict[Kind, str] = {"write": "operator"}
_LONGEST_STEP = 200
"""Characters of a step; `-v` shows more, and so does `explain`."""


@dataclass(frozen=True, slots=True)
class _Line:
    time: float
    who: Text
    what: Text


def timeline(
    result: Result, out: Console, start: datetime = EPOCH, *, verbose: bool = False
) -> None:
    """Print title, lanes, steps and changes of state, what was not met, and the verdict.

    `verbose`: also pods, Events, the operator's writes, all that messages say, and what kubectl
    prints at the end. `start` is when the cluster's time began.
    """
    out.print(styled(result.scenario.title, "bold"))
    out.print(styled(" ".join(result.scenario.shows.split()), "dim"))
    out.print()
    for lane in lanes(result, out.width):
        out.print(lane)
    out.print()
    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for line in _lines(result, verbose=verbose):
        table.add_row(styled(clock(line.time), "dim"), line.who, line.what)
    out.print(table)
    out.print()
    if verbose:
        # As kubectl's, the rows are as long as they are.
        out.print(*_performers(result, start), sep="\n", soft_wrap=True)
        out.print()
    # To be searched for: no line of them is broken.
    out.print(*_failures(result), _verdict(result), sep="\n", soft_wrap=True)


def _lines(result: Result, *, verbose: bool) -> list[_Line]:
    """Steps before what happens at the same time, which mostly comes of them."""
    shown = [
        _Line(step.started, styled(f"step {number}", "bold"), _step(step, verbose=verbose))
        for number, step in enumerate(result.steps, 1)
    ]
    shown += _entries(result, None if verbose else ("node",))
    if not verbose:
        shown += [
            _Line(change.time, _who("performer"), _what("performer", change.performer, change.text))
            for change in state_changes(result.records)
        ]
    return sorted(shown, key=lambda line: line.time)


def _entries(result: Result, kinds: tuple[Kind, ...] | None) -> Iterator[_Line]:
    """Of these kinds, by default of all; what steps are and fail in is shown with them."""
    for entry in result.timeline:
        if entry.kind not in ("step", "failure") and (kinds is None or entry.kind in kinds):
            what = _what(entry.kind, entry.subject, entry.text)
            yield _Line(entry.time, _who(entry.kind), what)


def _step(step: StepResult, *, verbose: bool) -> Text:
    said = step.text
    if len(said) > _LONGEST_STEP and not verbose:
        said = said[:_LONGEST_STEP].rpartition(" ")[0] + " …"
    text = styled(said, "bold")
    seconds = step.ended - step.started
    after = f" after {took(seconds)}" if seconds else ""
    if not step.met:
        text.append_text(styled(f" – NOT MET{after}", "bold red"))
    elif seconds:
        text.append_text(styled(f" – met{after}", "green"))
    return text


def _performers(result: Result, start: datetime) -> Iterator[Text]:
    """`kubectl get performers -A -o wide` as it stands at the end."""
    performers = performers_at_end(result.records)
    yield styled("$ kubectl get performers -A -o wide", "bold")
    if not performers:
        yield styled("No resources found")
        return
    found = performers_table(performers, start + timedelta(seconds=result.duration))
    cells = [[harmless(cell) for cell in row] for row in found]
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    for row in cells:
        padded = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield styled("   ".join(padded).rstrip())


def _who(kind: Kind) -> Text:
    return styled(_SPEAKERS.get(kind, kind), _STYLES[kind])


def _what(kind: Kind, subject: str, text: str) -> Text:
    style = _STYLES[kind]
    return styled(f"{subject}: ", "bold " + style).append_text(styled(text, style))


def _failures(result: Result) -> Iterator[Text]:
    numbers = {step.where: number for number, step in enumerate(result.steps, 1)}
    for step, failure in result.failures:
        yield styled(
            f"NOT MET at {clock(step.ended)}, step {numbers[step.where]} ({step.where}): {failure}",
            "bold red",
        )


def _verdict(result: Result) -> Text:
    length = f"{duration(result.duration)} of virtual time, seed {result.seed}"
    if result.met:
        return styled(f"met: every expectation ({length})", "bold green")
    count = len(result.failures)
    return styled(f"NOT MET: {count} expectation{'s' * (count != 1)} ({length})", "bold red")
