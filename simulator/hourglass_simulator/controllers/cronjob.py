"""CronJobs: a Job whenever the schedule says so.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/controller/cronjob/cronjob_controllerv2.go
"""

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from hourglass_kube import time
from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIError, APIServer
from hourglass_simulator.clock import Clock
from hourglass_simulator.controllers import podstatus
from hourglass_simulator.controllers.cron import Schedule
from hourglass_simulator.controllers.enqueue import enqueue_object, enqueue_owner
from hourglass_simulator.controllers.informer import Informers, key_of
from hourglass_simulator.controllers.podcontrol import (
    controlled_by,
    controller_reference,
    namespace_is_terminating,
)
from hourglass_simulator.controllers.ttlafterfinished import ended_at
from hourglass_simulator.controllers.workqueue import Key, WorkQueue
from hourglass_simulator.recorder import NORMAL, WARNING, EventRecorder, reference

USER = "system:serviceaccount:kube-system:cronjob-controller"
DELTA_SECONDS = 0.1
"""After the moment that a schedule names, so that it has surely passed."""
MANY = 100
"""So many missed moments are worth a warning."""
SCHEDULED = "batch.kubernetes.io/cronjob-scheduled-timestamp"


class CronJobController:
    """Finds the Jobs of a CronJob by their owner."""

    def __init__(self, clock: Clock, api: APIServer, informers: Informers) -> None:
        self._clock = clock
        self._api = api
        self._recorder = EventRecorder(clock, api, "cronjob-controller")
        self._queue = WorkQueue(clock, self._sync)
        self._cron_jobs = informers.of("cronjobs")
        self._jobs = informers.of("jobs")
        self._cron_jobs.on_change(enqueue_object(self._queue))
        self._jobs.on_owned("CronJob", enqueue_owner(self._queue))

    def _sync(self, key: Key) -> None:
        obj = self._cron_jobs.get(*key)
        if obj is None:
            return
        jobs = self._jobs.owned(obj["metadata"]["uid"])
        status = dict(obj.get("status") or {})
        try:
            self._clean_up(obj, status, jobs)
            self._observe(obj, status, jobs)
            if "deletionTimestamp" not in obj["metadata"]:
                self._start(obj, status)
        finally:
            if not status.get("active"):
                status.pop("active", None)
            if status != (obj.get("status") or {}):
                self._api.set_status("cronjobs", *key, status, user=USER)

    def _event(self, obj: JSON, kind: str, reason: str, message: str) -> None:
        self._recorder.event(reference(obj), kind, reason, message)

    # Its Jobs

    def _clean_up(self, obj: JSON, status: JSON, jobs: list[JSON]) -> None:
        """Delete Jobs that have ended and are beyond the history."""
        for kind, limit in (
            ("Complete", "successfulJobsHistoryLimit"),
            ("Failed", "failedJobsHistoryLimit"),
        ):
            most = obj["spec"].get(limit)
            ended = [job for job in jobs if _ended(job) == kind]
            if most is None or len(ended) <= most:
                continue
            ended.sort(key=lambda job: (_started(job), job["metadata"]["name"]))
            for job in ended[: len(ended) - most]:
                self._delete(obj, status, job)

    def _delete(self, obj: JSON, status: JSON, job: JSON) -> None:
        meta = job["metadata"]
        try:
            self._api.delete(
                "jobs",
                meta["namespace"],
                meta["name"],
                propagation_policy="Background",
                user=USER,
            )
        except APIError as error:
            self._event(obj, WARNING, "FailedDelete", f"Deleted job: {error.message}")
            raise
        _forget(status, meta["uid"])
        self._event(obj, NORMAL, "SuccessfulDelete", f"Deleted job {meta['name']}")

    def _observe(self, obj: JSON, status: JSON, jobs: list[JSON]) -> None:
        """Note which Jobs have ended, which are strange and which are missing."""
        for job in jobs:
            meta, ended = job["metadata"], _ended(job)
            known = any(each["uid"] == meta["uid"] for each in status.get("active") or ())
            if not known and not ended:
                text = "Saw a job that the controller did not create or forgot: "
                self._event(obj, WARNING, "UnexpectedJob", text + meta["name"])
            elif ended:
                if known:
                    _forget(status, meta["uid"])
                    text = f"Saw completed job: {meta['name']}, condition: {ended}"
                    self._event(obj, NORMAL, "SawCompletedJob", text)
                self._note_success(status, job)
        there = {job["metadata"]["uid"] for job in jobs}
        for each in list(status.get("active") or ()):
            if each["uid"] in there or self._jobs.get(each["namespace"], each["name"]):
                continue
            self._event(obj, NORMAL, "MissingJob", f"Active job went missing: {each['name']}")
            _forget(status, each["uid"])

    def _note_success(self, status: JSON, job: JSON) -> None:
        when = (job.get("status") or {}).get("completionTime")
        last = status.get("lastSuccessfulTime")
        if _ended(job) == "Complete" and when and (last is None or when > last):
            status["lastSuccessfulTime"] = when

    # The schedule

    def _start(self, obj: JSON, status: JSON) -> None:
        """Create the Job that is due, unless the policy forbids it, and wait for the next."""
        spec = obj["spec"]
        try:
            zone = _zone(spec.get("timeZone"))
        except (ZoneInfoNotFoundError, ValueError, OSError):
            name = spec["timeZone"]
            text = f'invalid timeZone: "{name}": unknown time zone {name}'
            self._event(obj, WARNING, "UnknownTimeZone", text)
            return
        if spec.get("suspend"):
            return
        try:
            schedule = Schedule(spec["schedule"], zone)
        except ValueError as error:
            text = f'unparseable schedule: "{spec["schedule"]}" : {error}'
            self._event(obj, WARNING, "UnparseableSchedule", text)
            return
        now = self._clock.unix_time
        due = self._due(obj, status, schedule, now)
        if due is not None and self._may_start(obj, status, due, now):
            self._create(obj, status, due, zone)
        following = schedule.next(max(due or 0.0, _earliest(obj, status), now))
        if following is not None:
            self._queue.add_after(key_of(obj), following + DELTA_SECONDS - now)

    def _due(self, obj: JSON, status: JSON, schedule: Schedule, now: float) -> float | None:
        """The last moment of the schedule that has passed since the last Job."""
        earliest = _earliest(obj, status)
        deadline = obj["spec"].get("startingDeadlineSeconds")
        if deadline is not None:
            earliest = max(earliest, now - deadline)
        found, missed = None, 0
        following = schedule.next(earliest)
        while following is not None and following <= now:
            found, missed = following, missed + 1
            following = schedule.next(following)
        if missed > MANY:
            text = "too many missed start times. Set or decrease .spec.startingDeadlineSeconds"
            self._event(obj, WARNING, "TooManyMissedTimes", f"{text} or check clock skew")
        return found

    def _may_start(self, obj: JSON, status: JSON, due: float, now: float) -> bool:
        spec = obj["spec"]
        deadline = spec.get("startingDeadlineSeconds")
        if deadline is not None and due + deadline < now:
            when = datetime.fromtimestamp(due, UTC).strftime("%a, %d %b %Y %H:%M:%S +0000")
            text = f"Missed scheduled time to start a job: {when}"
            self._event(obj, WARNING, "MissSchedule", text)
            return False
        active = status.get("active") or []
        if any(each["name"] == _job_name(obj, due) for each in active):
            return False
        if status.get("lastScheduleTime") == time.from_seconds(due):
            return False
        if spec.get("concurrencyPolicy") == "Forbid" and active:
            text = "Not starting job because prior execution is running and concurrency policy is"
            self._event(obj, NORMAL, "JobAlreadyActive", f"{text} Forbid")
            return False
        if spec.get("concurrencyPolicy") == "Replace":
            for each in list(active):
                job = self._jobs.get(each["namespace"], each["name"])
                if job is not None:
                    self._delete(obj, status, job)
        return True

    def _create(self, obj: JSON, status: JSON, due: float, zone: tzinfo) -> None:
        template = obj["spec"]["jobTemplate"]
        given = template.get("metadata") or {}
        name, namespace = _job_name(obj, due), obj["metadata"]["namespace"]
        when = datetime.fromtimestamp(due, zone).isoformat().replace("+00:00", "Z")
        job = {
            "metadata": {
                "name": name,
                "labels": given.get("labels") or {},
                "annotations": {**(given.get("annotations") or {}), SCHEDULED: when},
                "ownerReferences": [controller_reference(obj)],
            },
            "spec": template["spec"],
        }
        try:
            made = self._api.create("jobs", job, namespace=namespace, user=USER)
        except APIError as error:
            if error.reason != "AlreadyExists":
                if not namespace_is_terminating(error):
                    text = f"Error creating job: {error.message}"
                    self._event(obj, WARNING, "FailedCreate", text)
                raise
            made = self._api.get("jobs", namespace, name, user=USER)
            if not controlled_by(made, obj):
                return
        else:
            self._event(obj, NORMAL, "SuccessfulCreate", f"Created job {name}")
        active = {
            "kind": "Job",
            "namespace": namespace,
            "name": name,
            "uid": made["metadata"]["uid"],
            "apiVersion": "batch/v1",
            "resourceVersion": made["metadata"]["resourceVersion"],
        }
        status["active"] = [*(status.get("active") or ()), active]
        status["lastScheduleTime"] = time.from_seconds(due)


def _zone(name: str | None) -> tzinfo:
    return UTC if not name else ZoneInfo(name)


def _earliest(obj: JSON, status: JSON) -> float:
    last = status.get("lastScheduleTime")
    return time.parse(last).timestamp() if last else podstatus.created(obj)


def _job_name(obj: JSON, due: float) -> str:
    return f"{obj['metadata']['name']}-{int(due) // 60}"


def _ended(job: JSON) -> str:
    """Complete or Failed, "" while it runs."""
    if ended_at(job) is None:
        return ""
    failed = podstatus.condition(job, "Failed")
    return "Failed" if failed is not None and failed["status"] == "True" else "Complete"


def _started(job: JSON) -> tuple[bool, str]:
    since = (job.get("status") or {}).get("startTime")
    return since is None, since or ""


def _forget(status: JSON, uid: str) -> None:
    status["active"] = [each for each in status.get("active") or () if each["uid"] != uid]
