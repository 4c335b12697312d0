"""The types by which objects are merged, made of OpenAPI schemas.

https://github.com/kubernetes/kube-openapi/blob/f3f2b991d03b/pkg/schemaconv/openapi.go
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from hourglass_kube.types import JSON

NUMERIC, STRING, BOOLEAN, UNTYPED = "numeric", "string", "boolean", "untyped"
_QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"
_RAW = "io.k8s.apimachinery.pkg.runtime.RawExtension"


class Type:
    """A type that is made when it is first needed, as types may contain themselves."""

    def __init__(self, make: "Callable[[], Atom]") -> None:
        self._make = make

    @cached_property
    def atom(self) -> "Atom":
        """What values of the type may be."""
        return self._make()


@dataclass(frozen=True, slots=True)
class Map:
    """An object: `fields` that are named, and `element` for others (None: there are none).

    `defaults` are those of the fields that have some; an atomic one is owned as a whole.
    """

    fields: Mapping[str, Type]
    element: Type | None
    atomic: bool = False
    defaults: Mapping[str, Any] = field(default_factory=dict)
    deduced: bool = False
    """Nothing is known of what is in it."""


@dataclass(frozen=True, slots=True)
class List:
    """A list: owned as a whole, or an associative one whose items are known by `keys`.

    An associative list without keys is a set of scalars.
    """

    element: Type
    associative: bool = False
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Atom:
    """What a value may be: a scalar, a list, a map, or several of them."""

    scalar: str = ""
    list: List | None = None
    map: Map | None = None


UNTYPED_WHOLE: Type = Type(
    lambda: Atom(UNTYPED, List(UNTYPED_WHOLE), Map({}, UNTYPED_WHOLE, atomic=True))
)
DEDUCED: Type = Type(lambda: Atom(UNTYPED, List(UNTYPED_WHOLE), Map({}, DEDUCED, deduced=True)))


class Schemas:
    """Types by the name of their schema."""

    def __init__(self, schemas: Mapping[str, JSON]) -> None:
        self._schemas = schemas
        self._types: dict[str, Type] = {}

    def named(self, name: str) -> Type:
        """The type of a schema of these."""
        if name not in self._types:
            self._types[name] = Type(lambda: self._atom_of(name))
        return self._types[name]

    def inlined(self, schema: JSON, *, preserves: bool = False) -> Type:
        """The type of a schema that refers to these; `preserves` is true below one that does."""
        options = [schema, *(schema.get("allOf") or ())] if len(schema.get("allOf", ())) < 2 else []
        reference = next((each["$ref"] for each in options if "$ref" in each), "")
        if not reference:
            return Type(lambda: self._parsed(schema, preserves=preserves))
        named = self.named(reference.rpartition("/")[2])
        override = schema.get("x-kubernetes-map-type")
        if override is None:
            return named
        return Type(lambda: _with_map_type(named.atom, override))

    def _atom_of(self, name: str) -> Atom:
        if name == _QUANTITY:
            return Atom(UNTYPED)
        return UNTYPED_WHOLE.atom if name == _RAW else self._parsed(self._schemas[name])

    def _parsed(self, schema: JSON, *, preserves: bool = False) -> Atom:
        preserves = preserves or schema.get("x-kubernetes-preserve-unknown-fields") is True
        kind = schema.get("type", "")
        if kind == "object":
            return Atom(map=self._map(schema, preserves=preserves))
        if kind == "array":
            return Atom(list=self._list(schema, preserves=preserves))
        if kind:
            return Atom(_scalar(kind, schema.get("format", "")))
        known_map = self._map(schema, preserves=preserves)
        return Atom(UNTYPED, self._list(schema, preserves=preserves), known_map)

    def _map(self, schema: JSON, *, preserves: bool) -> Map:
        properties = schema.get("properties") or {}
        others = schema.get("additionalProperties")
        if others is None:
            element = DEDUCED if preserves or not properties else None
        elif isinstance(others, dict):
            element = self.inlined(others, preserves=preserves)
        else:
            element = DEDUCED if others else None
        return Map(
            {name: self.inlined(each, preserves=preserves) for name, each in properties.items()},
            element,
            atomic=schema.get("x-kubernetes-map-type") == "atomic",
            defaults={
                name: each["default"] for name, each in properties.items() if "default" in each
            },
            deduced=not properties and element is DEDUCED,
        )

    def _list(self, schema: JSON, *, preserves: bool) -> List:
        items = schema.get("items")
        element = UNTYPED_WHOLE if items is None else self.inlined(items, preserves=preserves)
        kind = schema.get("x-kubernetes-list-type")
        if kind is not None:
            keys = schema.get("x-kubernetes-list-map-keys", ()) if kind == "map" else ()
            return List(element, kind != "atomic", tuple(keys))
        if "merge" in schema.get("x-kubernetes-patch-strategy", "").split(","):
            key = schema.get("x-kubernetes-patch-merge-key")
            return List(element, associative=True, keys=(key,) if key else ())
        return List(element)


def _with_map_type(atom: Atom, map_type: str) -> Atom:
    if atom.map is None:
        return atom
    known = atom.map
    atomic = map_type == "atomic"
    changed = Map(known.fields, known.element, atomic, known.defaults, known.deduced)
    return Atom(atom.scalar, atom.list, changed)


def _scalar(kind: str, form: str) -> str:
    if kind in ("integer", "number"):
        return NUMERIC
    if kind == "boolean":
        return BOOLEAN
    return STRING if form in ("", "byte") else UNTYPED
