"""The OpenAPI documents: as recorded, and what they have of definitions.

What a document says of any definition was recorded of one whose names stand for others; its schema
comes in `published_schema`.

https://kubernetes.io/docs/concepts/overview/kubernetes-api/#openapi-interface-definition
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.resources import Resource
from hourglass_simulator.http.published_schema import published
from hourglass_simulator.kubernetes.version import Version
from hourglass_simulator.protobuf import openapi as protobuf

Schema = Callable[[Resource], JSON]
"""The schema of a custom resource."""

_VOWELS = "aeiou"
_USUAL = ("apiVersion", "kind", "metadata")
_COMPONENT = "#/components/schemas/"


def paths(version: Version, resources: Iterable[Resource]) -> JSON:
    """/openapi/v3: one document for each group and version."""
    found = sorted({*version.openapi_v3, *(_base(r) for r in resources if r.custom)})
    return {"paths": {path: {"serverRelativeURL": f"/openapi/v3/{path}"} for path in found}}


def v2(version: Version, resources: Iterable[Resource], schema: Schema) -> JSON:
    """/openapi/v2: the recorded document, with the kinds of definitions."""
    recorded = version.openapi_v2
    found, definitions = _v2_of_definitions(version, resources, schema)
    return {
        **recorded,
        "paths": dict(sorted((recorded["paths"] | found).items())),
        "definitions": dict(sorted((recorded["definitions"] | definitions).items())),
    }


def v2_protobuf(version: Version, resources: Iterable[Resource], schema: Schema) -> bytes:
    """/openapi/v2 in protocol buffers."""
    return protobuf.encoded(version, *_v2_of_definitions(version, resources, schema))


def _v2_of_definitions(
    version: Version, resources: Iterable[Resource], schema: Schema
) -> tuple[JSON, JSON]:
    """Paths, and definitions of kinds."""
    found: JSON = {}
    definitions: JSON = {}
    for resource in resources:
        if resource.custom:
            own = _of_template(version, resource)["v2"]
            found |= _served_paths(own["paths"], resource)
            definitions |= _schemas(
                version, own["definitions"], resource, schema(resource), v2=True
            )
    return found, definitions


def v3(version: Version, resources: Iterable[Resource], base: str, schema: Schema) -> JSON | None:
    """/openapi/v3/BASE; None where nothing is served."""
    if base in version.openapi_v3:
        recorded: JSON = version.openapi_v3[base]
        return recorded
    found = [r for r in resources if r.custom and _base(r) == base]
    if not found:
        return None
    document: JSON = {"paths": {}}
    schemas: dict[str, JSON] = {}
    for resource in found:
        own = _of_template(version, resource)["v3"]
        document = {**own, "paths": document["paths"] | _served_paths(own["paths"], resource)}
        known = own["components"]["schemas"]
        schemas |= known | _schemas(version, known, resource, schema(resource), v2=False)
    reached = _reached(document["paths"], schemas)
    kept = {name: schemas[name] for name in sorted(schemas) if name in reached}
    return {
        **document,
        "paths": dict(sorted(document["paths"].items())),
        "components": {"schemas": kept},
    }


def _of_template(version: Version, resource: Resource) -> JSON:
    """What was recorded, with the names of a resource."""
    group = resource.group
    words = [each for each in re.split(r"[^A-Za-z0-9_]+", group.removesuffix(".k8s.io")) if each]
    camel = "".join(word[0].upper() + word[1:] for word in words)
    names = {
        "group.placeholder.test": group,
        "test.placeholder.group": _package(resource),
        "GroupPlaceholderTest": camel,
        "groupPlaceholderTest": camel[0].lower() + camel[1:],
        "V9876": resource.version[0].upper() + resource.version[1:],
        "v9876": resource.version,
        " a Thekind": f"{_article(resource.kind)}{resource.kind}",
        "Thekind": resource.kind,
        "Thelist": resource.list_kind,
        "theplural": resource.plural,
    }
    scope = "Namespaced" if resource.namespaced else "Cluster"
    text = json.dumps(version.custom[scope])
    found: JSON = json.loads(_NAMES.sub(lambda name: names[name[0]], text))
    return found


_NAMES = re.compile(
    "group.placeholder.test|test.placeholder.group|GroupPlaceholderTest|groupPlaceholderTest"
    "|V9876|v9876| a Thekind|Thekind|Thelist|theplural"
)


def _article(kind: str) -> str:
    """https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/apiserver/pkg/endpoints/installer.go#L1266."""
    if kind.endswith("s") and not kind.endswith("ss"):
        return " "
    return " an " if kind[0].lower() in _VOWELS else " a "


def _served_paths(found: Mapping[str, JSON], resource: Resource) -> JSON:
    left_out = {"status", "scale"} - set(resource.subresources)
    return {path: each for path, each in found.items() if path.rpartition("/")[2] not in left_out}


def _schemas(
    version: Version, recorded: Mapping[str, JSON], resource: Resource, schema: JSON, *, v2: bool
) -> dict[str, JSON]:
    """The schemas of a kind and of its list."""
    package = f"{_package(resource)}.{resource.version}"
    of_kind, of_list = f"{package}.{resource.kind}", f"{package}.{resource.list_kind}"
    usual = {name: recorded[of_kind]["properties"][name] for name in _USUAL}
    group_version_kind = {
        "x-kubernetes-group-version-kind": recorded[of_kind]["x-kubernetes-group-version-kind"]
    }
    selectable = {}
    if resource.selectable:
        fields = [{"fieldPath": path.removeprefix(".")} for path in resource.selectable]
        selectable = {"x-kubernetes-selectable-fields": fields}
    return {
        of_kind: published(schema, usual, version.published_keywords, v2=v2)
        | group_version_kind
        | selectable,
        of_list: recorded[of_list] | selectable,
    }


def _reached(value: Any, schemas: Mapping[str, JSON]) -> set[str]:
    """The names of the schemas that paths refer to, and those that these refer to."""
    reached: set[str] = set()
    waiting = [value]
    while waiting:
        text = json.dumps(waiting.pop())
        for name in re.findall(rf'"{_COMPONENT}([^"]+)"', text):
            if name not in reached:
                reached.add(name)
                waiting.append(schemas[name])
    return reached


def _package(resource: Resource) -> str:
    return ".".join(reversed(resource.group.split(".")))


def _base(resource: Resource) -> str:
    return f"apis/{resource.api_version}" if resource.group else f"api/{resource.version}"
