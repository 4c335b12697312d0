"""Validation of the metadata of a custom resource at creation.

https://pkg.go.dev/k8s.io/apimachinery/pkg/api/validation#ValidateObjectMeta
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from hourglass_simulator.apiserver.rules import names, object_meta
from hourglass_simulator.apiserver.schema_error import ErrorType, FieldError

_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")

_SUBDOMAIN_TEXT = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used "
    "for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)


def validate_metadata(metadata: dict[str, Any]) -> Iterator[FieldError]:
    """What is wrong with name, generateName, labels, annotations and finalizers."""
    prefix = metadata.get("generateName", "")
    # A trailing dash of a prefix is masked, as the generated part follows it.
    yield from _each("metadata.generateName", prefix, _subdomain(_masked(prefix)) if prefix else ())
    name = metadata.get("name", "")
    if not name:
        detail = "name or generateName is required"
        yield FieldError(ErrorType.REQUIRED, "metadata.name", None, detail)
    else:
        yield from _each("metadata.name", name, _subdomain(name))
    for key, value in sorted(metadata.get("labels", {}).items()):
        yield from _each("metadata.labels", key, names.qualified_name(key))
        yield from _each("metadata.labels", value, names.label_value(value))
    for key in sorted(metadata.get("annotations", {})):
        yield from _each("metadata.annotations", key, names.qualified_name(key.lower()))
    if "ownerReferences" in metadata:
        yield from object_meta.owner_faults(metadata)
    for finalizer in metadata.get("finalizers", ()):
        yield from _each("metadata.finalizers", finalizer, names.qualified_name(finalizer))


def _each(field: str, value: str, complaints: Iterable[str]) -> Iterator[FieldError]:
    for complaint in complaints:
        yield FieldError(ErrorType.INVALID, field, value, complaint)


def _masked(prefix: str) -> str:
    return prefix[:-2] + "a" if len(prefix) > 1 and prefix.endswith("-") else prefix


def _subdomain(text: str) -> Iterator[str]:
    if len(text) > 253:
        yield "must be no more than 253 characters"
    if _SUBDOMAIN.fullmatch(text) is None:
        yield _SUBDOMAIN_TEXT


def subdomain_faults(text: str) -> Iterator[str]:
    """What is wrong with a lowercase RFC 1123 subdomain."""
    yield from _subdomain(text)
