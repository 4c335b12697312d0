"""Whether a pod may be evicted by its PodDisruptionBudget, and what an eviction costs.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/registry/core/pod/storage/eviction.go
"""

from hourglass_kube.selector_index import SelectorIndex
from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.errors import APIError
from hourglass_simulator.apiserver.store import Table
from hourglass_simulator.apiserver.watch import DELETED, Watch, WatchEvent

ALLOWED = "DisruptionAllowed"
MOST_DISRUPTED = 2000
"""Evicted pods that a budget remembers."""
_REFUSAL = "Cannot evict pod as it would violate the pod's disruption budget."


def is_exempt(pod: JSON) -> bool:
    """Whether a pod may go whatever its budget says: it has not begun, has ended or is going."""
    phase = (pod.get("status") or {}).get("phase", "Pending")
    return phase != "Running" or "deletionTimestamp" in pod["metadata"]


class Budgets:
    """The budgets of a table, found by the labels of their pods."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._selectors = SelectorIndex()
        table.watches.append(Watch(None, self._changed, table.watches.remove, bookmarks=False))

    def _changed(self, event: WatchEvent) -> None:
        meta = event.object["metadata"]
        key = meta["namespace"], meta["name"]
        if event.type == DELETED:
            self._selectors.remove(key)
        else:
            self._selectors.set(key, event.object["spec"].get("selector"))

    def of_pod(self, pod: JSON) -> JSON | None:
        """The budget of a pod; 500 when there are several."""
        meta = pod["metadata"]
        found = list(self._selectors.matching(meta["namespace"], meta.get("labels") or {}))
        if len(found) > 1:
            why = "This pod has more than one PodDisruptionBudget, "
            why += "which the eviction subresource does not support."
            raise APIError(500, "", why)
        return self._table.find(*found[0]) if found else None


def is_spared(pod: JSON, budget: JSON) -> bool:
    """Whether an unready pod may go without being counted."""
    conditions = (pod.get("status") or {}).get("conditions") or ()
    if any(c["type"] == "Ready" and c["status"] == "True" for c in conditions):
        return False
    if budget["spec"].get("unhealthyPodEvictionPolicy") == "AlwaysAllow":
        return True
    status = budget.get("status") or {}
    desired = status.get("desiredHealthy", 0)
    return bool(status.get("currentHealthy", 0) >= desired > 0)


def charged(budget: JSON, pod: str, now: str, minor: int) -> JSON:
    """The status of a budget after an eviction; 429 when it allows none.

    `minor` is the version whose words are used.
    """
    name, status = budget["metadata"]["name"], budget.get("status") or {}
    if status.get("observedGeneration", 0) < budget["metadata"].get("generation", 1):
        text = f"The disruption budget {name} is still being processed by the server."
        raise _too_many(text, 10)
    if len(status.get("disruptedPods") or ()) > MOST_DISRUPTED:
        why = "DisruptedPods map too big - too many evictions not confirmed by PDB controller"
        raise APIError(403, "Forbidden", f'poddisruptionbudget.policy "{name}" is forbidden: {why}')
    allowed = status.get("disruptionsAllowed", 0)
    if not allowed:
        raise _too_many(_none_allowed(name, status, minor), 0)
    status = {
        **status,
        "disruptionsAllowed": allowed - 1,
        "disruptedPods": {**(status.get("disruptedPods") or {}), pod: now},
    }
    return status if allowed > 1 else with_disruptions_allowed(status, None, now)


def _none_allowed(name: str, status: JSON, minor: int) -> str:
    """Why no pod may go; versions before 1.37 always give the numbers.

    https://github.com/kubernetes/kubernetes/blob/v1.37.2/pkg/registry/core/pod/storage/eviction.go
    """
    desired, current = status.get("desiredHealthy", 0), status.get("currentHealthy", 0)
    numbers = f"The disruption budget {name} needs {desired} healthy pods and has {current}"
    conditions = status.get("conditions") or ()
    found: JSON = next((c for c in conditions if c["type"] == "DisruptionAllowed"), {})
    why = found.get("message") if found.get("status") == "False" else ""
    refusal = f"The disruption budget {name} does not allow evicting pods currently"
    if minor < 37:
        return f"{numbers} currently"
    if why and found.get("reason") == "SyncFailed":
        return f"{refusal} because it failed sync: {why}"
    if current <= desired:
        return f"{numbers} currently"
    return f"{refusal} ({found['reason']}): {why}" if why else refusal


def _too_many(why: str, seconds: int) -> APIError:
    details: JSON = {"causes": [{"reason": "DisruptionBudget", "message": why}]}
    if seconds:
        details["retryAfterSeconds"] = seconds
    return APIError(429, "TooManyRequests", _REFUSAL, details)


def with_disruptions_allowed(status: JSON, found: tuple[str, str, str] | None, now: str) -> JSON:
    """The status with the condition that says whether pods may be disrupted.

    `found`: its status, reason and message, where they do not follow from the number.
    """
    if found is None:
        some = status.get("disruptionsAllowed", 0) > 0
        found = ("True", "SufficientPods", "") if some else ("False", "InsufficientPods", "")
    conditions = list(status.get("conditions") or ())
    condition: JSON = {
        "type": ALLOWED,
        "status": found[0],
        "lastTransitionTime": now,
        "reason": found[1],
        "message": found[2],
    }
    if status.get("observedGeneration"):
        condition["observedGeneration"] = status["observedGeneration"]
    for place, before in enumerate(conditions):
        if before["type"] == ALLOWED:
            if before["status"] == found[0]:
                condition["lastTransitionTime"] = before["lastTransitionTime"]
            conditions[place] = condition
            break
    else:
        conditions.append(condition)
    return {**status, "conditions": conditions}
