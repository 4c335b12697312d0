"""When what changes the endpoints of a Service has happened.

https://github.com/kubernetes/endpointslice/blob/v0.34.4/util/trigger_time_tracker.go
"""

from collections.abc import Iterable

from hourglass_kube.types import JSON

ANNOTATION = "endpoints.kubernetes.io/last-change-trigger-time"


class TriggerTimes:
    """Remembers of each Service when it and its pods have last changed. Times are timestamps."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], tuple[str, dict[str, str]]] = {}

    def changed(self, key: tuple[str, str], service: JSON, pods: Iterable[JSON]) -> str:
        """The earliest change since the last call for this Service; empty if there was none."""
        created = str(service["metadata"]["creationTimestamp"])
        known = self._seen.get(key)
        before, pods_before = known or ("", {})
        now = {pod["metadata"]["name"]: when for pod in pods if (when := _ready_since(pod))}
        self._seen[key] = (created, now)
        if known is None:
            return created
        times = [when for name, when in now.items() if when > pods_before.get(name, "")]
        return min([*times, created] if created > before else times, default="")

    def forget(self, key: tuple[str, str]) -> None:
        """The Service is gone."""
        self._seen.pop(key, None)


def annotated(meta: JSON, time: str) -> JSON:
    """Metadata with the time in its annotations; without it if there is none."""
    notes = {k: v for k, v in (meta.get("annotations") or {}).items() if k != ANNOTATION}
    notes |= {ANNOTATION: time} if time else {}
    kept = {name: value for name, value in meta.items() if name != "annotations"}
    return {**kept, "annotations": notes} if notes else kept


def _ready_since(pod: JSON) -> str:
    for condition in (pod.get("status") or {}).get("conditions") or ():
        if condition["type"] == "Ready":
            return str(condition.get("lastTransitionTime") or "")
    return ""
