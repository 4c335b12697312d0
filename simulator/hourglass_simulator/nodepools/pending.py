"""Pods that the scheduler has found no node for."""

from collections.abc import Callable, Iterator

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIServer, WatchEvent


class PendingPods:
    """Kept up to date; `on_change` is called when a pod has become one, or none any more."""

    def __init__(self, api: APIServer, on_change: Callable[[], None]) -> None:
        self._pods: dict[str, JSON] = {}
        self._on_change = on_change
        api.watch("pods", sink=self._event)

    def __iter__(self) -> Iterator[JSON]:
        return iter(sorted(self._pods.values(), key=_key))

    def __len__(self) -> int:
        return len(self._pods)

    def _event(self, event: WatchEvent) -> None:
        pod = event.object
        uid = pod["metadata"]["uid"]
        before = uid in self._pods
        if event.type != "DELETED" and _is_pending(pod):
            self._pods[uid] = pod
        else:
            self._pods.pop(uid, None)
        if before is not (uid in self._pods):
            self._on_change()


def _is_pending(pod: JSON) -> bool:
    if pod["spec"].get("nodeName") or "deletionTimestamp" in pod["metadata"]:
        return False
    return any(
        c["type"] == "PodScheduled" and c.get("reason") == "Unschedulable"
        for c in (pod.get("status") or {}).get("conditions") or ()
    )


def _key(pod: JSON) -> tuple[str, str]:
    return pod["metadata"]["namespace"], pod["metadata"]["name"]
