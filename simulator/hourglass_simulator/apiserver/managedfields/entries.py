"""The entries of `metadata.managedFields`: who owns what, since when.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/apimachinery/pkg/util/managedfields/internal/managedfields.go
"""

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.managedfields import fieldset
from hourglass_simulator.apiserver.managedfields.fieldset import FieldSet

APPLY, UPDATE = "Apply", "Update"


@dataclass(frozen=True, slots=True)
class Entry:
    """What a manager owns by one kind of operation; `time` is "" where none is known.

    `sent` is the entry as it is stored, if it is stored.
    """

    manager: str
    operation: str
    version: str
    subresource: str
    fields: FieldSet
    time: str = ""
    sent: JSON | None = None

    @property
    def applied(self) -> bool:
        """It was applied, not updated."""
        return self.operation == APPLY

    def with_fields(self, fields: FieldSet) -> "Entry":
        """The entry with other fields, since when it was."""
        if fields is self.fields:
            return self
        return Entry(
            self.manager, self.operation, self.version, self.subresource, fields, self.time
        )

    def at(self, time: str) -> "Entry":
        """The entry as of a time."""
        return Entry(
            self.manager, self.operation, self.version, self.subresource, self.fields, time
        )

    @property
    def encoded(self) -> JSON:
        """The entry as it is stored."""
        if self.sent is not None:
            return self.sent
        names = {"manager": self.manager} if self.manager else {}
        below = {"subresource": self.subresource} if self.subresource else {}
        since = {"time": self.time} if self.time else {}
        return {
            **names,
            "operation": self.operation,
            "apiVersion": self.version,
            **since,
            "fieldsType": "FieldsV1",
            "fieldsV1": self.fields,
            **below,
        }


Entries = dict[str, Entry]
"""By `identifier`."""


@lru_cache(maxsize=4096)
def identifier(manager: str, operation: str, version: str, subresource: str) -> str:
    """What an entry is known by; one of an applier whatever its version."""
    parts = {
        "manager": manager,
        "operation": operation,
        "apiVersion": "" if operation == APPLY else version,
        "subresource": subresource,
    }
    return json.dumps({k: v for k, v in parts.items() if v}, separators=(",", ":"))


def decoded(stored: list[JSON]) -> Entries:
    """Entries that the server has written."""
    found: Entries = {}
    for each in stored:
        entry = _entry(each, each.get("fieldsV1") or {}, each)
        found[_of(entry)] = entry
    return found


def decoded_from_client(sent: Any) -> Entries:
    """Entries that a client has sent; ValueError when they are not usable."""
    found: Entries = {}
    for each in (one or {} for one in sent or ()):
        if each.get("operation") not in (APPLY, UPDATE):
            raise ValueError("operation must be `Apply` or `Update`")
        if not each.get("apiVersion"):
            raise ValueError("apiVersion must not be empty")
        if each.get("fieldsType") != "FieldsV1":
            raise ValueError(f"invalid fieldsType {each.get('fieldsType')}")
        entry = _entry(each, fieldset.decoded(each.get("fieldsV1")), None)
        found[_of(entry)] = entry
    return found


def _entry(each: JSON, fields: FieldSet, sent: JSON | None) -> Entry:
    return Entry(
        each.get("manager") or "",
        each["operation"],
        each["apiVersion"],
        each.get("subresource") or "",
        fields,
        each.get("time") or "",
        sent,
    )


def _of(entry: Entry) -> str:
    return identifier(entry.manager, entry.operation, entry.version, entry.subresource)


def encoded(found: Entries) -> list[JSON]:
    """The entries in the order in which they are stored."""
    ordered = sorted(
        found.values(), key=lambda e: (e.operation, e.time, e.manager, e.version, e.subresource)
    )
    return [entry.encoded for entry in ordered]


def same_but_for_time(one: list[JSON], other: list[JSON]) -> bool:
    """Whether only times differ."""
    return len(one) == len(other) and all(
        mine is theirs or {**mine, "time": ""} == {**theirs, "time": ""}
        for mine, theirs in zip(one, other, strict=True)
    )
