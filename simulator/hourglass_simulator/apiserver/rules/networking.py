"""Ingresses, IngressClasses, NetworkPolicies, IPAddresses and ServiceCIDRs.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/apis/networking/validation/validation.go
"""

from collections.abc import Iterator, Sequence

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import gates
from hourglass_simulator.apiserver.rules import addresses, labels, names, object_meta
from hourglass_simulator.apiserver.rules.fault import (
    IMMUTABLE,
    Faults,
    each,
    forbidden,
    immutable,
    invalid,
    one_of,
    port_number,
    required,
    too_long,
)
from hourglass_simulator.apiserver.rules.go_text import printed
from hourglass_simulator.apiserver.schema_error import Verbatim

_CLASS = "kubernetes.io/ingress.class"
_NO_ADDRESS = "must be a DNS name, not an IP address"
_PATH_TYPES = ("Exact", "ImplementationSpecific", "Prefix")
_SEQUENCES = ("//", "/./", "/../", "%2f", "%2F")
_SUFFIXES = ("/..", "/.")
_SCOPES = ("Cluster", "Namespace")
_POLICY_TYPES = ("Ingress", "Egress")
_LONGEST_CONTROLLER = 250
_FAMILIES = (
    "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64"
)


def ingress_created(found: JSON) -> Faults:
    """What is wrong with a new Ingress."""
    yield from object_meta.created("ingresses", found["metadata"])
    spec = found.get("spec") or {}
    yield from _ingress(spec)
    noted = (found["metadata"].get("annotations") or {}).get(_CLASS)
    named = spec.get("ingressClassName")
    if noted is not None and named is not None and noted != named:
        why = "must match `ingressClassName` when both are specified"
        yield invalid(f"annotations.{_CLASS}", noted, why)


def ingress_updated(new: JSON, old: JSON) -> Faults:
    """What is wrong with a changed Ingress."""
    yield from object_meta.updated(new["metadata"], old["metadata"])
    yield from object_meta.created("ingresses", new["metadata"])
    yield from _ingress(new.get("spec") or {})


def ingress_status(new: JSON, old: JSON) -> Faults:
    """What is wrong with the changed status of an Ingress."""
    yield from object_meta.updated(new["metadata"], old["metadata"])
    before = [each_ip.get("ip") or "" for each_ip in _balancer(old)]
    for index, found in enumerate(_balancer(new)):
        path, host = f"status.loadBalancer.ingress[{index}]", found.get("hostname") or ""
        if found.get("ip"):
            yield from addresses.address(f"{path}.ip", found["ip"], before)
        if host:
            yield from each(f"{path}.hostname", host, names.dns_subdomain(host))
            if addresses.parsed(host) is not None:
                yield invalid(f"{path}.hostname", host, _NO_ADDRESS)


def _balancer(found: JSON) -> Sequence[JSON]:
    balancer = (found.get("status") or {}).get("loadBalancer") or {}
    given: Sequence[JSON] = balancer.get("ingress") or ()
    return given


def ingress_warnings(new: JSON, old: JSON | None) -> Iterator[str]:
    """What is said of a new Ingress with its class in an annotation."""
    named = (new.get("spec") or {}).get("ingressClassName") is not None
    if old is None and _CLASS in (new["metadata"].get("annotations") or {}) and not named:
        yield (f"annotation {_QUOTED} is deprecated, please use 'spec.ingressClassName' instead")


_QUOTED = f'"{_CLASS}"'


def _ingress(spec: JSON) -> Faults:
    rules, backend = spec.get("rules") or [], spec.get("defaultBackend")
    if not rules and backend is None:
        why = "either `defaultBackend` or `rules` must be specified"
        yield invalid("spec", spec.get("rules"), why)
    if backend is not None:
        yield from _backend("spec.defaultBackend", backend)
    for index, rule in enumerate(rules):
        yield from _rule(f"spec.rules[{index}]", rule)
    for index, tls in enumerate(spec.get("tls") or ()):
        path = f"spec.tls[{index}]"
        for number, host in enumerate(tls.get("hosts") or ()):
            yield from _host(f"{path}.hosts[{number}]", host)
        if secret := tls.get("secretName"):
            yield from each(f"{path}.secretName", secret, names.dns_subdomain(secret))
    named = spec.get("ingressClassName")
    if named is not None:
        yield from each("spec.ingressClassName", named, names.dns_subdomain(named))


