"""Security contexts of pods and containers.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/apis/core/validation/validation.go
"""

import re

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import gates
from hourglass_simulator.apiserver.rules import names, paths
from hourglass_simulator.apiserver.rules.fault import (
    Faults,
    duplicate,
    each,
    forbidden,
    invalid,
    not_supported,
    one_of,
    required,
    too_long,
    user_or_group,
)
from hourglass_simulator.apiserver.rules.go_text import printed

_PROFILES = ("Localhost", "RuntimeDefault", "Unconfined")
_LONGEST_PROFILE = 4095
_SYSCTL_LENGTH = 253
_SYSCTL_SEGMENT = "[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
_SYSCTL = rf"^({_SYSCTL_SEGMENT}[\./])*{_SYSCTL_SEGMENT}$"
_OF_PROCESSES = frozenset(
    [
        *("kernel.sem", "kernel.shm", "kernel.shmall", "kernel.shmmax", "kernel.shmmni"),
        *("kernel.shm_rmid_forced", "kernel.msg", "kernel.msgmax", "kernel.msgmnb"),
        "kernel.msgmni",
    ]
)
_LONGEST_SPEC_KIB = 64
_LONGEST_DOMAIN = 255
_LONGEST_USER = 104
_NETBIOS = r'[^\\/:*?"<>|.][^\\/:*?"<>|]{0,14}'
_DNS_PART = "[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_DNS = rf"{_DNS_PART}(?:\.{_DNS_PART})*"


def of_pod(path: str, spec: JSON) -> Faults:
    """The security context of a pod; the host's namespaces are in its spec."""
    context, where = spec.get("securityContext"), f"{path}.securityContext"
    if context is None:
        return
    for field in ("fsGroup", "runAsUser", "runAsGroup"):
        yield from user_or_group(f"{where}.{field}", context.get(field))
    for index, group in enumerate(context.get("supplementalGroups") or ()):
        yield from user_or_group(f"{where}.supplementalGroups[{index}]", group)
    if spec.get("shareProcessNamespace") and spec.get("hostPID"):
        why = "ShareProcessNamespace and HostPID cannot both be enabled"
        parent = path if gates.since(37) else where
        yield invalid(f"{parent}.shareProcessNamespace", value=True, detail=why)
    yield from _sysctls(f"{where}.sysctls", context.get("sysctls") or [], spec)
    if context.get("fsGroupChangePolicy") is not None:
        policy = context["fsGroupChangePolicy"]
        yield from one_of(f"{where}.fsGroupChangePolicy", policy, ("Always", "OnRootMismatch"))
    yield from _seccomp(f"{where}.seccompProfile", context.get("seccompProfile"))
    yield from _windows(f"{where}.windowsOptions", context.get("windowsOptions"))
    yield from app_armor(f"{where}.appArmorProfile", context.get("appArmorProfile"))
    for field, policies in (
        ("supplementalGroupsPolicy", ("Merge", "Strict")),
        ("seLinuxChangePolicy", ("MountOption", "Recursive")[not gates.enabled("SELinuxMount") :]),
    ):
        if context.get(field) is not None:
            yield from one_of(f"{where}.{field}", context[field], policies)


def of_container(path: str, context: JSON | None, *, host_users: bool) -> Faults:
    """The security context of a container."""
    if context is None:
        return
    for field in ("runAsUser", "runAsGroup"):
        yield from user_or_group(f"{path}.{field}", context.get(field))
    mount = context.get("procMount")
    if mount is not None:
        yield from one_of(f"{path}.procMount", mount, ("Default", "Unmasked"))
        if host_users and mount == "Unmasked":
            why = "`hostUsers` must be false to use `Unmasked`"
            yield invalid(f"{path}.procMount", mount, why)
    yield from _seccomp(f"{path}.seccompProfile", context.get("seccompProfile"))
    if context.get("allowPrivilegeEscalation") is False:
        why = "cannot set `allowPrivilegeEscalation` to false and "
        shown = printed("core.SecurityContext", context)
        if context.get("privileged"):
            yield invalid(path, shown, f"{why}`privileged` to true")
        for capability in (context.get("capabilities") or {}).get("add") or ():
            if capability == "CAP_SYS_ADMIN":
                yield invalid(path, shown, f"{why}`capabilities.Add` CAP_SYS_ADMIN")
    yield from _windows(f"{path}.windowsOptions", context.get("windowsOptions"))
    yield from app_armor(f"{path}.appArmorProfile", context.get("appArmorProfile"))


