"""APIServices.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/kube-aggregator/pkg/apis/apiregistration/validation/validation.go
"""

import base64

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.rules import names, object_meta
from hourglass_simulator.apiserver.rules.fault import (
    Faults,
    each,
    in_range,
    invalid,
    one_of,
    required,
)

_HIGHEST_GROUP, _HIGHEST_VERSION = 20000, 1000
_LARGEST_PORT = 65535
_STATUSES = ("True", "False", "Unknown")


def created(found: JSON) -> Faults:
    """What is wrong with a new APIService."""
    yield from object_meta.created("apiservices", found["metadata"])
    spec, name = found.get("spec") or {}, found["metadata"]["name"]
    group, version = spec.get("group") or "", spec.get("version") or ""
    expected = f"{version}.{group}"
    if name and name != expected and not names.path_segment(name):
        why = f'must be `spec.version+"."+spec.group`: "{expected}"'
        yield invalid("metadata.name", name, why)
    if not group and version != "v1":
        why = "only v1 may have an empty group and it better be legacy kube"
        yield required("spec.group", why)
    if group:
        yield from each("spec.group", group, names.dns_subdomain(group))
    yield from each("spec.version", version, names.dns_1035_label(version))
    for field, highest in (
        ("groupPriorityMinimum", _HIGHEST_GROUP),
        ("versionPriority", _HIGHEST_VERSION),
    ):
        given = spec.get(field) or 0
        if not 0 < given <= highest:
            why = f"must be positive and less than {highest}"
            yield invalid(f"spec.{field}", given, why)
    yield from _service(spec)


def _service(spec: JSON) -> Faults:
    service, bundle = spec.get("service"), spec.get("caBundle") or ""
    insecure = bool(spec.get("insecureSkipTLSVerify"))
    if service is None:
        if bundle:
            size = f"{len(base64.b64decode(bundle))} bytes"
            yield invalid("spec.caBundle", size, "local APIServices may not have a caBundle")
        if insecure:
            why = "local APIServices may not have insecureSkipTLSVerify"
            yield invalid("spec.insecureSkipTLSVerify", insecure, why)
        return
    for field in ("namespace", "name"):
        if not service.get(field):
            yield required(f"spec.service.{field}")
    port = service.get("port") or 0
    if not 1 <= port <= _LARGEST_PORT:
        why = f"port is not valid: {in_range(1, _LARGEST_PORT)}"
        yield invalid("spec.service.port", port, why)
    if insecure and bundle:
        yield invalid("spec.insecureSkipTLSVerify", True, "may not be true if caBundle is present")


def updated(new: JSON, old: JSON) -> Faults:
    """What is wrong with a changed APIService."""
    yield from object_meta.updated(new["metadata"], old["metadata"], "apiservices")
    yield from created(new)


def status(new: JSON, old: JSON) -> Faults:
    """What is wrong with a changed status."""
    yield from object_meta.updated(new["metadata"], old["metadata"], "apiservices")
    for index, condition in enumerate((new.get("status") or {}).get("conditions") or ()):
        path = f"status.conditions[{index}].status"
        yield from one_of(path, condition.get("status") or "", _STATUSES)
