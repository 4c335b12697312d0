"""Deletes Jobs some time after they have ended.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/controller/ttlafterfinished/ttlafterfinished_controller.go
"""

from hourglass_kube import time
from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIServer
from hourglass_simulator.clock import Clock
from hourglass_simulator.controllers.informer import Informers, key_of
from hourglass_simulator.controllers.workqueue import Key, WorkQueue

USER = "system:serviceaccount:kube-system:ttl-after-finished-controller"


class TTLAfterFinishedController:
    """Looks only at Jobs that say when they are to go."""

    def __init__(self, clock: Clock, api: APIServer, informers: Informers) -> None:
        self._clock = clock
        self._api = api
        self._queue = WorkQueue(clock, self._sync)
        self._jobs = informers.of("jobs")
        self._jobs.on_change(self._changed)

    def _changed(self, _: JSON | None, job: JSON | None) -> None:
        if job is not None and job["spec"].get("ttlSecondsAfterFinished") is not None:
            self._queue.add(key_of(job))

    def _sync(self, key: Key) -> None:
        job = self._jobs.get(*key)
        if job is None or "deletionTimestamp" in job["metadata"]:
            return
        ended, seconds = ended_at(job), job["spec"].get("ttlSecondsAfterFinished")
        if ended is None or seconds is None:
            return
        left = ended + seconds - self._clock.unix_time
        if left > 0:
            self._queue.add_after(key, left)
            return
        uid = job["metadata"]["uid"]
        self._api.delete("jobs", *key, uid=uid, propagation_policy="Foreground", user=USER)


def ended_at(job: JSON) -> float | None:
    """When a Job has ended, in Unix seconds."""
    for condition in (job.get("status") or {}).get("conditions") or ():
        if condition["type"] in ("Complete", "Failed") and condition["status"] == "True":
            return time.parse(condition["lastTransitionTime"]).timestamp()
    return None
