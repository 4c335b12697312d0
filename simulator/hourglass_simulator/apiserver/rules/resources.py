"""Amounts of resources, and the names that resources may have.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/apis/core/helper/helpers.go
"""

from collections.abc import Callable, Collection
from decimal import Decimal

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.quantities import formatted
from hourglass_simulator.apiserver.rules import names
from hourglass_simulator.apiserver.rules.fault import (
    Faults,
    amount,
    duplicate,
    each,
    forbidden,
    invalid,
    is_multiple,
    non_negative_quantity,
    not_found,
    not_supported,
    required,
)

_CONTAINER = ("cpu", "memory", "ephemeral-storage")
_INTEGERS = frozenset(
    [
        *("pods", "services", "replicationcontrollers", "resourcequotas", "secrets", "configmaps"),
        *("persistentvolumeclaims", "services.nodeports", "services.loadbalancers"),
    ]
)
_QUOTA = frozenset(
    [
        *("cpu", "memory", "ephemeral-storage", "requests.cpu", "requests.memory"),
        *("requests.storage", "requests.ephemeral-storage", "limits.cpu", "limits.memory"),
        *("limits.ephemeral-storage", "pods", "resourcequotas", "services"),
        *("replicationcontrollers", "secrets", "persistentvolumeclaims", "configmaps"),
        *("services.nodeports", "services.loadbalancers"),
    ]
)
_STANDARD = _QUOTA | {"storage", "requests.storage"}
_POD_LEVEL = ("cpu", "memory")
HUGE_PAGES = "hugepages-"
_QUOTA_HUGE_PAGES = ("requests.hugepages-", "limits.hugepages-")


def is_huge_page(name: str) -> bool:
    """Whether it is a size of huge pages."""
    return name.startswith(HUGE_PAGES)


def is_native(name: str) -> bool:
    """Whether it is one of Kubernetes' own."""
    return "/" not in name or "kubernetes.io/" in name


def is_extended(name: str) -> bool:
    """Whether it is one of somebody else's."""
    if is_native(name) or name.startswith("requests."):
        return False
    return not names.qualified_name(f"requests.{name}")


def may_be_overcommitted(name: str) -> bool:
    """Whether less may be requested than is the limit."""
    return is_native(name) and not is_huge_page(name)


def is_quota(name: str) -> bool:
    """Whether it is a name that a ResourceQuota knows without a domain."""
    return name in _QUOTA or name.startswith((HUGE_PAGES, *_QUOTA_HUGE_PAGES))


def _is_standard(name: str) -> bool:
    return name in _STANDARD or name.startswith((HUGE_PAGES, *_QUOTA_HUGE_PAGES))


def resource_name(field: str, name: str) -> Faults:
    """The name of a resource of any kind."""
    if found := names.qualified_name(name):
        yield from each(field, name, found)
    elif "/" not in name and not _is_standard(name):
        yield invalid(field, name, "must be a standard resource type or fully qualified")


def container_resource(field: str, name: str) -> Faults:
    """The name of a resource of a container."""
    found = list(resource_name(field, name))
    yield from found
    if "/" not in name:
        if name not in _CONTAINER and not is_huge_page(name):
            yield invalid(field, name, "must be a standard resource for containers")
    elif not is_native(name) and not is_extended(name):
        yield invalid(field, name, "doesn't follow extended resource name standard")


def pod_resource(field: str, name: str) -> Faults:
    """The name of a resource of a pod as a whole."""
    found = list(resource_name(field, name))
    yield from found
    if not found and name not in _POD_LEVEL and not is_huge_page(name):
        yield not_supported(field, name, sorted([*_POD_LEVEL, HUGE_PAGES]))


def quota_resource(field: str, name: str) -> Faults:
    """The name of a resource of a ResourceQuota."""
    yield from resource_name(field, name)
    if "/" not in name and not is_quota(name):
        yield invalid(field, name, "must be a standard resource for quota")


def resource_value(field: str, name: str, value: str) -> Faults:
    """An amount of a resource: not below 0, and whole where it is counted."""
    yield from non_negative_quantity(field, value)
    if (name in _INTEGERS or is_extended(name)) and not is_multiple(value):
        yield invalid(field, value, "must be an integer")


def _divisible(field: str, name: str, value: str) -> Faults:
    try:
        size = amount(name.removeprefix(HUGE_PAGES))
    except ValueError:
        size = amount(0)
    if size <= 0 or not is_multiple(value, size):
        why = f"{value} is not positive integer multiple of {name}"
        yield invalid(field, value, why)


