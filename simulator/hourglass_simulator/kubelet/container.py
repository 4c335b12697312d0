"""One container of a pod: what the runtime and the kubelet know of it."""

import hashlib

from hourglass_kube.types import JSON
from hourglass_simulator.kubelet.backoff import Backoff
from hourglass_simulator.kubelet.workload import Workload


class Container:
    """The latest container of its name, the one before, and why it does not run."""

    __slots__ = (
        "answered",
        "backoff",
        "failures",
        "finished",
        "image_id",
        "image_reference",
        "last",
        "name",
        "pull_backoff",
        "pull_error",
        "ready",
        "reason",
        "restarts",
        "runtime_id",
        "shown_terminated",
        "spec",
        "started",
        "started_at",
        "terminated",
        "workload",
    )

    def __init__(self, spec: JSON) -> None:
        self.spec = spec
        self.name: str = spec["name"]
        self.workload = Workload()
        self.runtime_id = ""
        self.image_reference: str = spec["image"]
        self.image_id = ""
        self.restarts = -1
        self.started: float | None = None
        """When it was started, in seconds of the clock; None if it does not run."""
        self.started_at = ""
        self.finished = 0.0
        self.terminated: JSON | None = None
        self.last: JSON | None = None
        self.shown_terminated = False
        self.reason: tuple[str, str] | None = None
        """Why the latest attempt to start it failed: reason and message."""
        self.ready = False
        self.answered: bool | None = None
        """What the latest readiness probe found; None before the first."""
        self.failures = 0
        self.backoff = Backoff()
        self.pull_backoff = Backoff()
        self.pull_error = ""

    @property
    def exists(self) -> bool:
        """The runtime has created it."""
        return self.restarts >= 0

    @property
    def running(self) -> bool:
        """It runs."""
        return self.started is not None

    @property
    def field_path(self) -> str:
        """How Events name it."""
        return f"spec.containers{{{self.name}}}"

    def to_start(self, restart_policy: str) -> bool:
        """It is to be started now."""
        if not self.exists:
            return True
        if self.running or self.terminated is None or restart_policy == "Never":
            return False
        return restart_policy == "Always" or self.terminated["exitCode"] != 0

    def create(self, pod_uid: str) -> None:
        """The runtime creates it anew."""
        if self.terminated is not None:
            self.last = self.terminated
        self.restarts += 1
        text = f"{pod_uid}/{self.name}/{self.restarts}"
        self.runtime_id = f"containerd://{hashlib.sha256(text.encode()).hexdigest()}"
        self.terminated = None
        self.shown_terminated = False
        self.ready = False
        self.answered = None
        self.failures = 0

    def run(self, now: float, timestamp: str) -> None:
        """It has started."""
        self.started, self.started_at = now, timestamp
        self.reason = None
        self.ready = "readinessProbe" not in self.spec

    def end(self, now: float, timestamp: str, code: int, reason: str, message: str = "") -> None:
        """It has ended, or could not be started."""
        never = self.started is None
        self.started, self.finished = None, now
        self.ready = False
        self.terminated = {
            "exitCode": code,
            "reason": reason,
            **({"message": message} if message else {}),
            "startedAt": "1970-01-01T00:00:00Z" if never else self.started_at,
            "finishedAt": timestamp,
            "containerID": self.runtime_id,
        }

    def prune(self) -> None:
        """Of dead containers the kubelet keeps one: the one before is shown only once."""
        if self.terminated is None:
            return
        if self.shown_terminated:
            self.last = None
        self.shown_terminated = True
