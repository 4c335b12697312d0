"""Annotations that say something about a pod's containers.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/apis/core/validation/validation.go
"""

import re
from collections.abc import Mapping

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.rules import paths
from hourglass_simulator.apiserver.rules.fault import Faults, forbidden, invalid
from hourglass_simulator.apiserver.rules.security import containers

MIRROR = "kubernetes.io/config.mirror"
APPARMOR = "container.apparmor.security.beta.kubernetes.io/"
SECCOMP_POD = "seccomp.security.alpha.kubernetes.io/pod"
SECCOMP_CONTAINER = "container.seccomp.security.alpha.kubernetes.io/"
_DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"
_LOCAL = "localhost/"
_RUNTIME_DEFAULTS = ("runtime/default", "docker/default")
_UNCONFINED = "unconfined"
_LARGEST_COST = 2**31


def annotations(path: str, meta: JSON, spec: JSON) -> Faults:
    """What is wrong with annotations that Kubernetes knows."""
    given: Mapping[str, str] = meta.get("annotations") or {}
    if MIRROR in given and not spec.get("nodeName"):
        why = "must set spec.nodeName if mirror pod annotation is set"
        yield invalid(f"{path}[{MIRROR}]", given[MIRROR], why)
    cost = given.get(_DELETION_COST)
    if cost is not None and not _is_cost(cost):
        yield invalid(f"{path}[{_DELETION_COST}]", cost, "must be a 32bit integer")
    for key in sorted(given):
        if key == SECCOMP_POD or key.startswith(SECCOMP_CONTAINER):
            yield from _seccomp(f"{path}.{key}", given[key])
    known = {c.get("name") for _, c in containers("", spec)}
    for key in sorted(given):
        if not key.startswith(APPARMOR):
            continue
        name = key.removeprefix(APPARMOR)
        if name not in known:
            yield invalid(f"{path}[{key}]", name, "container not found")
        if not re.match(rf"$|runtime/default$|{_UNCONFINED}$|{_LOCAL}", given[key]):
            why = f'invalid AppArmor profile name: "{given[key]}"'
            yield invalid(f"{path}[{key}]", given[key], why)


def _is_cost(text: str) -> bool:
    if not re.fullmatch("0|-?[1-9][0-9]*", text):
        return False
    return -_LARGEST_COST <= int(text) < _LARGEST_COST


def _seccomp(field: str, profile: str) -> Faults:
    if profile in (*_RUNTIME_DEFAULTS, _UNCONFINED):
        return
    if profile.startswith(_LOCAL):
        yield from paths.descending(field, profile.removeprefix(_LOCAL))
    else:
        yield invalid(field, profile, "must be a valid seccomp profile")


def agreeing(path: str, meta: JSON, spec: JSON) -> Faults:
    """Annotations that say something else than the fields that came after them."""
    given: Mapping[str, str] = meta.get("annotations") or {}
    if not given:
        return
    own = spec.get("securityContext") or {}
    if own.get("seccompProfile") is not None and SECCOMP_POD in given:
        field = f"{path}.securityContext.seccompProfile"
        yield from _same(field, given[SECCOMP_POD], own["seccompProfile"], "seccomp")
    for where, container in containers(path, spec):
        profile = (container.get("securityContext") or {}).get("seccompProfile")
        key = f"{SECCOMP_CONTAINER}{container.get('name')}"
        if profile is not None and key in given:
            field = f"{where}.securityContext.seccompProfile"
            yield from _same(field, given[key], profile, "seccomp")
    if (spec.get("os") or {}).get("name") == "windows":
        return
    for where, container in containers(path, spec):
        context = container.get("securityContext") or {}
        profile = context.get("appArmorProfile") or own.get("appArmorProfile")
        key = f"{APPARMOR}{container.get('name')}"
        if profile is not None and key in given:
            field = f"{where}.securityContext.appArmorProfile"
            yield from _same(field, given[key], profile, "apparmor")


def _same(path: str, annotation: str, profile: JSON, kind: str) -> Faults:
    expected = {"Unconfined": (_UNCONFINED,), "RuntimeDefault": _RUNTIME_DEFAULTS}
    found = profile.get("type")
    wrong = forbidden(f"{path}.type", f"{kind} type in annotation and field must match")
    if found in expected:
        allowed = expected[found] if kind == "seccomp" else expected[found][:1]
        if annotation not in allowed:
            yield wrong
    elif found == "Localhost":
        if not annotation.startswith(_LOCAL):
            yield wrong
        elif annotation.removeprefix(_LOCAL) != profile.get("localhostProfile"):
            why = f"{kind} profile in annotation and field must match"
            yield forbidden(f"{path}.localhostProfile", why)
