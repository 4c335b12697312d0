"""What cel-go finds wrong with the literals of an expression whose types are right.

https://github.com/google/cel-go/blob/v0.26.0/cel/validator.go
https://github.com/google/cel-go/blob/v0.26.0/ext/formatting.go
"""

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, NamedTuple

from hourglass_simulator.apiserver import go_regexp
from hourglass_simulator.apiserver.cel_source import ANY_OBJECT, FROM_PAIRS, ROOT_OBJECT, SORTED_BY
from hourglass_simulator.apiserver.cel_syntax import checked_expression

_DURATION = re.compile(r"[-+]?(0|((\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h))+)", re.ASCII)
_TIMESTAMP = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)([.,]\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)", re.ASCII
)
_PRIMITIVES = ("", "bool", "int", "uint", "double", "string", "bytes")
_WELL_KNOWN = ("", "any", "timestamp", "duration")
_MIXED = ("format", FROM_PAIRS, SORTED_BY)
"""Functions whose arguments may have elements of several types, at any depth."""
_OF_FIELDS = (ANY_OBJECT, ROOT_OBJECT)
"""Functions whose argument has the fields of an object."""


class LiteralFault(NamedTuple):
    """`offset`: where, in characters."""

    offset: int
    why: str


def faults(serialized: bytes) -> list[LiteralFault]:
    """What is wrong with a checked expression, as the library serializes it."""
    checked = checked_expression(serialized)
    types = {each.key: each.value for each in checked.type_map}
    places = {each.key: each.value for each in checked.source_info.positions}
    found = _faults(checked.expr, types, mixed=False)
    return [LiteralFault(places.get(number, 0), why) for number, why in found]


_Found = Iterator[tuple[int, str]]
"""The number of an expression, and what is wrong with it."""


def _faults(expr: Any, types: dict[int, Any], *, mixed: bool, fields: bool = False) -> _Found:
    """`mixed`: there may be elements of several types; `fields`: it is the fields of an object."""
    kind = expr.WhichOneof("expr_kind")
    if kind == "select_expr":
        yield from _faults(expr.select_expr.operand, types, mixed=mixed)
    elif kind == "call_expr":
        call = expr.call_expr
        yield from _of_call(expr, types)
        inner = mixed or call.function in _MIXED
        for each in (*([call.target] if call.HasField("target") else ()), *call.args):
            yield from _faults(each, types, mixed=inner, fields=call.function in _OF_FIELDS)
    elif kind == "list_expr":
        elements = expr.list_expr.elements
        if not mixed:
            yield from _of_list(expr.list_expr, types)
        for each in elements:
            yield from _faults(each, types, mixed=mixed)
    elif kind == "struct_expr":
        if not mixed and not fields:
            yield from _of_map(expr.struct_expr, types)
        for entry in expr.struct_expr.entries:
            if entry.HasField("map_key"):
                yield from _faults(entry.map_key, types, mixed=mixed)
            yield from _faults(entry.value, types, mixed=mixed)
    elif kind == "comprehension_expr":
        of = expr.comprehension_expr
        for each in (of.iter_range, of.accu_init, of.loop_condition, of.loop_step, of.result):
            yield from _faults(each, types, mixed=mixed)


def _of_call(expr: Any, types: dict[int, Any]) -> _Found:
    call = expr.call_expr
    literal = call.args[0].const_expr if call.args else None
    if call.function in _LITERALS and literal is not None and literal.HasField("string_value"):
        if not _LITERALS[call.function](literal.string_value):
            yield call.args[0].id, f"invalid {call.function} argument"
    elif (
        call.function == "format"
        and call.target.const_expr.HasField("string_value")
        and len(call.args) == 1
        and call.args[0].HasField("list_expr")
    ):
        elements = call.args[0].list_expr.elements
        yield from _of_format(expr.id, call.target.const_expr.string_value, elements, types)


def _is_timestamp(text: str) -> bool:
    found = _TIMESTAMP.fullmatch(text)
    if found is None:
        return False
    try:
        datetime.fromisoformat(found[1])
    except ValueError:
        return False
    return True


_LITERALS: dict[str, Callable[[str], bool]] = {
    "duration": lambda text: _DURATION.fullmatch(text) is not None,
    "timestamp": _is_timestamp,
    "matches": lambda text: not go_regexp.fault(text),
}


_TYPED = re.compile(r"request|namespaceObject|variables_.*")
"""Variables of policies whose types cel-go knows, and the library does not."""


def _is_unknown(kind: str, expr: Any) -> bool:
    """Whether the library may know less of the type of an expression than cel-go."""
    return kind == "dyn" and any(map(_TYPED.fullmatch, _names(expr)))


