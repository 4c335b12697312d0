"""Objects that are nearly right: known ones with some of their fields changed at random.

Values come from the types of the OpenAPI document of an API server: of what a description names,
of what is often wrong, and now and then of another type altogether. The same seed makes the same.
"""

import copy
import json
import random
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from ruamel.yaml import YAML

from goldens import record_kinds, record_rules
from goldens.record_validation import written_out

_STRINGS = [
    "a",
    "b",
    "A_b",
    "a.b",
    "a/b",
    "example.com/a",
    "1",
    "10.0.0.1",
    "::1",
    "http",
    "Foo",
    "ü",
    "-a",
    "a-",
    "TCP",
    "80",
    "5%",
    "101%",
    "None",
    "*",
    "/",
    "/a",
    "../a",
    "https://a.b/c?d#e",
    "0",
    "a=b",
    "kubernetes.io/x",
    "x.k8s.io/y",
    "v1",
    "Pod",
    "nodes",
    "2024-01-01T00:00:00Z",
    "true",
    "default",
]
_LONG_STRINGS = ["", " a ", "a b", "a\nb", "x" * 64, "x" * 254]
_INTEGERS = [-1, 0, 1, 2, 5, 80, 101, 65536, 2**31 - 1, 2**31, 2**40, 2**63, 1.5, "1"]
_OF_SCHEMA = {
    "Quantity": ["1", "100m", "1Gi", "-1", "1x", "0", "", 1, 1.5, "1.0001", "1e3", "1u", None],
    "IntOrString": ["5%", 1, 0, -1, "x", "101%", "http", 70000, "", 2**31],
    "Time": ["2024-01-01T00:00:00Z", "2024-01-01T00:00:00.5Z", "yesterday", "", None, 5],
    "MicroTime": ["2024-01-01T00:00:00Z", "2024-01-01T00:00:00.5Z", "yesterday", "", None, 5],
    "FieldsV1": [{}],
}
_BYTES = ["", "YQ==", "a", "YQ", "YWI="]
_OF_ANOTHER_TYPE = [None, {}, [], "", 0, True, "x", [None], {"a": 1}]
_KEYS = ["a", "A_b", "a/b", "", "example.com/a", "x" * 64, "cpu", "memory", "pods", "hugepages-2Mi"]
_METADATA = [
    "name",
    "labels",
    "annotations",
    "finalizers",
    "ownerReferences",
    "generateName",
    "namespace",
    "resourceVersion",
    "uid",
    "generation",
    "selfLink",
    "creationTimestamp",
    "deletionGracePeriodSeconds",
]
_NEVER_CHANGED = ("apiVersion", "kind", "status")
_WORD = re.compile(r"[`\"']([A-Za-z0-9./_-]{1,40})[`\"']|- ([A-Z][A-Za-z]+)")
_Schema = dict[str, Any]


class Seed(NamedTuple):
    """An object that is right, the path of its resource, and the name of its schema."""

    path: str
    obj: dict[str, Any]
    schema: str


