"""What CEL knows of the values of a schema: their types, how large they can be, their values.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/apiserver/pkg/cel/common/schemas.go
"""

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fractions import Fraction
from itertools import count
from typing import Any

from cel_expr_python import cel  # type: ignore[import-untyped]
from google.protobuf import descriptor_pb2, descriptor_pool

from hourglass_simulator.apiserver import cel_environment, cel_messages
from hourglass_simulator.apiserver.cel_source import OLD
from hourglass_simulator.apiserver.schema import Node

MAX_REQUEST_BYTES = 3 * 1024 * 1024
_RESERVED = frozenset(
    {
        *("true", "false", "null", "in", "as", "break", "const", "continue", "else", "for"),
        *("function", "if", "import", "let", "loop", "package", "namespace", "return", "var"),
        *("void", "while"),
    }
)
_ESCAPED = {"__": "__underscores__", ".": "__dot__", "-": "__dash__", "/": "__slash__"}


@dataclass(frozen=True)
class DeclaredType:
    """`kind` is object, list, map, string, int, double, bool, bytes, duration, timestamp or dyn.

    `max_elements`: of a list or a map its largest size, of a text its largest length;
    `min_bytes`: the least that a value takes in JSON.
    """

    kind: str
    min_bytes: int
    max_elements: int = 0
    fields: dict[str, "DeclaredType"] = field(default_factory=dict)
    element: "DeclaredType | None" = None


_TEXT_OF_A_NAME = DeclaredType("string", 2)
_LONGEST_TEXT = MAX_REQUEST_BYTES - 2
_SCALARS = {
    "boolean": DeclaredType("bool", 4),
    "number": DeclaredType("double", 1),
    "integer": DeclaredType("int", 1),
}
_NAMES = DeclaredType("string", 2, _LONGEST_TEXT)
_META = DeclaredType("object", 2, fields={"name": _NAMES, "generateName": _NAMES})
_ROOT = {"kind": _NAMES, "apiVersion": _NAMES, "metadata": _META}


def escaped(name: str) -> str | None:
    """A property as rules name it; None when they cannot."""
    if name in _RESERVED:
        return f"__{name}__"
    if re.fullmatch(r"[a-zA-Z_./-][a-zA-Z0-9_./-]*", name) is None:
        return None
    return re.sub(r"__|[./-]", lambda found: _ESCAPED[found[0]], name)


def declared(node: Node, *, root: bool = False) -> DeclaredType | None:
    """The type of a schema's values; None when rules do not see them."""
    if node.int_or_string:
        longest = _LONGEST_TEXT if node.max_length is None else max(node.max_length, 0) * 4
        return DeclaredType("dyn", 1, longest)
    kind = node.types[0] if node.types else ""
    if root:
        kind = "object"
    if kind == "array":
        element = declared(node.items, root=node.items.embedded) if node.items else None
        if element is None:
            return None
        fits = (MAX_REQUEST_BYTES - 2) // (element.min_bytes + 1)
        most = fits if node.max_items is None else max(node.max_items, 0)
        return DeclaredType("list", 2, most, element=element)
    if kind == "object":
        return _declared_object(node, root=root)
    if kind == "string":
        return _declared_text(node)
    return _SCALARS.get(kind)


def _declared_object(node: Node, *, root: bool) -> DeclaredType | None:
    if node.additional is not None:
        element = declared(node.additional, root=node.additional.embedded)
        if element is None:
            return None
        fits = (MAX_REQUEST_BYTES - 2) // (element.min_bytes + 6)
        most = fits if node.max_properties is None else max(node.max_properties, 0)
        return DeclaredType("map", 2, most, element=element)
    fields: dict[str, DeclaredType] = {}
    least = 2
    for name, child in node.properties.items():
        if root and name in _ROOT:
            continue
        found = declared(child, root=child.embedded)
        if found is None:
            continue
        if (called := escaped(name)) is not None:
            fields[called] = found
        if name in node.required and child.default is None:
            least += len(name) + found.min_bytes + 4
    if root:
        fields |= _ROOT
        least += sum(len(n) + _ROOT[n].min_bytes + 4 for n in node.required if n in _ROOT)
    return DeclaredType("object", least, fields=fields)


_FORMATTED = {
    "duration": DeclaredType("duration", 3, 32),
    "date": DeclaredType("timestamp", 12, 12),
    "datetime": DeclaredType("timestamp", 21, 32),
}


