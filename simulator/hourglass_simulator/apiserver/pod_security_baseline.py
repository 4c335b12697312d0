"""What the level baseline of Pod Security forbids.

https://github.com/kubernetes/pod-security-admission/tree/v0.34.4/policy
"""

from collections.abc import Iterable, Iterator, Sequence

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.pod_security_check import (
    Check,
    Refusal,
    VersionedCheck,
    containers_of,
    named,
    named_setters,
    not_in_user_namespace,
    plural,
    pod_context,
    quoted,
)


def _app_armor(meta: JSON, spec: JSON) -> Refusal | None:
    allowed = ("RuntimeDefault", "Localhost")

    def bad(context: JSON) -> str | None:
        profile = context.get("appArmorProfile")
        kind: str = (profile or {}).get("type", "")
        return kind if profile is not None and kind not in allowed else None

    of_pod = bad(pod_context(spec))
    found = {name: kind for name, _, own in containers_of(spec) if (kind := bad(own)) is not None}
    values = sorted({*found.values(), *([] if of_pod is None else [of_pod])})
    prefix = "container.apparmor.security.beta.kubernetes.io/"
    notes = sorted(
        f'{key}="{value}"'
        for key, value in (meta.get("annotations") or {}).items()
        if key.startswith(prefix)
        and value not in ("", "runtime/default")
        and not value.startswith("localhost/")
    )
    setters = named_setters(of_pod is not None, list(found))
    if notes:
        values += notes
        setters.append(plural(len(notes), "annotation"))
    if not setters:
        return None
    reason = plural(len(values), "forbidden AppArmor profile")
    detail = f"{' and '.join(setters)} must not set AppArmor profile type to {quoted(values)}"
    return Refusal(reason, detail)


_CAPABILITIES = frozenset(
    (
        "AUDIT_WRITE",
        "CHOWN",
        "DAC_OVERRIDE",
        "FOWNER",
        "FSETID",
        "KILL",
        "MKNOD",
        "NET_BIND_SERVICE",
        "SETFCAP",
        "SETGID",
        "SETPCAP",
        "SETUID",
        "SYS_CHROOT",
    )
)


def added_capabilities(spec: JSON, allowed: Iterable[str]) -> tuple[list[str], list[str]]:
    """The containers that add other capabilities, and those capabilities."""
    found = {
        name: set((own.get("capabilities") or {}).get("add") or ()).difference(allowed)
        for name, _, own in containers_of(spec)
    }
    return [name for name, more in found.items() if more], sorted(set().union(*found.values()))


def _default_capabilities(_: JSON, spec: JSON) -> Refusal | None:
    bad, added = added_capabilities(spec, _CAPABILITIES)
    if not bad:
        return None
    detail = f"{named(bad)} must not include {quoted(added)} in securityContext.capabilities.add"
    return Refusal("non-default capabilities", detail)


def _host_namespaces(_: JSON, spec: JSON) -> Refusal | None:
    bad = [f"{each}=true" for each in ("hostNetwork", "hostPID", "hostIPC") if spec.get(each)]
    return Refusal("host namespaces", ", ".join(bad)) if bad else None


def _host_paths(_: JSON, spec: JSON) -> Refusal | None:
    bad = [volume["name"] for volume in spec.get("volumes") or () if volume.get("hostPath")]
    if not bad:
        return None
    return Refusal("hostPath volumes", f"{plural(len(bad), 'volume')} {quoted(bad)}")


def _host_ports(_: JSON, spec: JSON) -> Refusal | None:
    found = {
        name: {str(p["hostPort"]) for p in container.get("ports") or () if p.get("hostPort")}
        for name, container, _ in containers_of(spec)
    }
    bad = [name for name, ports in found.items() if ports]
    ports = sorted(set().union(*found.values()))
    if not bad:
        return None
    uses = f"{plural(len(bad), 'uses', 'use')} {plural(len(ports), 'hostPort')}"
    return Refusal("hostPort", f"{named(bad)} {uses} {', '.join(ports)}")


def _hosts(handler: JSON | None) -> Iterator[str]:
    for kind in ("httpGet", "tcpSocket"):
        if host := ((handler or {}).get(kind) or {}).get("host"):
            yield host


def _probe_hosts(_: JSON, spec: JSON) -> Refusal | None:
    found: dict[str, set[str]] = {}
    for name, container, _own in containers_of(spec):
        lifecycle = container.get("lifecycle") or {}
        handlers = [container.get(f"{each}Probe") for each in ("liveness", "readiness", "startup")]
        handlers += [lifecycle.get("postStart"), lifecycle.get("preStop")]
        if hosts := {host for handler in handlers for host in _hosts(handler)}:
            found[name] = hosts
    if not found:
        return None
    bad, all_hosts = sorted(found), sorted(set().union(*found.values()))
    what = "probe or lifecycle host"
    uses = f"{plural(len(bad), 'uses', 'use')} {plural(len(all_hosts), what)}"
    return Refusal(what, f"{named(bad)} {uses} {quoted(all_hosts)}")


def _privileged(_: JSON, spec: JSON) -> Refusal | None:
    bad = [name for name, _, own in containers_of(spec) if own.get("privileged")]
    if not bad:
        return None
    return Refusal("privileged", f"{named(bad)} must not set securityContext.privileged=true")


def proc_mount(_: JSON, spec: JSON) -> Refusal | None:
    """What hides nothing of /proc."""
    found = {
        name: own["procMount"]
        for name, _, own in containers_of(spec)
        if own.get("procMount") not in (None, "Default")
    }
    if not found:
        return None
    kinds = quoted(sorted(set(found.values())))
    detail = f"{named(list(found))} must not set securityContext.procMount to {kinds}"
    return Refusal("procMount", detail)