class RandomObjects:
    """Of the types in `document`, which is an OpenAPI v2 document."""

    def __init__(self, document: dict[str, Any], chance: random.Random) -> None:
        self._definitions: dict[str, _Schema] = document["definitions"]
        self._chance = chance
        self._created = dict(_created(document["paths"]))

    def seeds(self) -> list[Seed]:
        """Those of the recorders that the server of the document knows, typed."""
        found = []
        for path, obj in _recorded():
            general = path.replace(f"/{record_kinds.NAMESPACE}/", "/{namespace}/")
            if (schema := self._created.get(general)) is not None:
                kind = self._definitions[schema]["x-kubernetes-group-version-kind"][0]
                version = "/".join(filter(None, (kind["group"], kind["version"])))
                found.append(
                    Seed(path, {"apiVersion": version, "kind": kind["kind"], **obj}, schema)
                )
        return found

    def status(self, schema: str) -> Any:
        """One at random, None for a kind without status."""
        found = self._definitions[schema]["properties"].get("status")
        return None if found is None else self._value(found, 1)

    def changed(self, seed: Seed) -> dict[str, Any]:
        """The object with one, two or three changes."""
        obj = copy.deepcopy(seed.obj)
        for _ in range(self._chance.choice([1, 1, 1, 2, 3])):
            whole = {"$ref": f"#/definitions/{seed.schema}"}
            places = [
                each
                for each in self._places(obj, whole)
                if not (each[0] is obj and each[1] in _NEVER_CHANGED)
            ]
            self._change(obj, *self._chance.choice(places))
        return obj

    def _change(self, obj: dict[str, Any], holder: Any, key: Any, schema: _Schema) -> None:
        if key is None:
            fixed = _NEVER_CHANGED if holder is obj else ()
            names = sorted(set(schema["properties"]).difference(fixed))
            name = self._chance.choice(_METADATA if holder is obj.get("metadata") else names)
            holder[name] = self._value(schema["properties"][name], 2)
            return
        what = self._chance.random()
        if what < 0.25:
            del holder[key]
        elif what < 0.35 and isinstance(holder, list):
            holder.append(copy.deepcopy(holder[key]))
        else:
            holder[key] = self._value(schema, 2)

    def _places(self, value: Any, typed: _Schema) -> Iterator[tuple[Any, Any, _Schema]]:
        """What holds a value, its key, and its schema; of what holds fields, also no key at all."""
        name, schema = self._schema(typed)
        if name in _OF_SCHEMA:
            return
        if isinstance(value, list) and "items" in schema:
            for index, item in enumerate(value):
                yield value, index, schema["items"]
                yield from self._places(item, schema["items"])
        if not isinstance(value, dict):
            return
        fields = schema.get("properties") or {}
        if fields:
            yield value, None, schema
        for key, item in value.items():
            below = fields.get(key) or schema.get("additionalProperties")
            if isinstance(below, dict):
                yield value, key, below
                yield from self._places(item, below)

    def _schema(self, schema: _Schema) -> tuple[str, _Schema]:
        """The last word of its name, and the schema itself."""
        if "$ref" not in schema:
            return "", schema
        name = schema["$ref"].rpartition("/")[2]
        return name.rpartition(".")[2], self._definitions[name]

    def _value(self, typed: _Schema, depth: int) -> Any:
        choose = self._chance.choice
        if self._chance.random() < 0.02:
            return choose(_OF_ANOTHER_TYPE)
        name, schema = self._schema(typed)
        if name in _OF_SCHEMA:
            return choose(_OF_SCHEMA[name])
        match schema.get("type"):
            case "string":
                described = typed.get("description") or schema.get("description", "")
                return self._string(schema, described)
            case "integer" | "number":
                return choose(_INTEGERS)
            case "boolean":
                return choose([True, False, True, False, "true", 1, None])
            case "array":
                items = [
                    self._value(schema.get("items", {}), depth + 1)
                    for _ in range(choose([0, 1, 1, 1, 2]))
                ]
                return items + copy.deepcopy(items[:1]) * (self._chance.random() < 0.15)
        if schema.get("properties"):
            return self._object(schema, depth)
        if "additionalProperties" in schema:
            element = schema["additionalProperties"]
            return {
                choose(_KEYS): self._value(element, depth + 1) for _ in range(choose([0, 1, 1, 2]))
            }
        return choose([None, {}, "x", 1, {"a": 1}, [1]])

    def _string(self, schema: _Schema, described: str) -> str:
        if schema.get("format") == "byte":
            return self._chance.choice(_BYTES)
        named = [one or other for one, other in _WORD.findall(described)]
        words = named + schema.get("enum", [])
        if words and self._chance.random() < 0.6:
            return str(self._chance.choice(words))
        return self._chance.choice(_STRINGS + _LONG_STRINGS)

    def _object(self, schema: _Schema, depth: int) -> dict[str, Any]:
        """Most of what is required, and some of the rest."""
        fields = schema["properties"]
        names = [name for name in schema.get("required", ()) if self._chance.random() < 0.85]
        count = self._chance.choice([0, 1, 1, 2, 3] if depth < 4 else [0, 0, 1])
        names += self._chance.sample(sorted(fields), min(count, len(fields)))
        return {name: self._value(fields[name], depth + 1) for name in names}


def _created(paths: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The paths at which objects are created, with the name of their schema."""
    for path, operations in paths.items():
        post = operations.get("post", {})
        if "x-kubernetes-group-version-kind" in post:
            for parameter in post.get("parameters", ()):
                if parameter.get("in") == "body":
                    yield path, parameter["schema"].get("$ref", "").rpartition("/")[2]


def _recorded() -> Iterator[tuple[str, dict[str, Any]]]:
    for path, obj in record_kinds.load().items():
        yield path, {**obj, "metadata": {"name": "one", **obj.get("metadata", {})}}
    for file in record_rules.FILES:
        for group in YAML(typ="safe").load(record_rules.HERE / f"{file}.yaml"):
            if "path" in group:
                text = json.dumps(written_out(group)).replace("{ns}", record_kinds.NAMESPACE)
                found = json.loads(text)
                yield found["path"], found["object"]
