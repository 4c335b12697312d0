"""What is right in a pod and yet not as it should be.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/api/pod/warnings.go
"""

from collections.abc import Iterator, Sequence

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.rules import addresses, names
from hourglass_simulator.apiserver.rules.fault import is_multiple
from hourglass_simulator.apiserver.rules.pod_annotations import (
    APPARMOR,
    SECCOMP_CONTAINER,
    SECCOMP_POD,
)
from hourglass_simulator.apiserver.rules.security import containers

DEPRECATED_LABELS = {
    "beta.kubernetes.io/arch": 'deprecated since v1.14; use "kubernetes.io/arch" instead',
    "beta.kubernetes.io/os": 'deprecated since v1.14; use "kubernetes.io/os" instead',
    "failure-domain.beta.kubernetes.io/region": (
        'deprecated since v1.17; use "topology.kubernetes.io/region" instead'
    ),
    "failure-domain.beta.kubernetes.io/zone": (
        'deprecated since v1.17; use "topology.kubernetes.io/zone" instead'
    ),
    "beta.kubernetes.io/instance-type": (
        'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead'
    ),
    "app.kubernetes.io/created-by": "deprecated since v1.9",
    "scheduler.alpha.kubernetes.io/preferAvoidPods": (
        "deprecated since v1.22; use Taints and Tolerations instead"
    ),
    "node-role.kubernetes.io/master": 'use "node-role.kubernetes.io/control-plane" instead',
}
_ANNOTATIONS = {
    "scheduler.alpha.kubernetes.io/critical-pod": (
        'non-functional in v1.16+; use the "priorityClassName" field instead'
    ),
    "security.alpha.kubernetes.io/sysctls": (
        'non-functional in v1.11+; use the "sysctls" field instead'
    ),
    "security.alpha.kubernetes.io/unsafe-sysctls": (
        'non-functional in v1.11+; use the "sysctls" field instead'
    ),
}
_VOLUMES = (
    ("photonPersistentDisk", "photonPersistentDisk", "v1.11, non-functional in v1.16+"),
    ("gitRepo", "gitRepo", "v1.11, and disabled by default in v1.33+"),
    ("scaleIO", "scaleIO", "v1.16, non-functional in v1.22+"),
    ("flocker", "flocker", "v1.22, non-functional in v1.25+"),
    ("storageos", "storageOS", "v1.22, non-functional in v1.25+"),
    ("quobyte", "quobyte", "v1.22, non-functional in v1.25+"),
    ("glusterfs", "glusterfs", "v1.25, non-functional in v1.26+"),
    ("cephfs", "cephfs", "v1.28, non-functional in v1.31+"),
    ("rbd", "rbd", "v1.28, non-functional in v1.31+"),
)
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
_NOTHING_MATCHES = "a null labelSelector results in matching no pod"


def of_pod(pod: JSON) -> list[str]:
    """Of a new pod."""
    name = pod["metadata"]["name"]
    said = []
    if wrong := names.dns_label(name):
        said.append(
            "metadata.name: this is used in the Pod's hostname, which can result in surprising"
            f" behavior; a DNS label is recommended: [{' '.join(wrong)}]"
        )
    return [*_of_annotations(pod), *said, *of_template("", pod)]


def _of_annotations(pod: JSON) -> Iterator[str]:
    given = pod["metadata"].get("annotations") or {}
    for _, container in containers("", pod["spec"]):
        key = f"{APPARMOR}{container.get('name')}"
        own = (container.get("securityContext") or {}).get("appArmorProfile")
        if key in given and own is None:
            yield _use_the_field(f"metadata.annotations[{key}]")


def _use_the_field(field: str) -> str:
    return f'{field}: deprecated since v1.30; use the "appArmorProfile" field instead'


