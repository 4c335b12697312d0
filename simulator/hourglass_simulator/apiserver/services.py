"""Services: defaults, and the addresses and ports that are given out.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/registry/core/service/storage/alloc.go
"""

import ipaddress
from collections.abc import Iterable, Iterator

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import validation
from hourglass_simulator.apiserver.resources import Resource
from hourglass_simulator.apiserver.rules.fault import Faults, invalid
from hourglass_simulator.apiserver.rules.services import (
    HEADLESS,
    addresses_of,
    is_reachable,
    needs_health_check,
)
from hourglass_simulator.apiserver.strategy import Strategy, kept
from hourglass_simulator.kubernetes.version import Version

_NETWORK = ipaddress.ip_network("10.96.0.0/16")
_FIRST = 256
_NODE_PORTS = range(30000, 32768)
_AFFINITY_SECONDS = 10800


class ServiceStrategy(Strategy):
    """Gives out addresses of 10.96.0.0/16, and ports of nodes, one after the other.

    What is asked for is given whatever it is, unless somebody has it; of an address the network
    must be right.
    """

    trusts_components = True

    def __init__(self, resource: Resource, version: Version) -> None:
        super().__init__(resource, version)
        self._next = _FIRST
        self._taken: set[str] = set()
        self._ports: set[int] = set()

    def defaulted(self, obj: JSON) -> JSON:
        """With what does not depend on the cluster."""
        return {**obj, "spec": _defaulted(obj.get("spec") or {})}

    def create(self, obj: JSON) -> JSON:
        """With defaults, an address and ports."""
        spec = _defaulted(obj.get("spec") or {})
        if spec.get("clusterIP") and not spec.get("clusterIPs"):
            spec["clusterIPs"] = [spec["clusterIP"]]
        self._complete(obj, spec, {})
        return {**obj, "spec": spec, "status": {"loadBalancer": {}}}

    def created(self, obj: JSON) -> None:
        """The address and the ports are taken."""
        self._taken.update(_addresses(obj["spec"]))
        self._ports.update(_numbers(obj["spec"]))

    def update(self, new: JSON, old: JSON, subresource: str) -> JSON:
        """What is left out and has been given out is kept, as long as the type needs it."""
        if subresource == "status":
            return _with_modes(kept(new, "spec", old))
        spec, before = new.get("spec") or {}, old["spec"]
        if spec is before:
            return kept(new, "status", old)
        spec = _defaulted(spec)
        _keep_allocated(spec, before)
        _normalize(spec, before)
        _drop_unneeded(spec, before)
        self._complete(new, spec, before)
        result = kept({**new, "spec": spec}, "status", old)
        if spec["type"] != "LoadBalancer":
            result = {**result, "status": {**(result.get("status") or {}), "loadBalancer": {}}}
        return result

    def updated(self, new: JSON, old: JSON) -> None:
        """What is no longer there is free again."""
        self.deleted(old)
        self.created(new)

    def deleted(self, obj: JSON) -> None:
        """The address and the ports are free again."""
        self._taken.difference_update(_addresses(obj["spec"]))
        self._ports.difference_update(_numbers(obj["spec"]))

    def _complete(self, obj: JSON, spec: JSON, before: JSON) -> None:
        """Fill in families, addresses and ports; 422 when they cannot be given."""
        if spec["type"] != "ExternalName":
            self._refuse(obj, self._init_families(spec, before))
            if not before or before.get("type") == "ExternalName":
                self._refuse(obj, self._allocate_address(spec))
        if spec["type"] in ("NodePort", "LoadBalancer"):
            self._refuse(obj, self._allocate_ports(spec, before))
        checked = needs_health_check(spec) and not needs_health_check(before)
        if checked and not spec.get("healthCheckNodePort"):
            spec["healthCheckNodePort"] = self._free_port(_numbers(spec))

    def _refuse(self, obj: JSON, faults: Faults) -> None:
        validation.refuse(self.version, self.resource, obj, faults)

    def _init_families(self, spec: JSON, before: JSON) -> Faults:
        selectorless = spec.get("clusterIP") == HEADLESS and not spec.get("selector")
        if spec.get("ipFamilyPolicy") is None:
            policy = "RequireDualStack" if selectorless else "SingleStack"
            spec["ipFamilyPolicy"] = before.get("ipFamilyPolicy") or policy
        wrong = list(addresses_of(spec, before))
        yield from wrong
        if wrong:
            return
        policy, families = spec["ipFamilyPolicy"], list(spec.get("ipFamilies") or ())
        if policy == "SingleStack":
            for field, what in (("clusterIPs", "cluster IPs"), ("ipFamilies", "IP families")):
                if len(spec.get(field) or ()) == 2:
                    why = "must be 'RequireDualStack' or 'PreferDualStack' when multiple "
                    yield invalid("spec.ipFamilyPolicy", policy, f"{why}{what} are specified")
        for index, address in enumerate(spec.get("clusterIPs") or ()):
            if address != HEADLESS and ":" in address and index >= len(families):
                why = "IPv6 is not configured on this cluster"
                yield invalid(f"spec.clusterIPs[{index}]", spec["clusterIPs"], why)
        if selectorless:
            families = families or ["IPv4"]
            if len(families) < 2 and policy != "SingleStack":
                families.append("IPv6" if families[0] == "IPv4" else "IPv4")
            spec["ipFamilies"] = families
            return
        if policy == "RequireDualStack":
            why = "this cluster is not configured for dual-stack services"
            yield invalid("spec.ipFamilyPolicy", policy, why)
        for index, family in enumerate(families):
            if family != "IPv4":
                yield invalid(f"spec.ipFamilies[{index}]", family, "not configured on this cluster")
        spec["ipFamilies"] = families or ["IPv4"]

    def _allocate_address(self, spec: JSON) -> Faults:
        asked = spec.get("clusterIP")
        if asked == HEADLESS:
            return
        if not asked:
            spec["clusterIP"] = self._free_address()
            spec["clusterIPs"] = [spec["clusterIP"]]
        elif why := self._address_fault(asked):
            why = f"failed to allocate IP {asked}: {why}"
            yield invalid("spec.clusterIPs", spec["clusterIPs"], why)

    def _address_fault(self, address: str) -> str:
        if ipaddress.ip_address(address) not in _NETWORK:
            return "the provided network does not match the current range"
        return "provided IP is already allocated" if address in self._taken else ""

    def _free_address(self) -> str:
        while True:
            number = self._next % _NETWORK.num_addresses
            self._next += 1
            address = str(_NETWORK[number])
            if 0 < number < _NETWORK.num_addresses - 1 and address not in self._taken:
                return address

    def _allocate_ports(self, spec: JSON, before: JSON) -> Faults:
        free = spec["type"] == "LoadBalancer" and spec.get("allocateLoadBalancerNodePorts") is False
        own = {port["nodePort"] for port in before.get("ports") or () if port.get("nodePort")}
        ports = [dict(port) for port in spec.get("ports") or ()]
        known: dict[int, int] = {}
        used: set[int] = set()
        for index, port in enumerate(ports):
            number, shared = port.get("nodePort") or 0, port.get("port") or 0
            if not number and free:
                continue
            # Two protocols of one port have one port of the node.
            asked = number
            if shared not in known:
                same = (p.get("nodePort") for p in ports if (p.get("port") or 0) == shared)
                number = asked = next((each for each in same if each), 0)
                known[shared] = number or self._free_port(used)
            elif number == known[shared]:
                continue
            if asked and ((asked in self._ports and asked not in own) or asked in used):
                field = f"spec.ports[{index}].nodePort"
                yield invalid(field, asked, "provided port is already allocated")
            port["nodePort"] = number or known[shared]
            used.add(port["nodePort"])
        if ports:
            spec["ports"] = ports

    def _free_port(self, used: Iterable[int]) -> int:
        taken = self._ports | set(used)
        return next(number for number in _NODE_PORTS if number not in taken)


