"""Environment variables of containers, and what refers to fields of the pod.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/apis/core/validation/validation.go
"""

import re
from collections.abc import Sequence

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import gates
from hourglass_simulator.apiserver.rules import names
from hourglass_simulator.apiserver.rules.fault import (
    Faults,
    amount,
    each,
    invalid,
    one_of,
    required,
)

_FIELDS = (
    *("metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName"),
    *("spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP"),
    "status.podIPs",
)
_KNOWN_FIELDS = (
    *_FIELDS,
    *("metadata.annotations", "metadata.labels", "spec.restartPolicy", "spec.schedulerName"),
    "status.phase",
)
_SUBSCRIPTED = re.compile(r"(.*)\['(.*)'\]")
_RESOURCES = (
    *("limits.cpu", "limits.ephemeral-storage", "limits.memory"),
    *("requests.cpu", "requests.ephemeral-storage", "requests.memory"),
)
_HUGE_PAGES = ("limits.hugepages-", "requests.hugepages-")
_BYTES = (
    *("1", "1k", "1M", "1G", "1T", "1P", "1E"),
    *("1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"),
)
_DIVISORS = {
    "cpu": (("1m", "1"), "1m and 1 are supported with the cpu resource"),
    "memory": (_BYTES, f"{', '.join(_BYTES)} are supported with the memory resource"),
    "ephemeral-storage": (
        _BYTES,
        f"{', '.join(_BYTES)} are supported with the local ephemeral storage resource",
    ),
    "hugepages": (_BYTES, f"{', '.join(_BYTES)} are supported with the hugepages resource"),
}


def env(path: str, variables: Sequence[JSON]) -> Faults:
    """The variables of a container."""
    for index, variable in enumerate(variables):
        where, name = f"{path}[{index}]", variable.get("name") or ""
        if not name:
            yield required(f"{where}.name")
        else:
            yield from each(f"{where}.name", name, names.variable(name))
        if variable.get("valueFrom") is not None:
            yield from _value_from(f"{where}.valueFrom", variable)


def _value_from(path: str, variable: JSON) -> Faults:
    source = variable["valueFrom"]
    if source.get("fieldRef") is not None:
        yield from field_reference(f"{path}.fieldRef", source["fieldRef"], _FIELDS)
    if source.get("resourceFieldRef") is not None:
        yield from resource_reference(f"{path}.resourceFieldRef", source["resourceFieldRef"])
    for kind in ("configMapKeyRef", "secretKeyRef"):
        if source.get(kind) is not None:
            yield from _key(f"{path}.{kind}", source[kind])
    count = sum(value is not None for value in source.values())
    if not count:
        kinds = ["fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef"]
        kinds += ["fileKeyRef"] if gates.enabled("EnvFiles") else []
        *others, last = (f"`{kind}`" for kind in kinds)
        yield invalid(path, "", f"must specify one of: {', '.join(others)} or {last}")
    elif variable.get("value"):
        yield invalid(path, "", "may not be specified when `value` is not empty")
    elif count > 1:
        yield invalid(path, "", "may not have more than one field specified at a time")


def _key(path: str, selected: JSON) -> Faults:
    name, key = selected.get("name") or "", selected.get("key") or ""
    yield from each(f"{path}.name", name, names.dns_subdomain(name))
    if not key:
        yield required(f"{path}.key")
    else:
        yield from each(f"{path}.key", key, names.config_key(key))


def field_reference(path: str, selected: JSON, supported: Sequence[str]) -> Faults:
    """A field of the pod, which must be one of those `supported`."""
    version, field = selected.get("apiVersion", "v1"), selected.get("fieldPath") or ""
    if not version:
        yield required(f"{path}.apiVersion")
        return
    if not field:
        yield required(f"{path}.fieldPath")
        return
    found = _SUBSCRIPTED.fullmatch(field)
    name = found[1] if found else field
    if wrong := _unknown_field(version, field, name):
        yield invalid(f"{path}.fieldPath", field, f"error converting fieldPath: {wrong}")
    elif found is None:
        yield from one_of(f"{path}.fieldPath", field, supported)
    elif name == "metadata.annotations":
        yield from each(path, found[2].lower(), names.qualified_name(found[2].lower()))
    elif name == "metadata.labels":
        yield from each(path, found[2], names.qualified_name(found[2]))
    else:
        yield invalid(path, name, "does not support subscript")


def _unknown_field(version: str, field: str, name: str) -> str:
    if version != "v1":
        return f"unsupported pod version: {version}"
    if name in ("metadata.annotations", "metadata.labels") and name != field:
        return ""
    if name != field:
        return f"field label does not support subscript: {field}"
    return "" if field in _KNOWN_FIELDS else f"field label not supported: {field}"


def resource_reference(path: str, selected: JSON, *, in_volume: bool = False) -> Faults:
    """A resource of a container; in a volume the container must be named."""
    resource = selected.get("resource") or ""
    huge = resource.startswith(_HUGE_PAGES)
    if in_volume and not selected.get("containerName"):
        yield required(f"{path}.containerName")
    elif not resource:
        yield required(f"{path}.resource")
    elif not huge:
        yield from one_of(f"{path}.resource", resource, _RESOURCES)
    divisor = str(selected.get("divisor") or "0")
    kind = "hugepages" if huge else resource.partition(".")[2]
    known, why = _DIVISORS.get(kind, ((), "")) if huge or resource in _RESOURCES else ((), "")
    if known and amount(divisor) != 0 and divisor not in known:
        yield invalid(f"{path}.divisor", resource, f"only divisor's values {why}")


def env_from(path: str, sources: Sequence[JSON]) -> Faults:
    """All keys of ConfigMaps and Secrets as variables."""
    for index, source in enumerate(sources):
        where, prefix = f"{path}[{index}]", source.get("prefix") or ""
        if prefix:
            yield from each(f"{where}.prefix", prefix, names.variable(prefix))
        given = [kind for kind in ("configMapRef", "secretRef") if source.get(kind) is not None]
        for kind in given:
            name = source[kind].get("name") or ""
            if not name:
                yield required(f"{where}.{kind}.name")
            else:
                yield from each(f"{where}.{kind}.name", name, names.dns_subdomain(name))
        if not given:
            yield invalid(path, "", "must specify one of: `configMapRef` or `secretRef`")
        elif len(given) > 1:
            yield invalid(path, "", "may not have more than one field specified at a time")