def _declared_text(node: Node) -> DeclaredType:
    if node.format == "byte":
        longest = _LONGEST_TEXT if node.max_length is None else max(node.max_length, 0)
        return DeclaredType("bytes", 2, longest)
    # A format with a dash is another name that only the validation of values knows.
    formatted = "datetime" if node.format == "date-time" else node.format
    if formatted in _FORMATTED and node.format != "datetime":
        return _FORMATTED[formatted]
    if node.max_length is not None:
        return DeclaredType("string", 2, max(node.max_length, 0) * 4)
    if node.enum:
        longest = max(
            (len(each.encode()) for each in node.enum if isinstance(each, str)), default=0
        )
        return DeclaredType("string", 2, longest)
    return DeclaredType("string", 2, _LONGEST_TEXT)


# Types for the checker of expressions

_PROTO = {"string": 9, "int": 3, "double": 1, "bool": 8, "bytes": 12}
_MESSAGES = {
    "duration": ".google.protobuf.Duration",
    "timestamp": ".google.protobuf.Timestamp",
    "dyn": ".google.protobuf.Value",
}
_CEL = {
    "string": cel.Type.STRING,
    "int": cel.Type.INT,
    "double": cel.Type.DOUBLE,
    "bool": cel.Type.BOOL,
    "bytes": cel.Type.BYTES,
    "duration": cel.Type.DURATION,
    "timestamp": cel.Type.TIMESTAMP,
    "dyn": cel.Type.DYN,
}


def checking_environment(of: DeclaredType, name: str = "", *, lists: bool) -> cel.Env:
    """An environment in which `self` and `oldSelf` are of a type, or a variable of this name.

    `lists` as there.
    """
    pool = descriptor_pool.DescriptorPool()
    cel_messages.add_messages(pool)
    file = descriptor_pb2.FileDescriptorProto(name="self.proto", package="self", syntax="proto3")
    file.dependency.extend(
        f"google/protobuf/{name}.proto" for name in ("duration", "timestamp", "struct")
    )
    numbers = count(1)
    kind = _cel_type(of, file, numbers)
    pool.Add(file)
    variables = {"self": kind(), "oldSelf": kind(), OLD: cel.Type.List(kind())}
    if name:
        variables = {name: kind()}
    return cel_environment.checking_environment(pool, variables, lists=lists, binds=bool(name))


def _cel_type(
    of: DeclaredType, file: descriptor_pb2.FileDescriptorProto, numbers: "count[int]"
) -> Callable[[], cel.Type]:
    """Makes the type, which is only known when the messages of the file are."""
    if of.kind == "object":
        name = _message(of, file, numbers)
        return lambda: cel.Type(f"self.{name}")
    if of.kind in ("list", "map") and of.element is not None:
        element = _cel_type(of.element, file, numbers)
        if of.kind == "list":
            return lambda: cel.Type.List(element())
        return lambda: cel.Type.Map(cel.Type.STRING, element())
    return lambda: _CEL[of.kind]


def _message(
    of: DeclaredType, file: descriptor_pb2.FileDescriptorProto, numbers: "count[int]"
) -> str:
    """A message with the fields of an object; what a message cannot have is a dynamic value."""
    name = f"Type{next(numbers)}"
    message = descriptor_pb2.DescriptorProto(name=name)
    for number, (called, child) in enumerate(of.fields.items(), 1):
        made = message.field.add(name=called, number=number, label=1, json_name=f"f{number}")
        element = child.element
        if child.kind == "list" and element is not None and element.kind not in ("list", "map"):
            made.label = 3
            _set_type(made, element, file, numbers)
        elif child.kind == "map" and element is not None and element.kind not in ("list", "map"):
            made.label, made.type = 3, 11
            entry = message.nested_type.add(name=f"{_camel(called)}Entry")
            entry.options.map_entry = True
            entry.field.add(name="key", number=1, label=1, type=9)
            value = entry.field.add(name="value", number=2, label=1)
            _set_type(value, element, file, numbers)
            made.type_name = f".self.{name}.{entry.name}"
        else:
            _set_type(made, child, file, numbers)
    file.message_type.append(message)
    return name


def _set_type(
    made: descriptor_pb2.FieldDescriptorProto,
    of: DeclaredType,
    file: descriptor_pb2.FileDescriptorProto,
    numbers: "count[int]",
) -> None:
    if of.kind == "object":
        made.type, made.type_name = 11, f".self.{_message(of, file, numbers)}"
    elif of.kind in _PROTO:
        made.type = _PROTO[of.kind]
    else:
        made.type, made.type_name = 11, _MESSAGES.get(of.kind, _MESSAGES["dyn"])


