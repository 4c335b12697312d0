"""Services.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/apis/core/validation/validation.go
"""

from collections.abc import Iterator

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.rules import addresses, labels, names, object_meta
from hourglass_simulator.apiserver.rules.containers import PROTOCOLS
from hourglass_simulator.apiserver.rules.fault import (
    Faults,
    choice,
    duplicate,
    each,
    forbidden,
    invalid,
    one_of,
    port_number,
    required,
)
from hourglass_simulator.apiserver.rules.go_text import printed
from hourglass_simulator.apiserver.rules.probes import port

HEADLESS = "None"
_TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
_TRAFFIC = ("Cluster", "Local")
_DISTRIBUTIONS = ("PreferClose", "PreferSameZone", "PreferSameNode")
_FAMILIES = ("IPv4", "IPv6")
_POLICIES = ("PreferDualStack", "RequireDualStack", "SingleStack")
_HINTS = "service.kubernetes.io/topology-aware-hints"
_MODE = "service.kubernetes.io/topology-mode"
_RANGES = "service.beta.kubernetes.io/load-balancer-source-ranges"
_LONGEST_AFFINITY = 86400
_ONLY_BALANCERS = "may only be used when `type` is 'LoadBalancer'"
_ONCE = "may not change once set"


def is_headless(spec: JSON) -> bool:
    """Whether it has no address of its own."""
    return spec.get("clusterIPs") == [HEADLESS]


def is_reachable(spec: JSON) -> bool:
    """Whether it can be reached from outside of the cluster."""
    return spec.get("type") in ("LoadBalancer", "NodePort") or (
        spec.get("type") == "ClusterIP" and bool(spec.get("externalIPs"))
    )


def needs_health_check(spec: JSON) -> bool:
    """Whether a load balancer asks nodes whether they have endpoints."""
    return spec.get("type") == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local"


def created(service: JSON) -> Faults:
    """What is wrong with a new Service."""
    yield from object_meta.created("services", service["metadata"])
    yield from _whole(service, None)


def updated(new: JSON, old: JSON) -> Faults:
    """What is wrong with a changed Service."""
    yield from object_meta.updated(new["metadata"], old["metadata"], "services")
    spec, before = new["spec"], old["spec"]
    if "ExternalName" not in (spec.get("type"), before.get("type")):
        yield from _same_addresses(spec, before)
        yield from _same_families(spec, before)
    yield from _class(spec, before)
    if needs_health_check(spec) and needs_health_check(before):
        field = "healthCheckNodePort"
        if spec.get(field) != before.get(field):
            yield forbidden(f"spec.{field}", "field is immutable")
    yield from _whole(new, old)


def _same_addresses(spec: JSON, before: JSON) -> Faults:
    if is_headless(spec) and is_headless(before):
        return
    new, old = spec.get("clusterIPs") or [], before.get("clusterIPs") or []
    if len(new) == len(old):
        for index, address in enumerate(old):
            if new[index] != address:
                yield invalid(f"spec.clusterIPs[{index}]", new, _ONCE)
        return
    if len(old) > len(new):
        if not new:
            yield invalid("spec.clusterIPs[0]", None, "primary clusterIP can not be unset")
        elif new[0] != old[0]:
            yield invalid("spec.clusterIPs[0]", new, _ONCE)
        policy = spec.get("ipFamilyPolicy")
        if len(new) == 1 and policy != "SingleStack":
            why = "must be set to 'SingleStack' when releasing the secondary clusterIP"
            yield invalid("spec.ipFamilyPolicy", policy, why)
    elif old and new[0] != old[0]:
        yield invalid("spec.clusterIPs[0]", new, _ONCE)


def _same_families(spec: JSON, before: JSON) -> Faults:
    if is_headless(spec) or is_headless(before):
        return
    new, old = spec.get("ipFamilies") or [], before.get("ipFamilies") or []
    if len(new) == len(old):
        for index, family in enumerate(old):
            if new[index] != family:
                yield invalid("spec.ipFamilies[0]", new, _ONCE)
    elif new and old and new[0] != old[0]:
        yield invalid("spec.ipFamilies[0]", spec.get("clusterIPs"), _ONCE)


