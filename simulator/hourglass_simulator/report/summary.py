"""A summary in Markdown, for the pages of CI, such as GitHub's job summaries."""

import re
from collections.abc import Sequence

from hourglass_kube.text import harmless
from hourglass_simulator.scenario.duration import text
from hourglass_simulator.scenario.result import Result


def summary(results: Sequence[Result]) -> str:
    """A table of the scenarios, and of those that failed what was expected and what was seen.

    https://github.github.com/gfm/
    """
    met = sum(result.met for result in results)
    lines = [
        f"## {met} of {len(results)} scenarios met every expectation",
        "",
        "| | scenario | file | virtual time | seed |",
        "|---|---|---|---|---|",
    ]
    for result in results:
        cells = (
            "met" if result.met else "**NOT MET**",
            _plain(result.scenario.title),
            _plain(result.file),
            text(result.duration),
            str(result.seed),
        )
        lines.append(f"| {' | '.join(cells)} |")
    for result in results:
        if not result.met:
            lines += ["", f"### {_plain(result.file)}", ""]
            lines += [f"- {_plain(f'{at.where}: {failure}')}" for at, failure in result.failures]
    return "\n".join(lines) + "\n"


def _plain(words: str) -> str:
    """A text that Markdown takes for nothing but a text, in one line."""
    one_line = " ".join(harmless(words).split())
    return re.sub(r"([\\`*_{}\[\]<>#|~&@!])", r"\\\1", one_line)
