"""Decodes a built-in object as the real server does: into the Go type of its kind, and out again.

What comes out has every field that Go would print and no other; what the Go type does not know is
dropped and reported. The types are recorded data.
https://pkg.go.dev/sigs.k8s.io/json
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import go_values
from hourglass_simulator.apiserver.defaults import Default
from hourglass_simulator.apiserver.go_values import MismatchError, Repeated

Path = tuple[Any, ...]
"""(path above, field or key or index, name of the Go struct; "" where it is no field)."""


class Decoded(NamedTuple):
    """An object as it is stored and printed, and what strict decoding would refuse of it."""

    obj: JSON
    strange: list[str]


class _Run:
    """One decoding: what was strange, and the first value that did not fit.

    `truncates`: whole numbers that do not fit lose their upper bits, as where Go converts.
    """

    def __init__(self, *, truncates: bool = False) -> None:
        self.truncates = truncates
        self.strange: list[str] = []
        self.error = ""

    def mismatch(self, path: Path, found: str, go_type: str) -> None:
        if not self.error:
            fields = [name for name, struct in _segments(path) if struct]
            where = f"struct field {_struct(path)}.{'.'.join(fields)}" if fields else "value"
            self.error = f"json: cannot unmarshal {found} into Go {where} of type {go_type}"


_Decoder = Callable[[Any, Path, _Run], Any]


class Codec:
    """The decoders of a version's types, made when they are first needed."""

    def __init__(
        self, types: Mapping[str, Any], defaults: Mapping[str, Default] | None = None
    ) -> None:
        self._types = types
        self._defaults = defaults or {}
        self._structs: dict[str, _Decoder] = {}

    def decode(self, go_type: str, obj: JSON, *, truncates: bool = False) -> Decoded:
        """An object with its defaults; ValueError with Go's text when it does not fit the type.

        `truncates`: whole numbers that do not fit lose their upper bits.
        """
        run = _Run(truncates=truncates)
        decoded = self._struct(go_type)(obj, (), run)
        if run.error:
            raise ValueError(run.error)
        return Decoded(decoded, run.strange)

    def _decoder(self, expression: str) -> _Decoder:
        if expression.startswith("*"):
            return self._decoder(expression[1:])
        if expression == "[]byte":
            return _leaf(go_values.octets, "[]uint8", "")
        if expression.startswith("[]"):
            return self._list(expression)
        if expression.startswith("map[string]"):
            return self._map(expression, expression)
        known = self._types.get(expression)
        if isinstance(known, dict):
            return lambda value, path, run: self._struct(expression)(value, path, run)
        if known is not None and known.startswith("map[string]"):
            return self._map(known, expression)
        if known is not None and known not in go_values.LEAVES:
            return self._decoder(known)
        leaf = go_values.LEAVES.get(known or expression, go_values.anything)
        return _leaf(leaf, _shown(expression), known or expression)

    def _list(self, expression: str) -> _Decoder:
        item = self._decoder(expression[2:])
        zero = self._zero(expression[2:])

        def decode(value: Any, path: Path, run: _Run) -> Any:
            if not isinstance(value, list):
                run.mismatch(path, go_values.kind_of(value), _shown(expression))
                return None
            # Objects are stored as protocol buffers, in which an empty list is none.
            return (
                None
                if not value
                else [
                    zero() if each is None else item(each, (path, index, ""), run)
                    for index, each in enumerate(value)
                ]
            )

        return decode

    def _map(self, expression: str, named: str) -> _Decoder:
        below = expression.removeprefix("map[string]")
        item, zero = self._decoder(below), self._zero(below)

        def decode(value: Any, path: Path, run: _Run) -> Any:
            if not isinstance(value, dict):
                run.mismatch(path, go_values.kind_of(value), _shown(named))
                return None
            _note_repeated(value, path, run)
            return {
                name: zero() if each is None else item(each, (path, name, ""), run)
                for name, each in value.items()
            }

        return decode

    def _struct(self, name: str) -> _Decoder:
        if name not in self._structs:
            self._structs[name] = self._compiled(name)
        return self._structs[name]

    def _compiled(self, name: str) -> _Decoder:
        fields: Mapping[str, Any] = self._types[name]
        short = name.rpartition(".")[2]
        decoders = {key: self._decoder(field["type"]) for key, field in fields.items()}
        zeros = {key: self._zero(field["type"]) for key, field in fields.items()}
        printed = {key: self._printed(field) for key, field in fields.items()}
        default = self._defaults.get(name)

        def decode(value: Any, path: Path, run: _Run) -> Any:
            if not isinstance(value, dict):
                run.mismatch(path, go_values.kind_of(value), _shown(name))
                value = {}
            _note_repeated(value, path, run)
            given = {}
            for key, each in value.items():
                if key not in decoders:
                    run.strange.append(f'unknown field "{_written((path, key, ""))}"')
                elif each is not None:
                    given[key] = decoders[key](each, (path, key, short), run)
            result = {}
            for key, is_printed in printed.items():
                found = given[key] if key in given else zeros[key]()
                if is_printed(found):
                    result[key] = found
            return result if default is None else default(result)

        return decode

    def _zero(self, expression: str) -> Callable[[], Any]:
        known = self._types.get(expression)
        if isinstance(known, dict):
            return lambda: self._struct(expression)({}, (), _Run())
        value = go_values.ZEROS.get(known or expression)
        return lambda: value

    def _printed(self, field: Mapping[str, str]) -> Callable[[Any], bool]:
        """Whether a value is printed: https://pkg.go.dev/encoding/json#Marshal."""
        omit, expression = field.get("omit"), field["type"]
        if omit is None:
            return _always
        if expression.startswith("*"):
            return lambda value: value is not None
        is_struct = isinstance(self._types.get(expression), dict) or expression in go_values.STRUCTS
        if is_struct and omit == "zero":
            return lambda value: value not in (None, {})
        return _always if is_struct else bool


def _always(_: Any) -> bool:
    return True


def _leaf(read: Callable[[Any], Any], go_type: str, underlying: str) -> _Decoder:
    def decode(value: Any, path: Path, run: _Run) -> Any:
        try:
            return read(value)
        except MismatchError as error:
            if run.truncates and (left := go_values.truncated(value, underlying)) is not None:
                return left
            run.mismatch(path, error.found, error.go_type or go_type)
            return None

    return decode


def _note_repeated(value: JSON, path: Path, run: _Run) -> None:
    if isinstance(value, Repeated):
        run.strange += [f'duplicate field "{_written((path, n, ""))}"' for n in value.repeated]


def _segments(path: Path) -> list[tuple[Any, str]]:
    found = []
    while path:
        path, name, struct = path
        found.append((name, struct))
    return found[::-1]


def _struct(path: Path) -> str:
    """The innermost struct of which a field is being decoded."""
    return next((struct for _, struct in reversed(_segments(path)) if struct), "")


def _written(path: Path) -> str:
    """`spec.containers[0].name`."""
    text = ""
    for name, _ in _segments(path):
        text += f"[{name}]" if isinstance(name, int) else f".{name}" if text else str(name)
    return text


def _shown(expression: str) -> str:
    """A Go type as messages name it: `[]v1.Container`."""
    if expression.startswith("*"):
        return _shown(expression[1:])
    for prefix in ("[]", "map[string]"):
        if expression.startswith(prefix):
            return prefix + _shown(expression.removeprefix(prefix))
    return expression.rpartition("/")[2]
