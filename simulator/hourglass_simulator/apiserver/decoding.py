"""Decoding of what clients send: types, defaults, and what to do about unknown fields.

https://kubernetes.io/docs/reference/using-api/api-concepts/#field-validation
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import errors, go_format
from hourglass_simulator.apiserver.codec import Codec, Decoded
from hourglass_simulator.apiserver.defaults import defaults
from hourglass_simulator.apiserver.resources import Resource
from hourglass_simulator.kubernetes.version import Version

IGNORE, WARN, STRICT = "Ignore", "Warn", "Strict"


@dataclass
class FieldValidation:
    """What a client wants of unknown and repeated fields; `warnings` are sent back to it.

    `patches`: what is decoded is the object that a patch has made. `in_patch` is what is strange in
    the patch itself, `shows_patch` the patch where messages show that instead of the object.
    """

    mode: str = WARN
    warnings: list[str] = field(default_factory=list)
    patches: bool = False
    in_patch: list[str] = field(default_factory=list)
    shows_patch: Any = None

    def judge(self, resource: Resource, obj: JSON, strange: Sequence[str]) -> None:
        """Warn of what is strange in an object, or refuse it: with 400, a patch with 422."""
        if self.patches:
            strange = [*self.in_patch, *sorted(strange)]
        if strange and self.mode == STRICT:
            why = f"strict decoding error: {', '.join(strange)}"
            raise undecodable(resource, obj, why, self)
        if self.mode == WARN:
            self.warnings += strange


@cache
def codec(version: Version) -> Codec:
    """The codec of a version's types."""
    return Codec(version.types, defaults(version))


def decode(version: Version, resource: Resource, obj: JSON, *, truncates: bool = False) -> Decoded:
    """An object of a built-in resource as it is stored; ValueError when it does not fit.

    `truncates`: it comes of a patch that is converted, in which no whole number is too large.
    """
    return codec(version).decode(go_type(version, resource), obj, truncates=truncates)


def undecodable(
    resource: Resource, obj: JSON, why: str, fields: FieldValidation | None
) -> errors.APIError:
    """400 for what was sent, 422 for what a patch has made of an object."""
    if fields is not None and fields.patches:
        if fields.shows_patch is None:
            return errors.strange_patch(text_of(obj), why)
        return errors.strange_patch(go_format.plain(fields.shows_patch), go_format.restored(why))
    return errors.undecodable(resource, why)


def text_of(obj: JSON) -> str:
    """An object as messages about a patch show it."""
    return json.dumps(obj, separators=(",", ":"), sort_keys=True, ensure_ascii=False)


def go_type(version: Version, resource: Resource) -> str:
    """The Go type of a built-in resource's kind."""
    below = f"apis/{resource.api_version}" if resource.group else f"api/{resource.version}"
    return version.kinds[f"{below}/{resource.kind}"]
