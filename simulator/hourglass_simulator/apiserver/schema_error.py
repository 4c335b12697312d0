"""Field errors with the exact text of Kubernetes' `field.Error`.

https://pkg.go.dev/k8s.io/apimachinery/pkg/util/validation/field
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any


class ErrorType(Enum):
    """(reason of the cause, how the message begins)."""

    REQUIRED = ("FieldValueRequired", "Required value")
    DUPLICATE = ("FieldValueDuplicate", "Duplicate value")
    INVALID = ("FieldValueInvalid", "Invalid value")
    TYPE_INVALID = ("FieldValueTypeInvalid", "Invalid value")
    NOT_SUPPORTED = ("FieldValueNotSupported", "Unsupported value")
    TOO_LONG = ("FieldValueTooLong", "Too long")
    TOO_MANY = ("FieldValueTooMany", "Too many")
    FORBIDDEN = ("FieldValueForbidden", "Forbidden")
    NOT_FOUND = ("FieldValueNotFound", "Not found")


OMITTED = object()
"""Instead of a value that is not shown."""
_VALUELESS = (ErrorType.REQUIRED, ErrorType.FORBIDDEN, ErrorType.TOO_LONG)


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field; `field` is a dotted path, `<nil>` for the whole object."""

    type: ErrorType
    field: str
    value: Any
    detail: str

    @property
    def message(self) -> str:
        """The text after the field's name."""
        begins = self.type.value[1]
        if self.type not in _VALUELESS and self.value is not OMITTED:
            begins += f": {shown(self.value)}"
        return f"{begins}: {self.detail}" if self.detail else begins

    def cause(self) -> dict[str, str]:
        """A metav1.StatusCause."""
        return {"reason": self.type.value[0], "message": self.message, "field": self.field}


def too_long(field: str, maximum: int) -> FieldError:
    """The string at `field` has more than `maximum` characters."""
    unit = "byte" if maximum == 1 else "bytes"
    return FieldError(ErrorType.TOO_LONG, field, None, f"may not be more than {maximum} {unit}")


def too_many(field: str, actual: int, maximum: int) -> FieldError:
    """The list or map at `field` has more than `maximum` entries."""
    unit = "item" if maximum == 1 else "items"
    return FieldError(ErrorType.TOO_MANY, field, actual, f"must have at most {maximum} {unit}")


def not_supported(field: str, value: Any, supported: Iterable[Any]) -> FieldError:
    """The value at `field` is none of `supported`."""
    listed = ", ".join(quoted(text if isinstance(text, str) else shown(text)) for text in supported)
    return FieldError(ErrorType.NOT_SUPPORTED, field, value, f"supported values: {listed}")


def aggregate(errors: Iterable[FieldError]) -> str:
    """All errors as one text, each distinct one once, in brackets when there are several."""
    texts = list(dict.fromkeys(f"{error.field}: {error.message}" for error in errors))
    return texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"


class Verbatim(str):
    """A value that is printed already."""


def shown(value: Any) -> str:
    """A value as Kubernetes prints it inside a message."""
    if isinstance(value, Verbatim):
        return value
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return go_float(value)
    return go_json(value, sort_keys=True)


def go_json(value: Any, *, sort_keys: bool = False) -> str:
    """A value as encoding/json prints it."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=sort_keys)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def go_float(value: float) -> str:
    """Go's `%v` of a float64: shortest, exponent from 1e21 on or below 1e-4."""
    if value == 0 or 1e-4 <= abs(value) < 1e21:
        return str(int(value)) if value.is_integer() else f"{value!r}"
    mantissa, exponent = f"{value!r}".split("e") if "e" in repr(value) else (repr(value), "+0")
    return f"{mantissa.removesuffix('.0')}e{exponent[0]}{exponent[1:].zfill(2)}"


_ESCAPES = {
    '"': '\\"',
    "\\": "\\\\",
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
}


def quoted(text: str) -> str:
    """Go's `%q` of a string."""
    return '"' + "".join(_ESCAPES.get(char) or _printable(char) for char in text) + '"'


def _printable(char: str) -> str:
    if char == " " or (char.isprintable() and not char.isspace()):
        return char
    code = ord(char)
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
