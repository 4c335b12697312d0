"""Pod Security admission: the checks that a pod without host access can fail.

Baseline forbids what only pods with host access have, so it refuses nothing here.
https://kubernetes.io/docs/concepts/security/pod-security-standards/
"""

from collections.abc import Callable
from typing import Any

from hourglass_kube.types import JSON

ENFORCE = "pod-security.kubernetes.io/enforce"
ENFORCE_VERSION = f"{ENFORCE}-version"
RESTRICTED = "restricted"


def refusal(namespace_labels: dict[str, str], spec: JSON) -> str:
    """Why a namespace refuses a pod; empty when it does not."""
    if namespace_labels.get(ENFORCE) != RESTRICTED:
        return ""
    violations = [text for check in _CHECKS if (text := check(spec))]
    version = namespace_labels.get(ENFORCE_VERSION, "latest")
    listed = ", ".join(violations)
    return f'violates PodSecurity "{RESTRICTED}:{version}": {listed}' if violations else ""


def _escalation(spec: JSON) -> str:
    bad = _containers(spec, lambda own: own.get("allowPrivilegeEscalation") is not False)
    must = "must set securityContext.allowPrivilegeEscalation=false"
    return f"allowPrivilegeEscalation != false ({bad} {must})" if bad else ""


def _capabilities(spec: JSON) -> str:
    bad = _containers(
        spec, lambda own: "ALL" not in (own.get("capabilities") or {}).get("drop", ())
    )
    must = 'must set securityContext.capabilities.drop=["ALL"]'
    return f"unrestricted capabilities ({bad} {must})" if bad else ""


def _root(spec: JSON) -> str:
    inherited = (spec.get("securityContext") or {}).get("runAsNonRoot")
    bad = _containers(spec, lambda own: not own.get("runAsNonRoot", inherited))
    must = "must set securityContext.runAsNonRoot=true"
    return f"runAsNonRoot != true (pod or {bad} {must})" if bad else ""


def _seccomp(spec: JSON) -> str:
    inherited = (spec.get("securityContext") or {}).get("seccompProfile")
    bad = _containers(spec, lambda own: not (own.get("seccompProfile") or inherited))
    must = 'must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"'
    return f"seccompProfile (pod or {bad} {must})" if bad else ""


_CHECKS = (_escalation, _capabilities, _root, _seccomp)


def _containers(spec: JSON, bad: Callable[[dict[str, Any]], bool]) -> str:
    """The containers whose security context is bad, as messages name them."""
    names = [
        f'"{container["name"]}"'
        for field in ("initContainers", "containers")
        for container in spec.get(field) or ()
        if bad(container.get("securityContext") or {})
    ]
    word = "container" if len(names) == 1 else "containers"
    return f"{word} {', '.join(names)}" if names else ""
