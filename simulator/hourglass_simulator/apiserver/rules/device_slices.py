"""ResourceSlices: the devices that drivers publish.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/apis/resource/validation/validation.go
"""

import re
from functools import partial
from itertools import pairwise

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.rules import device_names, labels, names, object_meta, scheduling
from hourglass_simulator.apiserver.rules.device_names import (
    items,
    label,
    pool_name,
    qualified_name,
    unique,
)
from hourglass_simulator.apiserver.rules.fault import (
    Faults,
    amount,
    choice,
    duplicate,
    each,
    forbidden,
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
_MOST_CONDITIONS = 4
_FAILURES = "bindingFailureConditions"
_EFFECTS = ("NoExecute", "NoSchedule", "None")
_PLACES = ("nodeName", "nodeSelector", "allNodes", "perDeviceNodeSelection")


def created(found: JSON) -> Faults:
    """What is wrong with a new ResourceSlice."""
    yield from object_meta.created("resourceslices", found["metadata"])
    yield from _spec(found.get("spec") or {}, None)


def updated(new: JSON, old: JSON) -> Faults:
    """What is wrong with a changed ResourceSlice."""
    yield from object_meta.updated(new["metadata"], old["metadata"], "resourceslices")
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
    device = partial(_device, has_places=bool(spec.get("perDeviceNodeSelection")))
    yield from unique("spec.devices", spec.get("devices") or (), _MOST_DEVICES, device, "name")


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


def _device(path: str, device: JSON, *, has_places: bool) -> Faults:
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
        where = f"{path}.capacity[{name}]"
        yield from qualified_name(where, name)
        shared = bool(device.get("allowMultipleAllocations"))
        yield from _policy(f"{where}.requestPolicy", capacity[name], shared=shared)
    for index, each_taint in enumerate(device.get("taints") or ()):
        yield from taint(f"{path}.taints[{index}]", each_taint)
    yield from _device_place(path, device, has_places=has_places)
    yield from _binding(path, device)


def _policy(path: str, capacity: JSON, *, shared: bool) -> Faults:
    """What is wrong with how much of a capacity may be requested."""
    policy = capacity.get("requestPolicy")
    if policy is None:
        return
    if not shared:
        yield forbidden(path, "allowMultipleAllocations must be true")
        return
    values, limits = policy.get("validValues") or [], policy.get("validRange")
    if values and limits is not None:
        why = 'exactly one policy can be specified, cannot specify "validValues" and "validRange"'
        yield forbidden(path, f"{why} at the same time")
        return
    for field, given in (("validValues", values), ("validRange", limits)):
        if given and policy.get("default") is None:
            yield required(f"{path}.default", f"required when {field} is defined")
            return
    most = capacity.get("value") or "0"
    if values:
        yield from _valid_values(f"{path}.validValues", values, policy["default"], most)
    elif limits is not None:
        yield from _valid_range(f"{path}.validRange", limits, policy["default"], most)


def _valid_values(path: str, values: list[str], default: str, most: str) -> Faults:
    for index, (one, following) in enumerate(pairwise(values), start=1):
        if amount(one) > amount(following):
            yield invalid(f"{path}[{index}]", following, "values must be sorted in ascending order")
    for index, value in enumerate(values):
        if amount(value) > amount(most):
            why = f"option is larger than capacity value: {most}"
            yield invalid(f"{path}[{index}]", value, why)
    for index, value in enumerate(values):
        if amount(value) in map(amount, values[:index]):
            yield duplicate(f"{path}[{index}]", value)
    if amount(default) not in map(amount, values):
        yield invalid(path, default, "default value is not valid according to the requestPolicy")


def _valid_range(path: str, limits: JSON, default: str, most: str) -> Faults:
    least, top = limits.get("min"), limits.get("max")
    if least is None:
        yield required(f"{path}.min", "required when validRange is defined")
        return
    if amount(least) > amount(most):
        yield invalid(f"{path}.min", least, f"min is larger than capacity value: {most}")
    if amount(default) < amount(least):
        yield invalid(f"{path}.default", default, f"default is less than min: {least}")
    if top is None:
        return
    if amount(least) > amount(top):
        yield invalid(f"{path}.max", least, f"min is larger than max: {top}")
    if amount(top) > amount(most):
        yield invalid(f"{path}.max", top, f"max is larger than capacity value: {most}")
    if amount(default) > amount(top):
        yield invalid(f"{path}.default", default, f"default is more than max: {top}")


def taint(path: str, given: JSON) -> Faults:
    """What is wrong with a taint of a device."""
    yield from labels.label_name(f"{path}.key", given.get("key") or "")
    if value := given.get("value"):
        yield from each(f"{path}.value", value, names.label_value(value))
    yield from choice(f"{path}.effect", given.get("effect") or "", _EFFECTS)


def _device_place(path: str, device: JSON, *, has_places: bool) -> Faults:
    """Where a device is, if its slice leaves that to it."""
    fields = ("nodeName", "nodeSelector", "allNodes")
    if not has_places:
        if any(device.get(field) is not None for field in fields):
            why = "`nodeName`, `nodeSelector` and `allNodes` can only be set if"
            why += " `perDeviceNodeSelection` is set to true in the ResourceSlice spec"
            yield invalid(path, None, why)
        return
    name, selector = device.get("nodeName"), device.get("nodeSelector")
    if name:
        yield from each(f"{path}.nodeName", name, names.dns_subdomain(name))
    elif name is not None:
        yield invalid(f"{path}.nodeName", name, "must not be empty")
    if selector is not None:
        yield from scheduling.node_selector(f"{path}.nodeSelector", selector)
    if device.get("allNodes") is False:
        yield invalid(f"{path}.allNodes", False, "must be either unset or set to true")
    given = [field for field in fields if device.get(field) not in (None, "", False)]
    why = "exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when"
    why += " `perDeviceNodeSelection` is set to true in the ResourceSlice spec"
    if not given:
        yield required(path, why)
    elif len(given) > 1:
        yield invalid(path, f"{{{', '.join(f'`{field}`' for field in given)}}}", why)


def _binding(path: str, device: JSON) -> Faults:
    """Conditions that a device has to meet before a pod is bound, and those that say it failed."""
    met, failed = (device.get(field) or [] for field in ("bindingConditions", _FAILURES))
    for field, given in (("bindingConditions", met), (_FAILURES, failed)):
        where = f"{path}.{field}"
        yield from items(where, given, _MOST_CONDITIONS, labels.label_name)
    for index, condition in enumerate(met):
        if condition in met[:index]:
            yield duplicate(f"{path}.bindingConditions[{index}]", condition)
    for index, condition in enumerate(failed):
        where = f"{path}.{_FAILURES}[{index}]"
        if condition in failed[:index]:
            yield duplicate(where, condition)
        if condition in met:
            yield invalid(where, condition, f"{_FAILURES} must not overlap with bindingConditions")
    for field, other, given, others in (
        ("bindingConditions", _FAILURES, met, failed),
        (_FAILURES, "bindingConditions", failed, met),
    ):
        if others and not given:
            yield invalid(f"{path}.{field}", None, f"{field} are required to use {other}")


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
