"""Device classes, claims of devices, and templates of claims.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/apis/resource/validation/validation.go
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import gates
from hourglass_simulator.apiserver.rules import (
    addresses,
    device_selectors,
    labels,
    names,
    object_meta,
    scheduling,
)
from hourglass_simulator.apiserver.rules.device_names import (
    driver,
    full_name,
    items,
    label,
    pool_name,
    unique,
)
from hourglass_simulator.apiserver.rules.fault import (
    Faults,
    choice,
    each,
    forbidden,
    immutable,
    invalid,
    one_of,
    positive,
    required,
    too_long,
    too_many,
)
from hourglass_simulator.apiserver.rules.go_text import printed
from hourglass_simulator.apiserver.schema_error import Verbatim

_MOST, _MOST_ALTERNATIVES, _MOST_RESERVED = 32, 8, 256
_LONGEST_EXPRESSION = _LONGEST_DATA = 10 * 1024
_LONGEST_INTERFACE, _LONGEST_HARDWARE, _MOST_ADDRESSES, _MOST_CONDITIONS = 256, 128, 16, 8
_EFFECTS = ("NoExecute", "NoSchedule")
_OPERATORS = ("Equal", "Exists")
_REFERENCE = (
    "must be the name of a request in the claim or the name of a request and a subrequest separated"
    " by '/'"
)
_EXPRESSION = "<value omitted>"

Requests = Mapping[str, frozenset[str]]
"""The alternatives of each request of a claim, by their names."""


def class_created(found: JSON) -> Faults:
    """What is wrong with a new DeviceClass."""
    yield from object_meta.created("deviceclasses", found["metadata"])
    yield from _class(found.get("spec") or {})


def class_updated(new: JSON, old: JSON) -> Faults:
    """What is wrong with a changed DeviceClass, whose spec is looked at twice."""
    yield from class_created(new)
    yield from object_meta.updated(new["metadata"], old["metadata"])
    yield from _class(new.get("spec") or {})


def claim_created(found: JSON) -> Faults:
    """What is wrong with a new ResourceClaim."""
    yield from object_meta.created("resourceclaims", found["metadata"])
    yield from _devices("spec.devices", (found.get("spec") or {}).get("devices") or {})


def claim_updated(new: JSON, old: JSON) -> Faults:
    """What is wrong with a changed ResourceClaim, whose spec may not change."""
    yield from claim_created(new)
    yield from object_meta.updated(new["metadata"], old["metadata"])
    yield from _same_spec("resource.ResourceClaimSpec", new, old)
    yield from _devices("spec.devices", (new.get("spec") or {}).get("devices") or {})


def claim_status(new: JSON, old: JSON) -> Faults:
    """What is wrong with a changed status of a ResourceClaim."""
    yield from object_meta.updated(new["metadata"], old["metadata"])
    status, before = new.get("status") or {}, old.get("status") or {}
    requests = _requests((new.get("spec") or {}).get("devices") or {})
    path, allocation = "status", status.get("allocation")
    reserved = status.get("reservedFor") or ()
    yield from unique(f"{path}.reservedFor", reserved, _MOST_RESERVED, _consumer, "uid")
    results = ((allocation or {}).get("devices") or {}).get("results") or ()
    allocated = {_device_id(each) for each in results}
    for index, device in enumerate(status.get("devices") or ()):
        yield from _device_status(f"{path}.devices[{index}]", device, allocated)
    if reserved and allocation is None:
        why = "may not be specified when `allocated` is not set"
        yield forbidden(f"{path}.reservedFor", why)
    elif new["metadata"].get("deletionTimestamp"):
        known = before.get("reservedFor") or ()
        if any(one not in known for one in reserved):
            why = "new entries may not be added while `deallocationRequested` or"
            yield forbidden(f"{path}.reservedFor", f"{why} `deletionTimestamp` are set")
    was = before.get("allocation")
    if allocation is not None and was is not None:
        kind = "*resource.AllocationResult"
        yield from immutable(f"{path}.allocation", allocation, was, lambda v: printed(kind, v))
    elif allocation is not None:
        yield from _allocation(f"{path}.allocation", allocation, requests)


def template_created(found: JSON) -> Faults:
    """What is wrong with a new ResourceClaimTemplate."""
    yield from object_meta.created("resourceclaimtemplates", found["metadata"])
    yield from _template(found.get("spec") or {})


def template_updated(new: JSON, old: JSON) -> Faults:
    """What is wrong with a changed ResourceClaimTemplate, whose spec may not change."""
    yield from template_created(new)
    yield from object_meta.updated(new["metadata"], old["metadata"])
    yield from _same_spec("resource.ResourceClaimTemplateSpec", new, old)
    yield from _template(new.get("spec") or {})


def _same_spec(kind: str, new: JSON, old: JSON) -> Faults:
    yield from immutable("spec", new.get("spec"), old.get("spec"), lambda v: printed(kind, v))


def _class(spec: JSON) -> Faults:
    yield from items("spec.selectors", spec.get("selectors") or (), _MOST, _selector)
    yield from items("spec.config", spec.get("config") or (), _MOST, _configuration)
    name = spec.get("extendedResourceName")
    if name is not None and gates.enabled("DRAExtendedResource") and not _is_extended(name):
        why = "must be a valid extended resource name"
        yield invalid("spec.extendedResourceName", name, why)


def _is_extended(name: str) -> bool:
    domain, _, _ = name.partition("/")
    own = "/" not in name or domain == "kubernetes.io" or domain.endswith(".kubernetes.io")
    return not own and not name.startswith("requests.") and not names.qualified_name(name)


def _template(spec: JSON) -> Faults:
    meta = spec.get("metadata") or {}
    yield from labels.annotations("spec.metadata.annotations", meta.get("annotations"))
    yield from labels.labels("spec.metadata.labels", meta.get("labels"))
    yield from _devices("spec.spec.devices", (spec.get("spec") or {}).get("devices") or {})


# Claims


def _devices(path: str, given: JSON) -> Faults:
    requests = _requests(given)
    yield from unique(f"{path}.requests", given.get("requests") or (), _MOST, _request, "name")

    def constraint(where: str, one: JSON) -> Faults:
        yield from _references(where, one, requests)
        yield from _constraint(where, one)

    def configuration(where: str, one: JSON) -> Faults:
        yield from _references(where, one, requests)
        yield from _configuration(where, one)

    yield from items(f"{path}.constraints", given.get("constraints") or (), _MOST, constraint)
    yield from items(f"{path}.config", given.get("config") or (), _MOST, configuration)


def _requests(given: JSON) -> Requests:
    return {
        request.get("name") or "": frozenset(
            one.get("name") or "" for one in request.get("firstAvailable") or ()
        )
        for request in given.get("requests") or ()
    }


def _request(path: str, request: JSON) -> Faults:
    yield from label(f"{path}.name", request.get("name"))
    several, exactly = request.get("firstAvailable") or (), request.get("exactly")
    if several:
        field = f"{path}.firstAvailable"
        yield from unique(field, several, _MOST_ALTERNATIVES, _alternative, "name")
    if exactly is not None:
        yield from _exact(f"{path}.exactly", exactly)
    why = "exactly one of `exactly` or `firstAvailable` is required"
    if not several and exactly is None:
        yield required(path, why)
    elif several and exactly is not None:
        yield invalid(path, None, f"{why}, but multiple fields are set")


def _alternative(path: str, request: JSON) -> Faults:
    yield from label(f"{path}.name", request.get("name"))
    yield from _exact(path, request)


def _exact(path: str, request: JSON) -> Faults:
    name = request.get("deviceClassName") or ""
    if name:
        yield from each(f"{path}.deviceClassName", name, names.dns_subdomain(name))
    else:
        yield required(f"{path}.deviceClassName")
    yield from items(f"{path}.selectors", request.get("selectors") or (), _MOST, _selector)
    mode, count = request.get("allocationMode"), request.get("count") or 0
    if mode == "All":
        if count:
            why = f"must not be specified when allocationMode is '{mode}'"
            yield invalid(f"{path}.count", count, why)
    elif mode == "ExactCount":
        yield from positive(f"{path}.count", count)
    else:
        yield from one_of(f"{path}.allocationMode", mode or "", ("All", "ExactCount"))
    given = request.get("tolerations") or ()
    yield from items(f"{path}.tolerations", given, None, _toleration)


def _selector(path: str, selector: JSON) -> Faults:
    given = selector.get("cel")
    if given is None:
        yield required(f"{path}.cel")
        return
    field, expression = f"{path}.cel.expression", given.get("expression") or ""
    if len(expression.encode()) > _LONGEST_EXPRESSION:
        yield too_long(field, _LONGEST_EXPRESSION)
        return
    shares = gates.enabled("DRAConsumableCapacity")
    if why := device_selectors.fault(expression, shares=shares):
        yield invalid(field, expression, why)


def _toleration(path: str, toleration: JSON) -> Faults:
    key, value = toleration.get("key"), toleration.get("value") or ""
    if key:
        yield from labels.label_name(f"{path}.key", key)
    operator = toleration.get("operator") or ""
    if operator == "Exists":
        if value:
            yield invalid(f"{path}.value", value, "must be empty for operator `Exists`")
    elif operator == "Equal":
        yield from each(f"{path}.value", value, names.label_value(value))
    else:
        yield from choice(f"{path}.operator", operator, _OPERATORS)
    if toleration.get("effect"):
        yield from one_of(f"{path}.effect", toleration["effect"], _EFFECTS)


def _references(path: str, given: JSON, requests: Requests) -> Faults:
    def reference(where: str, name: str) -> Faults:
        return _reference(where, name, requests)

    yield from unique(f"{path}.requests", given.get("requests") or (), _MOST, reference)


def _reference(field: str, name: str, requests: Requests) -> Faults:
    parts = name.split("/")
    if len(parts) > 2:
        yield invalid(field, name, _REFERENCE)
        return
    for part in parts:
        yield from label(field, part)
    known = parts[0] in requests and (len(parts) == 1 or parts[1] in requests[parts[0]])
    if not known:
        yield invalid(field, name, _REFERENCE)


def _constraint(path: str, constraint: JSON) -> Faults:
    consumes = gates.enabled("DRAConsumableCapacity")
    fields = ("matchAttribute", *(("distinctAttribute",) if consumes else ()))
    for field in fields:
        if constraint.get(field) is not None:
            yield from full_name(f"{path}.{field}", constraint[field])
            return
    if consumes:
        why = 'exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple'
        yield required(path, f"{why} fields are set")
    else:
        yield required(f"{path}.matchAttribute")


def _configuration(path: str, config: JSON) -> Faults:
    opaque = config.get("opaque")
    if opaque is None:
        yield required(f"{path}.opaque")
        return
    yield from driver(f"{path}.opaque.driver", opaque.get("driver") or "")
    yield from _data(f"{path}.opaque.parameters", opaque.get("parameters"))


def _data(field: str, data: Any) -> Faults:
    if data is None:
        yield required(field)
    elif len(json.dumps(data, separators=(",", ":"), ensure_ascii=False).encode()) > _LONGEST_DATA:
        yield too_long(field, _LONGEST_DATA)
    elif not isinstance(data, dict):
        yield invalid(field, _EXPRESSION, "must be a valid JSON object")


# What has been allocated


def _consumer(path: str, given: JSON) -> Faults:
    for field in ("resource", "name", "uid"):
        if not given.get(field):
            yield required(f"{path}.{field}")


def _allocation(path: str, given: JSON, requests: Requests) -> Faults:
    devices = given.get("devices") or {}

    def result(where: str, one: JSON) -> Faults:
        yield from _reference(f"{where}.request", one.get("request") or "", requests)
        yield from _named_device(where, one)

    def configuration(where: str, one: JSON) -> Faults:
        source = one.get("source") or ""
        yield from choice(f"{where}.source", source, ("FromClaim", "FromClass"))
        yield from _references(where, one, requests)
        yield from _configuration(where, one)

    yield from items(f"{path}.devices.results", devices.get("results") or (), _MOST, result)
    given_config = devices.get("config") or ()
    yield from items(f"{path}.devices.config", given_config, 2 * _MOST, configuration)
    if given.get("nodeSelector") is not None:
        yield from scheduling.node_selector(f"{path}.nodeSelector", given["nodeSelector"])


def _named_device(path: str, given: JSON) -> Faults:
    yield from driver(f"{path}.driver", given.get("driver") or "")
    yield from pool_name(f"{path}.pool", given.get("pool") or "")
    yield from label(f"{path}.device", given.get("device"))


def _device_id(given: JSON) -> str:
    return "/".join(given.get(field) or "" for field in ("driver", "pool", "device"))


def _device_status(path: str, device: JSON, allocated: Iterable[str]) -> Faults:
    yield from _named_device(path, device)
    if _device_id(device) not in allocated:
        # Its fields are of a type without a form in JSON.
        shown = Verbatim('{"Driver":{},"Pool":{},"Device":{},"ShareID":{}}')
        yield invalid(path, shown, "must be an allocated device in the claim")
    given = device.get("conditions") or []
    if len(given) > _MOST_CONDITIONS:
        yield too_many(f"{path}.conditions", len(given), _MOST_CONDITIONS)
    yield from labels.conditions(f"{path}.conditions", given)
    if device.get("data") is not None:
        yield from _data(f"{path}.data", device["data"])
    network, where = device.get("networkData") or {}, f"{path}.networkData"
    for field, longest in (
        ("interfaceName", _LONGEST_INTERFACE),
        ("hardwareAddress", _LONGEST_HARDWARE),
    ):
        if len((network.get(field) or "").encode()) > longest:
            yield too_long(f"{where}.{field}", longest)
    yield from unique(f"{where}.ips", network.get("ips") or (), _MOST_ADDRESSES, _interface)


def _interface(field: str, value: str) -> Faults:
    if addresses.parsed_network(value) is None:
        why = "must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)"
        yield invalid(field, value, why)
