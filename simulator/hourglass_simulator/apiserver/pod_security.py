"""Pod Security admission: the policies of a namespace, and what they say of its pods.

https://github.com/kubernetes/pod-security-admission/blob/v0.34.4/admission/admission.go
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.pod_security_check import Refusal
from hourglass_simulator.apiserver.pod_security_levels import LATEST, refusals
from hourglass_simulator.apiserver.schema_error import ErrorType, FieldError

PREFIX = "pod-security.kubernetes.io/"
_LEVELS = ("privileged", "baseline", "restricted")
_VERSION = re.compile(r"v1\.([0-9]|[1-9][0-9]*)")
_MOST_PODS = 3000
"""How many pods are looked at when the policy of their namespace changes."""
_TEMPLATES: Mapping[str, tuple[str, ...]] = {
    "cronjobs.batch": ("spec", "jobTemplate", "spec", "template"),
    "daemonsets.apps": ("spec", "template"),
    "deployments.apps": ("spec", "template"),
    "jobs.batch": ("spec", "template"),
    "podtemplates": ("template",),
    "replicasets.apps": ("spec", "template"),
    "replicationcontrollers": ("spec", "template"),
    "statefulsets.apps": ("spec", "template"),
}
WITH_TEMPLATES = tuple(_TEMPLATES)
"""The resources that make pods of a template."""


class LevelVersion(NamedTuple):
    """A level in the version of a minor release."""

    level: str = "privileged"
    minor: int = LATEST

    def __str__(self) -> str:
        return f"{self.level}:{'latest' if self.minor == LATEST else f'v1.{self.minor}'}"


class Policy(NamedTuple):
    """What a namespace enforces, notes in the audit log and warns of."""

    enforce: LevelVersion
    audit: LevelVersion
    warn: LevelVersion


def policy(labels: Mapping[str, str]) -> tuple[Policy, list[FieldError]]:
    """The policy that labels describe, and what is wrong with them.

    What is enforced and cannot be read is restricted; versions that cannot be read are the latest.
    """
    faults: list[FieldError] = []
    found = {}
    for mode in ("enforce", "audit", "warn"):
        level, minor = "privileged", LATEST
        key = f"{PREFIX}{mode}"
        if key in labels:
            known = labels[key] in _LEVELS
            level = labels[key] if known else "restricted" if mode == "enforce" else level
            if not known:
                faults.append(_fault(key, labels[key], f"must be one of {', '.join(_LEVELS)}"))
        key = f"{PREFIX}{mode}-version"
        if key in labels and labels[key] != "latest":
            match = _VERSION.fullmatch(labels[key])
            minor = LATEST if match is None else int(match[1])
            if match is None:
                faults.append(_fault(key, labels[key], 'must be "latest" or "v1.x"'))
        found[mode] = LevelVersion(level, minor)
    enforce, warn = found["enforce"], found["warn"]
    if labels.get(f"{PREFIX}enforce") in _LEVELS and f"{PREFIX}warn" not in labels:
        # Who enforces a level is warned of it too.
        stricter = _LEVELS.index(enforce.level) > _LEVELS.index(warn.level)
        minor = warn.minor if f"{PREFIX}warn-version" in labels else enforce.minor
        warn = LevelVersion(enforce.level, minor) if stricter else warn
    return Policy(enforce, found["audit"], warn), faults


def template(resource: str, obj: JSON) -> tuple[JSON, JSON] | None:
    """(metadata, spec) of the pods that an object makes; None for other resources."""
    path = _TEMPLATES.get(resource)
    if path is None:
        return None
    for name in path:
        obj = obj.get(name) or {}
    return obj.get("metadata") or {}, obj.get("spec") or {}


def enforced(found: Policy, meta: JSON, spec: JSON) -> str:
    """Why a pod is refused; empty when it is not."""
    if text := _listed(found.enforce, meta, spec):
        return f'violates PodSecurity "{found.enforce}": {text}'
    return ""


def warned(found: Policy, meta: JSON, spec: JSON) -> str:
    """What is warned of; empty when nothing is."""
    if text := _listed(found.warn, meta, spec):
        return f'would violate PodSecurity "{found.warn}": {text}'
    return ""


def is_significant(new: JSON, old: JSON) -> bool:
    """Whether a changed pod is looked at again: for its images and its containers."""
    images = []
    for pod in (new, old):
        spec = pod["spec"]
        images.append(
            [
                [(each["name"], each.get("image")) for each in spec.get(field) or ()]
                for field in ("containers", "initContainers", "ephemeralContainers")
            ]
        )
    return images[0] != images[1]


def of_namespace(namespace: str, new: Policy, old: Policy, pods: Iterable[JSON]) -> list[str]:
    """The warnings about the pods of a namespace that enforces more than before."""
    enforce = new.enforce
    if enforce in (old.enforce, LevelVersion("privileged", enforce.minor)):
        return []
    relaxed = _LEVELS.index(enforce.level) <= _LEVELS.index(old.enforce.level)
    if enforce.minor == old.enforce.minor and relaxed:
        return []
    violating: dict[str, list[str]] = {}
    for pod in list(_prioritized(pods))[:_MOST_PODS]:
        found = _refusals(enforce, pod["metadata"], pod["spec"])
        if reasons := ", ".join(each.reason for each in found):
            violating.setdefault(reasons, []).append(pod["metadata"]["name"])
    if not violating:
        return []
    title = f'existing pods in namespace "{namespace}" violate the new PodSecurity enforce level'
    return [f'{title} "{enforce}"', *sorted(_of_pods(names, r) for r, names in violating.items())]


def _of_pods(names: list[str], reasons: str) -> str:
    first, others = min(names), len(names) - 1
    more = f" (and {others} other pod{'s' if others > 1 else ''})" if others else ""
    return f"{first}{more}: {reasons}"


def _prioritized(pods: Iterable[JSON]) -> Iterator[JSON]:
    """The first pod of each controller comes before its others."""
    seen, later = set(), []
    for pod in pods:
        owners = pod["metadata"].get("ownerReferences") or ()
        owner = next((each["uid"] for each in owners if each.get("controller")), None)
        if owner in seen:
            later.append(pod)
            continue
        if owner is not None:
            seen.add(owner)
        yield pod
    yield from later


def _refusals(wanted: LevelVersion, meta: JSON, spec: JSON) -> Iterator[Refusal]:
    if wanted.level == "privileged":
        return iter(())
    return refusals(wanted.level, wanted.minor, meta, spec)


def _listed(wanted: LevelVersion, meta: JSON, spec: JSON) -> str:
    found = _refusals(wanted, meta, spec)
    return ", ".join(f"{r.reason} ({r.detail})" if r.detail else r.reason for r in found)


def _fault(label: str, value: str, why: str) -> FieldError:
    return FieldError(ErrorType.INVALID, f"metadata.labels[{label}]", value, why)
