"""Whether a container may run as it would: its user, its seccomp and AppArmor profiles.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/kubelet/kuberuntime/security_context.go
"""

from collections.abc import Mapping
from typing import Any

from hourglass_kube.types import JSON
from hourglass_simulator.kubelet.workload import ROOT

PROFILES = "/var/lib/kubelet/seccomp"
"""Where a kubelet looks for profiles."""
APPARMOR = "/sys/module/apparmor/parameters/enabled"
"""What a node has whose kernel enforces AppArmor."""


def refusal(spec: JSON, container: JSON, user: str, pod: str) -> str | None:
    """Why a container may not run, as the kubelet says it; None if it may.

    `user` is the image's, empty if nothing is known of it; `pod` is name_namespace(uid).
    """
    own, of_pod = container.get("securityContext") or {}, spec.get("securityContext") or {}
    if not _either(own, of_pod, "runAsNonRoot"):
        return None
    where = f'(pod: "{pod}", container: {container["name"]})'
    chosen = _either(own, of_pod, "runAsUser")
    if chosen is not None:
        return f"container's runAsUser breaks non-root policy {where}" if chosen == 0 else None
    name = user.partition(":")[0]
    if name in ROOT and name.isdecimal():
        return f"container has runAsNonRoot and image will run as root {where}"
    if name and not name.isdecimal():
        return (
            f"container has runAsNonRoot and image has non-numeric user ({name}),"
            f" cannot verify user is non-root {where}"
        )
    return None


def missing_profile(spec: JSON, container: JSON, paths: Mapping[str, str]) -> str | None:
    """What containerd says of a seccomp profile that its node has not; see `Kubelets.equip`."""
    own, of_pod = container.get("securityContext") or {}, spec.get("securityContext") or {}
    profile = _either(own, of_pod, "seccompProfile")
    if not profile or profile.get("type") != "Localhost":
        return None
    path = f"{PROFILES}/{profile.get('localhostProfile', '')}"
    if paths.get(path) != "":
        return None
    return (
        f'failed to create containerd container: cannot load seccomp profile "{path}":'
        f" open {path}: no such file or directory"
    )


def apparmor_refusal(spec: JSON, paths: Mapping[str, str]) -> str | None:
    """Why a node without AppArmor takes no pod in that wants it; see `Kubelets.equip`.

    https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/security/apparmor/validate.go
    """
    contexts = [spec.get("securityContext")]
    for kind in ("containers", "initContainers", "ephemeralContainers"):
        contexts += [container.get("securityContext") for container in spec.get(kind) or ()]
    profiles = [(context or {}).get("appArmorProfile") for context in contexts]
    wanted = any(profile and profile["type"] != "Unconfined" for profile in profiles)
    if not wanted or paths.get(APPARMOR) != "":
        return None
    return "Cannot enforce AppArmor: AppArmor is not enabled on the host"


def _either(own: JSON, of_pod: JSON, field: str) -> Any:
    found = own.get(field)
    return of_pod.get(field) if found is None else found
