"""OpenAPI v2 in protocol buffers, as gnostic makes them of the document in JSON.

The descriptors say which fields there are; what they do not say is here: how names are written in
JSON, and which member of a `oneof` a value is.

https://github.com/google/gnostic-models/blob/v0.7.0/openapiv2/OpenAPIv2.go
"""

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from hourglass_kube.types import JSON
from hourglass_simulator.kubernetes.version import Version
from hourglass_simulator.protobuf import go_yaml
from hourglass_simulator.protobuf.descriptors import descriptors

_DOCUMENT = "openapi.v2.Document"
_MAPS = {
    "additional_properties": re.compile(""),
    "vendor_extension": re.compile("x-"),
    "path": re.compile("/"),
    "response_code": re.compile("[0-9]{3}$|default$"),
}
"""Fields for what has no field of its own, by how its names begin."""


def encoded(version: Version, paths: Mapping[str, JSON], definitions: Mapping[str, JSON]) -> bytes:
    """The document of a version, with more paths and definitions."""
    message = descriptors(version).message(_DOCUMENT)
    message.ParseFromString(_recorded(version))
    _insert(message.paths.path, paths)
    _insert(message.definitions.additional_properties, definitions)
    content: bytes = message.SerializeToString(deterministic=True)
    return content


@cache
def _recorded(version: Version) -> bytes:
    """Made once: it takes a second."""
    message = descriptors(version).message(_DOCUMENT)
    _fill(message, version.openapi_v2)
    content: bytes = message.SerializeToString(deterministic=True)
    return content


def _insert(entries: Any, more: Mapping[str, JSON]) -> None:
    for name, each in more.items():
        _fill(entries.add(name=name).value, each)
    entries.sort(key=lambda entry: entry.name)


def _fill(message: Message, value: Any) -> None:
    name = message.DESCRIPTOR.name
    if name == "Any":
        message.yaml = go_yaml.dump(value)
    elif message.DESCRIPTOR.oneofs:
        chosen = _MEMBERS[name](value)
        if isinstance(value, bool):
            setattr(message, chosen, value)
        else:
            _fill(_present(message, chosen), value)
    elif name in _LISTS:
        _set(message, message.DESCRIPTOR.fields[0], value if isinstance(value, list) else [value])
    else:
        _fill_fields(message, value)


def _fill_fields(message: Message, value: Mapping[str, Any]) -> None:
    named = {_json_name(field.name): field for field in message.DESCRIPTOR.fields}
    for key, each in sorted(value.items()):
        field = named.get(key)
        if _is_map(message) or field is None:
            _add(message, key, each)
        else:
            _set(message, field, each)


def _is_map(message: Message) -> bool:
    """Whether names are the document's own."""
    return [field.name for field in message.DESCRIPTOR.fields] == ["additional_properties"]


def _add(message: Message, key: str, value: Any) -> None:
    fields = [field.name for field in message.DESCRIPTOR.fields if field.is_repeated]
    field = next(name for name in fields if name in _MAPS and _MAPS[name].match(key))
    added = getattr(message, field).add(name=key)
    _set(added, added.DESCRIPTOR.fields_by_name["value"], value)


def _set(message: Message, field: FieldDescriptor, value: Any) -> None:
    if field.message_type is None:
        if field.is_repeated:
            getattr(message, field.name).extend(value)
        else:
            setattr(message, field.name, value)
    elif field.is_repeated:
        for each in value:
            _fill(getattr(message, field.name).add(), each)
    else:
        _fill(_present(message, field.name), value)


def _present(message: Message, field: str) -> Message:
    below: Message = getattr(message, field)
    below.SetInParent()
    return below


def _json_name(name: str) -> str:
    """`externalDocs` and `$ref` of `external_docs` and `_ref`."""
    if name.startswith("_"):
        return "$" + name[1:]
    return re.sub("_(.)", lambda found: found[1].upper(), name)


def _or_reference(member: str) -> Callable[[Any], str]:
    return lambda value: "json_reference" if "$ref" in value else member


_MEMBERS: Mapping[str, Callable[[Any], str]] = {
    "AdditionalPropertiesItem": lambda value: "boolean" if isinstance(value, bool) else "schema",
    "NonBodyParameter": lambda value: f"{value['in']}_parameter_sub_schema",
    "Parameter": lambda v: "body_parameter" if v["in"] == "body" else "non_body_parameter",
    "ParametersItem": _or_reference("parameter"),
    "ResponseValue": _or_reference("response"),
    "SchemaItem": lambda _: "schema",
    "SecurityDefinitionsItem": lambda _: "api_key_security",
}
"""Which member of a `oneof` a value is; of those that documents of Kubernetes have."""
_LISTS = ("ItemsItem", "StringArray", "TypeItem")
"""Messages for one value or several."""
