"""The picture of a run in the terminal: a line for each Performer, a character for a while."""

from collections.abc import Iterator

from rich.text import Text

from hourglass_operator.console.terminal import styled
from hourglass_simulator.report.picture import last, marks, tick_distance
from hourglass_simulator.report.spans import Span, spans
from hourglass_simulator.scenario.duration import text as duration
from hourglass_simulator.scenario.result import Result

_PHASES = {
    "Pending": ("░", "yellow"),
    "Running": ("█", "green"),
    "Upgrading": ("▒", "cyan"),
    "Failed": ("×", "bold red"),
    "Terminating": ("–", "dim"),
}
_DEGRADED = ("▓", "magenta")
_WIDEST = 120
_NARROWEST = 20
_TICK_WIDTH = 9


def lanes(result: Result, width: int) -> Iterator[Text]:
    """Lines of at most `width` characters, except the key, and where names leave no room."""
    found = spans(result.records, result.duration)
    performers = list(dict.fromkeys(span.performer for span in found))
    if not performers:
        return
    namespaces = {performer.partition("/")[0] for performer in performers}
    names = {
        performer: performer.partition("/")[2] if len(namespaces) == 1 else performer
        for performer in performers
    }
    margin = max(len("steps"), *map(len, names.values())) + 2
    room = max(min(width, _WIDEST) - margin, _NARROWEST)
    end = last(result)
    yield styled("steps".ljust(margin), "dim").append_text(_marks(result, room, end))
    for performer, name in names.items():
        mine = [span for span in found if span.performer == performer]
        yield styled(name.ljust(margin)).append_text(_lane(mine, room, end))
    yield styled(" " * margin + _axis(room, end), "dim")
    yield _key(found)


def _lane(mine: list[Span], room: int, end: float) -> Text:
    """Of what falls into the same character, the last is shown; what is over too soon may hide."""
    cells: list[Span | None] = [None] * room
    for span in mine:
        first = int(room * span.start / end)
        after = int(room * min(span.end, end) / end)
        for cell in range(first, min(max(after, first + 1), room)):
            cells[cell] = span
    line = Text()
    for found in cells:
        line.append_text(styled(*_look(found)) if found else styled(" "))
    line.rstrip()
    return line


def _look(span: Span) -> tuple[str, str]:
    if span.standing.degraded and span.standing.phase == "Running":
        return _DEGRADED
    return _PHASES[span.standing.phase]


def _marks(result: Result, room: int, end: float) -> Text:
    """The numbers of the steps where they begin; those without room are left to the list below."""
    line, column = Text(), 0
    for numbers in marks(result, end, apart=100 * 3 / room):
        label = f"{numbers[0]}–{numbers[-1]}" if len(numbers) > 1 else str(numbers[0])
        steps = [result.steps[number - 1] for number in numbers]
        at = min(int(room * min(steps[0].started, end) / end), room - len(label))
        if at >= column:
            style = "bold" if all(step.met for step in steps) else "bold red"
            line.append(" " * (at - column)).append_text(styled(label, style))
            column = at + len(label) + 1
            line.append(" ")
    line.rstrip()
    return line


def _axis(room: int, end: float) -> str:
    apart = tick_distance(end, max(room // _TICK_WIDTH, 1))
    line = ""
    for number in range(int(end / apart) + 1):
        label = duration(number * apart)
        at = int(room * number * apart / end)
        if len(line) <= at <= room - len(label):
            line = line.ljust(at) + label + " "
    return line.rstrip()


def _key(found: list[Span]) -> Text:
    line = Text()
    for phase, look in _PHASES.items():
        if any(_look(span) == look for span in found):
            line.append_text(styled(*look)).append(f" {phase}  ", "dim")
    if any(_look(span) == _DEGRADED for span in found):
        line.append_text(styled(*_DEGRADED)).append(" Running, degraded", "dim")
    line.rstrip()
    return line