def _sysctls(path: str, given: list[JSON], spec: JSON) -> Faults:
    seen: set[str] = set()
    for index, sysctl in enumerate(given):
        field, name = f"{path}[{index}].name", sysctl.get("name") or ""
        if not name:
            yield required(field)
        elif len(name) > _SYSCTL_LENGTH or not re.search(_SYSCTL, name):
            why = f"must have at most {_SYSCTL_LENGTH} characters and match regex {_SYSCTL}"
            yield invalid(field, name, why)
        elif name in seen:
            yield duplicate(field, name)
        seen.add(name)
        dotted = name.replace("/", ".")
        if spec.get("hostNetwork") and dotted.startswith("net."):
            yield invalid(field, name, "may not be specified when 'hostNetwork' is true")
        elif spec.get("hostIPC") and (dotted in _OF_PROCESSES or dotted.startswith("fs.mqueue.")):
            yield invalid(field, name, "may not be specified when 'hostIPC' is true")


def _seccomp(path: str, profile: JSON | None) -> Faults:
    if profile is None:
        return
    kind, local = profile.get("type") or "", profile.get("localhostProfile")
    if not kind:
        yield required(f"{path}.type", "type is required when seccompProfile is set")
    elif kind not in _PROFILES:
        yield not_supported(f"{path}.type", kind, _PROFILES)
    field = f"{path}.localhostProfile"
    if kind != "Localhost":
        if local is not None:
            why = "can only be set when seccomp type is Localhost"
            yield invalid(field, printed("core.SeccompProfile", profile), why)
    elif local is None:
        yield required(field, "must be set when seccomp type is Localhost")
    else:
        yield from paths.descending(field, local)


def app_armor(path: str, profile: JSON | None) -> Faults:
    """A profile of AppArmor."""
    if profile is None:
        return
    kind, local = profile.get("type") or "", profile.get("localhostProfile")
    field = f"{path}.localhostProfile"
    if kind == "Localhost":
        if local is None:
            yield required(field, "must be set when AppArmor type is Localhost")
            return
        if local.strip() != local:
            yield invalid(field, local, "must not be padded with whitespace")
        elif not local:
            yield required(field, "must be set when AppArmor type is Localhost")
        if len(local) > _LONGEST_PROFILE:
            yield too_long(field, _LONGEST_PROFILE)
    elif not kind:
        yield required(f"{path}.type", "type is required when appArmorProfile is set")
    elif kind not in _PROFILES:
        yield not_supported(f"{path}.type", kind, _PROFILES)
    elif local is not None:
        yield invalid(field, local, "can only be set when AppArmor type is Localhost")


def _windows(path: str, options: JSON | None) -> Faults:
    if options is None:
        return
    name, spec = options.get("gmsaCredentialSpecName"), options.get("gmsaCredentialSpec")
    if name is not None:
        yield from each(f"{path}.gmsaCredentialSpecName", name, names.dns_subdomain(name))
    if spec is not None:
        field = f"{path}.gmsaCredentialSpec"
        if not spec:
            yield invalid(field, spec, "gmsaCredentialSpec cannot be an empty string")
        elif len(spec) > _LONGEST_SPEC_KIB * 1024:
            why = f"gmsaCredentialSpec size must be under {_LONGEST_SPEC_KIB} KiB"
            yield invalid(field, spec, why)
    if options.get("runAsUserName") is not None:
        user = options["runAsUserName"]
        yield from each(f"{path}.runAsUserName", user, _user_faults(user))


def _user_faults(name: str) -> list[str]:
    *domains, user = name.split("\\")
    if not name:
        return ["runAsUserName cannot be an empty string"]
    if re.search(r"[\x00-\x1f\x7f]", name):
        return ["runAsUserName cannot contain control characters"]
    if len(domains) > 1:
        return ["runAsUserName cannot contain more than one backslash"]
    domain, whose = "".join(domains), "runAsUserName's User"
    well_formed = re.fullmatch(_NETBIOS, domain) or re.fullmatch(_DNS, domain)
    checks = (
        (
            len(domain) > _LONGEST_DOMAIN,
            f"runAsUserName's Domain length must be under {_LONGEST_DOMAIN + 1} characters",
        ),
        (
            bool(domains) and not well_formed,
            "runAsUserName's Domain doesn't match the NetBios nor the DNS format",
        ),
        (not user, f"{whose} cannot be empty"),
        (
            len(user) > _LONGEST_USER,
            f"{whose} length must not be longer than {_LONGEST_USER} characters",
        ),
        (bool(re.fullmatch("[. ]+", user)), f"{whose} cannot contain only periods or spaces"),
        (
            bool(re.search(r'["/\\:;|=,+*?<>@\[\]]', user)),
            f'{whose} cannot contain the following characters: "/\\:;|=,+*?<>@[]',
        ),
    )
    return [why for wrong, why in checks if wrong]


