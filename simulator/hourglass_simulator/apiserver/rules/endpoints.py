"""Endpoints.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/apis/core/validation/validation.go
"""

from collections.abc import Iterator, Sequence

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.rules import addresses, names, object_meta
from hourglass_simulator.apiserver.rules.containers import PROTOCOLS
from hourglass_simulator.apiserver.rules.fault import (
    Faults,
    choice,
    each,
    port_number,
    required,
)

_MANAGED_BY = "endpoints.kubernetes.io/managed-by"
_CONTROLLER = "endpoint-controller"
_LISTS = ("addresses", "notReadyAddresses")


def created(found: JSON) -> Faults:
    """What is wrong with new Endpoints."""
    yield from object_meta.created("endpoints", found["metadata"])
    yield from _subsets(found.get("subsets") or [])


def updated(new: JSON, old: JSON) -> Faults:
    """What is wrong with changed Endpoints; subsets that stay as they are may be wrong."""
    yield from object_meta.updated(new["metadata"], old["metadata"])
    yield from object_meta.created("endpoints", new["metadata"])
    if (new.get("subsets") or []) != (old.get("subsets") or []):
        yield from _subsets(new.get("subsets") or [])


def _subsets(subsets: Sequence[JSON]) -> Faults:
    for index, subset in enumerate(subsets):
        path = f"subsets[{index}]"
        if not any(subset.get(field) for field in _LISTS):
            yield required(path, "must specify `addresses` or `notReadyAddresses`")
        for field in _LISTS:
            for number, address in enumerate(subset.get(field) or ()):
                yield from _address(f"{path}.{field}[{number}]", address)
        ports = subset.get("ports") or ()
        for number, port in enumerate(ports):
            yield from _port(f"{path}.ports[{number}]", port, named=len(ports) > 1)


def _address(path: str, given: JSON) -> Faults:
    address, host, node = given.get("ip") or "", given.get("hostname"), given.get("nodeName")
    yield from addresses.address(f"{path}.ip", address)
    if host:
        yield from each(f"{path}.hostname", host, names.dns_label(host))
    if node is not None:
        yield from each(f"{path}.nodeName", node, names.dns_subdomain(node))
    yield from addresses.endpoint(f"{path}.ip", address)


def _port(path: str, given: JSON, *, named: bool) -> Faults:
    name, protocol = given.get("name") or "", given.get("appProtocol")
    if named and not name:
        yield required(f"{path}.name")
    elif name:
        yield from each(f"{path}.name", name, names.dns_label(name))
    yield from port_number(f"{path}.port", given.get("port") or 0)
    yield from choice(f"{path}.protocol", given.get("protocol"), PROTOCOLS)
    if protocol is not None:
        yield from each(f"{path}.appProtocol", protocol, names.qualified_name(protocol))


def warnings(new: JSON, _: JSON | None) -> Iterator[str]:
    """What is said of addresses that are not written as they should be."""
    if (new["metadata"].get("labels") or {}).get(_MANAGED_BY) == _CONTROLLER:
        return
    for index, subset in enumerate(new.get("subsets") or ()):
        for field in _LISTS:
            for number, address in enumerate(subset.get(field) or ()):
                path = f"subsets[{index}].{field}[{number}].ip"
                yield from addresses.warnings(path, address.get("ip") or "")