def _addresses(spec: JSON) -> list[str]:
    return [address for address in spec.get("clusterIPs") or () if address != HEADLESS]


def _numbers(spec: JSON) -> Iterator[int]:
    for port in spec.get("ports") or ():
        if port.get("nodePort"):
            yield port["nodePort"]
    if spec.get("healthCheckNodePort"):
        yield spec["healthCheckNodePort"]


def _needs_ports(spec: JSON) -> bool:
    return spec.get("type") in ("NodePort", "LoadBalancer")


def _keep_allocated(spec: JSON, before: JSON) -> None:
    if "ExternalName" not in (spec["type"], before["type"]):
        if not spec.get("clusterIP") and before.get("clusterIP"):
            spec["clusterIP"] = before["clusterIP"]
        same = spec.get("clusterIP") == before.get("clusterIP")
        if not spec.get("clusterIPs") and same and before.get("clusterIPs"):
            spec["clusterIPs"] = before["clusterIPs"]
    if _needs_ports(spec) and _needs_ports(before) and spec.get("ports"):
        given = {port.get("nodePort") for port in spec["ports"]}
        known = {port.get("name"): port.get("nodePort") for port in before.get("ports") or ()}
        ports = []
        for port in spec["ports"]:
            number = known.get(port.get("name"))
            if not port.get("nodePort") and number and number not in given:
                given.add(number)
                ports.append({**port, "nodePort": number})
            else:
                ports.append(port)
        spec["ports"] = ports
    checked = needs_health_check(spec) and needs_health_check(before)
    if checked and not spec.get("healthCheckNodePort"):
        spec["healthCheckNodePort"] = before["healthCheckNodePort"]


