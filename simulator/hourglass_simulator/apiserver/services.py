"""Services: defaults and cluster IP addresses.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/registry/core/service/strategy.go
"""

from collections.abc import Iterator

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.resources import Resource
from hourglass_simulator.apiserver.schema_error import ErrorType, FieldError
from hourglass_simulator.apiserver.strategy import Strategy, kept

HEADLESS = "None"
_LAST_PORT = 65535
_NETWORK = "10.96."
_FIRST = 256
_SIZE = 1 << 16


class ServiceStrategy(Strategy):
    """Gives out addresses of 10.96.0.0/16 one after the other."""

    def __init__(self, resource: Resource) -> None:
        super().__init__(resource)
        self._next = _FIRST
        self._taken: set[str] = set()

    def create(self, obj: JSON) -> JSON:
        """With defaults and an address."""
        spec = _defaulted(obj.get("spec") or {})
        if spec["type"] != "ExternalName" and not spec.get("clusterIP"):
            spec["clusterIP"] = self._allocate()
        if spec.get("clusterIP"):
            spec.setdefault("clusterIPs", [spec["clusterIP"]])
        return {**obj, "spec": spec, "status": {"loadBalancer": {}}}

    def created(self, obj: JSON) -> None:
        """The address is taken."""
        address = obj["spec"].get("clusterIP", HEADLESS)
        if address != HEADLESS:
            self._taken.add(address)

    def update(self, new: JSON, old: JSON, subresource: str) -> JSON:
        """An address that is left out is kept."""
        if subresource == "status":
            return kept(new, "spec", old)
        spec, before = new.get("spec") or {}, old["spec"]
        if spec is not before:
            spec = _defaulted(spec)
            if not spec.get("clusterIP"):
                spec |= {f: before[f] for f in ("clusterIP", "clusterIPs") if f in before}
            elif spec["clusterIP"] != before.get("clusterIP"):
                spec["clusterIPs"] = [spec["clusterIP"]]
        return kept({**new, "spec": spec}, "status", old)

    def faults(self, new: JSON, old: JSON | None) -> Iterator[FieldError]:
        """Also what is wrong with ports and addresses."""
        yield from super().faults(new, old)
        spec = new["spec"]
        if old is not None and spec is old["spec"]:
            return
        before = {} if old is None else old["spec"]
        address = spec.get("clusterIP")
        if old is None and (fault := self._address_fault(address)):
            why = f"failed to allocate IP {address}: {fault}"
            yield FieldError(ErrorType.INVALID, "spec.clusterIPs", [address], why)
        if before.get("clusterIP") and spec.get("clusterIPs") != before.get("clusterIPs"):
            why = "may not change once set"
            given = spec.get("clusterIPs")
            yield FieldError(ErrorType.INVALID, "spec.clusterIPs[0]", given, why)
        yield from _port_faults(spec)

    def deleted(self, obj: JSON) -> None:
        """The address is free again."""
        self._taken.discard(obj["spec"].get("clusterIP", ""))

    def _address_fault(self, address: str | None) -> str:
        if address in (None, HEADLESS):
            return ""
        if not str(address).startswith(_NETWORK):
            return "the provided network does not match the current range"
        return "provided IP is already allocated" if address in self._taken else ""

    def _allocate(self) -> str:
        while True:
            number = self._next % _SIZE
            self._next += 1
            address = f"{_NETWORK}{number >> 8}.{number & 255}"
            if 0 < number < _SIZE - 1 and address not in self._taken:
                return address


def _defaulted(spec: JSON) -> JSON:
    result = {"sessionAffinity": "None", "type": "ClusterIP", **spec}
    if result["type"] != "ExternalName":
        result.setdefault("internalTrafficPolicy", "Cluster")
        result.setdefault("ipFamilies", ["IPv4"])
        result.setdefault("ipFamilyPolicy", "SingleStack")
    if ports := spec.get("ports"):
        result["ports"] = [_port(port) for port in ports]
    return result


def _port(port: JSON) -> JSON:
    result = {"protocol": "TCP", **port}
    if not result.get("targetPort"):
        result["targetPort"] = port.get("port")
    return result


def _port_faults(spec: JSON) -> Iterator[FieldError]:
    ports = spec.get("ports") or []
    if not ports and spec.get("clusterIP") != HEADLESS and spec["type"] != "ExternalName":
        yield FieldError(ErrorType.REQUIRED, "spec.ports", None, "")
    for index, port in enumerate(ports):
        if len(ports) > 1 and not port.get("name"):
            yield FieldError(ErrorType.REQUIRED, f"spec.ports[{index}].name", None, "")
        for field in ("port", "targetPort"):
            number = port.get(field)
            if isinstance(number, int) and not 0 < number <= _LAST_PORT:
                why = f"must be between 1 and {_LAST_PORT}, inclusive"
                yield FieldError(ErrorType.INVALID, f"spec.ports[{index}].{field}", number, why)
