"""PersistentVolumeClaims, of their own and in templates.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/apis/core/validation/validation.go
"""

from collections.abc import Sequence

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.rules import labels, names
from hourglass_simulator.apiserver.rules.fault import (
    Faults,
    amount,
    each,
    forbidden,
    immutable,
    invalid,
    not_supported,
    one_of,
    positive_quantity,
    required,
)
from hourglass_simulator.apiserver.rules.go_text import difference
from hourglass_simulator.apiserver.rules.resources import is_native

ACCESS_MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
VOLUME_MODES = ("Block", "Filesystem")
_RESIZES = (
    *("ControllerResizeInProgress", "ControllerResizeInfeasible", "NodeResizeInProgress"),
    *("NodeResizeInfeasible", "NodeResizePending"),
)
_TEMPLATE_FIELDS = (
    *("name", "generateName", "namespace", "selfLink", "uid", "resourceVersion", "generation"),
    *("creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"),
    *("ownerReferences", "finalizers", "managedFields"),
)


def access_modes(field: str, modes: Sequence[str]) -> Faults:
    """How a volume is used."""
    for mode in modes:
        yield from one_of(field, mode, ACCESS_MODES)
    known = {mode for mode in modes if mode in ACCESS_MODES}
    if "ReadWriteOncePod" in known and len(known) > 1:
        yield forbidden(field, "may not use ReadWriteOncePod with other access modes")


def template(path: str, given: JSON) -> Faults:
    """A claim that is made of a template: only labels and annotations are its own."""
    meta = given.get("metadata") or {}
    yield from labels.annotations(f"{path}.metadata.annotations", meta.get("annotations"))
    yield from labels.labels(f"{path}.metadata.labels", meta.get("labels"))
    for field in _TEMPLATE_FIELDS:
        if meta.get(field):
            yield forbidden(f"{path}.metadata.{field}", "cannot be set")
    yield from spec(f"{path}.spec", given.get("spec") or {})


def spec(path: str, given: JSON) -> Faults:
    """What a claim asks for."""
    modes = given.get("accessModes") or []
    if not modes:
        yield required(f"{path}.accessModes", "at least 1 access mode is required")
    yield from labels.selector(f"{path}.selector", given.get("selector"))
    yield from access_modes(f"{path}.accessModes", modes)
    size = ((given.get("resources") or {}).get("requests") or {}).get("storage")
    if size is None:
        yield required(f"{path}.resources[storage]")
    else:
        yield from positive_quantity(f"{path}.resources[storage]", size)
    name = given.get("storageClassName")
    if name:
        yield from each(f"{path}.storageClassName", name, names.dns_subdomain(name))
    if given.get("volumeMode") is not None:
        yield from one_of(f"{path}.volumeMode", given["volumeMode"], VOLUME_MODES)
    yield from _sources(path, given)
    name = given.get("volumeAttributesClassName")
    if name:
        yield from each(f"{path}.volumeAttributesClassName", name, names.dns_subdomain(name))


def _sources(path: str, given: JSON) -> Faults:
    source, other = given.get("dataSource"), given.get("dataSourceRef")
    for field, found in (("dataSource", source), ("dataSourceRef", other)):
        if found is not None:
            yield from _source(f"{path}.{field}", found)
    namespace = (other or {}).get("namespace")
    if source is None or other is None:
        return
    # What is printed of a path is nothing.
    if namespace:
        yield invalid(path, {}, "may not be specified when dataSourceRef.namespace is specified")
    elif any(source.get(f) != other.get(f) for f in ("apiGroup", "kind", "name")):
        yield invalid(path, {}, "must match dataSourceRef")


def _source(path: str, source: JSON) -> Faults:
    group, kind = source.get("apiGroup") or "", source.get("kind") or ""
    for field in ("name", "kind"):
        if not source.get(field):
            yield required(f"{path}.{field}")
    if group:
        yield from each(f"{path}.apiGroup", group, names.dns_subdomain(group))
    elif kind != "PersistentVolumeClaim":
        why = "must be 'PersistentVolumeClaim' when referencing the default apiGroup"
        yield invalid(path, kind, why)
    namespace = source.get("namespace")
    if namespace:
        yield from each(f"{path}.namespace", namespace, names.dns_label(namespace))


def _size(found: JSON) -> str | None:
    size: str | None = ((found.get("resources") or {}).get("requests") or {}).get("storage")
    return size


def updated(new: JSON, old: JSON) -> Faults:
    """What may not change in a claim."""
    spec_of, before = new["spec"], old["spec"]
    bound = (new.get("status") or {}).get("phase") == "Bound"
    free = {"volumeName"} if not before.get("volumeName") else set()
    if before.get("storageClassName") is None:
        free.add("storageClassName")
    if bound:
        free |= {"resources", "volumeAttributesClassName"}
    if _without(spec_of, free) != _without(before, free):
        why = "spec is immutable after creation except resources.requests and "
        why += "volumeAttributesClassName for bound claims\n"
        now, then = (
            {**{f: before.get(f) for f in free}, **_without(given, free)}
            for given in (spec_of, before)
        )
        yield forbidden("spec", why + difference("core.PersistentVolumeClaimSpec", then, now))
    size, size_before = _size(spec_of), _size(before)
    if size is not None and size_before is not None and amount(size) < amount(size_before):
        capacity = ((old.get("status") or {}).get("capacity") or {}).get("storage") or "0"
        if amount(size) <= amount(capacity):
            why = "field can not be less than status.capacity"
            yield forbidden("spec.resources.requests.storage", why)
    yield from immutable("volumeMode", spec_of.get("volumeMode"), before.get("volumeMode"))


def _without(found: JSON, names_of: set[str]) -> JSON:
    return {name: value for name, value in found.items() if name not in names_of}


def status(new: JSON) -> Faults:
    """What is wrong with the status of a claim."""
    found = new.get("status") or {}
    if not new["spec"].get("accessModes"):
        yield required("Spec.accessModes")
    yield from _amounts("status.capacity", found.get("capacity") or {})
    for name, state in sorted((found.get("allocatedResourceStatuses") or {}).items()):
        field = "status.allocatedResourceStatuses"
        yield from _resource(field, name)
        if state not in _RESIZES:
            yield not_supported(field, name, _RESIZES)
    for name, value in sorted((found.get("allocatedResources") or {}).items()):
        field = "status.allocatedResources"
        wrong = list(_resource(field, name))
        yield from wrong
        if not wrong:
            yield from _amounts(field, {name: value})


def _resource(field: str, name: str) -> Faults:
    if found := names.qualified_name(name):
        yield from each(field, name, found)
    elif is_native(name):
        yield from one_of(field, name, ("storage",))


def _amounts(field: str, amounts: JSON) -> Faults:
    for name, value in sorted(amounts.items()):
        if amount(value) < 0:
            yield invalid(
                f"{field}[{name}]", int(amount(value)), "must be a valid resource quantity"
            )
