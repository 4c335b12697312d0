"""The timeline of a run in the terminal: who did what when."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from hourglass_kube.text import harmless
from hourglass_operator.console.terminal import styled
from hourglass_simulator.clock import EPOCH
from hourglass_simulator.report.performers import performers_at_end, performers_table
from hourglass_simulator.scenario.duration import text as duration
from hourglass_simulator.scenario.result import Result
from hourglass_simulator.scenario.timeline import Entry

_STYLES = {
    "step": "bold",
    "failure": "bold red",
    "performer": "cyan",
    "pod": "default",
    "node": "yellow",
    "event": "magenta",
    "write": "dim",
}
_SPEAKERS = {"step": "scenario", "failure": "NOT MET", "write": "operator"}


def timeline(result: Result, out: Console, start: datetime = EPOCH) -> None:
    """Print title, every entry with its time, how the Performers stand, and the verdict.

    `start` is when the cluster's time began.
    """
    heading = styled(result.scenario.title, "bold")
    about = styled(" ".join(result.scenario.shows.split()), "dim")
    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for entry in result.timeline:
        table.add_row(styled(clock(entry.time), "dim"), _who(entry), _what(entry))
    out.print(Group(heading, about, styled(""), table, styled("")))
    # As kubectl's, the rows are as long as they are.
    out.print(*_performers(result, start), sep="\n", soft_wrap=True)
    out.print(Group(styled(""), _verdict(result)))


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


def clock(seconds: float) -> str:
    """A moment as `1h02:03.456` or `2:03.456`."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}h{minutes:02}:{rest:06.3f}" if hours else f"{minutes}:{rest:06.3f}"


def _who(entry: Entry) -> Text:
    return styled(_SPEAKERS.get(entry.kind, entry.kind), _STYLES[entry.kind])


def _what(entry: Entry) -> Text:
    style = _STYLES[entry.kind]
    if entry.kind in ("step", "failure"):
        return styled(entry.text, style)
    return styled(f"{entry.subject}: ", "bold " + style).append_text(styled(entry.text, style))


def _verdict(result: Result) -> Text:
    took = f"{duration(result.duration)} of virtual time, seed {result.seed}"
    if result.met:
        return styled(f"met: every expectation ({took})", "bold green")
    count = len(result.failures)
    return styled(f"NOT MET: {count} expectation{'s' * (count != 1)} ({took})", "bold red")
