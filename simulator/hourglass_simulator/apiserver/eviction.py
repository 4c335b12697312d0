"""Evictions: deletions of pods that a PodDisruptionBudget can refuse.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/registry/core/pod/storage/eviction.go
"""

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import disruption_budget, errors, validation
from hourglass_simulator.apiserver.registry import Registry
from hourglass_simulator.apiserver.resources import Resource

_POD = Resource("Pod", "Pod")


class Evictions:
    """Evicts the pods of a registry."""

    def __init__(self, registry: Registry, minor: int) -> None:
        self._registry = registry
        self._minor = minor
        self._table = registry.table("poddisruptionbudgets")
        self._budgets = disruption_budget.Budgets(self._table)

    def evict(self, namespace: str, name: str, options: JSON, timestamp: str) -> None:
        """Mark a pod as disrupted and delete it, unless its budget is used up: 429."""
        table = self._registry.table("pods", "eviction")
        pod = self._registry.find(table, namespace, name)
        if not disruption_budget.is_exempt(pod):
            budget = self._budgets.of_pod(pod)
            if budget is not None and not disruption_budget.is_spared(pod, budget):
                status = disruption_budget.charged(budget, name, timestamp, self._minor)
                if not table.dry:
                    self._table.put(budget, {**budget, "status": status})
        wanted = options.get("preconditions") or {}
        uid, version = wanted.get("uid"), wanted.get("resourceVersion")
        grace = options.get("gracePeriodSeconds")
        if table.dry:
            validation.preconditions(table.resource, pod, uid, version)
            return
        _require(pod, uid, version)
        marked = validation.disrupted(pod, timestamp)
        stored = pod if marked == pod else table.put(pod, marked)
        self._registry.delete(table, stored, grace, options.get("propagationPolicy"))


def _require(pod: JSON, uid: str | None, version: str | None) -> None:
    meta = pod["metadata"]
    if uid and uid != meta["uid"]:
        why = f"the UID in the precondition ({uid}) does not match the UID in record "
        why += f"({meta['uid']}). The object might have been deleted and then recreated"
        raise errors.conflict(_POD, meta["name"], why)
    if version and version != meta["resourceVersion"]:
        why = f"the ResourceVersion in the precondition ({version}) does not match the "
        why += f"ResourceVersion in record ({meta['resourceVersion']}). "
        raise errors.conflict(_POD, meta["name"], f"{why}The object might have been modified")
