"""Validation of the metadata of built-in objects.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/apimachinery/pkg/api/validation/objectmeta.go
"""

import json
import re
from collections.abc import Iterator

from hourglass_kube import label
from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.schema_error import ErrorType, FieldError

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_DNS_1035 = "[a-z]([-a-z0-9]*[a-z0-9])?"
_NAME_RULES = {
    "services": (
        _DNS_1035,
        63,
        "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an "
        "alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or "
        f"'abc-123', regex used for validation is '{_DNS_1035}')",
    ),
    "namespaces": (
        _LABEL,
        63,
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and "
        "must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex "
        f"used for validation is '{_LABEL}')",
    ),
}
_SUBDOMAIN_RULE = (
    _SUBDOMAIN,
    253,
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used "
    f"for validation is '{_SUBDOMAIN}')",
)


def created(plural: str, meta: JSON) -> Iterator[FieldError]:
    """What is wrong with the metadata of a new object."""
    name = meta["name"]
    if not name:
        why = "name or generateName is required"
        yield FieldError(ErrorType.REQUIRED, "metadata.name", None, why)
    else:
        for fault in _name_faults(plural, name):
            yield FieldError(ErrorType.INVALID, "metadata.name", name, fault)
    yield from _fields(meta)


def updated(meta: JSON, before: JSON) -> Iterator[FieldError]:
    """What is wrong with changed metadata."""
    if any(meta.get(f) is not before.get(f) for f in ("labels", "annotations", "ownerReferences")):
        yield from _fields(meta)
    if "deletionTimestamp" in before:
        yield from _new_finalizers(meta, before)
    for field in ("uid", "deletionTimestamp"):
        if meta.get(field) != before.get(field):
            path = f"metadata.{field}"
            yield FieldError(ErrorType.INVALID, path, meta[field], "field is immutable")


def _new_finalizers(meta: JSON, before: JSON) -> Iterator[FieldError]:
    known = before.get("finalizers") or ()
    added = sorted(name for name in meta.get("finalizers") or () if name not in known)
    if added:
        shown = ", ".join(f'"{name}"' for name in added)
        why = "no new finalizers can be added if the object is being deleted, "
        why += f"found new finalizers []string{{{shown}}}"
        yield FieldError(ErrorType.FORBIDDEN, "metadata.finalizers", None, why)


def _name_faults(plural: str, name: str) -> list[str]:
    form, longest, rule = _NAME_RULES.get(plural, _SUBDOMAIN_RULE)
    if "." in name and plural == "namespaces":
        return ["must not contain dots"]
    faults = [] if re.fullmatch(form, name) else [rule]
    return [f"must be no more than {longest} bytes", *faults] if len(name) > longest else faults


def _fields(meta: JSON) -> Iterator[FieldError]:
    for key, value in sorted((meta.get("labels") or {}).items()):
        for fault in label.key_faults(key):
            yield FieldError(ErrorType.INVALID, "metadata.labels", key, fault)
        for fault in label.value_faults(value):
            yield FieldError(ErrorType.INVALID, "metadata.labels", value, fault)
    for key in sorted(meta.get("annotations") or ()):
        for fault in label.key_faults(key.lower()):
            yield FieldError(ErrorType.INVALID, "metadata.annotations", key, fault)
    yield from _owner_references(meta.get("ownerReferences") or [])


_OWNER_FIELDS = (
    ("version", "apiVersion"),
    ("kind", "kind"),
    ("name", "name"),
    ("uid", "uid"),
)
_OWNER_ORDER = ("apiVersion", "kind", "name", "uid", "controller", "blockOwnerDeletion")


def _owner_references(references: list[JSON]) -> Iterator[FieldError]:
    for reference in references:
        for shown, field in _OWNER_FIELDS:
            if not reference.get(field):
                path = f"metadata.ownerReferences.{shown}"
                yield FieldError(ErrorType.INVALID, path, "", "must not be empty")
    controllers = [r for r in references if r.get("controller")]
    if len(controllers) > 1:
        first, second = (f"{r['kind']}/{r['name']}" for r in controllers[:2])
        why = "Only one reference can have Controller set to true. "
        why += f'Found "true" in references for {first} and {second}'
        yield _OwnerReferencesError(ErrorType.INVALID, "metadata.ownerReferences", references, why)


class _OwnerReferencesError(FieldError):
    """An error about references, which are printed in the order of the fields of the Go type."""

    @property
    def message(self) -> str:
        """The text after the field's name."""
        shown = [{f: r[f] for f in _OWNER_ORDER if f in r} for r in self.value]
        text = json.dumps(shown, separators=(",", ":"))
        return f"{self.type.value[1]}: {text}: {self.detail}"