def _camel(name: str) -> str:
    """As the entry of a map must be called: by the field's name in camel case."""
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


# Values

Convert = Callable[[Any], Any]


def converter(node: Node, *, root: bool = False) -> Convert | None:
    """Makes of a value what rules see; None when that is the value itself."""
    if node.int_or_string:
        return None
    kind = "object" if root else node.types[0] if node.types else ""
    if kind == "array" and node.items is not None:
        return _items_converter(converter(node.items, root=node.items.embedded))
    if kind == "object":
        if node.additional is not None:
            return _values_converter(converter(node.additional, root=node.additional.embedded))
        return _object_converter(node, root=root)
    if kind == "number":
        return lambda value: float(value) if type(value) is int else value
    if kind == "string":
        return {
            "byte": _bytes,
            "duration": _duration,
            "date": _timestamp,
            "date-time": _timestamp,
        }.get(node.format)
    return None


def _items_converter(item: Convert | None) -> Convert | None:
    if item is None:
        return None
    return lambda value: [item(each) for each in value] if isinstance(value, list) else value


def _values_converter(convert: Convert | None) -> Convert | None:
    if convert is None:
        return None
    return lambda value: (
        {name: convert(each) for name, each in value.items()} if isinstance(value, dict) else value
    )


def _object_converter(node: Node, *, root: bool) -> Convert | None:
    children = {}
    plain = not root and not node.preserves
    for name, child in node.properties.items():
        called = escaped(name)
        seen = declared(child, root=child.embedded) is not None
        if called is None or not seen:
            plain = False
            continue
        children[name] = (called, converter(child, root=child.embedded))
        plain = plain and called == name and children[name][1] is None and not child.nullable
    if plain:
        return None
    if root:
        children |= {name: (name, None) for name in ("apiVersion", "kind")}
        children["metadata"] = ("metadata", _names)

    def convert(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        found = {}
        for name, each in value.items():
            if each is not None and name in children:
                called, of = children[name]
                found[called] = each if of is None else of(each)
        return found

    return convert


def _names(meta: Any) -> Any:
    """Of the metadata, rules see nothing but the names."""
    if not isinstance(meta, dict):
        return meta
    return {name: meta[name] for name in ("name", "generateName") if name in meta}


def _bytes(value: Any) -> Any:
    try:
        return base64.b64decode(value)
    except (TypeError, ValueError):
        return value


def _timestamp(value: Any) -> Any:
    try:
        found = datetime.fromisoformat(value.upper())
    except (AttributeError, ValueError):
        return value
    since = (found if found.tzinfo else found.replace(tzinfo=UTC)) - datetime(
        1970, 1, 1, tzinfo=UTC
    )
    return cel_messages.timestamp(since.days * 86400 + since.seconds, since.microseconds * 1000)


_UNITS = {"ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
_UNITS |= {"µs": 10**3, "μs": 10**3, "d": 24 * 3600 * 10**9, "w": 7 * 24 * 3600 * 10**9}


def _duration(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    total = Fraction(0)
    for amount, unit in re.findall(r"([0-9]*\.?[0-9]*)\s*([A-Za-zµμ]+)", value):
        key = unit if unit in _UNITS else unit[:1].lower()
        if key in _UNITS and amount not in ("", "."):
            total += Fraction(amount) * _UNITS[key]
    return cel_messages.duration(int(-total if value.startswith("-") else total))


def aligned(old: Any, new: Any, node: Node) -> Any:
    """An old value whose sets and list-maps are in the order of the new ones.

    So they are equal when they differ by nothing but their order, as Kubernetes compares them.
    """
    if isinstance(old, dict) and isinstance(new, dict):
        changed = {}
        for name, child in node.properties.items():
            if name in old and name in new:
                found = aligned(old[name], new[name], child)
                if found is not old[name]:
                    changed[name] = found
        return {**old, **changed} if changed else old
    if isinstance(old, list) and isinstance(new, list) and node.list_type in ("set", "map"):
        order = {_key(item, node): index for index, item in enumerate(new)}
        return sorted(old, key=lambda item: order.get(_key(item, node), len(order)))
    return old


def _key(item: Any, node: Node) -> str:
    if node.list_type == "map" and isinstance(item, dict):
        return repr([item.get(name) for name in node.list_keys])
    return repr(item)
