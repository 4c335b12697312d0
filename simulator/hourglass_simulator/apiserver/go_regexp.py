"""Regular expressions of Go, which are those of RE2.

https://pkg.go.dev/regexp/syntax

Most of them mean the same in Python, whose `re` is fast; the others are matched by the RE2 of the
CEL library.
"""

import re
from functools import cache
from typing import Protocol

from cel_expr_python import cel  # type: ignore[import-untyped]

from hourglass_simulator.apiserver.cel_environment import evaluating_environment

_NOT_PYTHON = re.compile(r"\[\[:|\(\?(?!:)|\\[pPzQCx]|\$(?!$)")
_IN_GO = (
    ("missing ]", "missing closing ]"),
    ("missing )", "missing closing )"),
    ("invalid perl operator", "invalid or unsupported Perl syntax"),
    ("no argument for repetition operator", "missing argument to repetition operator"),
    ("bad repetition operator", "invalid nested repetition operator"),
    ("invalid repetition size", "invalid repeat count"),
    ("invalid named capture group", "invalid named capture"),
)
_INVALID = "invalid regular expression: "


class Pattern(Protocol):
    """What is left of a compiled expression: whether it is found in a text."""

    def search(self, text: str, /) -> object | None:
        """Something if it is found, None if not."""


class _RE2:
    def __init__(self, pattern: str) -> None:
        self._pattern = pattern

    def search(self, text: str, /) -> object | None:
        data = {"self": text, "oldSelf": self._pattern}
        return True if _matches().eval(data=data).value() is True else None


@cache
def _matches() -> cel.Expression:
    return evaluating_environment().compile("self.matches(oldSelf)")


@cache
def compiled(pattern: str) -> Pattern:
    """An expression that has no fault."""
    if _NOT_PYTHON.search(pattern) is None:
        ended = pattern[:-1] + r"\Z" if re.search(r"(?<!\\)(\\\\)*\$$", pattern) else pattern
        try:
            return re.compile(ended, re.ASCII)
        except re.error:
            pass
    return _RE2(pattern)


def fault(pattern: str) -> str:
    """What is wrong with an expression, in the words of Go; nothing if it is fine."""
    found = _matches().eval(data={"self": "", "oldSelf": pattern}).value()
    if isinstance(found, bool):
        return ""
    wrong = str(found).partition(_INVALID)[2] or str(found)
    why, _, where = wrong.partition(": ")
    for of_re2, of_go in _IN_GO:
        why = of_go if why == of_re2 else why
    return f"{why}: `{where}`" if where else why
