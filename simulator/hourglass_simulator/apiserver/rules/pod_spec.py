"""The spec of a pod, of its own or in a template.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/apis/core/validation/validation.go
"""

from collections.abc import Sequence

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.rules import (
    addresses,
    containers,
    labels,
    names,
    pod_annotations,
    pod_volumes,
    resources,
    scheduling,
    security,
)
from hourglass_simulator.apiserver.rules.fault import (
    Faults,
    choice,
    duplicate,
    each,
    forbidden,
    in_range,
    invalid,
    not_supported,
    required,
    too_long,
)
from hourglass_simulator.apiserver.rules.go_text import printed

_RESTARTS = ("Always", "OnFailure", "Never")
_DNS = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
_PREEMPTIONS = ("PreemptLowerPriority", "Never")
_MOST_SERVERS, _MOST_SEARCHES, _LONGEST_SEARCHES = 3, 32, 2048
_LARGEST_DEADLINE = 2**31 - 1
_LONGEST_HOSTNAME = 64


def spec(path: str, given: JSON, meta: JSON | None) -> Faults:
    """A pod's spec; `meta` is None in a template."""
    if given.get("terminationGracePeriodSeconds") is None:
        yield required(f"{path}.terminationGracePeriodSeconds")
    volumes = given.get("volumes") or []
    yield from pod_volumes.of_pod(f"{path}.volumes", volumes, meta)
    yield from _claims(f"{path}.resourceClaims", given.get("resourceClaims") or [])
    pod = containers.PodContext(given, pod_volumes.usable(volumes, meta))
    yield from containers.regular(f"{path}.containers", pod)
    yield from containers.init(f"{path}.initContainers", pod)
    yield from containers.ephemeral(f"{path}.ephemeralContainers", pod)
    yield from resources.of_pod(path, given)
    yield from _host_network(path, given, is_pod=meta is not None)
    yield from choice(f"{path}.restartPolicy", given.get("restartPolicy"), _RESTARTS)
    yield from choice(f"{path}.dnsPolicy", given.get("dnsPolicy"), _DNS)
    yield from labels.labels(f"{path}.nodeSelector", given.get("nodeSelector"))
    yield from security.of_pod(path, given)
    yield from scheduling.affinity(f"{path}.affinity", given.get("affinity"))
    yield from _dns(f"{path}.dnsConfig", given)
    for index, gate in enumerate(given.get("readinessGates") or ()):
        kind = gate.get("conditionType") or ""
        field = f"{path}.readinessGates[{index}].conditionType"
        yield from each(field, kind, names.qualified_name(kind))
    yield from _gates(f"{path}.schedulingGates", given.get("schedulingGates") or [])
    constraints = given.get("topologySpreadConstraints") or []
    yield from scheduling.spread(f"{path}.topologySpreadConstraints", constraints)
    yield from security.host_processes(path, given)
    yield from security.host_users(path, given)
    yield from _hostname(path, given)
    yield from _names(path, given)
    yield from security.operating_system(path, given)


def _names(path: str, given: JSON) -> Faults:
    for field in ("serviceAccountName", "nodeName"):
        if given.get(field):
            yield from each(f"{path}.{field}", given[field], names.dns_subdomain(given[field]))
    deadline = given.get("activeDeadlineSeconds")
    if deadline is not None and not 1 <= deadline <= _LARGEST_DEADLINE:
        yield invalid(f"{path}.activeDeadlineSeconds", deadline, in_range(1, _LARGEST_DEADLINE))
    for field in ("hostname", "subdomain"):
        if given.get(field):
            yield from each(f"{path}.{field}", given[field], names.dns_label(given[field]))
    yield from scheduling.tolerations(f"{path}.tolerations", given.get("tolerations") or [])
    for index, alias in enumerate(given.get("hostAliases") or ()):
        where = f"{path}.hostAliases[{index}]"
        yield from addresses.address(f"{where}.ip", alias.get("ip") or "")
        for number, name in enumerate(alias.get("hostnames") or ()):
            yield from each(f"{where}.hostnames[{number}]", name, names.dns_subdomain(name))
    for field in ("priorityClassName", "runtimeClassName"):
        name = given.get(field)
        if name or (name is not None and field == "runtimeClassName"):
            yield from each(f"{path}.{field}", name, names.dns_subdomain(name))
    if given.get("preemptionPolicy") is not None:
        policy = given["preemptionPolicy"]
        yield from choice(f"{path}.preemptionPolicy", policy, _PREEMPTIONS)
    if given.get("overhead") is not None:
        overhead = {"limits": given["overhead"]}
        yield from resources.requirements(f"{path}.overhead", overhead, ())


