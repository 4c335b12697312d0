"""Path elements: `f:NAME` a field, `k:{...}` a list item by its keys, `v:...` one by its value.

`i:N`, an item by its index, occurs in what clients send only. An element is a string in the form in
which FieldsV1 has it; elements are equal when their strings are.
https://github.com/kubernetes-sigs/structured-merge-diff/blob/v6.3.0/fieldpath/serialize-pe.go
"""

import json
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from hourglass_simulator.apiserver.schema_error import quoted

_ESCAPED = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})


def of_keys(keys: Iterable[tuple[str, Any]]) -> str:
    """The element of an item by its keys, which are (name, scalar) in order of names."""
    return "k:" + _json(dict(keys))


def of_value(value: Any) -> str:
    """The element of an item of a set."""
    return "v:" + _json(value)


def _json(value: Any) -> str:
    """As Go writes it."""
    text = json.dumps(_whole(value), separators=(",", ":"), ensure_ascii=False)
    return text.translate(_ESCAPED)


def _whole(value: Any) -> Any:
    """Numbers are equal whatever their type."""
    if isinstance(value, dict):
        return {name: _whole(each) for name, each in value.items()}
    return int(value) if isinstance(value, float) and value.is_integer() else value


def parsed(text: str) -> str | None:
    """The element that a client has written; None for one of an unknown type.

    Errors: ValueError.
    """
    if len(text) < 2:
        raise ValueError("key must be 2 characters long:")
    if text[1] != ":":
        raise ValueError(f"missing colon: {text}")
    kind, rest = text[0], text[2:]
    if kind == "f":
        return text
    if kind == "v":
        return of_value(json.loads(rest))
    if kind == "k":
        keys = json.loads(rest)
        if not isinstance(keys, dict):
            raise ValueError(f"expected keys: {text}")
        return of_keys(sorted(keys.items()))
    if kind == "i":
        return f"i:{int(rest)}"
    return None


@lru_cache(maxsize=4096)
def order(element: str) -> tuple[Any, ...]:
    """By what elements are sorted."""
    kind, rest = element[0], element[2:]
    if kind == "f":
        return (0, rest.encode())
    if kind == "k":
        return (1, [(name, _rank(value)) for name, value in json.loads(rest).items()])
    if kind == "v":
        return (2, _rank(json.loads(rest)))
    return (3, int(rest))


def _rank(value: Any) -> tuple[int, Any]:
    if isinstance(value, bool):
        return (2, value)
    if isinstance(value, int | float):
        return (0, value)
    return (1, value) if isinstance(value, str) else (3, json.dumps(value, sort_keys=True))


def shown(path: Iterable[str]) -> str:
    """A path in messages: `.spec.ports[port=80,protocol="TCP"].name`."""
    return "".join(_shown(element) for element in path)


def _shown(element: str) -> str:
    kind, rest = element[0], element[2:]
    if kind == "f":
        return f".{rest}"
    if kind == "k":
        keys = json.loads(rest).items()
        return "[" + ",".join(f"{name}={_scalar(value)}" for name, value in keys) + "]"
    return f"[={_scalar(json.loads(rest))}]" if kind == "v" else f"[{rest}]"


def _scalar(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return quoted(value) if isinstance(value, str) else str(value)
