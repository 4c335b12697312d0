"""What every part of a scenario file has in common: camelCase keys, none unknown, frozen."""

import math
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StrictBool,
    StrictInt,
    ValidationInfo,
    WithJsonSchema,
)
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from hourglass_kube import quantity
from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.resources import built_in
from hourglass_simulator.kubernetes.version import VERSIONS, version
from hourglass_simulator.scenario import duration


class Strict(BaseModel):
    """A mapping with known keys."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, alias_generator=to_camel, validate_by_name=True
    )


def _expected(parse: Any) -> BeforeValidator:
    """A validator whose ValueError is the whole message."""

    def validate(value: object) -> Any:
        try:
            return parse(value)
        except ValueError as error:
            raise PydanticCustomError("expected", "{text}", {"text": str(error)}) from None

    return BeforeValidator(validate)


def _quantity(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"{value!r} is not a quantity; write it as 500m, 2 or 8Gi")
    try:
        quantity.parse(value)
    except ValueError:
        raise ValueError(f"{value!r} is not a quantity; write it as 500m, 2 or 8Gi") from None
    return str(value)


def _duration(value: object) -> float:
    """Seconds, as they are in the code, are let be."""
    if isinstance(value, float) and 0 <= value < math.inf:
        return value
    return duration.parse(value)


def several(value: object) -> object:
    """One item may be written without the list around it."""
    return [value] if isinstance(value, str | dict) else value


def filled(value: object) -> object:
    """A list or mapping of nothing is refused."""
    if value in ([], {}):
        raise PydanticCustomError("expected", "must not be empty")
    return value


def reads(parse: Any, schema: JSON) -> Any:
    """The annotation of a field that `parse` reads and `schema` describes to editors."""
    return (_expected(parse), WithJsonSchema(schema))


Bool = StrictBool
Count = Annotated[StrictInt, Field(ge=0)]
Duration = Annotated[
    float,
    _expected(_duration),
    PlainSerializer(duration.text),
    WithJsonSchema({"type": "string", "pattern": duration.PATTERN}),
]
Quantity = Annotated[str, _expected(_quantity), WithJsonSchema({"type": ["string", "number"]})]


def resources() -> tuple[str, ...]:
    """What a scenario may name: the resources of any version."""
    names = [resource.plural for name in reversed(VERSIONS) for resource in built_in(version(name))]
    return ("performers", *dict.fromkeys(names))


RESOURCES = "resources"
"""Key of a validation's context: the resources there are, where more are known than `resources`."""


def _resource(value: object, info: ValidationInfo) -> object:
    known = (info.context or {}).get(RESOURCES) or resources()
    if isinstance(value, str) and value not in known:
        text = f'"{value}" is not one of {", ".join(known)}'
        raise PydanticCustomError("expected", "{text}", {"text": text})
    return value


Resource = Annotated[str, BeforeValidator(_resource)]
Names = Annotated[tuple[str, ...], BeforeValidator(several), BeforeValidator(filled)]
