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
    "certificatesigningrequests": ("spec.signerName",),
    "clustertrustbundles": ("spec.signerName",),
    "jobs": ("status.successful",),
    "namespaces": ("status.phase",),
    "nodes": ("spec.unschedulable",),
    "podcertificaterequests": ("spec.nodeName", "spec.podName", "spec.signerName"),
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
    "replicationcontrollers": ("status.replicas",),
    "resourceslices": ("spec.driver", "spec.nodeName"),
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
    own = resource.selectable if resource.custom else _FIELDS.get(resource.plural, ())
    known = ("metadata.name", "metadata.namespace", *own)
    if resource.custom and not resource.namespaced:
        known = ("metadata.name", *own)
    for path, _, _ in fields:
        if path not in known:
            raise bad_request(_unknown(path, resource))

    def matches(obj: JSON) -> bool:
        meta = obj["metadata"]
        if namespace and meta.get("namespace") != namespace:
            return False
        if not selector.matches_all(requirements, meta.get("labels") or {}):
            return False
        return all((_field(obj, path) == value) is equal for path, equal, value in fields)

    return matches


def node_of(field_selector: str, resource: Resource) -> str:
    """The one node whose pods are asked for; empty if it is not one."""
    if resource.qualified != "pods" or "spec.nodeName" not in field_selector:
        return ""
    fields = selector.parse_fields(field_selector)
    return next((value for path, equal, value in fields if equal and path == "spec.nodeName"), "")


def _unknown(path: str, resource: Resource) -> str:
    if resource.custom or resource.plural in _FIELDS:
        return f"field label not supported: {path}"
    return f'"{path}" is not a known field selector: only "metadata.name", "metadata.namespace"'


_COUNTS = {"status.replicas": ("status", "replicas"), "status.successful": ("status", "succeeded")}
"""Where numbers are, which are 0 where they are absent."""


def _field(obj: JSON, path: str) -> str:
    value: object = obj
    for part in _COUNTS.get(path) or path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    if value is None:
        return "0" if path in _COUNTS else ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