def _class(spec: JSON, before: JSON | None) -> Faults:
    field, given = "spec.loadBalancerClass", spec.get("loadBalancerClass")
    balances = spec.get("type") == "LoadBalancer"
    balanced = before is not None and before.get("type") == "LoadBalancer"
    if balances and balanced and given != (before or {}).get("loadBalancerClass"):
        yield invalid(field, given, _ONCE)
    if given is None:
        return
    if balances:
        yield from each(field, given, names.qualified_name(given))
    else:
        yield forbidden(field, _ONLY_BALANCERS)


def _whole(service: JSON, old: JSON | None) -> Faults:
    spec, notes = service["spec"], service["metadata"].get("annotations") or {}
    before = (old or {}).get("spec") or {}
    kind, ports, headless = spec.get("type") or "", spec.get("ports") or [], is_headless(spec)
    if _MODE in notes and _HINTS in notes and notes[_MODE] != notes[_HINTS]:
        why = f"must match annotations[{_HINTS}] when both are specified"
        yield invalid(f"metadata.annotations[{_MODE}]", notes[_MODE], why)
    if not ports and not headless and kind != "ExternalName":
        yield required("spec.ports")
    if headless and kind in ("LoadBalancer", "NodePort"):
        yield invalid(
            "spec.clusterIPs[0]", HEADLESS, f"may not be set to 'None' for {kind} services"
        )
    if kind == "ExternalName":
        yield from _external_name(spec)
    yield from _ports(ports)
    yield from labels.labels("spec.selector", spec.get("selector"))
    yield from _affinity(spec)
    yield from addresses_of(spec, before)
    for index, address in enumerate(spec.get("externalIPs") or ()):
        field = f"spec.externalIPs[{index}]"
        wrong = list(addresses.address(field, address, before.get("externalIPs") or ()))
        yield from wrong or addresses.endpoint(field, address)
    yield from choice("spec.type", kind, _TYPES)
    if kind == "ClusterIP":
        for index, each_port in enumerate(ports):
            if each_port.get("nodePort"):
                why = "may not be used when `type` is 'ClusterIP'"
                yield forbidden(f"spec.ports[{index}].nodePort", why)
    yield from _repeated(ports)
    yield from _ranges(spec, before, notes)
    allocates = spec.get("allocateLoadBalancerNodePorts")
    if allocates is not None and kind != "LoadBalancer":
        yield forbidden("spec.allocateLoadBalancerNodePorts", _ONLY_BALANCERS)
    yield from _class(spec, None)
    yield from _traffic(spec)


def _external_name(spec: JSON) -> Faults:
    for field in ("clusterIPs", "ipFamilies", "ipFamilyPolicy"):
        if spec.get(field):
            yield forbidden(f"spec.{field}", "may not be set for ExternalName services")
    name = (spec.get("externalName") or "").removesuffix(".")
    if not name:
        yield required("spec.externalName")
    else:
        yield from each("spec.externalName", name, names.dns_subdomain(name))


def _ports(ports: list[JSON]) -> Faults:
    seen: set[str] = set()
    for index, one in enumerate(ports):
        path, name = f"spec.ports[{index}]", one.get("name") or ""
        if not name and len(ports) > 1:
            yield required(f"{path}.name")
        elif name:
            yield from each(f"{path}.name", name, names.dns_label(name))
            if name in seen:
                yield duplicate(f"{path}.name", name)
            seen.add(name)
        yield from port_number(f"{path}.port", one.get("port") or 0)
        yield from choice(f"{path}.protocol", one.get("protocol"), PROTOCOLS)
        yield from port(f"{path}.targetPort", one.get("targetPort"))
        protocol = one.get("appProtocol")
        if protocol is not None:
            yield from each(f"{path}.appProtocol", protocol, names.qualified_name(protocol))


def _repeated(ports: list[JSON]) -> Faults:
    node_ports: set[tuple[str, int]] = set()
    for index, one in enumerate(ports):
        number = one.get("nodePort")
        key = (one.get("protocol") or "", number or 0)
        if number and key in node_ports:
            yield duplicate(f"spec.ports[{index}].nodePort", number)
        node_ports.add(key)
    seen: set[tuple[str, int]] = set()
    for index, one in enumerate(ports):
        key = (one.get("protocol") or "", one.get("port") or 0)
        if key in seen:
            shown = printed("core.ServicePort", {"protocol": key[0], "port": key[1]})
            yield duplicate(f"spec.ports[{index}]", shown)
        seen.add(key)


