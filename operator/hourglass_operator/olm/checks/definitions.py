"""The CustomResourceDefinitions, and what the ClusterServiceVersion says of them."""

import json

from pydantic import ValidationError

from hourglass_kube.types import JSON
from hourglass_operator.api import KIND, PerformerSpec
from hourglass_operator.olm.checks.model import (
    Bundle,
    Mistake,
    Mistakes,
    at,
    in_csv,
    owned_definitions,
)

_SELECT = ":select:"


def owned(bundle: Bundle) -> Mistakes:
    """The owned definitions are those of the bundle."""
    defined = {at(crd, "metadata.name"): crd for crd in bundle.crds.values()}
    listed = owned_definitions(bundle)
    for index, entry in enumerate(listed):
        where = f"spec.customresourcedefinitions.owned[{index}]"
        crd = defined.pop(entry.get("name"), None)
        if crd is None:
            yield in_csv(f"{where}.name", f"{entry.get('name')!r} is not in manifests/")
            continue
        versions = [version.get("name") for version in at(crd, "spec.versions") or []]
        if entry.get("version") not in versions:
            found = entry.get("version")
            yield in_csv(f"{where}.version", f"one of {versions} is expected, found {found!r}")
        if entry.get("kind") != at(crd, "spec.names.kind"):
            yield in_csv(f"{where}.kind", f"{at(crd, 'spec.names.kind')} is expected")
        for field in ("displayName", "description"):
            if not entry.get(field):
                yield in_csv(f"{where}.{field}", "a text is expected, found none")
        if not entry.get("resources"):
            yield in_csv(f"{where}.resources", "the kinds that it makes are expected, found none")
        for number, made in enumerate(entry.get("resources") or []):
            for field in ("name", "kind", "version"):
                if not made.get(field):
                    missing = f"{where}.resources[{number}].{field}"
                    yield in_csv(missing, "a text is expected, found none")
    for name in defined:
        yield in_csv("spec.customresourcedefinitions.owned", f"{name} of manifests/ is missing")


def definitions(bundle: Bundle) -> Mistakes:
    """CRDs are of the served API, with a schema."""
    for file, crd in bundle.crds.items():
        if crd.get("apiVersion") != "apiextensions.k8s.io/v1":
            found = crd.get("apiVersion")
            expected = "apiextensions.k8s.io/v1 is expected"
            yield Mistake(file, "apiVersion", f"{expected}, found {found!r}")
        for index, version in enumerate(at(crd, "spec.versions") or []):
            if not at(version, "schema.openAPIV3Schema.properties"):
                where = f"spec.versions[{index}].schema"
                yield Mistake(file, where, "a schema with properties is expected, found none")


def descriptors(bundle: Bundle) -> Mistakes:
    """Descriptors point at fields that exist, and no field is without one."""
    for index, entry in enumerate(owned_definitions(bundle)):
        schema = _schema(bundle, entry)
        for part in ("spec", "status"):
            where = f"spec.customresourcedefinitions.owned[{index}].{part}Descriptors"
            fields = at(schema, f"properties.{part}", {})
            paths = [found.get("path") for found in entry.get(f"{part}Descriptors") or []]
            for path in paths:
                if not _field(fields, str(path)):
                    yield in_csv(where, f"{part}.{path} is no field of the definition")
            for name in at(fields, "properties") or {}:
                if name not in paths:
                    yield in_csv(where, f"{part}.{name} has no descriptor")
            for found in entry.get(f"{part}Descriptors") or []:
                if not found.get("displayName") or not found.get("description"):
                    what = f"{part}.{found.get('path')}"
                    yield in_csv(where, f"{what}: displayName and description are expected")
                allowed, offered = (
                    _field(fields, str(found.get("path"))).get("enum"),
                    _offered(found),
                )
                if offered and offered != allowed:
                    what = f"{part}.{found.get('path')}"
                    yield in_csv(where, f"{what}: {allowed} are expected, found {offered}")


def _schema(bundle: Bundle, entry: JSON) -> JSON:
    for crd in bundle.crds.values():
        if at(crd, "metadata.name") == entry.get("name"):
            for version in at(crd, "spec.versions") or []:
                if version.get("name") == entry.get("version"):
                    return at(version, "schema.openAPIV3Schema") or {}
    return {}


def _field(schema: JSON, path: str) -> JSON:
    """The schema of a field such as `a.b[0].c`; empty if there is none."""
    for part in path.split("."):
        name, item, _ = part.partition("[0]")
        schema = at(schema, f"properties.{name}") or {}
        if item:
            schema = at(schema, "items") or {}
    return schema


def _offered(descriptor: JSON) -> list[str]:
    """The values that the console offers for a field."""
    found = (str(each).partition(_SELECT) for each in descriptor.get("x-descriptors") or [])
    return [value for _, select, value in found if select]


def examples(bundle: Bundle) -> Mistakes:
    """alm-examples is a list of valid objects of owned kinds, with one of each."""
    where = "metadata.annotations.alm-examples"
    annotations = at(bundle.csv, "metadata.annotations") or {}
    try:
        found = json.loads(annotations.get("alm-examples", ""))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, list):
        yield in_csv(where, "a JSON list of objects is expected")
        return
    kinds = sorted(entry["kind"] for entry in owned_definitions(bundle) if "kind" in entry)
    for index, example in enumerate(found):
        if at(example, "kind") not in kinds:
            yield in_csv(f"{where}[{index}].kind", f"one of {kinds} is expected")
        elif at(example, "kind") == KIND:
            yield from _example(f"{where}[{index}]", example)
    for kind in kinds:
        if kind not in [at(example, "kind") for example in found]:
            yield in_csv(where, f"an example of {kind} is expected, found none")


def _example(where: str, example: JSON) -> Mistakes:
    try:
        PerformerSpec.model_validate(example.get("spec"))
    except ValidationError as error:
        for mistake in error.errors(include_url=False):
            field = ".".join(map(str, ("spec", *mistake["loc"])))
            yield in_csv(f"{where}.{field}", mistake["msg"])