KINDS = ("initContainers", "containers", "ephemeralContainers")


def containers(path: str, spec: JSON) -> list[tuple[str, JSON]]:
    """All containers of a pod with their paths, in the order in which Kubernetes visits them."""
    return [
        (f"{path}.{kind}[{index}]", container)
        for kind in KINDS
        for index, container in enumerate(spec.get(kind) or ())
    ]


def host_processes(path: str, spec: JSON) -> Faults:
    """Containers of Windows that are processes of the host: all of a pod or none."""
    options = (spec.get("securityContext") or {}).get("windowsOptions") or {}
    of_whole, every = options.get("hostProcess"), containers(path, spec)
    count = 0
    for where, container in every:
        own = ((container.get("securityContext") or {}).get("windowsOptions") or {}).get(
            "hostProcess"
        )
        if of_whole is not None and own is not None and of_whole != own:
            why = "pod hostProcess value must be identical if both are specified, was "
            why += str(of_whole).lower()
            yield invalid(f"{where}.securityContext.windowsOptions.hostProcess", own, why)
        count += bool(of_whole if own is None else own)
    if not count:
        return
    if count != len(every):
        why = "If pod contains any hostProcess containers then all containers must be HostProcess "
        yield invalid(path, "", f"{why}containers")
    if not spec.get("hostNetwork"):
        why = "hostNetwork must be true if pod contains any hostProcess containers"
        yield invalid(f"{path}.hostNetwork", value=False, detail=why)


def host_users(path: str, spec: JSON) -> Faults:
    """What a pod with users of its own may not have."""
    if spec.get("hostUsers") is not False:
        return
    for field, shown in (
        ("hostNetwork", "hostNetwork"),
        ("hostPID", "HostPID"),
        ("hostIPC", "HostIPC"),
    ):
        if spec.get(field):
            yield forbidden(f"{path}.{shown}", "when `hostUsers` is false")
    for where, container in containers(path, spec):
        if container.get("volumeDevices"):
            yield forbidden(f"{where}.volumeDevices", "when `hostUsers` is false")


_NOT_IN_WINDOWS_PODS = (
    *("securityContext.appArmorProfile", "securityContext.seLinuxOptions", "hostUsers"),
    *("hostPID", "hostIPC", "securityContext.seccompProfile", "securityContext.fsGroup"),
    *("securityContext.fsGroupChangePolicy", "securityContext.sysctls", "shareProcessNamespace"),
    *("securityContext.runAsUser", "securityContext.runAsGroup"),
    *("securityContext.supplementalGroups", "securityContext.supplementalGroupsPolicy"),
    "securityContext.seLinuxChangePolicy",
)
_FALSE_IS_NOTHING = ("hostPID", "hostIPC")
_NOT_IN_WINDOWS_CONTAINERS = (
    *("appArmorProfile", "seLinuxOptions", "seccompProfile", "capabilities"),
    *("readOnlyRootFilesystem", "privileged", "allowPrivilegeEscalation", "procMount"),
    *("runAsUser", "runAsGroup"),
)


def operating_system(path: str, spec: JSON) -> Faults:
    """What the pod's operating system does not have."""
    system = spec.get("os")
    if system is None:
        return
    name = system.get("name") or ""
    if not name:
        yield required(f"{path}.os.name")
    elif name == "linux":
        yield from _linux(path, spec)
    elif name == "windows":
        yield from _of_windows(path, spec)
    else:
        yield not_supported(f"{path}.os", name, ("linux", "windows"))


def _linux(path: str, spec: JSON) -> Faults:
    for where, holder in [(path, spec), *containers(path, spec)]:
        if (holder.get("securityContext") or {}).get("windowsOptions") is not None:
            why = "windows options cannot be set for a linux pod"
            yield forbidden(f"{where}.securityContext.windowsOptions", why)


def _of_windows(path: str, spec: JSON) -> Faults:
    why = "cannot be set for a windows pod"
    for field in _NOT_IN_WINDOWS_PODS:
        section, _, name = field.rpartition(".")
        value = (spec.get(section) or {} if section else spec).get(name)
        if value is not None and not (name in _FALSE_IS_NOTHING and not value):
            yield forbidden(f"{path}.{field}", why)
    for where, container in containers(path, spec):
        context = container.get("securityContext") or {}
        for name in _NOT_IN_WINDOWS_CONTAINERS:
            if context.get(name) is not None:
                yield forbidden(f"{where}.securityContext.{name}", why)
