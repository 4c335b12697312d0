"""What the level restricted of Pod Security forbids beyond baseline.

https://github.com/kubernetes/pod-security-admission/tree/v0.34.4/policy
"""

from typing import Any

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.pod_security_baseline import (
    added_capabilities,
    proc_mount,
    seccomp,
)
from hourglass_simulator.apiserver.pod_security_check import (
    Refusal,
    VersionedCheck,
    containers_of,
    named,
    named_setters,
    not_in_user_namespace,
    not_on_windows,
    plural,
    pod_context,
    quoted,
)


def _escalation(_: JSON, spec: JSON) -> Refusal | None:
    bad = [
        name
        for name, _, own in containers_of(spec)
        if own.get("allowPrivilegeEscalation") is not False
    ]
    if not bad:
        return None
    what = "must set securityContext.allowPrivilegeEscalation=false"
    return Refusal("allowPrivilegeEscalation != false", f"{named(bad)} {what}")


def _restricted_capabilities(_: JSON, spec: JSON) -> Refusal | None:
    keeping = [
        name
        for name, _, own in containers_of(spec)
        if "ALL" not in ((own.get("capabilities") or {}).get("drop") or ())
    ]
    details = []
    if keeping:
        details.append(f'{named(keeping)} must set securityContext.capabilities.drop=["ALL"]')
    adding, added = added_capabilities(spec, ["NET_BIND_SERVICE"])
    if adding:
        what = f"must not include {quoted(added)} in securityContext.capabilities.add"
        details.append(f"{named(adding)} {what}")
    return Refusal("unrestricted capabilities", "; ".join(details)) if details else None


_VOLUMES = frozenset(
    (
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "image",
        "persistentVolumeClaim",
        "projected",
        "secret",
    )
)


def _volumes(_: JSON, spec: JSON) -> Refusal | None:
    bad: dict[str, Any] = {}
    for volume in spec.get("volumes") or ():
        sources = [each for each, value in volume.items() if each != "name" and value is not None]
        if not _VOLUMES.intersection(sources):
            bad[volume["name"]] = sources[0] if sources else "unknown"
    if not bad:
        return None
    kinds = sorted(set(bad.values()))
    uses = plural(len(bad), "uses", "use")
    what = plural(len(kinds), "restricted volume type")
    detail = f"{plural(len(bad), 'volume')} {quoted(bad)} {uses} {what} {quoted(kinds)}"
    return Refusal("restricted volume types", detail)


def _non_root(_: JSON, spec: JSON) -> Refusal | None:
    reason, of_pod = "runAsNonRoot != true", pod_context(spec).get("runAsNonRoot")
    own = {name: context.get("runAsNonRoot") for name, _, context in containers_of(spec)}
    explicit = [name for name, value in own.items() if value is False]
    if setters := named_setters(of_pod is False, explicit):
        what = "must not set securityContext.runAsNonRoot=false"
        return Refusal(reason, f"{' and '.join(setters)} {what}")
    silent = [name for name, value in own.items() if value is None and not of_pod]
    if not silent:
        return None
    return Refusal(reason, f"pod or {named(silent)} must set securityContext.runAsNonRoot=true")


def _user(_: JSON, spec: JSON) -> Refusal | None:
    bad = [name for name, _, own in containers_of(spec) if own.get("runAsUser") == 0]
    setters = named_setters(pod_context(spec).get("runAsUser") == 0, bad)
    if not setters:
        return None
    return Refusal("runAsUser=0", f"{' and '.join(setters)} must not set runAsUser=0")


def _restricted_seccomp(meta: JSON, spec: JSON) -> Refusal | None:
    if explicit := seccomp(meta, spec):
        return explicit
    if pod_context(spec).get("seccompProfile") is not None:
        return None
    silent = [name for name, _, own in containers_of(spec) if own.get("seccompProfile") is None]
    if not silent:
        return None
    what = 'must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"'
    return Refusal("seccompProfile", f"pod or {named(silent)} {what}")


CHECKS = (
    VersionedCheck("allowPrivilegeEscalation", 8, _escalation),
    VersionedCheck("allowPrivilegeEscalation", 25, not_on_windows(_escalation)),
    VersionedCheck(
        "capabilities_restricted", 22, _restricted_capabilities, "capabilities_baseline"
    ),
    VersionedCheck(
        "capabilities_restricted",
        25,
        not_on_windows(_restricted_capabilities),
        "capabilities_baseline",
    ),
    VersionedCheck("procMount_restricted", 35, proc_mount, "procMount"),
    VersionedCheck("restrictedVolumes", 0, _volumes, "hostPathVolumes"),
    VersionedCheck("runAsNonRoot", 0, _non_root),
    VersionedCheck("runAsNonRoot", 35, not_in_user_namespace(_non_root)),
    VersionedCheck("runAsUser", 23, _user),
    VersionedCheck("runAsUser", 35, not_in_user_namespace(_user)),
    VersionedCheck("seccompProfile_restricted", 19, _restricted_seccomp, "seccompProfile_baseline"),
    VersionedCheck(
        "seccompProfile_restricted",
        25,
        not_on_windows(_restricted_seccomp),
        "seccompProfile_baseline",
    ),
)
"""Later versions of a name after earlier ones."""
