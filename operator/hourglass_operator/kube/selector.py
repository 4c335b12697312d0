"""Label selectors, as objects and as text, and field selectors.

https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

IN, NOT_IN, EXISTS, DOES_NOT_EXIST, GT, LT = "In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"


@dataclass(frozen=True, slots=True)
class Requirement:
    """One expression: key, operator and values."""

    key: str
    operator: str
    values: tuple[str, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether labels satisfy it; NotIn holds for a missing key, Gt and Lt need integers."""
        present = self.key in labels
        if self.operator == IN:
            return present and labels[self.key] in self.values
        if self.operator == NOT_IN:
            return not present or labels[self.key] not in self.values
        if self.operator == EXISTS:
            return present
        if self.operator == DOES_NOT_EXIST:
            return not present
        return present and self._compares(labels[self.key])

    def _compares(self, value: str) -> bool:
        try:
            left, right = int(value), int(self.values[0])
        except (ValueError, IndexError):
            return False
        return left > right if self.operator == GT else left < right


Selector = tuple[Requirement, ...]
"""All requirements must hold; the empty selector matches everything."""


def matches_all(selector: Selector, labels: Mapping[str, str]) -> bool:
    """Whether labels satisfy every requirement."""
    return all(requirement.matches(labels) for requirement in selector)


def compile_selector(selector: Mapping[str, Any]) -> Selector:
    """A metav1.LabelSelector (matchLabels, matchExpressions) as requirements."""
    exact = [Requirement(k, IN, (v,)) for k, v in (selector.get("matchLabels") or {}).items()]
    return (*exact, *compile_expressions(selector.get("matchExpressions") or ()))


def compile_expressions(expressions: Sequence[Mapping[str, Any]]) -> Selector:
    """matchExpressions as requirements."""
    return tuple(
        Requirement(e["key"], e["operator"], tuple(e.get("values") or ())) for e in expressions
    )


def matches(selector: Mapping[str, Any] | None, labels: Mapping[str, str]) -> bool:
    """Whether labels match a metav1.LabelSelector; None matches nothing, {} everything."""
    return selector is not None and matches_all(compile_selector(selector), labels)


_SET = re.compile(r"^(?P<key>[^\s!=,()]+)\s+(?P<operator>in|notin)\s*\((?P<values>[^()]*)\)$")
_EQUALITY = re.compile(r"^(?P<key>[^\s!=,()]+)\s*(?P<operator>==|=|!=)\s*(?P<value>[^\s!=,()]*)$")
_PRESENCE = re.compile(r"^(?P<absent>!?)\s*(?P<key>[^\s!=,()]+)$")
_COMMA_OUTSIDE_PARENTHESES = re.compile(r",(?![^()]*\))")


@lru_cache(maxsize=1024)
def parse(text: str) -> Selector:
    """A selector in the form of `kubectl -l`; raises ValueError naming the part at fault."""
    return tuple(
        _requirement(part.strip())
        for part in _COMMA_OUTSIDE_PARENTHESES.split(text)
        if part.strip()
    )


def _requirement(part: str) -> Requirement:
    if found := _SET.match(part):
        values = tuple(value.strip() for value in found["values"].split(","))
        return Requirement(found["key"], IN if found["operator"] == "in" else NOT_IN, values)
    if found := _EQUALITY.match(part):
        operator = NOT_IN if found["operator"] == "!=" else IN
        return Requirement(found["key"], operator, (found["value"],))
    if found := _PRESENCE.match(part):
        return Requirement(found["key"], DOES_NOT_EXIST if found["absent"] else EXISTS)
    raise ValueError(f"unable to parse requirement: {part!r}")


@lru_cache(maxsize=1024)
def parse_fields(text: str) -> tuple[tuple[str, bool, str], ...]:
    """A field selector as (dotted path, equal, value) triples; raises ValueError."""
    parts = []
    for part in filter(None, text.split(",")):
        found = re.match(r"^([\w.]+)(!=|==|=)(.*)$", part)
        if not found:
            raise ValueError(f"invalid field selector: {part!r}")
        parts.append((found[1], found[2] != "!=", found[3]))
    return tuple(parts)
