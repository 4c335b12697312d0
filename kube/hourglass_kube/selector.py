"""Label selectors, as objects and as text, and field selectors.

https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors
https://kubernetes.io/docs/concepts/overview/working-with-objects/field-selectors/
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from hourglass_kube import label
from hourglass_kube.expression import (
    DOES_NOT_EXIST,
    EXISTS,
    GT,
    IN,
    LT,
    NOT_IN,
    Labels,
    Requirement,
    Selector,
    requirements,
)


def matches_all(selector: Selector, labels: Labels) -> bool:
    """Whether labels satisfy every requirement."""
    for requirement in selector:  # noqa: SIM110 - a generator takes twice as long
        if not requirement.matches(labels):
            return False
    return True


def compile_selector(selector: Mapping[str, Any]) -> Selector:
    """A metav1.LabelSelector (matchLabels, matchExpressions) as requirements."""
    exact = [Requirement(k, IN, (v,)) for k, v in (selector.get("matchLabels") or {}).items()]
    return (*exact, *requirements(selector.get("matchExpressions") or ()))


def matches(selector: Mapping[str, Any] | None, labels: Labels) -> bool:
    """Whether labels match a metav1.LabelSelector; None matches nothing, {} everything."""
    return selector is not None and matches_all(compile_selector(selector), labels)


@lru_cache(maxsize=1024)
def parse(text: str) -> Selector:
    """A selector in the form of `kubectl -l`, its requirements sorted by key.

    Raises ValueError in Kubernetes' words.
    """
    return tuple(sorted(_Parser(text).selector(), key=lambda requirement: requirement.key))


@lru_cache(maxsize=1024)
def parse_fields(text: str) -> tuple[tuple[str, bool, str], ...]:
    """A field selector as (dotted path, equal, value) triples; raises ValueError."""
    triples = []
    for part in sorted(re.findall(r"(?:\\.|[^,\\]|\\$)+", text)):
        found = re.match(r"(.*?)(!=|==|=)(.*)", part, re.DOTALL)
        if not found:
            raise ValueError(f"invalid selector: '{text}'; can't understand '{part}'")
        if found[1] or found[3]:
            triples.append((found[1], found[2] != "!=", _unescaped(found[3])))
    return tuple(triples)


def escaped(value: str) -> str:
    """The value of a field as a selector has it."""
    return re.sub(r"([\\,=])", r"\\\1", value)


def _unescaped(value: str) -> str:
    """Backslash, comma and equals sign stand behind a backslash in the value of a field."""
    for character in re.findall(r"\\.?|[,=]", value, re.DOTALL):
        if character in (",", "="):
            raise ValueError(
                f"invalid field selector: unescaped character in value: {ord(character)}"
            )
        if character not in (r"\\", r"\,", r"\="):
            raise ValueError(f"invalid field selector: invalid escape sequence: {character}")
    return re.sub(r"\\(.)", r"\1", value)


_OPERATOR = {"in": IN, "=": IN, "==": IN, "notin": NOT_IN, "!=": NOT_IN, ">": GT, "<": LT}
_OPERATORS = "in, notin, =, ==, !=, gt, lt"
_SYMBOLS = ("==", "!=", "=", "!", "(", ")", ",", ">", "<")
_TOKEN = re.compile(r"[ \t\r\n]*(==|!=|[=!(),<>]|[^=!(),<> \t\r\n]+|$)")


class _Parser:
    """Recursive descent over the tokens; "" is the end of the text."""

    def __init__(self, text: str) -> None:
        self._tokens: list[str] = [*filter(None, _TOKEN.findall(text)), ""]
        self._position = 0

    def selector(self) -> Selector:
        found: list[Requirement] = []
        while self._next != "":
            if self._next in _SYMBOLS and self._next != "!":
                raise ValueError(
                    f"found '{self._next}', expected: !, identifier, or 'end of string'"
                )
            try:
                found.append(self._requirement())
            except ValueError as error:
                raise ValueError(f"unable to parse requirement: {error}") from None
            end = self._take()
            if end == "":
                break
            if end != ",":
                raise ValueError(f"found '{end}', expected: ',' or 'end of string'")
            if self._next == "" or (self._next in _SYMBOLS and self._next != "!"):
                raise ValueError(f"found '{self._next}', expected: identifier after ','")
        return tuple(found)

    @property
    def _next(self) -> str:
        return self._tokens[self._position]

    def _take(self) -> str:
        token = self._next
        self._position = min(self._position + 1, len(self._tokens) - 1)
        return token

    def _requirement(self) -> Requirement:
        absent = self._next == "!"
        if absent:
            self._take()
        key = self._identifier()
        if faults := label.key_faults(key):
            raise ValueError(f'<nil>: Invalid value: "{key}": {"; ".join(faults)}')
        if absent:
            return Requirement(key, DOES_NOT_EXIST)
        if self._next in ("", ","):
            return Requirement(key, EXISTS)
        operator = self._take()
        if operator not in _OPERATOR:
            raise ValueError(f"found '{operator}', expected: {_OPERATORS}")
        values = self._values() if operator in ("in", "notin") else (self._exact_value(),)
        requirement = Requirement(key, _OPERATOR[operator], values)
        faults = tuple(requirement.faults())
        if len(faults) == 1:
            raise ValueError(faults[0])
        if faults:
            raise ValueError(f"[{', '.join(faults)}]")
        return requirement

    def _identifier(self) -> str:
        token = self._take()
        if token == "" or token in _SYMBOLS:
            raise ValueError(f"found '{token}', expected: identifier")
        return token

    def _exact_value(self) -> str:
        return "" if self._next in ("", ",") else self._identifier()

    def _values(self) -> tuple[str, ...]:
        """A list in parentheses; empty places are the empty value."""
        opening = self._take()
        if opening != "(":
            raise ValueError(f"found '{opening}' expected: '('")
        values: set[str] = set()
        before = "("
        while True:
            token = self._take()
            if token in (",", ")"):
                if before in ("(", ","):
                    values.add("")
                if token == ")":
                    return tuple(sorted(values))
            elif before not in ("(", ","):
                raise ValueError(f"found '{token}', expected: ',' or ')'")
            elif token == "" or token in _SYMBOLS:
                others = "',', ')' or" if before == "(" else "',', or"
                raise ValueError(f"found '{token}', expected: {others} identifier")
            else:
                values.add(token)
            before = token
