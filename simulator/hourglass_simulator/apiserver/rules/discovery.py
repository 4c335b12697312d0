"""EndpointSlices and Leases.

https://github.com/kubernetes/kubernetes/tree/v1.34.4/pkg/apis/discovery/validation
https://github.com/kubernetes/kubernetes/tree/v1.34.4/pkg/apis/coordination/validation
"""

from collections.abc import Iterator, Sequence

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.rules import addresses, labels, names, object_meta
from hourglass_simulator.apiserver.rules.containers import PROTOCOLS
from hourglass_simulator.apiserver.rules.fault import (
    Faults,
    choice,
    duplicate,
    each,
    immutable,
    invalid,
    one_of,
    required,
    too_many,
)

_TYPES = ("FQDN", "IPv4", "IPv6")
_MOST_LABELS, _MOST_ADDRESSES, _MOST_PORTS, _MOST_ENDPOINTS, _MOST_HINTS = 16, 100, 20000, 1000, 8


def slice_created(found: JSON) -> Faults:
    """What is wrong with a new EndpointSlice."""
    yield from object_meta.created("endpointslices", found["metadata"])
    yield from choice("addressType", found.get("addressType"), _TYPES)
    yield from _ports(found.get("ports") or [])
    yield from _endpoints(found.get("endpoints") or [], found.get("addressType") or "")


def slice_updated(new: JSON, old: JSON) -> Faults:
    """What is wrong with a changed EndpointSlice."""
    yield from slice_created(new)
    yield from immutable("addressType", new.get("addressType"), old.get("addressType"))


def _ports(ports: Sequence[JSON]) -> Faults:
    if len(ports) > _MOST_PORTS:
        yield too_many("ports", len(ports), _MOST_PORTS)
        return
    seen: set[str] = set()
    for index, port in enumerate(ports):
        path, name = f"ports[{index}]", port.get("name") or ""
        if name:
            yield from each(f"{path}.name", name, names.dns_label(name))
        if name in seen:
            yield duplicate(f"{path}.name", name)
        seen.add(name)
        yield from choice(f"{path}.protocol", port.get("protocol"), PROTOCOLS)
        if port.get("appProtocol") is not None:
            protocol = port["appProtocol"]
            yield from each(f"{path}.appProtocol", protocol, names.qualified_name(protocol))


def _endpoints(endpoints: Sequence[JSON], kind: str) -> Faults:
    if len(endpoints) > _MOST_ENDPOINTS:
        yield too_many("endpoints", len(endpoints), _MOST_ENDPOINTS)
        return
    for index, endpoint in enumerate(endpoints):
        path, given = f"endpoints[{index}]", endpoint.get("addresses") or []
        if not given:
            yield required(f"{path}.addresses", "must contain at least 1 address")
        elif len(given) > _MOST_ADDRESSES:
            yield too_many(f"{path}.addresses", len(given), _MOST_ADDRESSES)
        for number, address in enumerate(given):
            yield from _address(f"{path}.addresses", number, address, kind)
        node, host = endpoint.get("nodeName"), endpoint.get("hostname")
        if node is not None:
            yield from each(f"{path}.nodeName", node, names.dns_subdomain(node))
        topology = endpoint.get("deprecatedTopology") or {}
        if len(topology) > _MOST_LABELS:
            yield too_many(f"{path}.deprecatedTopology", len(topology), _MOST_LABELS)
        yield from labels.labels(f"{path}.deprecatedTopology", topology)
        if host is not None:
            yield from each(f"{path}.hostname", host, names.dns_label(host))
        yield from _hints(f"{path}.hints", endpoint.get("hints") or {})


def _address(path: str, index: int, address: str, kind: str) -> Faults:
    field = f"{path}[{index}]"
    if kind == "FQDN":
        yield from names.fully_qualified_domain(field, address)
    elif kind in ("IPv4", "IPv6"):
        check = addresses.address if kind == "IPv4" else addresses.canonical_address
        wrong = list(check(field, address))
        yield from wrong
        if not wrong:
            if addresses.is_sixth(address) != (kind == "IPv6"):
                yield invalid(path, address, f"must be an {kind} address")
            yield from addresses.endpoint(field, address)


def _hints(path: str, hints: JSON) -> Faults:
    for field, check in (("forZones", names.label_value), ("forNodes", names.dns_subdomain)):
        given = hints.get(field) or []
        if len(given) > _MOST_HINTS:
            yield too_many(f"{path}.{field}", len(given), _MOST_HINTS)
            return
        seen: set[str] = set()
        for index, hint in enumerate(given):
            name, where = hint.get("name") or "", f"{path}.{field}[{index}].name"
            if name in seen:
                yield duplicate(where, name)
            seen.add(name)
            yield from each(where, name, check(name))


def slice_warnings(found: JSON) -> Iterator[str]:
    """What is said of addresses that are not written as they should be."""
    if found.get("addressType") == "FQDN":
        return
    for index, endpoint in enumerate(found.get("endpoints") or ()):
        for number, address in enumerate(endpoint.get("addresses") or ()):
            field = f"endpoints[{index}].addresses[{number}]"
            yield from addresses.warnings(field, address)


def lease_created(found: JSON) -> Faults:
    """What is wrong with a new Lease."""
    yield from object_meta.created("leases", found["metadata"])
    yield from _lease(found.get("spec") or {})


def lease_updated(new: JSON, old: JSON) -> Faults:
    """What is wrong with a changed Lease."""
    yield from object_meta.updated(new["metadata"], old["metadata"])
    yield from _lease(new.get("spec") or {})


def _lease(spec: JSON) -> Faults:
    seconds, transitions = spec.get("leaseDurationSeconds"), spec.get("leaseTransitions")
    if seconds is not None and seconds <= 0:
        yield invalid("spec.leaseDurationSeconds", seconds, "must be greater than 0")
    if transitions is not None and transitions < 0:
        why = "must be greater than or equal to 0"
        yield invalid("spec.leaseTransitions", transitions, why)
    strategy = spec.get("strategy")
    if strategy is not None:
        if "/" in strategy:
            yield from each("spec.strategy.strategy", strategy, names.qualified_name(strategy))
        else:
            yield from one_of("spec.strategy.strategy", strategy, ("OldestEmulationVersion",))