def _names(expr: Any) -> Iterator[str]:
    kind = expr.WhichOneof("expr_kind")
    if kind == "ident_expr":
        yield expr.ident_expr.name
    elif kind == "select_expr":
        yield from _names(expr.select_expr.operand)
    elif kind == "call_expr":
        call = expr.call_expr
        for each in (*([call.target] if call.HasField("target") else ()), *call.args):
            yield from _names(each)


def _of_list(made: Any, types: dict[int, Any]) -> _Found:
    first = ""
    for index, element in enumerate(made.elements):
        kind = _shown(types.get(element.id), optional=index in made.optional_indices)
        if _is_unknown(kind, element):
            continue
        first = first or kind
        if kind != first:
            yield element.id, _mismatch(first, kind)
            return


def _of_map(made: Any, types: dict[int, Any]) -> _Found:
    keys, values = "", ""
    for entry in made.entries:
        if not entry.HasField("map_key"):
            return
        key = _shown(types.get(entry.map_key.id))
        value = _shown(types.get(entry.value.id), optional=entry.optional_entry)
        keys = keys or key
        if key != keys:
            yield entry.map_key.id, _mismatch(keys, key)
        if _is_unknown(value, entry.value):
            continue
        values = values or value
        if value != values:
            yield entry.value.id, _mismatch(values, value)


def _mismatch(expected: str, found: str) -> str:
    return f"expected type '{expected}' but found '{found}'"


def _shown(kind: Any, *, optional: bool = False) -> str:
    """A type as cel-go writes it; `optional`: what the optional value is of."""
    of = None if kind is None else kind.WhichOneof("type_kind")
    if of is None or of == "dyn":
        return "dyn"
    if of == "primitive":
        return _PRIMITIVES[kind.primitive]
    if of == "well_known":
        return _WELL_KNOWN[kind.well_known]
    if of == "wrapper":
        return f"wrapper({_PRIMITIVES[kind.wrapper]})"
    if of == "list_type":
        return f"list({_shown(kind.list_type.elem_type)})"
    if of == "map_type":
        return f"map({_shown(kind.map_type.key_type)}, {_shown(kind.map_type.value_type)})"
    if of == "message_type":
        return str(kind.message_type)
    if of == "abstract_type":
        inner = [_shown(each) for each in kind.abstract_type.parameter_types]
        if optional:
            return inner[0]
        return f"{kind.abstract_type.name}({', '.join(inner)})"
    return "null" if of == "null" else "type" if of == "type" else str(kind.type_param)


# Formats

_CLAUSE = re.compile(r"%(\.\d*)?(.)?", re.DOTALL)
_OF_CLAUSES = {
    "s": (
        ("list", "map", "int", "uint", "double", "bool", "string", "timestamp", "bytes"),
        "string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists,"
        " types, durations, and timestamps",
    ),
    "d": (("int", "uint"), "decimal clause can only be used on integers"),
    "f": (("double", "string"), "fixed-point clause can only be used on doubles"),
    "e": (("double", "string"), "scientific clause can only be used on doubles"),
    "b": (("int", "uint", "bool"), "only integers and bools can be formatted as binary"),
    "x": (
        ("int", "uint", "string", "bytes"),
        "only integers, byte buffers, and strings can be formatted as hex",
    ),
    "o": (("int", "uint"), "octal clause can only be used on integers"),
}
_TYPE_NAMES = {"timestamp": "google.protobuf.Timestamp", "duration": "google.protobuf.Duration"}


def _of_format(number: int, text: str, elements: Any, types: dict[int, Any]) -> _Found:
    clauses = [each for each in _CLAUSE.finditer(text.replace("%%", "")) if each[0]]
    for index, clause in enumerate(clauses):
        precision, letter = clause[1], clause[2]
        if letter is None:
            parsing = "could not parse formatting clause: error while parsing precision"
            ended = f"{parsing}: could not find end of precision specifier"
            yield number, ended if precision else "unexpected end of string"
            return
        if index >= len(elements):
            yield number, f"index {index} out of range"
            return
        wanted = _OF_CLAUSES.get("x" if letter == "X" else letter)
        if wanted is None:
            what = f'unrecognized formatting clause "{letter}"'
            yield number, f"could not parse formatting clause: {what}"
            return
        element = elements[index]
        kind = _shown(types.get(element.id))
        whole = kind.partition("(")[0]
        also = ("dyn", "duration", "type", "null") if letter == "s" else ("dyn",)
        if whole not in (*wanted[0], *also):
            given = _TYPE_NAMES.get(whole, whole)
            yield element.id, f"error during formatting: {wanted[1]}, was given {given}"
            return
    if len(elements) > len(clauses):
        many = f"(expected {len(clauses)}, got {len(elements)})"
        yield number, f"too many arguments supplied to string.format {many}"