def _selinux(allowed: Sequence[str]) -> Check:
    def check(_: JSON, spec: JSON) -> Refusal | None:
        types: set[str] = set()
        others: set[str] = set()

        def bad(context: JSON) -> bool:
            options = context.get("seLinuxOptions") or {}
            own = {options.get("type") or ""}.difference(allowed)
            set_ones = {each for each in ("user", "role") if options.get(each)}
            types.update(own)
            others.update(set_ones)
            return bool(own or set_ones)

        of_pod = bad(pod_context(spec))
        setters = named_setters(of_pod, [name for name, _, own in containers_of(spec) if bad(own)])
        if not setters:
            return None
        data = [f"{plural(len(types), 'type')} {quoted(sorted(types))}"] if types else []
        data += [f"{each} may not be set" for each in ("user", "role") if each in others]
        what = "set forbidden securityContext.seLinuxOptions"
        return Refusal("seLinuxOptions", f"{' and '.join(setters)} {what}: {'; '.join(data)}")

    return check


_SELINUX = ("", "container_t", "container_init_t", "container_kvm_t")
_SECCOMP = ("RuntimeDefault", "Localhost")
_SECCOMP_NOTE = "seccomp.security.alpha.kubernetes.io/pod"
_SECCOMP_OF_CONTAINER = "container.seccomp.security.alpha.kubernetes.io/"


def _seccomp_annotations(meta: JSON, spec: JSON) -> Refusal | None:
    keys = {_SECCOMP_NOTE, *(f"{_SECCOMP_OF_CONTAINER}{name}" for name, *_ in containers_of(spec))}
    bad = sorted(
        f'{key}="{value}"'
        for key, value in (meta.get("annotations") or {}).items()
        if key in keys
        and value not in ("runtime/default", "docker/default")
        and not value.startswith("localhost/")
    )
    if not bad:
        return None
    detail = f"forbidden {plural(len(bad), 'annotation')} {', '.join(bad)}"
    return Refusal("seccompProfile", detail)


def seccomp(_: JSON, spec: JSON) -> Refusal | None:
    """Another profile of seccomp than those that are allowed."""

    def bad(context: JSON) -> str | None:
        profile = context.get("seccompProfile")
        kind: str = (profile or {}).get("type", "")
        return kind if profile is not None and kind not in _SECCOMP else None

    of_pod = bad(pod_context(spec))
    found = {name: kind for name, _, own in containers_of(spec) if (kind := bad(own)) is not None}
    setters = named_setters(of_pod is not None, list(found))
    if not setters:
        return None
    values = sorted({*found.values(), *([] if of_pod is None else [of_pod])})
    what = "must not set securityContext.seccompProfile.type to"
    return Refusal("seccompProfile", f"{' and '.join(setters)} {what} {quoted(values)}")


_SYSCTLS = (
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.ping_group_range",
    "net.ipv4.ip_unprivileged_port_start",
)
_SYSCTLS_27 = (*_SYSCTLS, "net.ipv4.ip_local_reserved_ports")
_SYSCTLS_29 = (
    *_SYSCTLS_27,
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
)
_SYSCTLS_32 = (*_SYSCTLS_29, "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem")


def _sysctls(allowed: Sequence[str]) -> Check:
    def check(_: JSON, spec: JSON) -> Refusal | None:
        named = [each["name"] for each in pod_context(spec).get("sysctls") or ()]
        bad = [name for name in named if name not in allowed]
        return Refusal("forbidden sysctls", ", ".join(bad)) if bad else None

    return check


def _host_process(_: JSON, spec: JSON) -> Refusal | None:
    def bad(context: JSON) -> bool:
        return bool((context.get("windowsOptions") or {}).get("hostProcess"))

    setters = named_setters(
        bad(pod_context(spec)), [name for name, _, own in containers_of(spec) if bad(own)]
    )
    if not setters:
        return None
    what = "must not set securityContext.windowsOptions.hostProcess=true"
    return Refusal("hostProcess", f"{' and '.join(setters)} {what}")


CHECKS = (
    VersionedCheck("appArmorProfile", 0, _app_armor),
    VersionedCheck("capabilities_baseline", 0, _default_capabilities),
    VersionedCheck("hostNamespaces", 0, _host_namespaces),
    VersionedCheck("hostPathVolumes", 0, _host_paths),
    VersionedCheck("hostPorts", 0, _host_ports),
    VersionedCheck("hostProbesAndHostLifecycle", 34, _probe_hosts),
    VersionedCheck("privileged", 0, _privileged),
    VersionedCheck("procMount", 0, proc_mount),
    VersionedCheck("procMount", 35, not_in_user_namespace(proc_mount)),
    VersionedCheck("seLinuxOptions", 0, _selinux(_SELINUX)),
    VersionedCheck("seLinuxOptions", 31, _selinux((*_SELINUX, "container_engine_t"))),
    VersionedCheck("seccompProfile_baseline", 0, _seccomp_annotations),
    VersionedCheck("seccompProfile_baseline", 19, seccomp),
    VersionedCheck("sysctls", 0, _sysctls(_SYSCTLS)),
    VersionedCheck("sysctls", 27, _sysctls(_SYSCTLS_27)),
    VersionedCheck("sysctls", 29, _sysctls(_SYSCTLS_29)),
    VersionedCheck("sysctls", 32, _sysctls(_SYSCTLS_32)),
    VersionedCheck("windowsHostProcess", 0, _host_process),
)
"""Later versions of a name after earlier ones."""
