"""Pods: defaults, quality of service, generation and graceful deletion.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/registry/core/pod/strategy.go
"""

from typing import Any

from hourglass_operator.kube import quantity
from hourglass_simulator.apiserver.strategy import Strategy, kept
from hourglass_simulator.apiserver.watch import JSON

_COUNTED = ("cpu", "memory")
_ENDED = ("Succeeded", "Failed")


class PodStrategy(Strategy):
    """Admission has written the defaults already."""

    def create(self, obj: JSON) -> JSON:
        """With an empty status."""
        return {**obj, "status": {"phase": "Pending", "qosClass": qos_class(obj["spec"])}}

    def update(self, new: JSON, old: JSON, subresource: str) -> JSON:
        """The spec moves only in the fields that Kubernetes lets move."""
        if subresource == "status":
            result = _with_meta(kept(new, "spec", old), "ownerReferences", old)
            status = result.get("status") or {}
            if not status.get("qosClass"):
                result = {**result, "status": {**status, "qosClass": old["status"]["qosClass"]}}
            return result
        return kept(new, "status", old)

    def grace_period(self, obj: JSON, requested: int | None) -> int | None:
        """As asked, or as the pod says; 0 when it is not scheduled or has ended."""
        period = requested
        if period is None:
            period = obj["spec"].get("terminationGracePeriodSeconds", 0)
        if not obj["spec"].get("nodeName") or obj["status"].get("phase") in _ENDED:
            return 0
        return max(period, 1) if period < 0 else period


def _with_meta(obj: JSON, field: str, source: JSON) -> JSON:
    return {**obj, "metadata": kept(obj["metadata"], field, source["metadata"])}


def qos_class(spec: JSON) -> str:
    """Guaranteed, Burstable or BestEffort.

    https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/
    """
    containers = [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]
    asked = [_amounts(container, "requests") for container in containers]
    limits = [_amounts(container, "limits") for container in containers]
    if not any(asked) and not any(limits):
        return "BestEffort"
    guaranteed = all(
        len(limit) == len(_COUNTED) and limit == request
        for limit, request in zip(limits, asked, strict=True)
    )
    return "Guaranteed" if guaranteed else "Burstable"


def _amounts(container: JSON, field: str) -> dict[str, Any]:
    given = (container.get("resources") or {}).get(field) or {}
    amounts = {name: quantity.parse(given[name]) for name in _COUNTED if name in given}
    return {name: amount for name, amount in amounts.items() if amount}