def _affinity(spec: JSON) -> Faults:
    affinity, field = spec.get("sessionAffinity"), "spec.sessionAffinityConfig"
    yield from choice("spec.sessionAffinity", affinity, ("ClientIP", "None"))
    config = spec.get("sessionAffinityConfig")
    if affinity == "None" and config is not None:
        yield forbidden(field, "must not be set when session affinity is None")
    elif affinity == "ClientIP":
        seconds = ((config or {}).get("clientIP") or {}).get("timeoutSeconds")
        field += ".clientIP.timeoutSeconds"
        if seconds is None:
            yield required(field, "when session affinity type is ClientIP")
        elif not 0 < seconds <= _LONGEST_AFFINITY:
            why = f"must be greater than 0 and less than {_LONGEST_AFFINITY}"
            yield invalid(field, seconds, why)


def addresses_of(spec: JSON, before: JSON) -> Faults:
    """What is wrong with the addresses in the cluster and their families."""
    if spec.get("type") == "ExternalName":
        return
    own, given = spec.get("clusterIP") or "", spec.get("clusterIPs") or []
    if own:
        if not given:
            yield required("spec.clusterIPs")
        elif given[0] != own:
            yield invalid("spec.clusterIPs", given, "first value must match `clusterIP`")
    elif given:
        yield invalid("spec.clusterIPs", given, "must be empty when `clusterIP` is not specified")
    yield from _families(spec)
    found = list(_each_address(given, before.get("clusterIPs") or []))
    yield from found
    if len(given) > 2:
        yield invalid("spec.clusterIPs", given, "may only hold up to 2 values")
    if found:
        return
    if len(given) > 1 and not addresses.is_dual_stack(given):
        why = "may specify no more than one IP for each IP family"
        yield invalid("spec.clusterIPs", given, why)
    if not is_headless(spec):
        for index, (address, family) in enumerate(
            zip(given, spec.get("ipFamilies") or (), strict=False)
        ):
            if (family == "IPv6") != addresses.is_sixth(address):
                why = f"expected an {family} value as indicated by `ipFamilies[{index}]`"
                yield invalid(f"spec.clusterIPs[{index}]", address, why)


def _families(spec: JSON) -> Faults:
    seen: set[str] = set()
    for index, family in enumerate(spec.get("ipFamilies") or ()):
        yield from one_of(f"spec.ipFamilies[{index}]", family, _FAMILIES)
        if family in seen:
            yield duplicate(f"spec.ipFamilies[{index}]", family)
        seen.add(family)
    if spec.get("ipFamilyPolicy") is not None:
        yield from one_of("spec.ipFamilyPolicy", spec["ipFamilyPolicy"], _POLICIES)


def _each_address(given: list[str], before: list[str]) -> Faults:
    for index, address in enumerate(given):
        if index == 0 and address == HEADLESS:
            if len(given) > 1:
                yield invalid("spec.clusterIPs", given, "'None' must be the first and only value")
            continue
        yield from addresses.address(f"spec.clusterIPs[{index}]", address, before)


def _ranges(spec: JSON, before: JSON, notes: JSON) -> Faults:
    ranges, balances = spec.get("loadBalancerSourceRanges"), spec.get("type") == "LoadBalancer"
    if ranges:
        if not balances:
            yield forbidden("spec.LoadBalancerSourceRanges", _ONLY_BALANCERS)
        known = [value.strip() for value in before.get("loadBalancerSourceRanges") or ()]
        for index, value in enumerate(ranges):
            field = f"spec.LoadBalancerSourceRanges[{index}]"
            yield from addresses.network(field, value.strip(), known)
    elif _RANGES in notes:
        field = f"metadata.annotations[{_RANGES}]"
        if not balances:
            yield forbidden(field, _ONLY_BALANCERS)
        for value in filter(None, notes[_RANGES].strip().split(",")):
            yield from addresses.network(field, value.strip())