def _normalize(spec: JSON, before: JSON) -> None:
    """`clusterIPs` follows a change of `clusterIP` by clients that know only that."""
    own = spec.get("clusterIP")
    if own == before.get("clusterIP"):
        return
    unchanged = (spec.get("clusterIPs") or []) == (before.get("clusterIPs") or [])
    if own and (unchanged or not spec.get("clusterIPs")):
        spec["clusterIPs"] = [own]
    elif not own and unchanged:
        spec.pop("clusterIPs", None)


def _drop_unneeded(spec: JSON, before: JSON) -> None:
    """What belongs to the type that it had, and has not been changed with it."""

    def drop(*fields: str) -> None:
        for field in fields:
            if spec.get(field) == before.get(field):
                spec.pop(field, None)

    if before["type"] != "ExternalName" and spec["type"] == "ExternalName":
        same = [spec.get(f) == before.get(f) for f in ("clusterIP", "clusterIPs")]
        if all(same):
            drop("clusterIP", "clusterIPs")
        drop("ipFamilies", "ipFamilyPolicy")
    if _needs_ports(before) and not _needs_ports(spec):
        known = {port.get("nodePort") for port in before.get("ports") or ()}
        given = {p["nodePort"] for p in spec.get("ports") or () if p.get("nodePort")}
        if given <= known and spec.get("ports"):
            spec["ports"] = [
                {name: value for name, value in port.items() if name != "nodePort"}
                for port in spec["ports"]
            ]
    if needs_health_check(before) and not needs_health_check(spec):
        drop("healthCheckNodePort")
    if before["type"] == "LoadBalancer" and spec["type"] != "LoadBalancer":
        drop("allocateLoadBalancerNodePorts", "loadBalancerClass")
    if is_reachable(before) and not is_reachable(spec):
        drop("externalTrafficPolicy")
    if spec["type"] == "ExternalName":
        spec.pop("internalTrafficPolicy", None)


def _with_modes(obj: JSON) -> JSON:
    """An address of a load balancer is used as it is, unless something else is said."""
    status = obj.get("status") or {}
    ingress = (status.get("loadBalancer") or {}).get("ingress")
    if not ingress or obj["spec"].get("type") != "LoadBalancer":
        return obj
    ingress = [{"ipMode": "VIP", **each} if each.get("ip") else each for each in ingress]
    balancer = {**status["loadBalancer"], "ingress": ingress}
    return {**obj, "status": {**status, "loadBalancer": balancer}}


def _defaulted(spec: JSON) -> JSON:
    """https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/apis/core/v1/defaults.go."""
    result = {"sessionAffinity": "None", "type": "ClusterIP", **spec}
    if result["sessionAffinity"] == "None":
        result.pop("sessionAffinityConfig", None)
    elif result["sessionAffinity"] == "ClientIP":
        config = result.get("sessionAffinityConfig") or {}
        if (config.get("clientIP") or {}).get("timeoutSeconds") is None:
            seconds = {"clientIP": {"timeoutSeconds": _AFFINITY_SECONDS}}
            result["sessionAffinityConfig"] = seconds
    if result["type"] in ("ClusterIP", "NodePort", "LoadBalancer"):
        result.setdefault("internalTrafficPolicy", "Cluster")
    if result["type"] == "LoadBalancer":
        result.setdefault("allocateLoadBalancerNodePorts", True)
    if is_reachable(result) and not result.get("externalTrafficPolicy"):
        result["externalTrafficPolicy"] = "Cluster"
    if ports := spec.get("ports"):
        result["ports"] = [_port(port) for port in ports]
    return result


def _port(port: JSON) -> JSON:
    result = {"protocol": "TCP", **port}
    if not result.get("targetPort"):
        result["targetPort"] = port.get("port")
    return result
