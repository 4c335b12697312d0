"""Pods: defaults, quality of service, generation and graceful deletion.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/registry/core/pod/strategy.go
"""

from collections.abc import Iterator
from typing import Any

from hourglass_kube import quantity
from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import pod_defaults, pod_updates
from hourglass_simulator.apiserver.schema_error import FieldError
from hourglass_simulator.apiserver.strategy import Strategy, kept

_COUNTED = ("cpu", "memory")
_ENDED = ("Succeeded", "Failed")
_CONDITION = {"lastProbeTime": None, "lastTransitionTime": None}
_GATED = {
    **_CONDITION,
    "type": "PodScheduled",
    "status": "False",
    "reason": "SchedulingGated",
    "message": "Scheduling is blocked due to non-empty scheduling gates",
}


class PodStrategy(Strategy):
    """Admission has written the defaults already."""

    def create(self, obj: JSON) -> JSON:
        """With an empty status, but for what holds scheduling back."""
        status: JSON = {"phase": "Pending", "qosClass": qos_class(obj["spec"])}
        if obj["spec"].get("schedulingGates"):
            status["conditions"] = [_GATED]
        return {**obj, "status": status}

    def update(self, new: JSON, old: JSON, subresource: str) -> JSON:
        """The spec moves only in the fields that Kubernetes lets move."""
        if subresource == "status":
            result = _with_meta(kept(new, "spec", old), "ownerReferences", old)
            return {**result, "status": _completed(result.get("status") or {}, old["status"])}
        spec = new.get("spec") or {}
        if spec.get("tolerations") is not old["spec"].get("tolerations"):
            given = spec.get("tolerations") or []
            new = {**new, "spec": {**spec, "tolerations": pod_defaults.tolerations(given)}}
        return kept(new, "status", old)

    def faults(self, new: JSON, old: JSON | None) -> Iterator[FieldError]:
        """Also what is missing in the spec, or fixed in it."""
        yield from super().faults(new, old)
        if old is None:
            yield from pod_updates.created(new["spec"])
        elif new["spec"] is not old["spec"] and new["spec"] != old["spec"]:
            yield from pod_updates.updated(new["spec"], old["spec"])

    def grace_period(self, obj: JSON, requested: int | None) -> int | None:
        """As asked, or as the pod says; 0 when it is not scheduled or has ended."""
        period = requested
        if period is None:
            period = obj["spec"].get("terminationGracePeriodSeconds", 0)
        if not obj["spec"].get("nodeName") or obj["status"].get("phase") in _ENDED:
            return 0
        return max(period, 1) if period < 0 else period


def _completed(status: JSON, before: JSON) -> JSON:
    """With what the typed status always prints."""
    result = {"qosClass": before["qosClass"], **status}
    if status.get("podIP") and not status.get("podIPs"):
        result["podIPs"] = [{"ip": status["podIP"]}]
    if "conditions" in status and status["conditions"] is not before.get("conditions"):
        result["conditions"] = [_CONDITION | condition for condition in status["conditions"] or ()]
    return result


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
