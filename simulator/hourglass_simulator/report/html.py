"""An HTML page to share: one file, no scripts, nothing loaded from elsewhere."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import timedelta

from hourglass_kube.types import JSON
from hourglass_simulator.clock import EPOCH
from hourglass_simulator.report.lanes import lanes
from hourglass_simulator.report.markup import escape
from hourglass_simulator.report.moments import clock
from hourglass_simulator.report.performers import performers_at_end, performers_table
from hourglass_simulator.report.style import STYLE
from hourglass_simulator.scenario.duration import text as duration
from hourglass_simulator.scenario.history import key_of
from hourglass_simulator.scenario.result import Result
from hourglass_simulator.scenario.timeline import Kind

_PHASES = ("Pending", "Running", "Upgrading", "Failed", "Terminating")
_KINDS: dict[Kind, str] = {
    "step": "steps",
    "performer": "Performers",
    "pod": "pods",
    "node": "nodes",
    "event": "Events",
    "write": "the operator's writes",
}


def html(results: Iterable[Result]) -> str:
    """A page with a summary and, for each scenario, lanes of phases, steps and a timeline."""
    played = list(results)
    met = sum(result.met for result in played)
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{met} of {len(played)} scenarios met</title><style>{STYLE}</style></head><body>",
        "<h1>Hourglass scenarios</h1>",
        f'<p><span class="{"met" if met == len(played) else "not"}">{met} of {len(played)} met'
        " every expectation</span>. Times are of the virtual clock.</p>",
        '<p class="key">',
        *(f'<span class="{phase}">{phase}</span>' for phase in _PHASES),
        '<span class="degraded">degraded, but functional</span></p>',
        *_summary(played),
        *(line for index, result in enumerate(played) for line in _scenario(index, result)),
        "</body></html>",
    ]
    return "\n".join([*parts, ""])


def _summary(results: list[Result]) -> Iterator[str]:
    yield _head("Scenario", "Verdict", "Time")
    for index, result in enumerate(results):
        yield (
            f'<tr><td><a href="#s{index}">{escape(result.scenario.title)}</a>'
            f'<br><small class="faint">{escape(result.file)}</small></td>'
            f'<td class="verdict">{_verdict(result.met)}</td>'
            f'<td class="time">{escape(duration(result.duration))}</td></tr>'
        )
    yield "</tbody></table>"


def _scenario(index: int, result: Result) -> Iterator[str]:
    prefix = f"s{index}-"
    yield f'<section id="s{index}"><h2>{escape(result.scenario.title)} {_verdict(result.met)}</h2>'
    yield f"<p>{escape(' '.join(result.scenario.shows.split()))}</p>"
    yield from lanes(result, prefix)
    yield from _steps(result, prefix)
    yield from _conditions(result)
    yield from _timeline(result)
    yield f'<p class="faint">{escape(result.file)}, seed {result.seed}</p></section>'


def _steps(result: Result, prefix: str) -> Iterator[str]:
    yield _head("#", "Time", "Step", "Verdict")
    for number, step in enumerate(result.steps, 1):
        yield (
            f'<tr id="{prefix}{number}"><td class="time">{number}</td>'
            f'<td class="time">{clock(step.started)}</td><td>{escape(step.text)}</td>'
            f'<td class="verdict">{_verdict(step.met)}</td></tr>'
        )
        for failure in step.failures:
            yield f'<tr><td></td><td></td><td class="not" colspan="2">{escape(str(failure))}</td>'
            yield "</tr>"
    yield "</tbody></table>"


def _conditions(result: Result) -> Iterator[str]:
    """What `kubectl get` and `kubectl describe` would print at the end."""
    performers = performers_at_end(result.records)
    yield "<details><summary>Performers at the end</summary>"
    if not performers:
        yield "<p>None is left.</p></details>"
        return
    headings, *rows = performers_table(performers, EPOCH + timedelta(seconds=result.duration))
    yield '<div class="wide">' + _head(*headings)
    for row in rows:
        yield f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>"
    yield "</tbody></table></div>"
    yield '<div class="wide">' + _head("Performer", "Condition", "Status", "Reason", "Message")
    for performer in performers:
        yield from _conditions_of(performer)
    yield "</tbody></table></div></details>"


def _conditions_of(performer: JSON) -> Iterator[str]:
    conditions = performer.get("status", {}).get("conditions", ())
    name = escape("/".join(key_of(performer)))
    heading = f'<th scope="rowgroup" rowspan="{len(conditions)}">{name}</th>'
    for condition in conditions:
        cells = (str(condition.get(key, "")) for key in ("type", "status", "reason", "message"))
        yield f"<tr>{heading}{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"
        heading = ""


def _timeline(result: Result) -> Iterator[str]:
    counts = Counter(entry.kind for entry in result.timeline)
    yield '<details class="timeline">'
    yield f"<summary>Timeline ({len(result.timeline)} entries)</summary>"
    yield '<fieldset class="filter"><legend class="faint">Show</legend>'
    for kind, label in _KINDS.items():
        if counts[kind]:
            yield (
                f'<label><input type="checkbox" class="show-{kind}" checked> '
                f"{label} ({counts[kind]})</label>"
            )
    yield "</fieldset>" + _head("Time", "What", "Which", "What happened")
    for entry in result.timeline:
        yield (
            f'<tr class="{entry.kind}"><td class="time">{clock(entry.time)}</td>'
            f'<td class="kind">{escape(entry.kind)}</td><td>{escape(entry.subject)}</td>'
            f"<td>{escape(entry.text)}</td></tr>"
        )
    yield "</tbody></table></details>"


def _head(*headings: str) -> str:
    cells = "".join(f'<th scope="col">{escape(heading)}</th>' for heading in headings)
    return f"<table><thead><tr>{cells}</tr></thead><tbody>"


def _verdict(met: bool) -> str:
    return '<span class="met">met</span>' if met else '<span class="not">not met</span>'
