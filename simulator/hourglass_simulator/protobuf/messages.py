"""Fills messages from JSON objects and reads them out again, as Kubernetes' generated code does.

In Go a field that is no pointer is always written, also when it is empty; a pointer, list or map
only when it is set. The recorded Go types say which is which.
https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/code-generator/cmd/go-to-protobuf/protobuf/generator.go
"""

import base64
import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from hourglass_kube.types import JSON
from hourglass_simulator.kubernetes.version import Version
from hourglass_simulator.protobuf.descriptors import Descriptors, descriptors
from hourglass_simulator.protobuf.values import VALUES

_Fill = Callable[[Message, Any], None]
_Read = Callable[[Message], Any]

_ZEROS: dict[int, Any] = {
    FieldDescriptor.CPPTYPE_STRING: "",
    FieldDescriptor.CPPTYPE_BOOL: False,
    FieldDescriptor.CPPTYPE_DOUBLE: 0.0,
}


class _Field(NamedTuple):
    """A field of a message; `name` is its name in JSON, empty for a struct that is inlined."""

    name: str
    fill: _Fill
    always: bool
    read: _Read
    is_set: Callable[[Message], bool]


class Messages:
    """Of one version; what is known of the fields of a type is worked out once."""

    def __init__(self, found: Descriptors) -> None:
        self._descriptors = found
        self._found: dict[str, list[_Field]] = {}

    def fill(self, message: Message, obj: JSON) -> None:
        """Fill an empty message from an object that has the fields of its Go type."""
        for field in self._fields(message.DESCRIPTOR):
            value = obj if not field.name else obj.get(field.name)
            if value is not None or field.always:
                field.fill(message, value)

    def read(self, message: Message) -> JSON:
        """The fields of a message that are set, also those that Go would not print."""
        obj: JSON = {}
        for field in self._fields(message.DESCRIPTOR):
            if not field.is_set(message):
                continue
            value = field.read(message)
            if field.name:
                obj[field.name] = value
            else:
                obj |= value
        return obj

    def _fields(self, descriptor: Descriptor) -> list[_Field]:
        if descriptor.full_name not in self._found:
            known = self._descriptors.go_fields(descriptor)
            found = [self._field(each, known) for each in descriptor.fields]
            self._found[descriptor.full_name] = found
        return self._found[descriptor.full_name]

    def _field(self, field: FieldDescriptor, known: Mapping[str, Any] | None) -> _Field:
        json_name = field.name if known is None else _json_names(known).get(_folded(field.name), "")
        go_type = "*" if known is None or not json_name else known[json_name]["type"]
        always = not json_name or not go_type.startswith(("*", "[]"))
        name = field.name
        if field.is_repeated:
            filling, reading = self._map(field) if _is_map(field) else self._list(field)
            return _Field(json_name, filling, False, reading, lambda m: bool(getattr(m, name)))
        filling, reading = self._single(field)
        return _Field(json_name, filling, always, reading, lambda m: m.HasField(name))

    def _single(self, field: FieldDescriptor) -> tuple[_Fill, _Read]:
        name = field.name
        if field.message_type is None:
            to_value, to_json = _scalar(field)
            zero = _ZEROS.get(field.cpp_type, 0)

            def fill_scalar(message: Message, value: Any) -> None:
                setattr(message, name, zero if value is None else to_value(value))

            return fill_scalar, lambda message: to_json(getattr(message, name))
        filling, reading = self._message(field.message_type)

        def fill_message(message: Message, value: Any) -> None:
            below = getattr(message, name)
            below.SetInParent()
            filling(below, value)

        return fill_message, lambda message: reading(getattr(message, name))

    def _list(self, field: FieldDescriptor) -> tuple[_Fill, _Read]:
        name = field.name
        if field.message_type is None:
            to_value, to_json = _scalar(field)

            def fill_scalars(message: Message, value: Any) -> None:
                getattr(message, name).extend(to_value(each) for each in value)

            return fill_scalars, lambda message: [to_json(each) for each in getattr(message, name)]
        filling, reading = self._message(field.message_type)

        def fill_messages(message: Message, value: Any) -> None:
            added = getattr(message, name)
            for each in value:
                filling(added.add(), each)

        return fill_messages, lambda message: [reading(each) for each in getattr(message, name)]

    def _map(self, field: FieldDescriptor) -> tuple[_Fill, _Read]:
        name, entry = field.name, field.message_type.fields_by_name["value"]
        if entry.message_type is None:
            to_value, to_json = _scalar(entry)

            def fill_scalars(message: Message, value: Any) -> None:
                found = getattr(message, name)
                for key, each in value.items():
                    found[key] = to_value(each)

            return fill_scalars, lambda m: {k: to_json(v) for k, v in _sorted(getattr(m, name))}
        filling, reading = self._message(entry.message_type)

        def fill_messages(message: Message, value: Any) -> None:
            found = getattr(message, name)
            for key, each in value.items():
                found[key].SetInParent()
                filling(found[key], each)

        return fill_messages, lambda m: {k: reading(v) for k, v in _sorted(getattr(m, name))}

    def _message(self, descriptor: Descriptor) -> tuple[Callable[[Message, Any], None], _Read]:
        special = VALUES.get(descriptor.full_name)
        if special is not None:
            to_fields, to_json = special
            return (
                lambda message, value: self.fill(message, to_fields(value)),
                lambda message: to_json(self.read(message)),
            )
        if [each.name for each in descriptor.fields] == [
            "items"
        ] and descriptor.name in _NAMED_LISTS:
            return (
                lambda message, value: message.items.extend(value or ()),
                lambda message: list(message.items),
            )
        return lambda message, value: self.fill(message, value or {}), self.read


@cache
def messages(version: Version) -> Messages:
    """Those of a version."""
    return Messages(descriptors(version))


def _sorted(found: Any) -> list[tuple[str, Any]]:
    """Go prints the keys of a map in their order."""
    return sorted(found.items())


_NAMED_LISTS = ("ExtraValue", "Verbs")
"""Lists of strings that have a name in Go, and therefore a message of their own."""


def _scalar(field: FieldDescriptor) -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
    if field.type == FieldDescriptor.TYPE_BYTES and field.containing_type.full_name not in VALUES:
        return base64.b64decode, lambda value: base64.b64encode(value).decode()
    if field.cpp_type == FieldDescriptor.CPPTYPE_DOUBLE:
        return float, lambda value: int(value) if value.is_integer() else value
    return _same, _same


def _same(value: Any) -> Any:
    return value


def _is_map(field: FieldDescriptor) -> bool:
    return field.message_type is not None and field.message_type.GetOptions().map_entry


def _json_names(known: Mapping[str, Any]) -> dict[str, str]:
    return {_folded(name): name for name in known}


def _folded(name: str) -> str:
    """`$ref`, `x-kubernetes-map-type`, `apiGroup` and `ref`, `xKubernetesMapType`, `aPIGroup`."""
    return re.sub(r"[$-]", "", name).lower()
