"""Jobs: pods that run to their end, counted once each.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/controller/job/job_controller.go
"""

from hourglass_kube.selector import compile_selector
from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIError, APIServer, CallTimeoutError
from hourglass_simulator.clock import Clock
from hourglass_simulator.controllers import job_indexes, podstatus
from hourglass_simulator.controllers.enqueue import enqueue_selecting
from hourglass_simulator.controllers.informer import Informers, controller_of, key_of
from hourglass_simulator.controllers.job_endings import is_finished
from hourglass_simulator.controllers.job_pods import FINALIZER, has_finalizer
from hourglass_simulator.controllers.job_policies import Backoff
from hourglass_simulator.controllers.job_sync import JobSync
from hourglass_simulator.controllers.podcontrol import (
    PodControl,
    namespace_is_terminating,
    pod_of_template,
)
from hourglass_simulator.controllers.workqueue import Key, WorkQueue
from hourglass_simulator.recorder import EventRecorder, reference

USER = "system:serviceaccount:kube-system:job-controller"
BATCH_SECONDS = 1.0
"""Changes of pods within that time are counted together."""


class JobController:
    """Pods are found by owner; those without a Job lose the finalizer that kept them."""

    def __init__(self, clock: Clock, api: APIServer, informers: Informers) -> None:
        self._clock = clock
        self._api = api
        self._recorder = EventRecorder(clock, api, "job-controller")
        self._control = PodControl(api, self._recorder, USER)
        self._queue = WorkQueue(clock, self._sync)
        self._orphans = WorkQueue(clock, self._release)
        self._backoffs: dict[Key, Backoff] = {}
        self._jobs = informers.of("jobs")
        self._pods = informers.of("pods")
        self._jobs.on_change(self._changed)
        self._pods.on_owned("Job", self._pod_changed)
        self._enqueue_selecting = enqueue_selecting(self._queue, self._jobs)
        self._pods.on_orphan(self._orphan_changed)

    def _changed(self, before: JSON | None, after: JSON | None) -> None:
        obj = after or before
        assert obj is not None
        if after is None:
            self._backoffs.pop(key_of(obj), None)
            for pod in self._pods.owned(obj["metadata"]["uid"]):
                self._orphans.add(key_of(pod))
            return
        if before is None or before["spec"] != after["spec"] or _marks(before) != _marks(after):
            self._queue.add(key_of(obj))

    def _pod_changed(self, before: JSON | None, after: JSON | None) -> None:
        pod = after or before
        assert pod is not None
        owner = controller_of(pod)
        assert owner is not None
        key = (pod["metadata"]["namespace"], owner["name"])
        job = self._jobs.get(*key)
        if job is not None and job["metadata"]["uid"] == owner["uid"]:
            self._queue.add_after(key, BATCH_SECONDS)
            if is_finished(job) and after is not None and has_finalizer(after):
                self._orphans.add(key_of(after))
        elif after is not None and has_finalizer(after):
            self._orphans.add(key_of(after))

    def _orphan_changed(self, _: JSON | None, pod: JSON | None) -> None:
        if pod is None:
            return
        if has_finalizer(pod):
            self._orphans.add(key_of(pod))
        self._enqueue_selecting(None, pod)

    def _release(self, key: Key) -> None:
        """Let a pod go whose Job is gone or has ended without it."""
        pod = self._pods.get(*key)
        if pod is None or not has_finalizer(pod):
            return
        owner = controller_of(pod)
        job = self._jobs.get(key[0], owner["name"]) if owner is not None else None
        if job is not None and owner is not None and job["metadata"]["uid"] != owner["uid"]:
            job = None
        if job is None or is_finished(job):
            self.remove_finalizer(pod)

    def _sync(self, key: Key) -> None:
        job = self._jobs.get(*key)
        if job is None or is_finished(job):
            self._backoffs.pop(key, None)
            return
        if job["spec"].get("managedBy") not in (None, "kubernetes.io/job-controller"):
            return
        pods = self._control.claim(
            "pods",
            job,
            compile_selector(job["spec"]["selector"]),
            self._pods.owned(job["metadata"]["uid"]),
            [pod for pod in self._pods.orphans(key[0]) if not podstatus.terminating(pod)],
        )
        sync = JobSync(self, job, pods, self._backoffs.get(key, Backoff()))
        try:
            sync.run()
        finally:
            self._backoffs[key] = sync.backoff
        if sync.failure is not None:
            raise sync.failure

    # What a sync does

    @property
    def now(self) -> float:
        """Unix time."""
        return self._clock.unix_time

    @property
    def suspended_have_not_started(self) -> bool:
        """Whether a Job that is suspended loses the time at which it has started."""
        return self._api.version.enabled("MutableSchedulingDirectivesForSuspendedJobs")

    def timestamp(self) -> str:
        """Now, as in objects."""
        return self._clock.timestamp()

    def again(self, job: JSON, seconds: float) -> None:
        """Sync once more."""
        self._queue.add_after(key_of(job), seconds)

    def write(self, job: JSON, status: JSON) -> None:
        """Write the status of a Job."""
        self._api.set_status("jobs", *key_of(job), status, user=USER)

    def record(self, job: JSON, kind: str, reason: str, message: str) -> None:
        """Record an Event of a Job."""
        self._recorder.event(reference(job), kind, reason, message)

    def remove_finalizer(self, pod: JSON) -> None:
        """Let a pod go that has been counted."""
        if not has_finalizer(pod):
            return
        kept = [f for f in pod["metadata"]["finalizers"] if f != FINALIZER]
        patch = {"metadata": {"uid": pod["metadata"]["uid"], "finalizers": kept or None}}
        try:
            self._api.patch("pods", *key_of(pod), patch, user=USER)
        except APIError as error:
            if error.code != 404:
                raise

    def delete(self, job: JSON, pod: JSON) -> None:
        """Delete a pod."""
        self._control.delete(job, pod)

    def create(
        self, job: JSON, numbers: list[int | None], notes: dict[int, dict[str, str]]
    ) -> tuple[int, APIError | CallTimeoutError | None]:
        """Create pods, one for each index or None; how many, and the error that ended it.

        `notes` are annotations by index.
        """
        made, batch = 0, 1
        while made < len(numbers):
            failure: APIError | CallTimeoutError | None = None
            for number in numbers[made : made + batch]:
                pod = self._drafted(job, number, notes)
                try:
                    self._control.create(job, pod)
                except (APIError, CallTimeoutError) as error:
                    if not namespace_is_terminating(error):
                        failure = error
                else:
                    made += 1
            if failure is not None:
                return made, failure
            batch *= 2
        return made, None

    def _drafted(self, job: JSON, number: int | None, notes: dict[int, dict[str, str]]) -> JSON:
        template = job["spec"]["template"]
        if number is not None:
            template = job_indexes.with_index(template, job, number)
        pod = pod_of_template(template, job)
        meta = pod["metadata"]
        finalizers = [*(meta.get("finalizers") or ()), FINALIZER]
        meta = {**meta, "finalizers": finalizers}
        if number is not None:
            meta["generateName"] = job_indexes.name_prefix(job, number)
            meta["annotations"] = {**meta["annotations"], **notes.get(number, {})}
        return {**pod, "metadata": meta}


def _marks(job: JSON) -> tuple[object, ...]:
    meta = job["metadata"]
    return "deletionTimestamp" in meta, meta["uid"]
