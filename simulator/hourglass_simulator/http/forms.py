"""The forms in which objects are sent: whole, metadata only, or as rows of a table.

https://kubernetes.io/docs/reference/using-api/api-concepts/#alternate-representations-of-resources
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import Enum
from functools import partial
from typing import NamedTuple

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import schema_columns
from hourglass_simulator.apiserver.generic import TEMPLATE_GENERATION
from hourglass_simulator.apiserver.resources import Resource
from hourglass_simulator.http import printers
from hourglass_simulator.http.printers import Cell
from hourglass_simulator.kubernetes.version import Version

_META = "meta.k8s.io/v1"


class Form(Enum):
    """What the client accepts first."""

    WHOLE = "whole"
    METADATA = "metadata"
    METADATA_LIST = "metadata of a list"
    TABLE = "table"


def metadata_of(obj: JSON, api_version: str = _META) -> JSON:
    """PartialObjectMetadata of an object."""
    return {"kind": "PartialObjectMetadata", "apiVersion": api_version, "metadata": obj["metadata"]}


def without_versioned_notes(resource: Resource, body: JSON) -> JSON:
    """An object or a list without annotations that only objects as a whole have."""
    if resource.qualified != "daemonsets.apps":
        return body
    if "items" in body:
        return {
            **body,
            "items": [without_versioned_notes(resource, each) for each in body["items"]],
        }
    meta = body["metadata"]
    notes = {k: v for k, v in (meta.get("annotations") or {}).items() if k != TEMPLATE_GENERATION}
    kept = {name: value for name, value in meta.items() if name != "annotations"}
    return {**body, "metadata": {**kept, **({"annotations": notes} if notes else {})}}


def table(
    columns: "Sequence[Column]",
    objects: Iterable[JSON],
    now: datetime,
    metadata: JSON,
    api_version: str = _META,
) -> JSON:
    """A Table with a row for each object; `metadata` is the Table's own."""
    return {
        "kind": "Table",
        "apiVersion": api_version,
        "metadata": metadata,
        "columnDefinitions": [column.definition for column in columns],
        "rows": [
            {
                "cells": [column.cell(obj, now) for column in columns],
                "object": metadata_of(obj, api_version),
            }
            for obj in objects
        ],
    }


def in_order(resource: Resource, objects: Sequence[JSON]) -> Sequence[JSON]:
    """The objects of a table; FlowSchemas come as they are asked.

    https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/printers/internalversion/printers.go
    """
    if resource.qualified == "flowschemas.flowcontrol.apiserver.k8s.io":
        return sorted(objects, key=lambda each: each["spec"]["matchingPrecedence"])
    return objects


class Column(NamedTuple):
    """A column of a table, and what stands in it."""

    definition: JSON
    cell: Cell


def columns_of(version: Version, resource: Resource, crd: JSON | None) -> list[Column]:
    """The columns of a resource in a version of Kubernetes; `crd` is its definition if it has one.

    Of built-in resources they are recorded; those that nobody computes here are left out.
    """
    if crd is not None:
        own = next(v for v in crd["spec"]["versions"] if v["name"] == resource.version)
        printed = own.get("additionalPrinterColumns") or [_AGE]
        if not all(map(schema_columns.has_path, printed)):
            return [_NAME]
        return [_NAME, *(_printed(column) for column in printed)]
    base = f"/apis/{resource.api_version}" if resource.group else f"/api/{resource.version}"
    cells = printers.CELLS.get(resource.qualified, {})
    found = []
    path = f"{base}/{resource.plural}"
    for definition in version.discovery["columns"].get(path, _SCALES):
        cell = cells.get(definition["name"]) or printers.COMMON.get(definition["name"])
        if cell is not None:
            found.append(Column(definition, cell))
    return found


def _printed(column: JSON) -> Column:
    definition = {
        "name": column["name"],
        "type": column["type"],
        "format": column.get("format", ""),
        "description": column.get("description") or _DESCRIBED.format(column["jsonPath"]),
        "priority": column.get("priority", 0),
    }
    return Column(definition, partial(schema_columns.cell, column))


_DESCRIBED = "Custom resource definition column (in JSONPath format): {}"
_NAME = Column(
    {
        "name": "Name",
        "type": "string",
        "format": "name",
        "description": (
            "Name must be unique within a namespace. Is required when creating resources, although"
            " some resources may allow a client to request the generation of an appropriate name"
            " automatically. Name is primarily intended for creation idempotence and configuration"
            " definition. Cannot be updated. More info:"
            " https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names"
        ),
        "priority": 0,
    },
    lambda obj, _: obj["metadata"]["name"],
)
_SCALES = [
    {**_NAME.definition, "description": ""},
    *(
        {"name": name, "type": kind, "format": "", "description": "", "priority": 0}
        for name, kind in (("Desired", "integer"), ("Available", "integer"), ("Age", "string"))
    ),
]
"""The columns of Scales, which are no resource of their own."""
_AGE = {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}


def list_of(resource: Resource, items: "Sequence[JSON]", metadata: JSON) -> JSON:
    """A list of objects; `metadata` is its own."""
    return {
        "apiVersion": resource.api_version,
        "kind": resource.list_kind,
        "metadata": metadata,
        "items": [_bare(resource, item) for item in items],
    }


def _bare(resource: Resource, item: JSON) -> JSON:
    """As an item of a list: those of built-in kinds do not say what they are."""
    if resource.custom:
        return item
    return {name: value for name, value in item.items() if name not in ("apiVersion", "kind")}
