"""The picture of a run: a lane for each Performer, the steps above them, the time below."""

from collections.abc import Iterator

from hourglass_simulator.report.markup import escape
from hourglass_simulator.report.moments import clock
from hourglass_simulator.report.picture import last, marks, tick_distance
from hourglass_simulator.report.spans import Span, spans
from hourglass_simulator.scenario.duration import text as duration
from hourglass_simulator.scenario.result import Result

_MOST_TICKS = 8
_MARKS_APART = 2.5
"""Steps closer than so many hundredths of the width share a mark."""


def lanes(result: Result, prefix: str) -> Iterator[str]:
    """HTML; marks link to the steps, whose ids are the prefix and their number from 1."""
    end = last(result)
    yield '<div class="lanes"><b class="faint">steps</b><div class="marks">'
    yield from _marks(result, prefix, end)
    yield "</div>"
    found = spans(result.records, result.duration)
    for performer in dict.fromkeys(span.performer for span in found):
        yield f'<b>{escape(performer)}</b><div class="lane">'
        yield from (_bar(span, end) for span in found if span.performer == performer)
        yield "</div>"
    yield f'<b></b><div class="axis">{"".join(_ticks(end))}</div></div>'
    if end < result.duration:
        yield f'<p class="faint">All quiet from then on, until {duration(result.duration)}.</p>'


def _bar(span: Span, end: float) -> str:
    standing = span.standing
    title = f"{standing.phase} ({standing.reason})" if standing.reason else standing.phase
    if standing.degraded:
        title += f", degraded: {standing.degraded}"
    label = standing.degraded or (standing.phase if standing.phase == "Running" else title)
    left = 100 * min(span.start, end) / end
    width = max(100 * (min(span.end, end) - min(span.start, end)) / end, 0.25)
    classes = f"{standing.phase} degraded" if standing.degraded else standing.phase
    return (
        f'<span class="{escape(classes)}" style="left:{left:.3f}%;width:{width:.3f}%" '
        f'title="{escape(title)}, {clock(span.start)} to {clock(span.end)}">{escape(label)}</span>'
    )


def _marks(result: Result, prefix: str, end: float) -> Iterator[str]:
    for numbers in marks(result, end, _MARKS_APART):
        steps = [result.steps[number - 1] for number in numbers]
        label = f"{numbers[0]}–{numbers[-1]}" if len(numbers) > 1 else str(numbers[0])
        title = "; ".join(f"{clock(step.started)} {step.text}" for step in steps)
        bad = "" if all(step.met for step in steps) else ' class="not"'
        left = 100 * min(steps[0].started, end) / end
        yield (
            f'<a{bad} href="#{prefix}{numbers[0]}" style="left:{left:.3f}%" '
            f'title="{escape(title)}">{label}</a>'
        )


def _ticks(end: float) -> Iterator[str]:
    apart = tick_distance(end, _MOST_TICKS)
    count = int(end / apart)
    for number in range(count + 1):
        left = 100 * number * apart / end
        # A label at the edge would stick out.
        edge = ' class="end"' if left > 97 else ""
        yield f'<span{edge} style="left:{left:.3f}%">{duration(number * apart)}</span>'
