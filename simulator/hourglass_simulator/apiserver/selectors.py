"""Label and field selectors of list and watch as predicates on objects."""

from collections.abc import Mapping

from hourglass_kube import selector
from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.errors import bad_request
from hourglass_simulator.apiserver.resources import Resource
from hourglass_simulator.apiserver.watch import Matcher

_FIELDS: Mapping[str, tuple[str, ...]] = {
    "events": (
        "involvedObject.apiVersion",
        "involvedObject.fieldPath",
        "involvedObject.kind",
        "involvedObject.name",
        "involvedObject.namespace",
        "involvedObject.resourceVersion",
        "involvedObject.uid",
        "reason",
        "reportingComponent",
        "source.component",
        "type",
    ),
    "namespaces": ("status.phase",),
    "nodes": ("spec.unschedulable",),
    "pods": (
        "spec.hostNetwork",
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.schedulerName",
        "spec.serviceAccountName",
        "status.nominatedNodeName",
        "status.phase",
        "status.podIP",
    ),
    "secrets": ("type",),
    "services": ("spec.clusterIP", "spec.type"),
}
"""The fields besides name and namespace that can be selected by."""


def matcher(
    namespace: str, label_selector: str, field_selector: str, resource: Resource
) -> Matcher | None:
    """What an object must satisfy to be listed or watched; None if anything does."""
    if not namespace and not label_selector and not field_selector:
        return None
    try:
        requirements = selector.parse(label_selector)
        fields = selector.parse_fields(field_selector)
    except ValueError as error:
        raise bad_request(str(error)) from None
    known = ("metadata.name", "metadata.namespace", *_FIELDS.get(resource.plural, ()))
    for path, _, _ in fields:
        if path not in known:
            raise bad_request(f"field label not supported: {path}")

    def matches(obj: JSON) -> bool:
        meta = obj["metadata"]
        if namespace and meta.get("namespace") != namespace:
            return False
        if not selector.matches_all(requirements, meta.get("labels") or {}):
            return False
        return all((_field(obj, path) == value) is equal for path, equal, value in fields)

    return matches


def _field(obj: JSON, path: str) -> str:
    value: object = obj
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return "" if value is None else str(value)