def of_template(path: str, template: JSON | None) -> list[str]:
    """Of a pod, or of a template at a path."""
    template = template or {}
    spec, meta = template.get("spec") or {}, template.get("metadata") or {}
    below = f"{path}." if path else ""
    return [
        *_labels(f"{below}spec", spec),
        *_annotations(f"{below}metadata.annotations", meta),
        *_volumes(f"{below}spec.volumes", spec.get("volumes") or []),
        *overlapping(spec.get("volumes") or []),
        *_repeated(f"{below}spec", spec),
        *_amounts(f"{below}spec.overhead", spec.get("overhead") or {}),
        *_seccomp(f"{below}metadata.annotations", meta, spec),
        *_containers(below, meta, spec, in_template=bool(path)),
        *_ports(f"{below}spec", spec),
        *_port_names(f"{below}spec", spec),
        *_affinity(f"{below}spec.affinity", spec.get("affinity") or {}),
        *_addresses(f"{below}spec", spec),
    ]


def _labels(path: str, spec: JSON) -> Iterator[str]:
    for key in sorted(spec.get("nodeSelector") or ()):
        if key in DEPRECATED_LABELS:
            yield f"{path}.nodeSelector[{key}]: {DEPRECATED_LABELS[key]}"
    affinity = ((spec.get("affinity") or {}).get("nodeAffinity")) or {}
    where = f"{path}.affinity.nodeAffinity"
    for index, term in enumerate((affinity.get(_REQUIRED) or {}).get("nodeSelectorTerms") or ()):
        yield from node_term(f"{where}.{_REQUIRED}.nodeSelectorTerms[{index}]", term)
    for index, weighted in enumerate(affinity.get(_PREFERRED) or ()):
        field = f"{where}.{_PREFERRED}[{index}].preference"
        yield from node_term(field, weighted.get("preference") or {}, values_checked=True)
    for index, constraint in enumerate(spec.get("topologySpreadConstraints") or ()):
        field, key = f"{path}.topologySpreadConstraints[{index}]", constraint.get("topologyKey")
        if key in DEPRECATED_LABELS:
            yield f"{field}.topologyKey: {key} is {DEPRECATED_LABELS[key]}"
        if constraint.get("labelSelector") is None:
            yield f"{field}.labelSelector: {_NOTHING_MATCHES}"


def node_term(path: str, term: JSON, *, values_checked: bool = False) -> Iterator[str]:
    """Of a term that selects nodes."""
    for index, requirement in enumerate(term.get("matchExpressions") or ()):
        field, key = f"{path}.matchExpressions[{index}]", requirement.get("key")
        if key in DEPRECATED_LABELS:
            yield f"{field}.key: {key} is {DEPRECATED_LABELS[key]}"
        for number, value in enumerate(requirement.get("values") or () if values_checked else ()):
            for wrong in names.label_value(value):
                yield f"{field}.values[{number}]: {value} is invalid, {wrong}"


def _annotations(path: str, meta: JSON) -> Iterator[str]:
    for key, why in _ANNOTATIONS.items():
        if key in (meta.get("annotations") or {}):
            yield f"{path}[{key}]: {why}"


def _volumes(path: str, volumes: Sequence[JSON]) -> Iterator[str]:
    for index, volume in enumerate(volumes):
        for kind, shown, since in _VOLUMES:
            if volume.get(kind) is not None:
                yield f"{path}[{index}].{shown}: deprecated in {since}"
        template = (volume.get("ephemeral") or {}).get("volumeClaimTemplate")
        if template is not None:
            field = f"{path}[{index}].ephemeral.volumeClaimTemplate.spec"
            yield from of_claim(field, template.get("spec") or {})


def of_claim(path: str, spec: JSON) -> Iterator[str]:
    """Of what a claim asks for."""
    asked = spec.get("resources") or {}
    for kind in ("requests", "limits"):
        size = (asked.get(kind) or {}).get("storage")
        if size is not None and not is_multiple(size):
            yield _fraction(f"{path}.resources.{kind}[storage]", size)


def _fraction(field: str, value: str) -> str:
    return f'{field}: fractional byte value "{value}" is invalid, must be an integer'


def _amounts(path: str, amounts: JSON) -> Iterator[str]:
    for name in ("memory", "ephemeral-storage"):
        if name in amounts and not is_multiple(amounts[name]):
            yield _fraction(f"{path}[{name}]", amounts[name])


