"""An HTML page to share: one file, no scripts, nothing loaded from elsewhere."""

from collections.abc import Iterable, Iterator
from html import escape

from hourglass_simulator.report.spans import Span, spans
from hourglass_simulator.report.terminal import clock
from hourglass_simulator.scenario.duration import text as duration
from hourglass_simulator.scenario.result import Result

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --bad: #c62828; --good: #2e7d32;
  --Pending: #9e9e9e; --Running: #2e7d32; --Upgrading: #1565c0; --Terminating: #6d4c41;
  --Failed: #c62828; }
@media (prefers-color-scheme: dark) { :root { --bad: #ef9a9a; --good: #a5d6a7; } }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.15rem; margin: 2.5rem 0 .3rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .25rem .6rem; border-bottom: 1px solid var(--line);
  vertical-align: top; }
td.time { font-variant-numeric: tabular-nums; text-align: right; white-space: nowrap; }
.met { color: var(--good); } .not { color: var(--bad); font-weight: 600; }
.lane { display: flex; align-items: center; gap: .6rem; margin: .25rem 0; }
.lane b { flex: 0 0 14rem; font-weight: 500; overflow-wrap: anywhere; }
.lane svg { flex: 1; height: 1.6rem; border-radius: 4px; }
summary { cursor: pointer; margin: .4rem 0; }
.key span { display: inline-block; padding: 0 .5rem; margin-right: .4rem; border-radius: 4px;
  color: #fff; font-size: .85rem; }
tr.step td { font-weight: 600; } tr.write td { opacity: .65; }
@media print { details { display: block; } }
"""
_PHASES = ("Pending", "Running", "Upgrading", "Failed", "Terminating")


def html(results: Iterable[Result]) -> str:
    """A page with a summary and, for each scenario, lanes of phases, steps and a timeline."""
    played = list(results)
    met = sum(result.met for result in played)
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{met} of {len(played)} scenarios met</title><style>{_STYLE}</style></head><body>",
        "<h1>Hourglass scenarios</h1>",
        f'<p><span class="{"met" if met == len(played) else "not"}">{met} of {len(played)} met'
        " every expectation</span>. Times are of the virtual clock.</p>",
        '<p class="key">',
        *(f'<span style="background: var(--{phase})">{phase}</span>' for phase in _PHASES),
        "</p>",
        *_summary(played),
        *(line for index, result in enumerate(played) for line in _scenario(index, result)),
        "</body></html>",
    ]
    return "\n".join([*parts, ""])


def _summary(results: list[Result]) -> Iterator[str]:
    yield "<table><thead><tr><th>Scenario</th><th>Verdict</th><th>Time</th></tr></thead><tbody>"
    for index, result in enumerate(results):
        yield (
            f'<tr><td><a href="#s{index}">{escape(result.scenario.title)}</a></td>'
            f"<td>{_verdict(result.met)}</td>"
            f'<td class="time">{escape(duration(result.duration))}</td></tr>'
        )
    yield "</tbody></table>"


def _scenario(index: int, result: Result) -> Iterator[str]:
    yield f'<section id="s{index}"><h2>{escape(result.scenario.title)} {_verdict(result.met)}</h2>'
    yield f"<p>{escape(' '.join(result.scenario.shows.split()))}</p>"
    lanes = spans(result.records, result.duration)
    for performer in dict.fromkeys(span.performer for span in lanes):
        yield _lane(performer, [s for s in lanes if s.performer == performer], result.duration)
    yield "<table><tbody>"
    for step in result.steps:
        yield (
            f'<tr><td class="time">{clock(step.started)}</td><td>{escape(step.text)}</td>'
            f"<td>{_verdict(step.met)}</td></tr>"
        )
        for failure in step.failures:
            yield f'<tr><td></td><td class="not" colspan="2">{escape(str(failure))}</td></tr>'
    yield "</tbody></table>"
    yield f"<details><summary>Timeline ({len(result.timeline)} entries)</summary><table><tbody>"
    for entry in result.timeline:
        yield (
            f'<tr class="{entry.kind}"><td class="time">{clock(entry.time)}</td>'
            f"<td>{escape(entry.kind)}</td><td>{escape(entry.subject)}</td>"
            f"<td>{escape(entry.text)}</td></tr>"
        )
    yield f"</tbody></table></details><p><small>{escape(result.file)}, seed {result.seed}</small>"
    yield "</p></section>"


def _lane(performer: str, of_it: list[Span], end: float) -> str:
    """Phases as a bar; each part says its phase, reason and time when pointed at."""
    bars = "".join(
        f'<rect x="{100 * span.start / end:.3f}" y="0" height="10" '
        f'width="{max(100 * (span.end - span.start) / end, 0.15):.3f}" '
        f'fill="var(--{span.phase})"><title>{escape(span.phase)}'
        f"{escape(f' ({span.reason})' if span.reason else '')}: {clock(span.start)} to "
        f"{clock(span.end)}</title></rect>"
        for span in of_it
    )
    told = ", ".join(dict.fromkeys(span.phase for span in of_it))
    return (
        f'<div class="lane"><b>{escape(performer)}</b><svg viewBox="0 0 100 10" '
        f'preserveAspectRatio="none" role="img" aria-label="{escape(told)}">{bars}</svg></div>'
    )


def _verdict(met: bool) -> str:
    return '<span class="met">met</span>' if met else '<span class="not">not met</span>'
