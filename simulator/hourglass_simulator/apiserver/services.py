"""Services: defaults and cluster IP addresses.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/registry/core/service/strategy.go
"""

from hourglass_simulator.apiserver.resources import Resource
from hourglass_simulator.apiserver.strategy import Strategy, kept
from hourglass_simulator.apiserver.watch import JSON

HEADLESS = "None"
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
        self._taken.add(obj["spec"].get("clusterIP", ""))

    def update(self, new: JSON, old: JSON, subresource: str) -> JSON:
        """An address that is left out is kept."""
        if subresource == "status":
            return kept(new, "spec", old)
        spec, before = new.get("spec") or {}, old["spec"]
        if spec is not before:
            spec = _defaulted(spec)
            for field in ("clusterIP", "clusterIPs"):
                if not spec.get(field) and field in before:
                    spec[field] = before[field]
        return kept({**new, "spec": spec}, "status", old)

    def deleted(self, obj: JSON) -> None:
        """The address is free again."""
        self._taken.discard(obj["spec"].get("clusterIP", ""))

    def _allocate(self) -> str:
        while True:
            number = self._next % _SIZE
            self._next += 1
            address = f"10.96.{number >> 8}.{number & 255}"
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
