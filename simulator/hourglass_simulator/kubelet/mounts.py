"""The volumes of one pod: attempts to mount them, and what is said of those that fail.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/kubelet/volumemanager/volume_manager.go
"""

from collections.abc import Mapping

from hourglass_simulator.kubelet import volumes
from hourglass_simulator.kubelet.pod import NodePod
from hourglass_simulator.recorder import WARNING

BACKOFF_SECONDS, MOST_BACKOFF_SECONDS = 0.5, 122.0
"""From a volume that could not be mounted to the next attempt, which doubles."""
GIVEN_UP = -1.0
"""The sync has failed: the next one tries again."""


class Mounts:
    """When each volume that cannot be mounted is tried again."""

    __slots__ = ("_pod", "_tries")

    def __init__(self, pod: NodePod) -> None:
        self._pod = pod
        self._tries: dict[str, tuple[float, float]] = {}
        """By volume when it is tried again, and the pause before that."""

    def attempt(self) -> float | None:
        """Try what is due; None if all are mounted, or in how many seconds to try again."""
        pod = self._pod
        if not pod.object["spec"].get("volumes"):
            return None
        missing = volumes.unmounted(pod.runtime.api, pod.object, pod.agent.paths)
        if any(volumes.of_claim(why) for why in missing.values()):
            pod.event(WARNING, "FailedMount", volumes.unprocessed(missing))
            return GIVEN_UP
        if missing:
            return self._try(missing)
        self._tries.clear()
        return None

    def _try(self, missing: Mapping[str, str]) -> float:
        now = self._pod.runtime.clock.now
        for volume, why in missing.items():
            due, pause = self._tries.get(volume, (0.0, BACKOFF_SECONDS / 2))
            if now >= due:
                pause = min(pause * 2, MOST_BACKOFF_SECONDS)
                self._tries[volume] = (now + pause, pause)
                self._pod.event(WARNING, "FailedMount", volumes.event(volume, why))
        return max(min(due for due, _ in self._tries.values()) - now, BACKOFF_SECONDS)