def _host(field: str, host: str) -> Faults:
    check = names.wildcard_subdomain if "*" in host else names.dns_subdomain
    yield from each(field, host, check(host))


def _rule(path: str, rule: JSON) -> Faults:
    if host := rule.get("host"):
        if addresses.parsed(host) is not None:
            yield invalid(f"{path}.host", host, _NO_ADDRESS)
        yield from _host(f"{path}.host", host)
    if rule.get("http") is None:
        return
    paths = rule["http"].get("paths") or []
    if not paths:
        yield required(f"{path}.http.paths")
    for index, each_path in enumerate(paths):
        yield from _path(f"{path}.http.paths[{index}]", each_path)


def _path(path: str, given: JSON) -> Faults:
    kind, text = given.get("pathType"), given.get("path") or ""
    if kind is None:
        yield required(f"{path}.pathType", "pathType must be specified")
        return
    exact = kind in ("Exact", "Prefix")
    if kind not in _PATH_TYPES:
        yield from one_of(f"{path}.pathType", kind, _PATH_TYPES)
    elif not text.startswith("/") and (text or exact):
        yield invalid(f"{path}.path", text, "must be an absolute path")
    if exact:
        for part in _SEQUENCES:
            if part in text:
                yield invalid(f"{path}.path", text, f"must not contain '{part}'")
        for part in _SUFFIXES:
            if text.endswith(part):
                yield invalid(f"{path}.path", text, f"cannot end with '{part}'")
    yield from _backend(f"{path}.backend", given.get("backend") or {})


def _backend(path: str, backend: JSON) -> Faults:
    resource, service = backend.get("resource"), backend.get("service")
    if resource is not None and service is not None:
        yield invalid(path, "", "cannot set both resource and service backends")
    elif resource is not None:
        yield from _reference(f"{path}.resource", resource)
    elif service is not None:
        yield from _service(path, service)
    else:
        yield invalid(path, "", "resource or service backend is required")


def _service(path: str, service: JSON) -> Faults:
    name, port = service.get("name") or "", service.get("port") or {}
    if not name:
        yield required(f"{path}.service.name")
    else:
        relaxed = gates.enabled("RelaxedServiceNameValidation")
        check = names.dns_label if relaxed else names.dns_1035_label
        yield from each(f"{path}.service.name", name, check(name))
    called, number = port.get("name") or "", port.get("number") or 0
    if called and number:
        yield invalid(path, "", "cannot set both port name & port number")
    elif called:
        yield from each(f"{path}.service.port.name", called, names.port_name(called))
    elif number:
        yield from port_number(f"{path}.service.port.number", number)
    else:
        yield required(path, "port name or number is required")


def _reference(path: str, given: JSON) -> Faults:
    group = given.get("apiGroup")
    if group is not None:
        yield from each(f"{path}.apiGroup", group, names.dns_subdomain(group))
    for field in ("kind", "name"):
        yield from _segment(f"{path}.{field}", given.get(field) or "")


def _segment(field: str, value: str) -> Faults:
    if not value:
        yield required(field)
    else:
        yield from each(field, value, names.path_segment(value))


def class_created(found: JSON) -> Faults:
    """What is wrong with a new IngressClass."""
    yield from object_meta.created("ingressclasses", found["metadata"])
    spec = found.get("spec") or {}
    controller = spec.get("controller") or ""
    if len(controller.encode()) > _LONGEST_CONTROLLER:
        yield too_long("spec.controller", _LONGEST_CONTROLLER)
    yield from names.domain_prefixed_path("spec.controller", controller)
    if spec.get("parameters") is not None:
        yield from _parameters("spec.parameters", spec["parameters"])


def class_updated(new: JSON, old: JSON) -> Faults:
    """What is wrong with a changed IngressClass."""
    yield from object_meta.updated(new["metadata"], old["metadata"])
    controllers = [each_class["spec"].get("controller") for each_class in (new, old)]
    yield from immutable("spec.controller", controllers[0], controllers[1])
    yield from class_created(new)