def _repeated(path: str, spec: JSON) -> Iterator[str]:
    for field, key, what in (("hostAliases", "ip", "ip"), ("imagePullSecrets", "name", "name")):
        seen: set[str] = set()
        for index, item in enumerate(spec.get(field) or ()):
            value = item.get(key) or ""
            if value in seen:
                yield f'{path}.{field}[{index}].{key}: duplicate {what} "{value}"'
            seen.add(value)
    for index, secret in enumerate(spec.get("imagePullSecrets") or ()):
        if not secret.get("name"):
            yield f'{path}.imagePullSecrets[{index}].name: invalid empty name ""'


def _seccomp(path: str, meta: JSON, spec: JSON) -> Iterator[str]:
    context = spec.get("securityContext") or {}
    if context.get("seccompProfile") is None and SECCOMP_POD in (meta.get("annotations") or {}):
        yield _use_seccomp(f"{path}[{SECCOMP_POD}]")


def _use_seccomp(field: str) -> str:
    return f'{field}: non-functional in v1.27+; use the "seccompProfile" field instead'


def _containers(below: str, meta: JSON, spec: JSON, *, in_template: bool) -> Iterator[str]:
    given = meta.get("annotations") or {}
    pod_profile = (spec.get("securityContext") or {}).get("appArmorProfile")
    for where, container in containers(f"{below}spec", spec):
        context, name = container.get("securityContext") or {}, container.get("name")
        key = f"{SECCOMP_CONTAINER}{name}"
        if context.get("seccompProfile") is None and key in given:
            yield _use_seccomp(f"{below}metadata.annotations[{key}]")
        key = f"{APPARMOR}{name}"
        if in_template and key in given and not (context.get("appArmorProfile") or pod_profile):
            yield _use_the_field(f"{below}metadata.annotations[{key}]")
        asked = container.get("resources") or {}
        for resource in ("memory", "ephemeral-storage"):
            for kind in ("limits", "requests"):
                value = (asked.get(kind) or {}).get(resource)
                if value is not None and not is_multiple(value):
                    yield _fraction(f"{where}.resources.{kind}[{resource}]", value)
        yield from _hidden(where, container.get("env") or [])


def _hidden(path: str, variables: Sequence[JSON]) -> Iterator[str]:
    seen: set[str] = set()
    for index, variable in enumerate(variables):
        name, value = variable.get("name") or "", variable.get("value") or ""
        reference = f"$({name})"
        extends = reference in value and value != reference
        if name in seen and (variable.get("valueFrom") is not None or not extends):
            yield (
                f'{path}.env[{index}]: hides previous definition of "{name}", which may be dropped'
                " when using apply"
            )
        seen.add(name)


def _all_ports(path: str, spec: JSON) -> Iterator[tuple[str, JSON]]:
    for where, container in containers(path, spec):
        for index, port in enumerate(container.get("ports") or ()):
            yield f"{where}.ports[{index}]", port


def _ports(path: str, spec: JSON) -> Iterator[str]:
    seen: list[tuple[str, JSON]] = []
    for field, port in _all_ports(path, spec):
        address, number = port.get("hostIP") or "", port.get("hostPort") or 0
        if address and not number:
            yield f"{field}: hostIP set without hostPort: {_go_port(port)}"
        for other_field, other in seen:
            if any(port.get(f) != other.get(f) for f in ("containerPort", "protocol")):
                continue
            other_address, other_number = other.get("hostIP") or "", other.get("hostPort") or 0
            if (address, number) == (other_address, other_number):
                yield f"{field}: duplicate port definition with {other_field}"
            elif not number or not other_number:
                yield f"{field}: overlapping port definition with {other_field}"
            elif number == other_number and bool(address) != bool(other_address):
                yield f"{field}: dangerously ambiguous port definition with {other_field}"
        seen.append((field, port))


def _go_port(port: JSON) -> str:
    return (
        f"{{Name:{port.get('name') or ''} HostPort:{port.get('hostPort') or 0}"
        f" ContainerPort:{port.get('containerPort') or 0} Protocol:{port.get('protocol') or ''}"
        f" HostIP:{port.get('hostIP') or ''}}}"
    )


