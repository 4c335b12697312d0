"""One sync of a Job: what its pods mean, which are created and deleted, how it ends.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/controller/job/job_controller.go
"""

from collections.abc import Iterable

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIError, CallTimeoutError
from hourglass_simulator.controllers import job_endings as endings
from hourglass_simulator.controllers import job_indexes, podstatus
from hourglass_simulator.controllers import job_policies as policies
from hourglass_simulator.controllers.job_calls import Calls, Failure
from hourglass_simulator.controllers.job_endings import (
    COMPLETE,
    FAILED,
    FAILURE_TARGET,
    SUCCESS_CRITERIA_MET,
)
from hourglass_simulator.controllers.job_pods import has_finalizer, printed, surplus
from hourglass_simulator.controllers.job_policies import Backoff
from hourglass_simulator.recorder import NORMAL, WARNING

BURST = 500
"""Pods that one sync creates or deletes."""


class JobSync:
    """`run` it once; `backoff` counts its failures, `failure` a call that failed."""

    def __init__(self, calls: Calls, job: JSON, pods: list[JSON], backoff: Backoff) -> None:
        self.backoff = backoff
        self.failure: Failure | None = None
        self._calls = calls
        self._job = job
        self._spec = job["spec"]
        self._pods = pods
        self._indexed = job_indexes.is_indexed(job)
        self._per_index = self._spec.get("backoffLimitPerIndex")
        before = job.get("status") or {}
        uncounted = before.get("uncountedTerminatedPods") or {}
        self._status: JSON = {
            **before,
            "uncountedTerminatedPods": {k: list(v) for k, v in uncounted.items()},
            "conditions": list(before.get("conditions") or ()),
        }
        self._active = [pod for pod in pods if podstatus.active(pod)]
        self._ready = sum(podstatus.ready(pod) for pod in self._active)
        self._terminating = sum(
            podstatus.terminating(pod) and not podstatus.ended(pod) for pod in pods
        )
        self._succeeded_indexes: set[int] = set()
        self._failed_indexes: set[int] = set()
        self._delayed: dict[int, JSON] = {}
        self._end: JSON | None = None

    def run(self) -> None:
        """Decide, create and delete pods, count those that have ended, write the status."""
        self._count()
        if "startTime" not in self._status and not self._spec.get("suspend"):
            self._status["startTime"] = self._calls.timestamp()
        self._end = self._ending()
        if self._indexed:
            self._end = self._count_indexes(self._end)
        active = len(self._active)
        if self._end is not None:
            active = self._delete_active()
        else:
            if "deletionTimestamp" not in self._job["metadata"]:
                active = self._manage()
            self._judge_progress(active)
        self._status["active"] = active
        self._status["ready"] = self._ready
        self._status["terminating"] = self._terminating
        self._track()

    # What the pods say

    def _count(self) -> None:
        uncounted = self._status["uncountedTerminatedPods"]
        done = [p for p in self._fresh("succeeded") if podstatus.phase(p) == "Succeeded"]
        failed = [p for p in self._fresh("failed") if policies.has_failed(self._job, p)]
        counted = [pod for pod in failed if policies.judge(self._job, pod).counts]
        self._succeeded = self._status.get("succeeded", 0) + len(done)
        self._succeeded += len(uncounted.get("succeeded") or ())
        self._failed = self._status.get("failed", 0) + len(counted)
        self._failed += len(uncounted.get("failed") or ())
        self.backoff = policies.backed_off(self.backoff, done, failed)

    def _fresh(self, kind: str) -> Iterable[JSON]:
        """Pods that count and are not yet noted in the status."""
        noted = self._status["uncountedTerminatedPods"].get(kind) or ()
        for pod in self._pods:
            if not has_finalizer(pod) or pod["metadata"]["uid"] in noted:
                continue
            if not self._indexed or job_indexes.valid(self._job, pod):
                yield pod

    def _ending(self) -> JSON | None:
        """The condition by which the Job ends, as far as indexes do not matter."""
        now = self._calls.timestamp()
        found = endings.known(self._status, now)
        if found is None:
            found = endings.by_pods(self._job, self._pods, self._failed, now)
        if found is not None:
            return found
        left = endings.seconds_left(self._job, self._status, self._calls.now)
        if left is None:
            return None
        if left <= 0:
            return endings.too_long(now)
        self._calls.again(self._job, left)
        return None

    def _condition(self, kind: str, reason: str, message: str, status: str = "True") -> JSON:
        return endings.condition(kind, reason, message, self._calls.timestamp(), status)

    def _count_indexes(self, end: JSON | None) -> JSON | None:
        job, completions = self._job, self._spec["completions"]
        valid = [p for p in self._pods if has_finalizer(p) and job_indexes.valid(job, p)]
        done = [pod for pod in valid if podstatus.phase(pod) == "Succeeded"]
        earlier = job_indexes.parse(self._status.get("completedIndexes", ""), completions)
        self._earlier = earlier
        self._succeeded_indexes = earlier | job_indexes.indexes(done)
        self._succeeded = len(self._succeeded_indexes)
        if self._per_index is not None:
            earlier = job_indexes.parse(self._status.get("failedIndexes", ""), completions)
            lost = [pod for pod in valid if self._index_has_failed(pod)]
            self._failed_indexes = earlier | job_indexes.indexes(lost)
            if end is None:
                numbers = len(self._failed_indexes), len(self._succeeded_indexes)
                end = endings.by_indexes(job, *numbers, self._calls.timestamp())
            self._delayed = self._waiting_for_successors(valid)
        if end is None and (text := policies.success(job, self._succeeded_indexes)) is not None:
            return self._condition(SUCCESS_CRITERIA_MET, "SuccessPolicy", text)
        return end

    def _index_has_failed(self, pod: JSON) -> bool:
        if not policies.has_failed(self._job, pod):
            return False
        verdict = policies.judge(self._job, pod)
        if verdict.action == "FailIndex":
            return True
        return verdict.counts and job_indexes.failures(pod) >= self._per_index

    def _waiting_for_successors(self, valid: list[JSON]) -> dict[int, JSON]:
        """The last failed pod of each index that is to be tried again."""
        over = self._succeeded_indexes | self._failed_indexes | job_indexes.indexes(self._active)
        found: dict[int, JSON] = {}
        for pod in valid:
            number = job_indexes.index(pod)
            if number is None or number in over or not policies.has_failed(self._job, pod):
                continue
            last = found.get(number)
            if last is None or (
                job_indexes.absolute_failures(last) <= job_indexes.absolute_failures(pod)
                and policies.ended_at(pod) >= policies.ended_at(last)
            ):
                found[number] = pod
        return found

    # What is done about it

    def _delete_active(self) -> int:
        """Delete what still runs of a Job that ends; how many pods stay active."""
        left = 0
        for pod in self._active:
            try:
                self._calls.delete(self._job, pod)
            except (APIError, CallTimeoutError) as error:
                self.failure = error
                left += 1
                continue
            self._terminating += 1
            self._ready -= podstatus.ready(pod)
        if left:
            self._end = None
        return left

    def _remove(self, pods: list[JSON]) -> int:
        """Delete pods that are too many; they count no more."""
        removed = 0
        for pod in pods:
            try:
                self._calls.remove_finalizer(pod)
                self._calls.delete(self._job, pod)
            except (APIError, CallTimeoutError) as error:
                self.failure = error
                continue
            removed += 1
            self._terminating += 1
            self._ready -= podstatus.ready(pod)
        return len(self._active) - removed

    def _manage(self) -> int:
        """Create or delete pods; how many are active then."""
        active = len(self._active)
        if self._spec.get("suspend"):
            return self._remove(surplus(self._job, self._active, active, self._calls.now))
        parallelism, completions = self._spec["parallelism"], self._spec.get("completions")
        if completions is None:
            wanted = active if self._succeeded else parallelism
        else:
            wanted = max(0, min(completions - self._succeeded, parallelism))
        doomed = surplus(self._job, self._active, max(0, active - wanted), self._calls.now)
        if doomed:
            return self._remove(doomed[:BURST])
        missing = wanted - active
        if policies.only_failed_are_replaced(self._job):
            missing -= self._terminating
        if missing <= 0:
            return active
        if self._per_index is None:
            left = policies.wait(self.backoff, self._calls.now)
            if left:
                self._calls.again(self._job, left)
                return 0
        return self._add(active, min(missing, BURST))

    def _add(self, active: int, missing: int) -> int:
        numbers: list[int | None] = [None] * missing
        notes: dict[int, dict[str, str]] = {}
        if self._indexed:
            free = self._free_indexes(missing)
            if self._per_index is not None:
                waits = {number: self._index_wait(number) for number in free}
                free = [number for number in free if not waits[number]]
                if waits and not free:
                    self._calls.again(self._job, min(waits.values()))
                    return 0
                notes = {number: self._notes(number) for number in free}
            numbers = list(free)
        made, self.failure = self._calls.create(self._job, numbers, notes)
        return active + made

    def _free_indexes(self, count: int) -> list[int]:
        taken = self._succeeded_indexes | job_indexes.indexes(self._active) | self._failed_indexes
        if policies.only_failed_are_replaced(self._job):
            going = [p for p in self._pods if podstatus.terminating(p) and not podstatus.ended(p)]
            taken |= job_indexes.indexes(going)
        return job_indexes.pending(count, self._spec["completions"], taken)

    def _index_wait(self, number: int) -> float:
        last = self._delayed.get(number)
        if last is None:
            return 0.0
        failures = job_indexes.absolute_failures(last) + 1
        return policies.wait(Backoff(failures, policies.ended_at(last)), self._calls.now)

    def _notes(self, number: int) -> dict[str, str]:
        last = self._delayed.get(number)
        counts = last is None or policies.judge(self._job, last).counts
        return job_indexes.failure_annotations(last, counts=counts)

    def _judge_progress(self, active: int) -> None:
        completions = self._spec.get("completions")
        if completions is None:
            complete = self._succeeded > 0 and active == 0
        else:
            complete = self._succeeded >= completions and active == 0
        if complete:
            text = "Reached expected number of succeeded pods"
            self._end = self._condition(SUCCESS_CRITERIA_MET, "CompletionsReached", text)
        elif "deletionTimestamp" not in self._job["metadata"]:
            self._mark_suspended()

    def _mark_suspended(self) -> None:
        before = podstatus.condition({"status": self._status}, "Suspended")
        if self._spec.get("suspend"):
            wanted = self._condition("Suspended", "JobSuspended", "Job suspended")
        else:
            if before is None:
                return
            wanted = self._condition("Suspended", "JobResumed", "Job resumed", "False")
        if before is not None and before["status"] == wanted["status"]:
            return
        self._set_condition(wanted)
        reason = "Suspended" if self._spec.get("suspend") else "Resumed"
        self._calls.record(self._job, NORMAL, reason, wanted["message"])
        if not self._spec.get("suspend"):
            self._status["startTime"] = self._calls.timestamp()
        elif self._calls.suspended_have_not_started:
            self._status.pop("startTime", None)

    def _set_condition(self, condition: JSON) -> None:
        conditions: list[JSON] = self._status["conditions"]
        for place, found in enumerate(conditions):
            if found["type"] == condition["type"]:
                conditions[place] = condition
                return
        conditions.append(condition)

    # Counting

    def _track(self) -> None:
        """Note ended pods in the status, let them go, count them, and end the Job."""
        uncounted = self._status["uncountedTerminatedPods"]
        self._clean({p["metadata"]["uid"] for p in self._pods if has_finalizer(p)})
        released = []
        new_indexes: set[int] = set()
        for pod in self._pods:
            failed = policies.has_failed(self._job, pod)
            if not has_finalizer(pod) or not self._can_release(pod, failed=failed):
                continue
            released.append(pod)
            uid, counted = pod["metadata"]["uid"], uncounted.get("failed") or ()
            valid = not self._indexed or job_indexes.valid(self._job, pod)
            if podstatus.phase(pod) == "Succeeded" and uid not in counted:
                if self._indexed:
                    number = job_indexes.index(pod)
                    if valid and number is not None:
                        new_indexes.add(number)
                elif uid not in (uncounted.get("succeeded") or ()):
                    uncounted["succeeded"] = [*uncounted.get("succeeded", ()), uid]
                continue
            noted = uid in counted or not (failed or self._fails())
            if not noted and valid and policies.judge(self._job, pod).counts:
                uncounted["failed"] = [*counted, uid]
        if self._indexed:
            self._succeeded_indexes |= new_indexes
            self._status["succeeded"] = len(self._succeeded_indexes)
            self._status["completedIndexes"] = job_indexes.printed(self._succeeded_indexes)
            if self._per_index is not None:
                self._status["failedIndexes"] = job_indexes.printed(self._failed_indexes)
        self._announce_end()
        self._flush()
        for pod in released:
            self._calls.remove_finalizer(pod)
        gone = {pod["metadata"]["uid"] for pod in released}
        left = {p["metadata"]["uid"] for p in self._pods if has_finalizer(p)} - gone
        self._clean(left)
        finished = self._finish()
        self._flush()
        if finished is not None:
            self._record_end(finished)

    def _fails(self) -> bool:
        return self._end is not None and self._end["type"] != SUCCESS_CRITERIA_MET

    def _can_release(self, pod: JSON, *, failed: bool) -> bool:
        going = "deletionTimestamp" in self._job["metadata"]
        if going or self._end is not None or podstatus.phase(pod) == "Succeeded":
            return True
        if not failed:
            return False
        number = job_indexes.index(pod)
        last = self._delayed.get(number) if number is not None else None
        return last is None or last["metadata"]["uid"] != pod["metadata"]["uid"]

    def _clean(self, kept: set[str]) -> None:
        """Count the pods that have been noted and are gone."""
        uncounted = self._status["uncountedTerminatedPods"]
        for kind in ("succeeded", "failed"):
            noted = uncounted.get(kind) or []
            left = [uid for uid in noted if uid in kept]
            if len(left) != len(noted):
                self._status[kind] = self._status.get(kind, 0) + len(noted) - len(left)
                uncounted[kind] = left

    def _announce_end(self) -> None:
        """The condition before the last one, while pods still have to go."""
        end = self._end
        if end is None:
            return
        if end["type"] == FAILURE_TARGET:
            self._status["conditions"].append(end)
            self._end = self._condition(FAILED, end["reason"], end["message"])
        elif end["type"] == SUCCESS_CRITERIA_MET:
            met = podstatus.condition({"status": self._status}, SUCCESS_CRITERIA_MET)
            if met is None or met["status"] != "True":
                self._status["conditions"].append(end)
            self._end = self._condition(COMPLETE, end["reason"], end["message"])

    def _finish(self) -> JSON | None:
        """The last condition, unless pods are uncounted or still terminating."""
        end, uncounted = self._end, self._status["uncountedTerminatedPods"]
        if end is None or any(uncounted.values()) or self._terminating > 0:
            return None
        self._set_condition(end)
        if end["type"] == COMPLETE:
            self._status["completionTime"] = end["lastTransitionTime"]
        return end

    def _record_end(self, end: JSON) -> None:
        if end["type"] != COMPLETE:
            self._calls.record(self._job, WARNING, end["reason"], end["message"])
            return
        completions = self._spec.get("completions")
        if completions is not None and self._status.get("succeeded", 0) > completions:
            text = "Too many succeeded pods running after completion count reached"
            self._calls.record(self._job, WARNING, "TooManySucceededPods", text)
        self._calls.record(self._job, NORMAL, "Completed", "Job completed")

    def _flush(self) -> None:
        status = printed(self._status)
        if status != (self._job.get("status") or {}):
            self._calls.write(self._job, status)
            self._job = {**self._job, "status": status}