def _parameters(path: str, given: JSON) -> Faults:
    yield from _reference(path, given)
    scope, namespace = given.get("scope"), given.get("namespace")
    if scope is None:
        yield required(f"{path}.scope")
        return
    yield from one_of(f"{path}.scope", scope, _SCOPES)
    if scope == "Namespace":
        if namespace is None:
            yield required(f"{path}.namespace", "`parameters.scope` is set to 'Namespace'")
        else:
            yield from each(f"{path}.namespace", namespace, names.dns_label(namespace))
    elif scope == "Cluster" and namespace is not None:
        yield forbidden(f"{path}.namespace", "`parameters.scope` is set to 'Cluster'")


def policy_created(found: JSON) -> Faults:
    """What is wrong with a new NetworkPolicy."""
    yield from object_meta.created("networkpolicies", found["metadata"])
    yield from _policy(found.get("spec") or {}, ())


def policy_updated(new: JSON, old: JSON) -> Faults:
    """What is wrong with a changed NetworkPolicy."""
    yield from policy_created(new)
    yield from object_meta.updated(new["metadata"], old["metadata"])
    yield from _policy(new.get("spec") or {}, list(_networks(old.get("spec") or {})))


def _networks(spec: JSON) -> Iterator[str]:
    for rules, peers in (("ingress", "from"), ("egress", "to")):
        for rule in spec.get(rules) or ():
            for peer in rule.get(peers) or ():
                if block := peer.get("ipBlock"):
                    yield block.get("cidr") or ""
                    yield from block.get("except") or ()


def _policy(spec: JSON, before: Sequence[str]) -> Faults:
    yield from labels.selector("spec.podSelector", spec.get("podSelector"))
    for rules, peers in (("ingress", "from"), ("egress", "to")):
        for index, rule in enumerate(spec.get(rules) or ()):
            path = f"spec.{rules}[{index}]"
            for number, port in enumerate(rule.get("ports") or ()):
                yield from _policy_port(f"{path}.ports[{number}]", port)
            for number, peer in enumerate(rule.get(peers) or ()):
                yield from _peer(f"{path}.{peers}[{number}]", peer, before)
    types = spec.get("policyTypes") or []
    if len(types) > len(_POLICY_TYPES):
        yield invalid("spec.policyTypes", types, "may not specify more than two policyTypes")
        return
    for index, kind in enumerate(types):
        yield from one_of(f"spec.policyTypes[{index}]", kind, _POLICY_TYPES)


def _policy_port(path: str, given: JSON) -> Faults:
    protocol, port, end = given.get("protocol"), given.get("port"), given.get("endPort")
    if protocol is not None:
        yield from one_of(f"{path}.protocol", protocol, ("TCP", "UDP", "SCTP"))
    if isinstance(port, int):
        yield from port_number(f"{path}.port", port)
        if end is not None:
            if end < port:
                why = "must be greater than or equal to `port`"
                yield invalid(f"{path}.endPort", end if gates.since(37) else port, why)
            yield from port_number(f"{path}.endPort", end)
    elif port is not None:
        if end is not None:
            why = "may not be specified when `port` is non-numeric"
            yield invalid(f"{path}.endPort", end, why)
        yield from each(f"{path}.port", port, names.port_name(port))
    elif end is not None:
        why = "may not be specified when `port` is not specified"
        yield invalid(f"{path}.endPort", end, why)


def _peer(path: str, peer: JSON, before: Sequence[str]) -> Faults:
    kinds = ("podSelector", "namespaceSelector")
    given = [kind for kind in (*kinds, "ipBlock") if peer.get(kind) is not None]
    for kind in kinds:
        yield from labels.selector(f"{path}.{kind}", peer.get(kind))
    if peer.get("ipBlock") is not None:
        yield from _block(f"{path}.ipBlock", peer["ipBlock"], before)
    if not given:
        yield required(path, "must specify a peer")
    elif len(given) > 1 and "ipBlock" in given:
        yield forbidden(path, "may not specify both ipBlock and another peer")


