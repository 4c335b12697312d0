"""CPU and memory of the container `performer`: what of a pod can be changed while it runs.

https://kubernetes.io/docs/tasks/configure-pod-container/resize-container-resources/
"""

import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from sys import intern
from typing import Any, NamedTuple

from hourglass_kube import quantity
from hourglass_kube.podresources import CPU, MEMORY
from hourglass_kube.types import JSON
from hourglass_operator.resources import names

RESIZABLE = (CPU, MEMORY)
_FIELDS = ("limits", "requests")
_LONGEST = 1024


class Amount(NamedTuple):
    """A quantity of a resource (`cpu`, `memory`) in a field (`limits`, `requests`), as written."""

    field: str
    resource: str
    quantity: str


Amounts = tuple[Amount, ...]
"""In the order of fields and resources; at most one of each."""


def amounts(resources: Mapping[str, Any] | None) -> Amounts:
    """What ResourceRequirements say of CPU and memory."""
    found = resources or {}
    return _interned(
        tuple(
            (field, resource, str(given[resource]))
            for field in _FIELDS
            if (given := found.get(field))
            for resource in RESIZABLE
            if resource in given
        )
    )


def asked_for(resources: Mapping[str, Any]) -> Amounts:
    """What a pod that is made with these ResourceRequirements asks for.

    What is limited and not requested is requested up to the limit:
    https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/
    """
    limits = {r: v for r, v in (resources.get("limits") or {}).items() if r in RESIZABLE}
    requests = {**limits, **(resources.get("requests") or {})}
    return amounts({"limits": limits, "requests": requests})


def equal(one: Amounts, other: Amounts) -> bool:
    """Whether they are the same amounts, however they are written."""
    return one == other or _values(one) == _values(other)


def includes(has: Amounts, wanted: Amounts) -> bool:
    """Whether all that is wanted is as wanted; what a LimitRange has added does not count."""
    return has == wanted or _values(wanted).items() <= _values(has).items()


def changed(before: Amounts, after: Amounts) -> frozenset[str]:
    """What differs, in the words of a resourceFieldRef: `limits.cpu`."""
    return frozenset(
        f"{field}.{resource}"
        for (field, resource), _ in _values(before).items() ^ _values(after).items()
    )


def in_words(found: Amounts) -> str:
    """For a person: `requests cpu 2, memory 4Gi; limits cpu 4`."""
    parts = []
    for field in reversed(_FIELDS):
        given = [f"{each.resource} {each.quantity}" for each in found if each.field == field]
        if given:
            parts.append(f"{field} {', '.join(given)}")
    return "; ".join(parts) or "no cpu or memory"


def as_resources(found: Amounts) -> JSON:
    """As ResourceRequirements."""
    resources: JSON = {}
    for field, resource, text in found:
        resources.setdefault(field, {})[resource] = text
    return resources


def to_annotation(found: Amounts) -> str:
    """What `from_annotation` reads."""
    return json.dumps(as_resources(found), sort_keys=True, separators=(",", ":"))


def from_annotation(text: str) -> Amounts:
    """What a pod was made for; nothing if that cannot be read."""
    if len(text) > _LONGEST:
        return ()
    return _read(text)


def without_resizable(resources: Mapping[str, Any]) -> JSON:
    """What of ResourceRequirements cannot be changed while the pod runs."""
    return {
        key: {r: v for r, v in value.items() if r not in RESIZABLE} if key in _FIELDS else value
        for key, value in resources.items()
        if value
    }


def resize(before: Amounts, wanted: Amounts) -> JSON:
    """A strategic merge patch of the Pod; what was asked for before and no more is removed."""
    resources: JSON = {}
    for field, resource, _ in before:
        resources.setdefault(field, {})[resource] = None
    for field, resource, text in wanted:
        resources.setdefault(field, {})[resource] = text
    return {"spec": {"containers": [{"name": names.CONTAINER, "resources": resources}]}}


@lru_cache(maxsize=4096)
def _read(text: str) -> Amounts:
    try:
        found = amounts(json.loads(text))
        _values(found)
    except (ValueError, TypeError, AttributeError, RecursionError):
        return ()
    return found


@lru_cache(maxsize=4096)
def _interned(found: tuple[tuple[str, str, str], ...]) -> Amounts:
    """Nearly all pods have the amounts of others: one object for all of them."""
    return tuple(Amount(intern(field), intern(resource), text) for field, resource, text in found)


def _values(found: Iterable[Amount]) -> dict[tuple[str, str], Any]:
    return {(each.field, each.resource): quantity.parse(each.quantity) for each in found}
