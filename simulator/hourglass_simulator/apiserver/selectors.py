"""Label and field selectors of list and watch as predicates on objects."""

from collections.abc import Callable, Mapping
from functools import partial

from hourglass_kube import selector
from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.errors import bad_request
from hourglass_simulator.apiserver.resources import Resource
from hourglass_simulator.apiserver.watch import Matcher
from hourglass_simulator.kubernetes.version import Version

_NAME, _NAMESPACE = "metadata.name", "metadata.namespace"
_NAMED = (_NAME, _NAMESPACE)
_FIELDS: Mapping[str, tuple[str, ...]] = {
    "certificatesigningrequests": (_NAME, "spec.signerName"),
    "clustertrustbundles": (_NAME, "spec.signerName"),
    "events": (
        *_NAMED,
        "involvedObject.apiVersion",
        "involvedObject.fieldPath",
        "involvedObject.kind",
        "involvedObject.name",
        "involvedObject.namespace",
        "involvedObject.resourceVersion",
        "involvedObject.uid",
        "reason",
        "reportingComponent",
        "source",
        "type",
    ),
    "jobs": (*_NAMED, "status.successful"),
    "namespaces": (_NAME, "status.phase"),
    "nodes": (_NAME, "spec.unschedulable"),
    "podcertificaterequests": (_NAME, "spec.nodeName", "spec.podName", "spec.signerName"),
    "pods": (
        *_NAMED,
        "spec.host",
        "spec.hostNetwork",
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.schedulerName",
        "spec.serviceAccountName",
        "status.nominatedNodeName",
        "status.phase",
        "status.podIP",
        "status.podIPs",
    ),
    "replicationcontrollers": (*_NAMED, "status.replicas"),
    "resourceslices": (_NAME, "spec.driver", "spec.nodeName", "spec.pool.name"),
    "secrets": (*_NAMED, "type"),
    "services": (*_NAMED, "spec.clusterIP", "spec.type"),
}
"""The fields of a kind that can be selected by; of others its name and namespace.

The functions addFieldLabelConversions of https://github.com/kubernetes/kubernetes/tree/v1.34.4/pkg/apis
"""
_SINCE = {"spec.pool.name": 37}
"""The minor version that has it first."""
_UNKNOWN = {
    "jobs": 'field label "{}" not supported for Job',
    "resourceslices": ("field label not supported for resource.k8s.io/v1, Kind=ResourceSlice: {}"),
}
"""What is said of a field that is not among them, where it is something else than of most kinds."""


def matcher(
    namespace: str,
    label_selector: str,
    field_selector: str,
    resource: Resource,
    version: Version,
) -> Matcher | None:
    """What an object must satisfy to be listed or watched; None if anything does."""
    if not namespace and not label_selector and not field_selector:
        return None
    try:
        requirements = selector.parse(label_selector)
        fields = selector.parse_fields(field_selector)
    except ValueError as error:
        raise bad_request(str(error)) from None
    known = _known(resource, version)
    wanted = []
    for path, equal, value in fields:
        if path not in known:
            raise bad_request(_unknown(path, resource))
        own = None if resource.custom else _VALUES.get(path)
        wanted.append((own or partial(_at, path), equal, value))

    def matches(obj: JSON) -> bool:
        meta = obj["metadata"]
        if namespace and meta.get("namespace") != namespace:
            return False
        if not selector.matches_all(requirements, meta.get("labels") or {}):
            return False
        return all((_text(read(obj)) == value) is equal for read, equal, value in wanted)

    return matches


def node_of(field_selector: str, resource: Resource) -> str:
    """The one node whose pods are asked for; empty if it is not one."""
    if resource.qualified != "pods" or "spec.nodeName" not in field_selector:
        return ""
    fields = selector.parse_fields(field_selector)
    return next((value for path, equal, value in fields if equal and path == "spec.nodeName"), "")


def _known(resource: Resource, version: Version) -> tuple[str, ...]:
    if resource.custom:
        named = _NAMED if resource.namespaced else (_NAME,)
        return (*named, *resource.selectable)
    fields = _FIELDS.get(resource.plural, _NAMED)
    return tuple(each for each in fields if version.minor >= _SINCE.get(each, 0))


def _unknown(path: str, resource: Resource) -> str:
    if resource.custom:
        return f"field label not supported: {path}"
    if resource.plural in _FIELDS:
        return _UNKNOWN.get(resource.plural, "field label not supported: {}").format(path)
    return f'"{path}" is not a known field selector: only "metadata.name", "metadata.namespace"'


def _at(path: str, obj: JSON) -> object:
    value: object = obj
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _in(part: str, field: str, default: object = None) -> Callable[[JSON], object]:
    return lambda obj: (obj.get(part) or {}).get(field) or default


def _first_address(obj: JSON) -> object:
    addresses = (obj.get("status") or {}).get("podIPs") or ()
    return next((each.get("ip") for each in addresses), None)


def _source(obj: JSON) -> object:
    return (obj.get("source") or {}).get("component") or obj.get("reportingComponent")


_VALUES: Mapping[str, Callable[[JSON], object]] = {
    "source": _source,
    "spec.host": _in("spec", "nodeName"),
    "spec.hostNetwork": _in("spec", "hostNetwork", default=False),
    "spec.unschedulable": _in("spec", "unschedulable", default=False),
    "status.podIP": _first_address,
    "status.podIPs": lambda _: None,
    "status.replicas": _in("status", "replicas", 0),
    "status.successful": _in("status", "succeeded", 0),
}
"""Fields of built-in kinds that are not, or not always, where their path leads."""


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
