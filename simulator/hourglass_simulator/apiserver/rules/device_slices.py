"""ResourceSlices: the devices that drivers publish.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/apis/resource/validation/validation.go
"""

import re

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.rules import device_names, names, object_meta, scheduling
from hourglass_simulator.apiserver.rules.device_names import (
    label,
    pool_name,
    qualified_name,
    unique,
)
from hourglass_simulator.apiserver.rules.fault import (
    Faults,
    each,
    immutable,
    invalid,
    required,
    too_long,
)
from hourglass_simulator.apiserver.rules.go_text import printed

_MOST_DEVICES, _MOST_ATTRIBUTES, _LONGEST_VALUE = 128, 32, 64
_IDENTIFIER = r"(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)"
_BUILD = r"[0-9a-zA-Z-]+"
_SEMVER = re.compile(
    r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)"
    rf"(-{_IDENTIFIER}(\.{_IDENTIFIER})*)?(\+{_BUILD}(\.{_BUILD})*)?",
    re.ASCII,
)
_PLACES = ("nodeName", "nodeSelector", "allNodes", "perDeviceNodeSelection")


def created(found: JSON) -> Faults:
    """What is wrong with a new ResourceSlice."""
    yield from object_meta.created("resourceslices", found["metadata"])
    yield from _spec(found.get("spec") or {}, None)


def updated(new: JSON, old: JSON) -> Faults:
    """What is wrong with a changed ResourceSlice."""
    yield from object_meta.updated(new["metadata"], old["metadata"])
    yield from _spec(new.get("spec") or {}, old.get("spec") or {})


def _spec(spec: JSON, before: JSON | None) -> Faults:
    yield from device_names.driver("spec.driver", spec.get("driver") or "")
    pool = spec.get("pool") or {}
    yield from _pool("spec.pool", pool)
    if before is not None:
        was = (before.get("pool") or {}).get("name")
        yield from immutable("spec.pool.name", pool.get("name"), was)
        for field in ("driver", "nodeName"):
            yield from immutable(f"spec.{field}", spec.get(field), before.get(field))
    yield from _where(spec)
    yield from unique("spec.devices", spec.get("devices") or (), _MOST_DEVICES, _device, "name")


def _pool(path: str, pool: JSON) -> Faults:
    yield from pool_name(f"{path}.name", pool.get("name") or "")
    count, generation = pool.get("resourceSliceCount") or 0, pool.get("generation") or 0
    if count <= 0:
        yield invalid(f"{path}.resourceSliceCount", count, "must be greater than zero")
    if generation < 0:
        why = "must be greater than or equal to zero"
        yield invalid(f"{path}.generation", generation, why)


def _where(spec: JSON) -> Faults:
    given = []
    name, selector = spec.get("nodeName"), spec.get("nodeSelector")
    if name:
        given.append("nodeName")
        yield from each("spec.nodeName", name, names.dns_subdomain(name))
    elif name is not None:
        why = "must be either unset or set to a non-empty string"
        yield invalid("spec.nodeName", name, why)
    if selector is not None:
        given.append("nodeSelector")
        yield from scheduling.node_selector("spec.nodeSelector", selector)
        terms = selector.get("nodeSelectorTerms") or []
        if len(terms) != 1:
            shown = printed("[]core.NodeSelectorTerm", terms)
            why = "must have exactly one node selector term"
            yield invalid("spec.nodeSelector.nodeSelectorTerms", shown, why)
    for field in _PLACES[2:]:
        if spec.get(field):
            given.append(field)
        elif spec.get(field) is not None:
            yield invalid(f"spec.{field}", False, "must be either unset or set to true")
    why = f"exactly one of {', '.join(f'`{field}`' for field in _PLACES)} is required"
    if not given:
        yield required("spec", why)
    elif len(given) > 1:
        found = ", ".join(f"`{field}`" for field in given)
        yield invalid("spec", f"{{{found}}}", f"{why}, but multiple fields are set")


def _device(path: str, device: JSON) -> Faults:
    yield from label(f"{path}.name", device.get("name"))
    attributes, capacity = device.get("attributes") or {}, device.get("capacity") or {}
    count = len(attributes) + len(capacity)
    if count > _MOST_ATTRIBUTES:
        why = "the total number of attributes and capacities must not exceed"
        yield invalid(path, count, f"{why} {_MOST_ATTRIBUTES}")
    for name in sorted(attributes):
        where = f"{path}.attributes[{name}]"
        yield from qualified_name(where, name)
        yield from _attribute(where, attributes[name])
    for name in sorted(capacity):
        yield from qualified_name(f"{path}.capacity[{name}]", name)


def _attribute(path: str, given: JSON) -> Faults:
    kinds = [kind for kind in ("bool", "int", "string", "version") if given.get(kind) is not None]
    if "string" in kinds:
        yield from _length(f"{path}.string", given["string"])
    if "version" in kinds:
        version = given["version"]
        if not _SEMVER.fullmatch(version):
            why = "must be a string compatible with semver.org spec 2.0.0"
            yield invalid(f"{path}.version", version, why)
        yield from _length(f"{path}.version", version)
    why = "exactly one value must be specified"
    if not kinds:
        yield required(path, why)
    elif len(kinds) > 1:
        yield invalid(path, printed("resource.DeviceAttribute", given), why)


def _length(field: str, value: str) -> Faults:
    if len(value.encode()) > _LONGEST_VALUE:
        yield too_long(field, _LONGEST_VALUE)
