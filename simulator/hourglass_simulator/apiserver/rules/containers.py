"""Containers of pods.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/apis/core/validation/validation.go
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import gates
from hourglass_simulator.apiserver.rules import (
    names,
    paths,
    probes,
    resources,
    security,
    variables,
)
from hourglass_simulator.apiserver.rules.fault import (
    Faults,
    choice,
    duplicate,
    each,
    forbidden,
    invalid,
    not_found,
    not_supported,
    one_of,
    port_number,
    required,
)

PROTOCOLS = ("SCTP", "TCP", "UDP")
PULL_POLICIES = ("Always", "IfNotPresent", "Never")
_PROPAGATIONS = ("Bidirectional", "HostToContainer", "None")
_RECURSIVE = ("Disabled", "Enabled", "IfPossible")
_MESSAGES = ("File", "FallbackToLogsOnError")
_INIT_ONLY = ("lifecycle", "livenessProbe", "readinessProbe", "startupProbe")


@dataclass(frozen=True, slots=True)
class PodContext:
    """What of a pod its containers refer to: the spec, and its volumes by name."""

    spec: JSON
    volumes: Mapping[str, JSON]

    @property
    def claims(self) -> list[str]:
        """The names of its resource claims."""
        claims = self.spec.get("resourceClaims") or ()
        return [claim["name"] for claim in claims if claim.get("name")]

    @property
    def grace(self) -> int | None:
        """Seconds that it gets to end."""
        seconds: int | None = self.spec.get("terminationGracePeriodSeconds")
        return seconds

    @property
    def host_users(self) -> bool:
        """Whether its users are those of the host."""
        return self.spec.get("hostUsers") is not False


_RESTARTS = ("Always", "Never", "OnFailure")
"""Of containers, where each may have a policy of its own."""


def regular(path: str, pod: PodContext) -> Faults:
    """The containers of a pod."""
    containers = pod.spec.get("containers") or []
    if not containers:
        yield required(path)
        return
    seen: set[str] = set()
    for index, container in enumerate(containers):
        where, name = f"{path}[{index}]", container.get("name") or ""
        yield from common(where, container, pod)
        if name in seen:
            yield duplicate(f"{where}.name", name)
        seen.add(name)
        hooks = container.get("lifecycle")
        yield from probes.lifecycle(f"{where}.lifecycle", hooks, pod.grace, pod.spec.get("os"))
        yield from probes.of_container(where, container, pod.grace)
        policy = container.get("restartPolicy")
        if gates.enabled("ContainerRestartRules"):
            if policy is not None:
                yield from one_of(f"{where}.restartPolicy", policy, _RESTARTS)
        elif policy is not None:
            yield forbidden(f"{where}.restartPolicy", "may not be set for non-init containers")
    yield from _host_ports(path, containers)


def init(path: str, pod: PodContext) -> Faults:
    """The init containers of a pod, some of which stay beside the others."""
    seen = {container.get("name") or "" for container in pod.spec.get("containers") or ()}
    for index, container in enumerate(pod.spec.get("initContainers") or ()):
        where, name = f"{path}[{index}]", container.get("name") or ""
        yield from common(where, container, pod)
        policy = container.get("restartPolicy")
        if policy is not None:
            known = _RESTARTS if gates.enabled("ContainerRestartRules") else ("Always",)
            yield from one_of(f"{where}.restartPolicy", policy, known)
        if name in seen:
            yield duplicate(f"{where}.name", name)
        elif name:
            seen.add(name)
        yield from _host_ports(path, [container])
        if policy == "Always":
            hooks = container.get("lifecycle")
            yield from probes.lifecycle(f"{where}.lifecycle", hooks, pod.grace, pod.spec.get("os"))
            yield from probes.of_container(where, container, pod.grace)
            continue
        for field in _INIT_ONLY:
            if container.get(field) is not None:
                why = "may not be set for init containers without restartPolicy=Always"
                yield forbidden(f"{where}.{field}", why)


_NOT_EPHEMERAL = (
    *("ports", "resources", "resizePolicy", "restartPolicy", "livenessProbe"),
    *("readinessProbe", "startupProbe", "lifecycle"),
)


def ephemeral(path: str, pod: PodContext) -> Faults:
    """Containers that are added to a running pod."""
    others = [
        container.get("name") or ""
        for kind in ("containers", "initContainers")
        for container in pod.spec.get(kind) or ()
    ]
    seen = set(others)
    for index, container in enumerate(pod.spec.get("ephemeralContainers") or ()):
        where, name = f"{path}[{index}]", container.get("name") or ""
        yield from common(where, container, pod)
        yield from untrimmed_image(where, container)
        if name in seen:
            yield duplicate(f"{where}.name", name)
        seen.add(name)
        target = container.get("targetContainerName")
        if target and target not in others:
            yield not_found(f"{where}.targetContainerName", target)
        why = "cannot be set for an Ephemeral Container"
        for field in _NOT_EPHEMERAL:
            if container.get(field):
                yield forbidden(f"{where}.{field}", why)
        for number, mount in enumerate(container.get("volumeMounts") or ()):
            for field in ("subPath", "subPathExpr"):
                if mount.get(field):
                    yield forbidden(f"{where}.volumeMounts[{number}].{field}", why)


def untrimmed_image(path: str, container: JSON) -> Faults:
    """An image with spaces around it, which templates may have."""
    image = container.get("image") or ""
    if image.strip() != image:
        why = "must not have leading or trailing whitespace"
        yield invalid(f"{path}.image", image, why)


def common(path: str, container: JSON, pod: PodContext) -> Faults:
    """What containers of every kind have in common."""
    name = container.get("name") or ""
    if not name:
        yield required(f"{path}.name")
    else:
        yield from each(f"{path}.name", name, names.dns_label(name))
    if not container.get("image"):
        yield required(f"{path}.image")
    policy = container.get("terminationMessagePolicy")
    yield from choice(f"{path}.terminationMessagePolicy", policy, _MESSAGES)
    yield from _ports(f"{path}.ports", container.get("ports") or [])
    yield from variables.env(f"{path}.env", container.get("env") or [])
    yield from variables.env_from(f"{path}.envFrom", container.get("envFrom") or [])
    yield from _mounts(f"{path}.volumeMounts", container, pod.volumes)
    yield from _devices(f"{path}.volumeDevices", container, pod.volumes)
    yield from choice(f"{path}.imagePullPolicy", container.get("imagePullPolicy"), PULL_POLICIES)
    asked = container.get("resources")
    if asked:
        yield from resources.requirements(f"{path}.resources", asked, pod.claims)
    resizes = container.get("resizePolicy") or []
    yield from _resizes(f"{path}.resizePolicy", resizes, pod.spec.get("restartPolicy"))
    context = container.get("securityContext")
    where = f"{path}.securityContext"
    yield from security.of_container(where, context, host_users=pod.host_users)


def _ports(path: str, ports: Sequence[JSON]) -> Faults:
    seen: set[str] = set()
    for index, port in enumerate(ports):
        where, name, number = f"{path}[{index}]", port.get("name"), port.get("containerPort")
        if name:
            wrong = names.port_name(name)
            yield from each(f"{where}.name", name, wrong)
            if not wrong and name in seen:
                yield duplicate(f"{where}.name", name)
            if not wrong:
                seen.add(name)
        if not number:
            yield required(f"{where}.containerPort")
        else:
            yield from port_number(f"{where}.containerPort", number)
        if port.get("hostPort"):
            yield from port_number(f"{where}.hostPort", port["hostPort"])
        yield from choice(f"{where}.protocol", port.get("protocol", "TCP"), PROTOCOLS)


def _host_ports(path: str, containers: Sequence[JSON]) -> Faults:
    seen: set[str] = set()
    for index, container in enumerate(containers):
        for number, port in enumerate(container.get("ports") or ()):
            if not port.get("hostPort"):
                continue
            key = f"{port.get('protocol', 'TCP')}/{port.get('hostIP') or ''}/{port['hostPort']}"
            if key in seen:
                yield duplicate(f"{path}[{index}].ports[{number}].hostPort", key)
            seen.add(key)


def _mounts(path: str, container: JSON, volumes: Mapping[str, JSON]) -> Faults:
    devices = {d.get("name"): d.get("devicePath") for d in container.get("volumeDevices") or ()}
    taken: set[str] = set()
    for index, mount in enumerate(container.get("volumeMounts") or ()):
        where, name = f"{path}[{index}]", mount.get("name") or ""
        target = mount.get("mountPath") or ""
        if not name:
            yield required(f"{where}.name")
        if name not in volumes:
            yield not_found(f"{where}.name", name)
        if not target:
            yield required(f"{where}.mountPath")
        if target in taken:
            yield invalid(f"{where}.mountPath", target, "must be unique")
        taken.add(target)
        if name in devices:
            yield invalid(f"{where}.name", name, "must not already exist in volumeDevices")
        if target in devices.values():
            why = "must not already exist as a path in volumeDevices"
            yield invalid(f"{where}.mountPath", target, why)
        yield from _sub_paths(path, where, mount)
        yield from _propagation(f"{path}.mountPropagation", mount, container)
        yield from _recursive(f"{path}.recursiveReadOnly", mount)


def _sub_paths(path: str, where: str, mount: JSON) -> Faults:
    below, expression = mount.get("subPath"), mount.get("subPathExpr")
    if below:
        yield from paths.descending(f"{path}.subPath", below)
    if expression:
        if below:
            why = "subPathExpr and subPath are mutually exclusive"
            yield invalid(f"{where}.subPathExpr", expression, why)
        yield from paths.descending(f"{path}.subPathExpr", expression)


def _propagation(field: str, mount: JSON, container: JSON) -> Faults:
    mode = mount.get("mountPropagation")
    if mode is None:
        return
    yield from one_of(field, mode, _PROPAGATIONS)
    privileged = (container.get("securityContext") or {}).get("privileged")
    if mode == "Bidirectional" and not privileged:
        why = "Bidirectional mount propagation is available only to privileged containers"
        yield forbidden(field, why)


def _recursive(field: str, mount: JSON) -> Faults:
    mode = mount.get("recursiveReadOnly")
    if mode is None or mode == "Disabled":
        return
    if mode not in _RECURSIVE:
        yield not_supported(field, mode, _RECURSIVE)
        return
    if not mount.get("readOnly"):
        yield forbidden(field, "may only be specified when readOnly is true")
    if mount.get("mountPropagation") not in (None, "None"):
        why = "may only be specified when mountPropagation is None or not specified"
        yield forbidden(field, why)


def _devices(path: str, container: JSON, volumes: Mapping[str, JSON]) -> Faults:
    mounts = {m.get("name"): m.get("mountPath") for m in container.get("volumeMounts") or ()}
    seen_names: set[str] = set()
    seen_paths: set[str] = set()
    for index, device in enumerate(container.get("volumeDevices") or ()):
        where, name = f"{path}[{index}]", device.get("name") or ""
        target, volume = device.get("devicePath") or "", volumes.get(name)
        if not name:
            yield required(f"{where}.name")
        if name in seen_names:
            yield invalid(f"{where}.name", name, "must be unique")
        if volume is None:
            yield not_found(f"{where}.name", name)
        elif not {"persistentVolumeClaim", "ephemeral"} & volume.keys():
            why = "can only use volume source type of PersistentVolumeClaim or Ephemeral for block "
            yield invalid(f"{where}.name", name, f"{why}mode")
        if not target:
            yield required(f"{where}.devicePath")
        if target in seen_paths:
            yield invalid(f"{where}.devicePath", target, "must be unique")
        if target and any(paths.no_backsteps("", target)):
            yield invalid(f"{where}.devicePath", target, "can not contain backsteps ('..')")
        else:
            seen_paths.add(target)
        if name in mounts:
            yield invalid(f"{where}.name", name, "must not already exist in volumeMounts")
        if target in mounts.values():
            why = "must not already exist as a path in volumeMounts"
            yield invalid(f"{where}.devicePath", target, why)
        if name:
            seen_names.add(name)


def _resizes(path: str, policies: Sequence[JSON], restart: str | None) -> Faults:
    seen: set[str] = set()
    for index, policy in enumerate(policies):
        name, after = policy.get("resourceName") or "", policy.get("restartPolicy") or ""
        if name in seen:
            yield duplicate(f"{path}[{index}]", name)
        seen.add(name)
        yield from choice(path, name, ("cpu", "memory"))
        yield from choice(path, after, ("NotRequired", "RestartContainer"))
        if restart == "Never" and after != "NotRequired":
            of = "pod `restartPolicy`" if gates.since(37) else "`restartPolicy`"
            why = f"must be 'NotRequired' when {of} is 'Never'"
            yield invalid(path, after, why)
