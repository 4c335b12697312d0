"""Pods: defaults, quality of service, generation and graceful deletion.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/registry/core/pod/strategy.go
"""

from collections.abc import Iterable
from itertools import chain
from typing import Any

from hourglass_kube import quantity
from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import disabled_fields, pod_changes, pod_defaults
from hourglass_simulator.apiserver.rules import object_meta
from hourglass_simulator.apiserver.rules import pods as pod_rules
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

_OWN = ("nodeName", "hostname")


class PodStrategy(Strategy):
    """Admission has written the defaults already."""

    trusts_components = True

    def defaulted(self, obj: JSON) -> JSON:
        """With the defaults of its spec; tolerations are added by admission."""
        given = obj.get("spec") or {}
        spec = dict(pod_defaults.defaulted(given))
        if "tolerations" not in given:
            spec.pop("tolerations", None)
        return {**obj, "spec": spec, "status": _with_addresses(obj.get("status") or {})}

    def create(self, obj: JSON) -> JSON:
        """With an empty status, but for what holds scheduling back."""
        spec = disabled_fields.without(obj["spec"], self.version)
        spec = _with_values_of_keys(spec, obj["metadata"].get("labels") or {})
        status: JSON = {"phase": "Pending", "qosClass": qos_class(spec)}
        if spec.get("schedulingGates"):
            since = obj["metadata"]["creationTimestamp"]
            status["conditions"] = [{**_GATED, "lastTransitionTime": since}]
        return {**obj, "spec": spec, "status": status}

    def restored(self, obj: JSON) -> JSON:
        """With the defaults of its spec, and a status."""
        # All that pods of a template differ in: they share the rest.
        own = {name: value for name, value in obj["spec"].items() if name in _OWN}
        common = {name: value for name, value in obj["spec"].items() if name not in _OWN}
        spec = {**pod_defaults.defaulted(common), **own}
        found = {"phase": "Pending", **(obj.get("status") or {})}
        status = _completed(found, {"qosClass": qos_class(spec)})
        return {**obj, "spec": spec, "status": status}

    def update(self, new: JSON, old: JSON, subresource: str) -> JSON:
        """The spec moves only in the fields that Kubernetes lets move."""
        if subresource == "status":
            result = _with_meta(kept(new, "spec", old), "ownerReferences", old)
            return {**result, "status": _completed(result.get("status") or {}, old["status"])}
        if subresource == "ephemeralcontainers":
            return pod_changes.ephemeral_containers(new, old, self.version)
        if subresource == "resize":
            return pod_changes.resized(new, old)
        spec = new.get("spec") or {}
        if spec is not old["spec"]:
            spec = disabled_fields.without(pod_defaults.defaulted(spec), self.version)
            new = {**new, "spec": spec}
        return kept(new, "status", old)

    def faults(self, new: JSON, old: JSON | None, subresource: str = "") -> Iterable[FieldError]:
        """Of other resources, also whether the quality of service stays."""
        if old is None or subresource != "resize":
            return super().faults(new, old, subresource)
        classes = qos_class(new["spec"]), qos_class(old["spec"])
        meta = object_meta.common(new["metadata"], old["metadata"])
        return chain(meta, pod_rules.resized(new, old, classes))

    def grace_period(self, obj: JSON, requested: int | None) -> int | None:
        """As asked, or as the pod says; 0 when it is not scheduled or has ended."""
        period = requested
        if period is None:
            period = obj["spec"].get("terminationGracePeriodSeconds", 0)
        if not obj["spec"].get("nodeName") or obj["status"].get("phase") in _ENDED:
            return 0
        return max(period, 1) if period < 0 else period


_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"


def _with_values_of_keys(spec: JSON, labels: JSON) -> JSON:
    """The spec with selectors that have the pod's own labels where they name them by key."""
    result = dict(spec)
    affinity = spec.get("affinity") or {}
    for kind in ("podAffinity", "podAntiAffinity"):
        if affinity.get(kind):
            affinity = {**affinity, kind: _affinity(affinity[kind], labels)}
            result["affinity"] = affinity
    if spec.get("topologySpreadConstraints"):
        constraints = [_term(each, labels) for each in spec["topologySpreadConstraints"]]
        result["topologySpreadConstraints"] = constraints
    return result


def _affinity(affinity: JSON, labels: JSON) -> JSON:
    result = dict(affinity)
    if affinity.get(_REQUIRED):
        result[_REQUIRED] = [_term(each, labels) for each in affinity[_REQUIRED]]
    if affinity.get(_PREFERRED):
        result[_PREFERRED] = [
            {**each, "podAffinityTerm": _term(each.get("podAffinityTerm") or {}, labels)}
            for each in affinity[_PREFERRED]
        ]
    return result


def _term(term: JSON, labels: JSON) -> JSON:
    selector = term.get("labelSelector")
    keys = (("matchLabelKeys", "In"), ("mismatchLabelKeys", "NotIn"))
    added = [
        {"key": key, "operator": operator, "values": [labels[key]]}
        for field, operator in keys
        for key in term.get(field) or ()
        if key in labels
    ]
    if selector is None or not added:
        return term
    expressions = [*(selector.get("matchExpressions") or ()), *added]
    return {**term, "labelSelector": {**selector, "matchExpressions": expressions}}


def _completed(status: JSON, before: JSON) -> JSON:
    """With what the typed status always prints."""
    result = {"qosClass": before["qosClass"], **_with_addresses(status)}
    if "conditions" in status and status["conditions"] is not before.get("conditions"):
        result["conditions"] = [_CONDITION | condition for condition in status["conditions"] or ()]
    return result


def _with_addresses(status: JSON) -> JSON:
    """The first of a pod's addresses stands by itself, too."""
    one, several = status.get("podIP"), status.get("podIPs")
    if one and not several:
        return {**status, "podIPs": [{"ip": one}]}
    return {**status, "podIP": several[0].get("ip")} if several and not one else status


def _with_meta(obj: JSON, field: str, source: JSON) -> JSON:
    return {**obj, "metadata": kept(obj["metadata"], field, source["metadata"])}


def qos_class(spec: JSON) -> str:
    """Guaranteed, Burstable or BestEffort.

    https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/
    """
    containers = [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]
    if spec.get("resources") is not None:
        containers = [spec]
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