def _block(path: str, block: JSON, before: Sequence[str]) -> Faults:
    text = block.get("cidr") or ""
    if not text:
        yield required(f"{path}.cidr")
        return
    yield from addresses.network(f"{path}.cidr", text, before)
    whole = addresses.parsed_network(text)
    if whole is None:
        return
    for index, part in enumerate(block.get("except") or ()):
        field = f"{path}.except[{index}]"
        yield from addresses.network(field, part, before)
        inner = addresses.parsed_network(part)
        if inner is None:
            continue
        if inner.network_address not in whole or whole.prefixlen >= inner.prefixlen:
            yield invalid(field, part, "must be a strict subset of `cidr`")


def policy_warnings(new: JSON, _: JSON | None) -> Iterator[str]:
    """What is said of networks that are not written as they should be."""
    spec = new.get("spec") or {}
    for rules, peers in (("ingress", "from"), ("egress", "to")):
        for index, rule in enumerate(spec.get(rules) or ()):
            for number, peer in enumerate(rule.get(peers) or ()):
                path = f"spec.{rules}[{index}].{peers}[{number}].ipBlock"
                block = peer.get("ipBlock") or {}
                yield from addresses.network_warnings(f"{path}.cidr", block.get("cidr") or "")
                for place, part in enumerate(block.get("except") or ()):
                    yield from addresses.network_warnings(f"{path}.except[{place}]", part)


def address_created(found: JSON) -> Faults:
    """What is wrong with a new IPAddress."""
    yield from object_meta.created("ipaddresses", found["metadata"])
    path, parent = "spec.parentRef", (found.get("spec") or {}).get("parentRef")
    if parent is None:
        yield required(path)
        return
    if group := parent.get("group"):
        yield from each(f"{path}.group", group, names.dns_subdomain(group))
    for field in ("resource", "name"):
        yield from _segment(f"{path}.{field}", parent.get(field) or "")
    if namespace := parent.get("namespace"):
        yield from each(f"{path}.namespace", namespace, names.path_segment(namespace))


def address_updated(new: JSON, old: JSON) -> Faults:
    """What is wrong with a changed IPAddress."""
    yield from object_meta.updated(new["metadata"], old["metadata"])
    parents = [(each_one.get("spec") or {}).get("parentRef") for each_one in (new, old)]
    yield from immutable("spec.parentRef", parents[0], parents[1], _parent)


def _parent(given: JSON) -> Verbatim:
    return printed("networking.ParentReference", given)


def range_created(found: JSON) -> Faults:
    """What is wrong with a new ServiceCIDR."""
    yield from object_meta.created("servicecidrs", found["metadata"])
    yield from _range(found.get("spec") or {})


def _range(spec: JSON) -> Faults:
    path, given = "spec.cidrs", spec.get("cidrs") or []
    if not given:
        yield required(path, "at least one CIDR required")
        return
    if len(given) > 2:
        shown = printed("networking.ServiceCIDRSpec", spec)
        yield invalid(path, shown, "may only hold up to 2 values")
        return
    for index, text in enumerate(given):
        yield from addresses.canonical_network(f"{path}[{index}]", text)
    found = [addresses.parsed_network(text) for text in given]
    if len(given) == 2 and not addresses.is_dual_stack(given) and None not in found:
        yield invalid(path, given, _FAMILIES)


def range_updated(new: JSON, old: JSON) -> Faults:
    """What is wrong with a changed ServiceCIDR."""
    yield from object_meta.updated(new["metadata"], old["metadata"])
    path = "spec.cidrs"
    given, before = ((each_one.get("spec") or {}).get("cidrs") or [] for each_one in (new, old))
    if len(given) != len(before) and (len(before), len(given)) != (1, 2):
        yield invalid(path, given or None, IMMUTABLE)
        return
    for index, (text, was) in enumerate(zip(given, before, strict=False)):
        if text != was:
            yield invalid(f"{path}[{index}]", text, IMMUTABLE)
    if len(given) != len(before):
        yield from _range(new["spec"])


def range_status(new: JSON, old: JSON) -> Faults:
    """What is wrong with the changed status of a ServiceCIDR."""
    yield from object_meta.updated(new["metadata"], old["metadata"])
