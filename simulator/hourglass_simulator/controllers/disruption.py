"""The condition that says why a pod is deleted.

https://kubernetes.io/docs/concepts/workloads/pods/disruptions/#pod-disruption-conditions
"""

from typing import Any

JSON = dict[str, Any]


def disrupted(pod: JSON, reason: str, message: str, now: str) -> JSON:
    """The pod's status with DisruptionTarget set."""
    status = pod.get("status") or {}
    others = [c for c in status.get("conditions") or () if c["type"] != "DisruptionTarget"]
    condition = {
        "type": "DisruptionTarget",
        "observedGeneration": pod["metadata"].get("generation", 1),
        "status": "True",
        "lastProbeTime": None,
        "lastTransitionTime": now,
        "reason": reason,
        "message": message,
    }
    return {**status, "conditions": [*others, condition]}
