"""What a ResourceQuota counts of a pod that has not ended.

https://kubernetes.io/docs/concepts/policy/resource-quotas/#types-of-resource-quota
https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/quota/v1/evaluator/core/pods.go
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from hourglass_kube.podresources import limits, requests

QuotaUsage = tuple[tuple[str, int], ...]
"""Amounts by the names that quotas have for them, sorted; CPU in thousandths of a core."""

_BARE = ("cpu", "memory", "ephemeral-storage", "hugepages-")


def quota_usage(pod_spec: Mapping[str, Any]) -> QuotaUsage:
    """One object for all pods that ask for the same."""
    return _shared(tuple(sorted(_entries(pod_spec))))


def _entries(pod_spec: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    yield from (("pods", 1), ("count/pods", 1))
    for name, count in requests(pod_spec).items():
        yield f"requests.{name}", count
        if name.startswith(_BARE):
            yield name, count
    for name, count in limits(pod_spec).items():
        if name.startswith(_BARE):
            yield f"limits.{name}", count


@lru_cache(maxsize=1024)
def _shared(usage: QuotaUsage) -> QuotaUsage:
    return usage