def requirements(
    path: str,
    given: JSON,
    claims: Collection[str],
    named: Callable[[str, str], Faults] = container_resource,
) -> Faults:
    """Limits, requests and claims; `claims` are those of the pod."""
    limits, requests = given.get("limits") or {}, given.get("requests") or {}
    for name, value in sorted(limits.items()):
        yield from _amount(f"{path}.limits[{name}]", name, value, named)
    for name, value in sorted(requests.items()):
        field = f"{path}.requests[{name}]"
        yield from named(field, name)
        yield from resource_value(field, name, value)
        yield from _against_limit(path, name, value, limits.get(name))
        if is_huge_page(name):
            yield from _divisible(field, name, value)
    asked = {*limits, *requests}
    if any(map(is_huge_page, asked)) and not asked & {"cpu", "memory"}:
        yield forbidden(path, "HugePages require cpu or memory")
    yield from _claims(f"{path}.claims", given.get("claims") or [], claims)


def _amount(field: str, name: str, value: str, named: Callable[[str, str], Faults]) -> Faults:
    yield from named(field, name)
    yield from resource_value(field, name, value)
    if is_huge_page(name):
        yield from _divisible(field, name, value)


def _against_limit(path: str, name: str, value: str, limit: str | None) -> Faults:
    if limit is None:
        if not may_be_overcommitted(name):
            yield required(f"{path}.limits", "Limit must be set for non overcommitable resources")
    elif amount(value) != amount(limit) and not may_be_overcommitted(name):
        yield invalid(f"{path}.requests", value, f"must be equal to {name} limit of {limit}")
    elif amount(value) > amount(limit):
        why = f"must be less than or equal to {name} limit of {limit}"
        yield invalid(f"{path}.requests", value, why)


def _claims(path: str, given: list[JSON], known: Collection[str]) -> Faults:
    seen: list[str] = []
    for index, claim in enumerate(given):
        field, name, request = f"{path}[{index}]", claim.get("name") or "", claim.get("request")
        if not name:
            yield required(field)
            continue
        if name in seen:
            yield duplicate(field, name)
        else:
            key = name
            if request:
                yield from each(f"{field}.request", request, names.dns_label(request))
                key = f"{name}/{request}"
            if key in seen:
                yield duplicate(field, key)
            elif not request:
                for _ in (other for other in seen if other.startswith(f"{name}/")):
                    yield duplicate(field, name)
            seen.append(key)
        if name not in known:
            why = "must be one of the names in pod.spec.resourceClaims"
            why += f": {', '.join(sorted(known))}" if known else " which is empty"
            yield not_found(field, name, why)


def of_pod(path: str, spec: JSON) -> Faults:
    """What a pod asks for as a whole."""
    given, where = spec.get("resources"), f"{path}.resources"
    if given is None:
        return
    if (spec.get("os") or {}).get("name") == "windows":
        yield forbidden(where, "may not be set for a windows pod")
        return
    if given.get("claims") is not None:
        yield forbidden(f"{where}.claims", "claims may not be set for Resources at pod-level")
    yield from requirements(where, given, _claimed(spec), pod_resource)
    yield from _consistent(where, given, spec)


def _claimed(spec: JSON) -> list[str]:
    return [claim.get("name", "") for claim in spec.get("resourceClaims") or ()]


def _consistent(path: str, given: JSON, spec: JSON) -> Faults:
    requests, limits = given.get("requests") or {}, given.get("limits") or {}
    for name, total in sorted(_totals(spec, "requests").items()):
        if name in requests and total > amount(requests[name]):
            why = "must be greater than or equal to aggregate container requests of "
            yield invalid(f"{path}.requests[{name}]", requests[name], why + _shown(spec, name))
    for index, container in enumerate(spec.get("containers") or ()):
        own = (container.get("resources") or {}).get("limits") or {}
        for name, value in sorted(own.items()):
            if name in limits and amount(value) > amount(limits[name]):
                field = f"{path}.containers[{index}][{name}].limits"
                why = f"must be less than or equal to pod limits of {limits[name]}"
                yield invalid(field, value, why)


def _totals(spec: JSON, kind: str) -> dict[str, Decimal]:
    totals: dict[str, Decimal] = {}
    for container in spec.get("containers") or ():
        for name, value in ((container.get("resources") or {}).get(kind) or {}).items():
            totals[name] = totals.get(name, amount(0)) + amount(value)
    return totals


def _shown(spec: JSON, name: str) -> str:
    values = [
        value
        for container in spec.get("containers") or ()
        for key, value in ((container.get("resources") or {}).get("requests") or {}).items()
        if key == name
    ]
    binary = str(values[0]).endswith("i")
    return formatted(_totals(spec, "requests")[name], binary=binary)