def _port_names(path: str, spec: JSON) -> Iterator[str]:
    seen: dict[str, str] = {}
    for field, port in _all_ports(path, spec):
        name = port.get("name")
        if name and name in seen:
            yield (
                f'{field}: duplicate port name "{name}" with {seen[name]}, services and probes that'
                f" select ports by name will use {seen[name]}"
            )
        elif name:
            seen[name] = field


def _affinity(path: str, affinity: JSON) -> Iterator[str]:
    for kind in ("podAffinity", "podAntiAffinity"):
        given = affinity.get(kind) or {}
        for index, term in enumerate(given.get(_REQUIRED) or ()):
            if term.get("labelSelector") is None:
                yield f"{path}.{kind}.{_REQUIRED}[{index}].labelSelector: {_NOTHING_MATCHES}"
        for index, weighted in enumerate(given.get(_PREFERRED) or ()):
            if (weighted.get("podAffinityTerm") or {}).get("labelSelector") is None:
                field = f"{path}.{kind}.{_PREFERRED}[{index}].podAffinityTerm.labelSelector"
                yield f"{field}: {_NOTHING_MATCHES}"


def _addresses(path: str, spec: JSON) -> Iterator[str]:
    for index, server in enumerate((spec.get("dnsConfig") or {}).get("nameservers") or ()):
        yield from addresses.warnings(f"{path}.dnsConfig.nameservers[{index}]", server)
    for index, alias in enumerate(spec.get("hostAliases") or ()):
        yield from addresses.warnings(f"{path}.hostAliases[{index}].ip", alias.get("ip") or "")


def overlapping(volumes: Sequence[JSON]) -> Iterator[str]:
    """Of volumes that put two files into one place."""
    for volume in volumes:
        name = volume.get("name")
        for kind, what, key in (
            ("configMap", "ConfigMap", "name"),
            ("secret", "Secret", "secretName"),
            ("downwardAPI", "DownwardAPI", ""),
        ):
            source = volume.get(kind) or {}
            shown = f'{what} "{source.get(key) or ""}"' if key else what
            found = [(item.get("path") or "", "") for item in source.get("items") or ()]
            for overlap in _overlaps(found):
                yield f'volume "{name}" ({shown}): overlapping paths: {overlap}'
        if volume.get("projected") is not None:
            yield from _projected(f'volume "{name}" (Projected)', volume["projected"])


def _projected(shown: str, source: JSON) -> Iterator[str]:
    sources = source.get("sources") or []
    found: list[tuple[str, str]] = []
    for one in sources:
        if not one:
            yield f"{shown} has no sources provided"
        for kind, what in (("configMap", "ConfigMap"), ("secret", "Secret")):
            given = one.get(kind) or {}
            origin = f'{what} "{given.get("name") or ""}"'
            found += [(item.get("path") or "", origin) for item in given.get("items") or ()]
        fields = (one.get("downwardAPI") or {}).get("items") or ()
        found += [(item.get("path") or "", "DownwardAPI") for item in fields]
        if one.get("serviceAccountToken") is not None:
            found.append((one["serviceAccountToken"].get("path") or "", "ServiceAccountToken"))
    for overlap in _overlaps(found):
        yield f"{shown}: overlapping paths: {overlap}"


def _overlaps(paths: Sequence[tuple[str, str]]) -> Iterator[str]:
    seen: list[tuple[str, str]] = []
    for path, origin in paths:
        one = (path.rstrip("/"), origin)
        for other in seen:
            if one[0] and other[0] and (_within(one[0], other[0]) or _within(other[0], one[0])):
                yield f"{_place(one)} with {_place(other)}"
        seen.append(one)


def _within(path: str, other: str) -> bool:
    return f"{path}/".startswith(f"{other}/")


def _place(place: tuple[str, str]) -> str:
    path, origin = place
    return f'"{path}" ({origin})' if origin else f'"{path}"'
