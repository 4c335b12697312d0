"""The forms in which objects are sent: whole, metadata only, or as rows of a table.

https://kubernetes.io/docs/reference/using-api/api-concepts/#alternate-representations-of-resources
"""

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from enum import Enum
from typing import Any

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.resources import Resource
from hourglass_simulator.apiserver.schema_columns import age, lookup

_META = "meta.k8s.io/v1"

Cell = Callable[[JSON, datetime], Any]


class Form(Enum):
    """What the client accepts first."""

    WHOLE = "whole"
    METADATA = "metadata"
    TABLE = "table"


def accepted(accept: str) -> Form:
    """The form that an Accept header asks for; unknown ones are passed over."""
    for choice in accept.split(","):
        wanted = dict(re.findall(r";\s*(\w+)=([\w.]+)", choice))
        if wanted.get("as") == "Table" and wanted.get("v") == "v1":
            return Form.TABLE
        if wanted.get("as", "").startswith("PartialObjectMetadata"):
            return Form.METADATA
    return Form.WHOLE


def metadata_of(obj: JSON) -> JSON:
    """PartialObjectMetadata of an object."""
    return {"kind": "PartialObjectMetadata", "apiVersion": _META, "metadata": obj["metadata"]}


def table(
    resource: Resource,
    columns: "Sequence[Column]",
    objects: Iterable[JSON],
    now: datetime,
    metadata: JSON,
) -> JSON:
    """A Table with a row for each object; `metadata` is the Table's own."""
    return {
        "kind": "Table",
        "apiVersion": _META,
        "metadata": metadata,
        "columnDefinitions": [
            {
                "name": column.name,
                "type": "string",
                "format": "name" if column.name == "Name" else "",
                "description": f"{column.name} of the {resource.kind}",
                "priority": column.priority,
            }
            for column in columns
        ],
        "rows": [
            {"cells": [column.cell(obj, now) for column in columns], "object": metadata_of(obj)}
            for obj in objects
        ],
    }


class Column:
    """A column of a table; those with a priority are shown by `-o wide` only."""

    def __init__(self, name: str, cell: Cell, priority: int = 0) -> None:
        self.name = name
        self.cell = cell
        self.priority = priority


def columns_of(resource: Resource, crd: JSON | None) -> list[Column]:
    """The columns of a resource; `crd` is its definition if it has one."""
    if crd is not None:
        printed = crd["spec"]["versions"][0].get("additionalPrinterColumns") or [_AGE]
        return [_NAME, *(_printed(column) for column in printed)]
    return [_NAME, *_BUILT_IN.get(resource.plural, []), Column("Age", _age)]


def _printed(column: JSON) -> Column:
    path = column["jsonPath"]

    def cell(obj: JSON, now: datetime) -> Any:
        value = lookup(obj, path)
        if value is not None and column["type"] == "date":
            return age(now - datetime.fromisoformat(value))
        return value

    return Column(column["name"], cell, column.get("priority", 0))


def _age(obj: JSON, now: datetime) -> str:
    return age(now - datetime.fromisoformat(obj["metadata"]["creationTimestamp"]))


def _at(path: str, default: str = "<none>") -> Cell:
    def cell(obj: JSON, _: datetime) -> Any:
        value = lookup(obj, path)
        return default if value in (None, "") else value

    return cell


def _ready(obj: JSON, _: datetime) -> str:
    statuses = obj.get("status", {}).get("containerStatuses") or []
    return f"{sum(s.get('ready', False) for s in statuses)}/{len(obj['spec']['containers'])}"


def _pod_state(obj: JSON, _: datetime) -> str:
    status = obj.get("status", {})
    if obj["metadata"].get("deletionTimestamp"):
        return "Terminating"
    for container in status.get("containerStatuses") or []:
        state = container.get("state", {})
        reason = (state.get("waiting") or state.get("terminated") or {}).get("reason")
        if reason:
            return str(reason)
    return str(status.get("reason") or status.get("phase", "Unknown"))


def _restarts(obj: JSON, _: datetime) -> str:
    statuses = obj.get("status", {}).get("containerStatuses") or []
    return str(sum(s.get("restartCount", 0) for s in statuses))


def _node_state(obj: JSON, _: datetime) -> str:
    conditions = {c["type"]: c["status"] for c in obj.get("status", {}).get("conditions") or []}
    state = "Ready" if conditions.get("Ready") == "True" else "NotReady"
    return f"{state},SchedulingDisabled" if obj["spec"].get("unschedulable") else state


def _ports(obj: JSON, _: datetime) -> str:
    ports = obj["spec"].get("ports") or []
    return ",".join(f"{p['port']}/{p.get('protocol', 'TCP')}" for p in ports) or "<none>"


def _about(obj: JSON, _: datetime) -> str:
    about = obj.get("involvedObject") or {}
    return f"{about.get('kind', '').lower()}/{about.get('name', '')}"


_NAME = Column("Name", lambda obj, _: obj["metadata"]["name"])
_AGE = {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}
_BUILT_IN = {
    "pods": [
        Column("Ready", _ready),
        Column("Status", _pod_state),
        Column("Restarts", _restarts),
        Column("IP", _at(".status.podIP"), 1),
        Column("Node", _at(".spec.nodeName"), 1),
    ],
    "services": [
        Column("Type", _at(".spec.type")),
        Column("Cluster-IP", _at(".spec.clusterIP")),
        Column("Port(s)", _ports),
    ],
    "nodes": [
        Column("Status", _node_state),
        Column("Version", _at(".status.nodeInfo.kubeletVersion")),
    ],
    "namespaces": [Column("Status", _at(".status.phase", "Active"))],
    "leases": [Column("Holder", _at(".spec.holderIdentity"))],
    "events": [
        Column("Type", _at(".type")),
        Column("Reason", _at(".reason")),
        Column("Object", _about),
        Column("Message", _at(".message")),
    ],
}
