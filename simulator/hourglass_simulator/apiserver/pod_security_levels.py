"""Which checks of Pod Security hold, by level and version.

https://github.com/kubernetes/pod-security-admission/tree/v0.34.4/policy
"""

from collections.abc import Iterable, Iterator

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import pod_security_baseline as baseline
from hourglass_simulator.apiserver import pod_security_restricted as restricted
from hourglass_simulator.apiserver.pod_security_check import Refusal, VersionedCheck

LATEST = 10_000
"""The minor version that `latest` stands for."""


def refusals(level: str, minor: int, meta: JSON, spec: JSON) -> Iterator[Refusal]:
    """What a level forbids of a pod; `minor` is the version of the policy."""
    levels = [_chosen(baseline.CHECKS, minor)]
    if level == "restricted":
        levels.append(_chosen(restricted.CHECKS, minor))
    overridden = {each.overrides for checks in levels for each in checks}
    for each in (each for checks in levels for each in checks):
        if each.name not in overridden and (found := each.check(meta, spec)) is not None:
            yield found


def _chosen(checks: Iterable[VersionedCheck], minor: int) -> list[VersionedCheck]:
    """The latest version of each, sorted by name."""
    latest = {each.name: each for each in checks if each.since <= minor}
    return [latest[name] for name in sorted(latest)]