def _claims(path: str, given: Sequence[JSON]) -> Faults:
    seen: set[str] = set()
    for index, claim in enumerate(given):
        where, name = f"{path}[{index}]", claim.get("name") or ""
        if not name:
            yield required(f"{where}.name")
        elif name in seen:
            yield duplicate(f"{where}.name", name)
        else:
            yield from each(f"{where}.name", name, names.dns_label(name))
            seen.add(name)
        own, of_template = claim.get("resourceClaimName"), claim.get("resourceClaimTemplateName")
        both = "`resourceClaimName` or `resourceClaimTemplateName`"
        shown = printed("core.PodResourceClaim", claim)
        if own is not None and of_template is not None:
            yield invalid(where, shown, f"at most one of {both} may be specified")
        if own is None and of_template is None:
            yield invalid(where, shown, f"must specify one of: {both.replace(' or', ',')}")
        for field in ("resourceClaimName", "resourceClaimTemplateName"):
            if claim.get(field) is not None:
                wrong = names.dns_subdomain(claim[field])
                yield from each(f"{where}.{field}", claim[field], wrong)


def _host_network(path: str, given: JSON, *, is_pod: bool) -> Faults:
    if not given.get("hostNetwork"):
        return
    for index, container in enumerate(given.get("containers") or ()):
        for number, port in enumerate(container.get("ports") or ()):
            own = port.get("hostPort") or 0
            if (is_pod or own) and own != port.get("containerPort"):
                field = f"{path}.containers[{index}].ports[{number}].hostPort"
                yield invalid(field, own, "must match `containerPort` when `hostNetwork` is true")


def _dns(path: str, given: JSON) -> Faults:
    config = given.get("dnsConfig")
    if given.get("dnsPolicy") == "None":
        why = "when `dnsPolicy` is None"
        if config is None:
            yield required(path, f"must provide `dnsConfig` {why}")
            return
        if not config.get("nameservers"):
            yield required(f"{path}.nameservers", f"must provide at least one DNS nameserver {why}")
            return
    config = config or {}
    servers, searches = config.get("nameservers") or [], config.get("searches") or []
    if len(servers) > _MOST_SERVERS:
        why = f"must not have more than {_MOST_SERVERS} nameservers"
        yield invalid(f"{path}.nameservers", servers, why)
    for index, server in enumerate(servers):
        yield from addresses.address(f"{path}.nameservers[{index}]", server)
    if len(searches) > _MOST_SEARCHES:
        why = f"must not have more than {_MOST_SEARCHES} search paths"
        yield invalid(f"{path}.searches", searches, why)
    if len(" ".join(searches)) > _LONGEST_SEARCHES:
        why = f"must not have more than {_LONGEST_SEARCHES} characters (including spaces) in the "
        yield invalid(f"{path}.searches", searches, f"{why}search list")
    for index, search in enumerate(searches):
        if search != ".":
            name = search.removesuffix(".")
            wrong = names.underscored_subdomain(name)
            yield from each(f"{path}.searches[{index}]", name, wrong)
    for index, option in enumerate(config.get("options") or ()):
        if not option.get("name"):
            yield required(f"{path}.options[{index}]", "must not be empty")


def _gates(path: str, gates: Sequence[JSON]) -> Faults:
    seen: set[str] = set()
    for index, gate in enumerate(gates):
        name = gate.get("name") or ""
        yield from each(f"{path}[{index}]", name, names.qualified_name(name))
        if name in seen:
            yield duplicate(f"{path}[{index}]", name)
        seen.add(name)


def _hostname(path: str, given: JSON) -> Faults:
    name, field = given.get("hostnameOverride"), f"{path}.hostnameOverride"
    if name is None:
        return
    if given.get("setHostnameAsFQDN"):
        yield forbidden(field, "may not be specified when setHostnameAsFQDN is true")
    if given.get("hostNetwork"):
        yield forbidden(field, "may not be specified when hostNetwork is true")
    if len(name) > _LONGEST_HOSTNAME:
        yield too_long(field, _LONGEST_HOSTNAME)
    yield from each(field, name, names.dns_subdomain(name))


def template(path: str, given: JSON | None) -> Faults:
    """A template of pods."""
    given = given or {}
    meta, inner = given.get("metadata") or {}, given.get("spec") or {}
    yield from labels.labels(f"{path}.labels", meta.get("labels"))
    yield from labels.annotations(f"{path}.annotations", meta.get("annotations"))
    yield from pod_annotations.annotations(f"{path}.annotations", meta, inner)
    yield from spec(f"{path}.spec", inner, None)
    yield from pod_annotations.agreeing(f"{path}.spec", meta, inner)
    if inner.get("ephemeralContainers"):
        why = "ephemeral containers not allowed in pod template"
        yield forbidden(f"{path}.spec.ephemeralContainers", why)


def restarts(path: str, given: JSON, kind: str) -> Faults:
    """What pods that are always replaced may not say."""
    inner = (given or {}).get("spec") or {}
    policy = inner.get("restartPolicy") or ""
    if policy != "Always":
        yield not_supported(f"{path}.spec.restartPolicy", policy, ("Always",))
    if inner.get("activeDeadlineSeconds") is not None:
        why = f"activeDeadlineSeconds in {kind} is not Supported"
        yield forbidden(f"{path}.spec.activeDeadlineSeconds", why)
