"""What pydantic found wrong with a value, phrased for the person who wrote it."""

import types
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from hourglass_simulator.scenario.document import Location

_EXPECTED = {
    "string_type": "a text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "keys with values",
    "model_type": "keys with values",
    "model_attributes_type": "keys with values",
}
_OF_ENTRIES = ("list_type", "dict_type")


def mistakes(
    model: type[BaseModel],
    value: Any,
    context: dict[str, Any] | None = None,
    extra: Literal["ignore"] | None = None,
    null_is_empty: bool = False,
) -> Iterator[tuple[Location, str]]:
    """Where and how a value fails to be the model; nothing if it does not.

    `extra` says what to do with unknown keys if not what the model says. `null_is_empty` takes
    null for a list or map without entries, as Go writes a required field that nobody has set.
    """
    try:
        model.model_validate(value, extra=extra, by_alias=True, by_name=False, context=context)
    except ValidationError as error:
        yield from found_in(model, error, null_is_empty)


def found_in(
    model: type[BaseModel], error: ValidationError, null_is_empty: bool = False
) -> Iterator[tuple[Location, str]]:
    """What an error about a value that is not the model says."""
    for found in error.errors(include_url=False):
        if null_is_empty and found["input"] is None and found["type"] in _OF_ENTRIES:
            continue
        # A key that is wrong itself stands where its value stands.
        location = tuple(part for part in found["loc"] if part != "[key]")
        yield location, _text(model, found)


def unknown(what: str, name: str, known: Sequence[str]) -> str:
    """`unknown key; expected one of a, b; did you mean a?`."""
    text = f"unknown {what}; expected one of {', '.join(known) if known else 'none'}"
    near = get_close_matches(name, known, 1)
    return f"{text}; did you mean {near[0]}?" if near else text


def _text(model: type[BaseModel], found: ErrorDetails) -> str:
    kind, location, given = found["type"], found["loc"], found["input"]
    if kind == "extra_forbidden":
        return unknown("key", str(location[-1]), _keys(_model_at(model, location[:-1])))
    if kind == "missing":
        return "required, but missing"
    if kind == "literal_error":
        options = found["ctx"]["expected"].replace("'", "").replace(" or ", ", ")
        return f"{shown(given)} is not one of {options}" + _hint(given, options.split(", "))
    if kind in _EXPECTED:
        return f"expected {_EXPECTED[kind]}, found {shown(given)}"
    if kind == "string_too_short":
        return "must not be empty"
    return found["msg"][:1].lower() + found["msg"][1:] if kind != "expected" else found["msg"]


def _hint(given: object, options: list[str]) -> str:
    near = get_close_matches(given, options, 1) if isinstance(given, str) else []
    return f"; did you mean {near[0]}?" if near else ""


def shown(value: object) -> str:
    """A value as its writer would recognise it, never longer than a line."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "keys with values"
    if isinstance(value, list | tuple):
        return "a list"
    text = f'"{value}"' if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else text[:57] + "…"


def _keys(model: type[BaseModel] | None) -> list[str]:
    if model is None:
        return []
    return [field.alias or name for name, field in model.model_fields.items()]


def _model_at(model: type[BaseModel], location: Location) -> type[BaseModel] | None:
    """The model that a location leads to."""
    at: Any = model
    for part in location:
        if isinstance(at, type) and issubclass(at, BaseModel):
            fields = {field.alias or name: field for name, field in at.model_fields.items()}
            if part not in fields:
                return None
            at = fields[str(part)].annotation
        else:
            at = get_args(at)[-1 if get_origin(at) is dict else 0]
        at = _bare(at)
    return at if isinstance(at, type) and issubclass(at, BaseModel) else None


def _bare(annotation: Any) -> Any:
    """Without `Annotated` and `| None`."""
    while True:
        if get_origin(annotation) is Annotated:
            annotation = get_args(annotation)[0]
        elif get_origin(annotation) in (Union, types.UnionType):
            annotation = next(a for a in get_args(annotation) if a is not type(None))
        else:
            return annotation
