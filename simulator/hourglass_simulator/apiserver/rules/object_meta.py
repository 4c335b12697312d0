"""Validation of the metadata of built-in objects.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/apimachinery/pkg/api/validation/objectmeta.go
"""

import re
from collections.abc import Iterator

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import gates
from hourglass_simulator.apiserver.rules import addresses, names
from hourglass_simulator.apiserver.rules.go_text import printed
from hourglass_simulator.apiserver.schema_error import ErrorType, FieldError, too_long

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
_NAME_RULES["statefulsets"] = _NAME_RULES["namespaces"]
_PATH_SEGMENTS = frozenset(
    [
        "apiservices",
        "clusterrolebindings",
        "clusterroles",
        "events",
        "poddisruptionbudgets",
        "rolebindings",
        "roles",
    ]
)
"""Their names need only fit into a path."""
_ANNOTATIONS_SIZE = 256 * 1024
_STANDARD_FINALIZERS = ("kubernetes", "orphan", "foregroundDeletion")
_ANY_FINALIZER = frozenset(
    [
        "customresourcedefinitions",
        "leases",
        "mutatingwebhookconfigurations",
        "runtimeclasses",
        "validatingadmissionpolicies",
        "validatingadmissionpolicybindings",
        "validatingwebhookconfigurations",
    ]
)
"""Their finalizers need not have a domain."""
_SUBDOMAIN_RULE = (
    _SUBDOMAIN,
    253,
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used "
    f"for validation is '{_SUBDOMAIN}')",
)


def created(plural: str, meta: JSON) -> Iterator[FieldError]:
    """What is wrong with the metadata of a new object."""
    name, base = meta["name"], meta.get("generateName")
    if base:
        for fault in _name_faults(plural, _without_last_dash(base)):
            yield FieldError(ErrorType.INVALID, "metadata.generateName", base, fault)
    if not name:
        why = "name or generateName is required"
        yield FieldError(ErrorType.REQUIRED, "metadata.name", None, why)
    else:
        for fault in _name_faults(plural, name):
            yield FieldError(ErrorType.INVALID, "metadata.name", name, fault)
    yield from _fields(meta)
    if finalizers := meta.get("finalizers"):
        yield from _finalizers(finalizers)
        if plural not in _ANY_FINALIZER:
            yield from _unqualified(finalizers)


def _finalizers(finalizers: list[str]) -> Iterator[FieldError]:
    for finalizer in finalizers:
        for fault in names.qualified_name(finalizer):
            yield FieldError(ErrorType.INVALID, "metadata.finalizers", finalizer, fault)
    if {"orphan", "foregroundDeletion"} <= set(finalizers):
        why = "finalizer orphan and foregroundDeletion cannot be both set"
        yield FieldError(ErrorType.INVALID, "metadata.finalizers", finalizers, why)


def _without_last_dash(base: str) -> str:
    return f"{base[:-2]}a" if len(base) > 1 and base.endswith("-") else base


def _unqualified(finalizers: list[str]) -> Iterator[FieldError]:
    for index, finalizer in enumerate(finalizers):
        if "/" not in finalizer and finalizer not in _STANDARD_FINALIZERS:
            why = "name is neither a standard finalizer name nor is it fully qualified"
            yield FieldError(ErrorType.INVALID, f"metadata.finalizers[{index}]", finalizer, why)


def common(meta: JSON, before: JSON) -> Iterator[FieldError]:
    """What is wrong with changed metadata, whatever the kind: Kubernetes looks at it twice."""
    if meta is before:
        return
    base = meta.get("generateName") or ""
    if base != before.get("generateName"):
        for fault in _segment_faults(base) if base not in (".", "..") else ():
            yield FieldError(ErrorType.INVALID, "metadata.generateName", base, f"may not {fault}")
    if _differs(meta, before):
        yield from _fields(meta)
    yield from _finalizers(meta.get("finalizers") or [])
    yield from updated(meta, before)


def _differs(meta: JSON, before: JSON) -> bool:
    fields = ("labels", "annotations", "ownerReferences")
    return any(meta.get(field) is not before.get(field) for field in fields)


def updated(meta: JSON, before: JSON, plural: str = "") -> Iterator[FieldError]:
    """What is wrong with changed metadata; with `plural` as the validation of a kind finds it."""
    if "deletionTimestamp" in before:
        yield from _new_finalizers(meta, before)
    for field in ("uid", "deletionTimestamp", "deletionGracePeriodSeconds"):
        if meta.get(field) != before.get(field):
            path = f"metadata.{field}"
            yield FieldError(ErrorType.INVALID, path, meta.get(field), "field is immutable")
    if _differs(meta, before):
        yield from _fields(meta)
    if plural and plural not in _ANY_FINALIZER:
        yield from _unqualified(meta.get("finalizers") or [])


