"""JSON paths as kubectl and definitions write them.

https://kubernetes.io/docs/reference/kubectl/jsonpath/
https://pkg.go.dev/k8s.io/client-go/util/jsonpath
"""

import json
import operator
import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

Step = Callable[[Any], Iterator[Any]]
"""What a part of a path finds in a value."""

_FIELD = re.compile(r"\.?((?:\\.|[^.\[\]\\\s])+)")
_INDEX = re.compile(r"(-?\d+)$")
_SLICE = re.compile(r"(-?\d*):(-?\d*)(?::(-?\d*))?$")
_FILTER = re.compile(
    r"\?\(\s*@(?P<path>.*?)\s*(?:(?P<compare>==|!=|<=|>=|<|>)\s*(?P<value>.+?)\s*)?\)$"
)
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def find(obj: Any, path: str) -> list[Any]:
    """All that a path finds; ValueError when it is no path."""
    found = [obj]
    for step in _compiled(path):
        found = [value for each in found for value in step(each)]
    return found


def first(obj: Any, path: str) -> Any:
    """The first that a path finds, or None."""
    return next(iter(find(obj, path)), None)


@cache
def _compiled(path: str) -> tuple[Step, ...]:
    steps: list[Step] = []
    position = 0
    while position < len(path):
        if path.startswith("..", position):
            steps.append(_everything_below)
            position += 1
        elif path[position] == "[":
            end = _closing(path, position)
            steps.append(_bracket(path[position + 1 : end].strip()))
            position = end + 1
        elif path[position:] == ".":
            break
        elif (field := _FIELD.match(path, position)) is not None:
            name = re.sub(r"\\(.)", r"\1", field[1])
            steps.append(_all_below if name == "*" else _field(name))
            position = field.end()
        elif path.startswith(".[", position):
            position += 1
        else:
            raise ValueError(f"unexpected text in a JSON path: {path[position:]}")
    return tuple(steps)


def _closing(path: str, start: int) -> int:
    depth, quote = 0, ""
    for index in range(start, len(path)):
        char = path[index]
        if quote:
            quote = "" if char == quote and path[index - 1] != "\\" else quote
        elif char in "'\"":
            quote = char
        else:
            depth += (char == "[") - (char == "]")
            if depth == 0:
                return index
    raise ValueError(f"unterminated array in a JSON path: {path}")


def _bracket(text: str) -> Step:
    if text == "*":
        return _all_below
    if text[:1] in ("'", '"') and text[-1:] == text[:1]:
        return _field(text[1:-1])
    if _INDEX.match(text):
        return _slice(slice(int(text), int(text) + 1 or None))
    if (found := _SLICE.match(text)) is not None:
        return _slice(slice(*(int(each) if each else None for each in found.groups())))
    if (condition := _FILTER.match(text)) is not None:
        return _filter(condition)
    raise ValueError(f"invalid array index {text}")


def _field(name: str) -> Step:
    def step(value: Any) -> Iterator[Any]:
        if isinstance(value, dict) and name in value:
            yield value[name]

    return step


def _slice(part: slice) -> Step:
    def step(value: Any) -> Iterator[Any]:
        if isinstance(value, list):
            yield from value[part]

    return step


def _all_below(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from (value[name] for name in sorted(value))
    elif isinstance(value, list):
        yield from value


def _everything_below(value: Any) -> Iterator[Any]:
    yield value
    for each in _all_below(value):
        yield from _everything_below(each)


def _filter(condition: "re.Match[str]") -> Step:
    path, compare = condition["path"], condition["compare"]
    wanted = _literal(condition["value"]) if compare else None

    def holds(item: Any) -> bool:
        found = find(item, path)
        if not found:
            return False
        if compare is None:
            return True
        try:
            return _COMPARISONS[compare](found[0], wanted)
        except TypeError:
            return False

    def step(value: Any) -> Iterator[Any]:
        if isinstance(value, list):
            yield from (item for item in value if holds(item))

    return step


def _literal(text: str) -> Any:
    if text[:1] == "'" and text[-1:] == "'":
        return text[1:-1]
    try:
        return json.loads(text)
    except ValueError:
        raise ValueError(f"unrecognized text in a filter: {text}") from None
