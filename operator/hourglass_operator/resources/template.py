"""The template hash: which pods a spec asks for, independent of how this release builds them."""

import hashlib
import json
from typing import Any

from hourglass_operator.api import PerformerSpec

_NOT_OF_THE_POD = {"upgrade_strategy"}
_LENGTH = 10
# Without vowels no words come out; the digits 0, 1 and 3 would read like letters.
_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"


def template_hash(spec: PerformerSpec) -> str:
    """Ten characters that are fit for names and labels.

    Covers the user's input that reaches the pod, `version` included. A field that is absent and
    one that says what the default says are equal, and a field that a later release adds leaves the
    hashes of specs without it alone. Quantities count as they are written: "1" and "1000m" differ.
    """
    given = spec.model_dump(
        by_alias=True, mode="json", exclude=_NOT_OF_THE_POD, exclude_defaults=True
    )
    text = json.dumps(_without_empty(given), sort_keys=True, separators=(",", ":"))
    number = int.from_bytes(hashlib.sha256(text.encode()).digest())
    letters = []
    for _ in range(_LENGTH):
        number, index = divmod(number, len(_ALPHABET))
        letters.append(_ALPHABET[index])
    return "".join(letters)


def _without_empty(value: Any) -> Any:
    """Drop empty objects that the user wrote at the top level and one below: they say nothing."""
    return {k: v for k, v in value.items() if v != {} and v != []}