def _traffic(spec: JSON) -> Faults:
    policy = spec.get("externalTrafficPolicy")
    if is_reachable(spec):
        yield from choice("spec.externalTrafficPolicy", policy, _TRAFFIC)
    elif policy:
        why = "may only be set for externally-accessible services"
        yield invalid("spec.externalTrafficPolicy", policy, why)
    number = spec.get("healthCheckNodePort") or 0
    if needs_health_check(spec):
        if not number:
            yield required("spec.healthCheckNodePort")
        else:
            yield from port_number("spec.healthCheckNodePort", number)
    elif number:
        why = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
        yield invalid("spec.healthCheckNodePort", number, why)
    if spec.get("internalTrafficPolicy") is not None:
        given = spec["internalTrafficPolicy"]
        yield from one_of("spec.internalTrafficPolicy", given, _TRAFFIC)
    elif spec.get("type") in ("ClusterIP", "LoadBalancer", "NodePort"):
        yield required("spec.internalTrafficPolicy")
    if spec.get("trafficDistribution") is not None:
        given = spec["trafficDistribution"]
        yield from one_of("spec.trafficDistribution", given, _DISTRIBUTIONS)


def status(new: JSON, old: JSON) -> Faults:
    """What is wrong with a changed status."""
    yield from object_meta.updated(new["metadata"], old["metadata"], "services")
    found = ((new.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []
    before = ((old.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []
    path = "status.loadBalancer.ingress"
    if new["spec"].get("type") != "LoadBalancer":
        if found:
            yield forbidden(path, "may only be used when `spec.type` is 'LoadBalancer'")
        return
    known = [ingress["ip"] for ingress in before if ingress.get("ip")]
    for index, ingress in enumerate(found):
        yield from _ingress(f"{path}[{index}]", ingress, known)


def _ingress(path: str, ingress: JSON, known: list[str]) -> Faults:
    address, name, mode = ingress.get("ip"), ingress.get("hostname"), ingress.get("ipMode")
    if address:
        yield from addresses.address(f"{path}.ip", address, known)
    if mode is None:
        if address:
            yield required(f"{path}.ipMode", "must be specified when `ip` is set")
    elif not address:
        yield forbidden(f"{path}.ipMode", "may not be specified when `ip` is not set")
    else:
        yield from one_of(f"{path}.ipMode", mode, ("Proxy", "VIP"))
    if name:
        yield from each(f"{path}.hostname", name, names.dns_subdomain(name))
        if addresses.parsed(name) is not None:
            yield invalid(f"{path}.hostname", name, "must be a DNS name, not an IP address")


def warnings(service: JSON) -> Iterator[str]:
    """What is right in a Service and yet not as it should be.

    https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/api/service/warnings.go
    """
    spec = service["spec"]
    if _HINTS in (service["metadata"].get("annotations") or {}):
        yield f"annotation {_HINTS} is deprecated, please use {_MODE} instead"
    for index, address in enumerate(spec.get("clusterIPs") or ()):
        yield from addresses.warnings(f"spec.clusterIPs[{index}]", address)
    if spec.get("type") == "ClusterIP" and spec.get("clusterIP") == HEADLESS:
        if spec.get("loadBalancerIP"):
            yield "spec.loadBalancerIP is ignored for headless services"
        if spec.get("externalIPs"):
            yield "spec.externalIPs is ignored for headless services"
        if spec.get("sessionAffinity") != "None":
            yield "spec.SessionAffinity is ignored for headless services"
    for index, address in enumerate(spec.get("externalIPs") or ()):
        yield from addresses.warnings(f"spec.externalIPs[{index}]", address)
    if spec.get("loadBalancerIP"):
        yield from addresses.warnings("spec.loadBalancerIP", spec["loadBalancerIP"])
    for index, value in enumerate(spec.get("loadBalancerSourceRanges") or ()):
        field = f"spec.loadBalancerSourceRanges[{index}]"
        yield from addresses.network_warnings(field, value.strip())
    if spec.get("type") == "ExternalName" and spec.get("externalIPs"):
        yield 'spec.externalIPs is ignored when spec.type is "ExternalName"'
    if spec.get("type") != "ExternalName" and spec.get("externalName"):
        yield 'spec.externalName is ignored when spec.type is not "ExternalName"'
