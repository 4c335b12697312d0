"""What `kubectl get … -o yaml` printed of a cluster, checked before a copy is made of it.

Objects must have the shapes of Kubernetes' OpenAPI, from which the models of the kubernetes package
are made. Keys that those do not know are let be: a newer cluster may have them.
"""

from collections.abc import Iterator
from typing import Any

from kubernetes.client import V1Node, V1Pod, V1PriorityClass, V1RuntimeClass
from pydantic import BaseModel

from hourglass_kube import quantity
from hourglass_kube.types import JSON
from hourglass_simulator.scenario.document import Location
from hourglass_simulator.scenario.mistakes import mistakes, shown

KINDS: dict[str, type[BaseModel]] = {
    "Node": V1Node,
    "Pod": V1Pod,
    "PriorityClass": V1PriorityClass,
    "RuntimeClass": V1RuntimeClass,
}
"""The kinds that a copy is made of."""

_QUANTITIES = ("allocatable", "capacity", "limits", "overhead", "podFixed", "requests")


class InvalidObjectError(ValueError):
    """An object that no cluster would have; the text says which and what is wrong with it."""


def objects(items: list[Any]) -> list[JSON]:
    """The objects of these kinds among the items of a List. Raises InvalidObjectError."""
    for index, item in enumerate(items):
        if not is_named(item):
            raise InvalidObjectError(
                f"items[{index}]: expected an object with kind and metadata.name"
            )
        if item["kind"] not in KINDS:
            continue
        where = f"items[{index}] ({item['kind']} {item['metadata']['name']})"
        for location, text in _mistakes(item):
            raise InvalidObjectError(f"{where}.{_path(location)}: {text}")
    return [_without_nulls(item) for item in items if item["kind"] in KINDS]


def is_named(found: Any) -> bool:
    """Whether it is an object with a kind and a name."""
    if not isinstance(found, dict) or not isinstance(found.get("metadata"), dict):
        return False
    return isinstance(found.get("kind"), str) and isinstance(found["metadata"].get("name"), str)


def as_written(obj: JSON) -> JSON:
    """An object as one would create it, without what a cluster has added to it."""
    kept = ("name", "namespace", "labels", "annotations")
    metadata = {key: value for key, value in obj["metadata"].items() if key in kept}
    return {**{k: v for k, v in obj.items() if k != "status"}, "metadata": metadata}


def _mistakes(obj: JSON) -> Iterator[tuple[Location, str]]:
    yield from mistakes(KINDS[obj["kind"]], obj, extra="ignore")
    for location, amount in _bad_quantities(obj):
        yield location, f"expected a quantity such as 500m or 8Gi, found {shown(amount)}"
    if obj["kind"] == "PriorityClass" and obj.get("value") is None:
        yield ("value",), "required, but missing"
    if obj["kind"] == "Pod" and obj["metadata"].get("namespace") is None:
        yield ("metadata", "namespace"), "required, but missing"
    if obj["kind"] == "Pod" and obj.get("spec") is None:
        yield ("spec",), "required, but missing"


def _bad_quantities(value: Any, at: Location = ()) -> Iterator[tuple[Location, Any]]:
    parts = value.items() if isinstance(value, dict) else enumerate(value)
    for part, item in parts:
        if isinstance(item, dict | list):
            yield from _bad_quantities(item, (*at, part))
        elif at and at[-1] in _QUANTITIES:
            try:
                quantity.parse(item)
            except ValueError:
                yield (*at, part), item


def _path(location: Location) -> str:
    path, before = "", None
    for part in location:
        path += f"[{part}]" if isinstance(part, int) or before in _QUANTITIES else f".{part}"
        before = part
    return path.removeprefix(".")


def _without_nulls(value: Any) -> Any:
    """The API server takes null for absent."""
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value
