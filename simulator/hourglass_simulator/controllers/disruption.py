"""The condition that says why a pod is deleted.

https://kubernetes.io/docs/concepts/workloads/pods/disruptions/#pod-disruption-conditions
"""

from hourglass_kube.types import JSON


def disrupted(pod: JSON, reason: str, message: str, now: str) -> JSON:
    """The pod's status with DisruptionTarget set."""
    status = pod.get("status") or {}
    conditions = list(status.get("conditions") or ())
    held = [i for i, c in enumerate(conditions) if c["type"] == "DisruptionTarget"]
    if held and conditions[held[0]]["status"] == "True":
        now = conditions[held[0]]["lastTransitionTime"]
    condition = {
        "type": "DisruptionTarget",
        "observedGeneration": pod["metadata"].get("generation", 1),
        "status": "True",
        "lastProbeTime": None,
        "lastTransitionTime": now,
        "reason": reason,
        "message": message,
    }
    place = held[0] if held else len(conditions)
    conditions[place : place + 1] = [condition]
    return {**status, "conditions": conditions}