def _new_finalizers(meta: JSON, before: JSON) -> Iterator[FieldError]:
    known = before.get("finalizers") or ()
    added = sorted(name for name in meta.get("finalizers") or () if name not in known)
    if added:
        shown = ", ".join(f'"{name}"' for name in added)
        why = "no new finalizers can be added if the object is being deleted, "
        why += f"found new finalizers []string{{{shown}}}"
        yield FieldError(ErrorType.FORBIDDEN, "metadata.finalizers", None, why)


def _name_faults(plural: str, name: str) -> list[str]:
    if plural in _PATH_SEGMENTS:
        return [f"may not {fault}" for fault in _segment_faults(name)]
    if plural in ("certificatesigningrequests", "clustertrustbundles"):
        # Any name, or one that depends on the spec.
        return [f"may not {fault}" for fault in _segment_faults(name)]
    if plural == "ipaddresses":
        return [fault.detail for fault in addresses.canonical_address("", name)]
    if plural == "services" and gates.enabled("RelaxedServiceNameValidation"):
        plural = "namespaces"
    form, longest, rule = _NAME_RULES.get(plural, _SUBDOMAIN_RULE)
    if "." in name and _NAME_RULES.get(plural) == _NAME_RULES["namespaces"]:
        return ["must not contain dots"]
    faults = [] if re.fullmatch(form, name) else [rule]
    return (
        [f"must be no more than {longest} characters", *faults] if len(name) > longest else faults
    )


def _segment_faults(name: str) -> list[str]:
    if name in (".", ".."):
        return [f"be '{name}'"]
    if "/" not in name and "%" not in name:
        return []
    return [f"contain '{each}'" for each in "/%" if each in name]


def _fields(meta: JSON) -> Iterator[FieldError]:
    labels, annotations = meta.get("labels") or {}, meta.get("annotations") or {}
    if not labels and not annotations and not meta.get("ownerReferences"):
        return
    for key, value in sorted(labels.items()):
        for fault in names.qualified_name(key):
            yield FieldError(ErrorType.INVALID, "metadata.labels", key, fault)
        for fault in names.label_value(value):
            yield FieldError(ErrorType.INVALID, "metadata.labels", value, fault)
    for key in sorted(annotations):
        for fault in names.qualified_name(key.lower()):
            yield FieldError(ErrorType.INVALID, "metadata.annotations", key, fault)
    if sum(len(k.encode()) + len(v.encode()) for k, v in annotations.items()) > _ANNOTATIONS_SIZE:
        yield too_long("metadata.annotations", _ANNOTATIONS_SIZE)
    yield from _owner_references(meta.get("ownerReferences") or [])


def owner_faults(meta: JSON) -> Iterator[FieldError]:
    """What is wrong with the references to owners."""
    yield from _owner_references(meta.get("ownerReferences") or [])


_OWNER_FIELDS = (
    ("apiVersion", "version must not be empty"),
    ("kind", "must not be empty"),
    ("name", "must not be empty"),
    ("uid", "must not be empty"),
)


def _owner_references(references: list[JSON]) -> Iterator[FieldError]:
    path = "metadata.ownerReferences"
    for index, reference in enumerate(references):
        # Since 1.37 it is said which one.
        where = f"{path}[{index}]" if gates.since(37) else path
        for field, why in _OWNER_FIELDS:
            value = reference.get(field) or ""
            if value and (field != "apiVersion" or value.count("/") < 2):
                continue
            if gates.since(37) and value:
                form = "must be <group>/<version> or <version>"
                yield FieldError(ErrorType.INVALID, f"{where}.{field}", value, form)
            elif gates.since(37):
                yield FieldError(ErrorType.REQUIRED, f"{where}.{field}", None, "must not be empty")
            else:
                yield FieldError(ErrorType.INVALID, f"{where}.{field}", value, why)
        if (reference.get("apiVersion"), reference.get("kind")) == ("v1", "Event"):
            why = "/v1, Kind=Event is disallowed from being an owner"
            shown = printed("meta.OwnerReference", reference)
            yield FieldError(ErrorType.INVALID, where, shown, why)
    controllers = [r for r in references if r.get("controller")]
    if len(controllers) > 1:
        first, second = (f"{r['kind']}/{r['name']}" for r in controllers[:2])
        why = "Only one reference can have Controller set to true. "
        why += f'Found "true" in references for {first} and {second}'
        shown = printed("[]meta.OwnerReference", references)
        yield FieldError(ErrorType.INVALID, "metadata.ownerReferences", shown, why)
