"""Paths of fields in a schema, as `fieldPath` of a rule and `selectableFields` have them.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel/validation.go
"""

import re

from hourglass_simulator.apiserver.schema import Node

_TOKEN = re.compile(r"'(?:\\.|[^'\\])*'|[.\[\]]|[^.\[\]]+")
_NOWHERE = "does not refer to a valid field"
_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_ESCAPES |= {"'": "'", "\\": "\\"}


def field_path(text: str, node: Node) -> str:
    """A path in the form of messages: `.a.b[key]`; nothing when it is not valid."""
    try:
        return valid_path(text, node)[0] if text else ""
    except ValueError:
        return ""


def valid_path(text: str, node: Node, *, arrays: bool = True) -> tuple[str, Node]:
    """A path in the form of messages, and the schema that it leads to.

    ValueError says what is wrong; without `arrays` only fields can be named.
    """
    found, current = "", node
    tokens = iter(_TOKEN.findall(text))
    for token in tokens:
        if token == "[":
            if not arrays:
                raise ValueError("array notation is not allowed")
            name = _next(tokens)
            if len(name) < 2 or name[0] != "'" or name[-1] != "'":
                raise ValueError(f"expected single quoted string but got {name}")
            name = _unescaped(name[1:-1])
            current, named = _child(current, name)
            if (closing := _next(tokens)) != "]":
                raise ValueError(f"expected ] but got {closing}")
        elif token == ".":
            name = _next(tokens)
            current, named = _child(current, name)
        else:
            raise ValueError(f"expected [ or . but got: {token}")
        found += f".{name}" if named else f"[{name}]"
    return found, current


def _next(tokens: "object") -> str:
    token = next(tokens, None)  # type: ignore[call-overload]
    if token is None:
        raise ValueError("unexpected end of JSON path")
    return str(token)


def _child(node: Node, name: str) -> tuple[Node, bool]:
    if node.properties:
        if name not in node.properties:
            raise ValueError(_NOWHERE)
        return node.properties[name], True
    if node.additional is None:
        raise ValueError(_NOWHERE)
    return node.additional, False


def _unescaped(text: str) -> str:
    def plain(found: "re.Match[str]") -> str:
        if found[1] not in _ESCAPES:
            raise ValueError(f"invalid string literal: invalid escape char {found[0]}")
        return _ESCAPES[found[1]]

    return re.sub(r"\\(.)", plain, text)
