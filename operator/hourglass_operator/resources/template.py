"""The template hash: which pods a spec asks for, independent of how this release builds them.

A hash that is computed otherwise in a later release must go on to be known, or that release would
replace every pod: `former_hash` is that of the releases before pods were resized in place.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from hourglass_kube.types import JSON
from hourglass_operator.api import PerformerSpec
from hourglass_operator.resources.resizable import without_resizable

_NOT_OF_THE_POD: Mapping[str, bool | set[str]] = {
    "upgrade_strategy": True,
    "disruption": True,
    "hardware_requirements": {"on_unhealthy"},
}
_LENGTH = 10
# Without vowels no words come out; the digits 0, 1 and 3 would read like letters.
_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"


def template_hash(spec: PerformerSpec) -> str:
    """Ten characters that are fit for names and labels.

    Covers the user's input that reaches the pod, `version` included, and nothing else: neither how
    this release builds the pod nor the hardware catalogue, nor CPU and memory, which can change
    while the pod runs. A field that is absent, one that is empty and one that says what the default
    says are equal, and a field that a later release adds leaves the hashes of specs without it
    alone. Everything else counts as it is written: the quantities "1", 1 and "1000m" differ, and so
    does the order of lists.
    """
    given = _given(spec)
    return _digest({**given, "resources": without_resizable(given.get("resources") or {})})


def former_hash(spec: PerformerSpec) -> str:
    """The same, with CPU and memory."""
    return _digest(_given(spec))


def hash_of_one_pod(uid: str) -> str:
    """What a pod has in the place of its template hash that has to be succeeded by one of the same
    template."""
    return _digest({"pod": {"uid": uid}})


def _given(spec: PerformerSpec) -> JSON:
    return spec.model_dump(
        by_alias=True, mode="json", exclude=_NOT_OF_THE_POD, exclude_defaults=True
    )


def _digest(given: JSON) -> str:
    said = _without_empty({name: _without_empty(value) for name, value in given.items()})
    text = json.dumps(said, sort_keys=True, separators=(",", ":"))
    number = int.from_bytes(hashlib.sha256(text.encode()).digest())
    letters = []
    for _ in range(_LENGTH):
        number, index = divmod(number, len(_ALPHABET))
        letters.append(_ALPHABET[index])
    return "".join(letters)


def _without_empty(value: Any) -> Any:
    """Without fields such as `affinity: {}`, which templates write and which say nothing.

    Only for the fields of a Performer: deeper down, inside Kubernetes' own types, an empty object
    can say something (`labelSelector: {}` selects all pods, no labelSelector none).
    """
    if not isinstance(value, dict):
        return value
    return {name: item for name, item in value.items() if item not in ({}, [])}
