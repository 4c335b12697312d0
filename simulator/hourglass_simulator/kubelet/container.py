"""One container of a pod: what the runtime and the kubelet know of it."""

import hashlib

from hourglass_kube import podresources
from hourglass_kube.types import JSON
from hourglass_simulator.kubelet import restart
from hourglass_simulator.kubelet.backoff import Backoff
from hourglass_simulator.kubelet.workload import Workload

CONTAINERS, INIT, EPHEMERAL = "containers", "initContainers", "ephemeralContainers"
"""The lists of a pod's spec that containers stand in."""
MESSAGE_BYTES = 4096
"""How much of a termination message is read."""
LOG_BYTES, LOG_LINES = 2048, 80
"""How much of a log stands in for one."""

_FALLBACK = "FallbackToLogsOnError"


class Container:
    """The latest container of its name, the one before, and why it does not run."""

    __slots__ = (
        "actuated",
        "backoff",
        "build",
        "failed",
        "finished",
        "image_id",
        "image_reference",
        "last",
        "last_finished",
        "name",
        "pull_backoff",
        "pull_error",
        "ready",
        "reason",
        "restarts",
        "rules",
        "runtime_id",
        "sandbox",
        "shown_terminated",
        "spec",
        "started",
        "started_at",
        "started_up",
        "terminated",
        "where",
        "workload",
    )

    def __init__(self, spec: JSON, where: str = CONTAINERS, *, rules: bool = False) -> None:
        self.spec = spec
        self.name: str = spec["name"]
        self.where = where
        self.rules = rules
        """Containers may have restart policies and rules of their own."""
        self.workload = Workload()
        self.runtime_id = ""
        self.image_reference: str = spec["image"]
        self.image_id = ""
        self.build: int | None = None
        """Of its image; None before it is created."""
        self.restarts = -1
        self.started: float | None = None
        """When it was started, in seconds of the clock; None if it does not run."""
        self.started_at = ""
        self.started_up = False
        """It runs, and its startup probe was answered if it has one."""
        self.finished = 0.0
        self.last_finished: float | None = None
        """When the container before ended."""
        self.terminated: JSON | None = None
        self.last: JSON | None = None
        self.sandbox = 0
        """The number of the pod's sandbox that it is or was in."""
        self.shown_terminated = False
        self.reason: tuple[str, str] | None = None
        """Why the latest attempt to start it failed: reason and message."""
        self.ready = False
        self.failed = ""
        """Why it is to be restarted: the kind of probe that has failed too often, or a change."""
        self.backoff = Backoff()
        self.pull_backoff = Backoff()
        self.pull_error = ""
        self.actuated: JSON = spec.get("resources") or {}
        """What the runtime gives it."""

    @property
    def init(self) -> bool:
        """It is one of the pod's initContainers: a sidecar, or it must succeed."""
        return self.where == INIT

    @property
    def ephemeral(self) -> bool:
        """It was added to a pod that runs, for debugging; it is never restarted."""
        return self.where == EPHEMERAL

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
        return f"spec.{self.where}{{{self.name}}}"

    @property
    def sidecar(self) -> bool:
        """It starts before the pod's containers and is restarted for as long as they run.

        https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/
        """
        return self.init and self.spec.get("restartPolicy") == restart.ALWAYS

    @property
    def initialized(self) -> bool:
        """What comes after it in the order of initContainers may start."""
        if self.sidecar:
            return self.running and self.started_up
        return self.terminated is not None and self.terminated["exitCode"] == 0

    @property
    def memory_limit(self) -> int:
        """Bytes; 0 if there is no limit."""
        limits = self.actuated.get("limits") or {}
        return podresources.amount("memory", limits["memory"]) if "memory" in limits else 0

    def to_start(self, pod_policy: str) -> bool:
        """It is to be started now, as far as it depends on itself."""
        if not self.exists:
            return True
        if self.running or self.terminated is None or self.ephemeral:
            return False
        if self.init and not self.sidecar and self.terminated["exitCode"] == 0:
            return False
        return self.restarts_after(self.terminated["exitCode"], pod_policy)

    def restarts_after(self, code: int, pod_policy: str) -> bool:
        """Whether it is started again when it has ended with a code."""
        return restart.restarts(self.spec, pod_policy, code, rules=self.rules)

    def create(self, pod_uid: str, sandbox: int = 1) -> None:
        """The runtime creates it anew, in the pod's sandbox of that number."""
        self.sandbox = sandbox
        if self.terminated is not None:
            self.last, self.last_finished = self.terminated, self.finished
        self.restarts += 1
        text = f"{pod_uid}/{self.name}/{self.restarts}"
        self.runtime_id = f"containerd://{hashlib.sha256(text.encode()).hexdigest()}"
        self.terminated = None
        self.shown_terminated = False
        self.ready = False
        self.failed = ""
        self.actuated = self.spec.get("resources") or {}

    def run(self, now: float, timestamp: str) -> None:
        """It has started."""
        self.started, self.started_at = now, timestamp
        self.reason = None
        self.start_up("startupProbe" not in self.spec)

    def start_up(self, started_up: bool) -> None:
        """Its startup probe is answered, or there is none; only then does readiness count."""
        self.started_up = started_up
        self.ready = started_up and "readinessProbe" not in self.spec

    def end(
        self,
        now: float,
        timestamp: str,
        code: int,
        reason: str,
        message: str = "",
        *,
        said: bool = True,
    ) -> None:
        """It has ended, or could not be started; `said`: what it left to say is read."""
        never = self.started is None
        self.started, self.finished = None, now
        self.started_up = self.ready = False
        parts = [message, self._said(code) if said and not never else ""]
        message = ": ".join(text for text in parts if text)
        self.terminated = {
            "exitCode": code,
            "reason": reason,
            **({"message": message} if message else {}),
            "startedAt": "1970-01-01T00:00:00Z" if never else self.started_at,
            "finishedAt": timestamp,
            "containerID": self.runtime_id,
        }

    def _said(self, code: int) -> str:
        """Its termination message, or the end of its log where the policy says so.

        https://kubernetes.io/docs/tasks/debug/debug-application/determine-reason-pod-failure/
        """
        if self.workload.termination_message:
            return self.workload.termination_message[-MESSAGE_BYTES:]
        if self.spec.get("terminationMessagePolicy") != _FALLBACK or code == 0:
            return ""
        lines = self.workload.log.splitlines(keepends=True)[-LOG_LINES:]
        return "".join(lines)[-LOG_BYTES:]

    def prune(self) -> None:
        """Of dead containers the kubelet keeps one: the one before is shown only once."""
        if self.terminated is None:
            return
        if self.shown_terminated:
            self.last = None
        self.shown_terminated = True


_SERVES = Workload()
_WORKS = Workload(exit_after=1.0)


def undeclared(pod: JSON, container: Container) -> Workload:
    """How a container behaves whose image nothing is declared of.

    It runs for ever, unless it is there to end: an init container, or one of a Job, works for a
    second and succeeds.
    """
    owners = pod["metadata"].get("ownerReferences") or ()
    of_job = any(owner.get("controller") and owner["kind"] == "Job" for owner in owners)
    if container.sidecar or not (container.init or of_job):
        return _SERVES
    return _WORKS
