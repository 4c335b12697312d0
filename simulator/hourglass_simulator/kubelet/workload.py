"""How a container behaves."""

from dataclasses import dataclass

KILLED = 137
"""The exit code of a container that SIGKILL has ended."""
ROOT = ("root", "0")

STARTUP, READINESS, LIVENESS = "startup", "readiness", "liveness"
KINDS = (STARTUP, READINESS, LIVENESS)
"""The kinds of probes."""


@dataclass(frozen=True, slots=True)
class Answers:
    """How probes of one kind are answered; seconds count from the start of the container.

    Where neither `status`, `output` nor `hangs` says otherwise, what does not answer refuses
    connections, and a command ends with a code that is not 0.
    """

    after: float | None = 0.0
    """When probes begin to succeed; None: never."""
    until: float | None = None
    """When they fail again; None: never."""
    status: int = 0
    """What HTTP answers to a probe that fails: 500."""
    output: str = ""
    """What the command of a probe that fails prints, or what is wrong with an HTTP answer."""
    missing: bool = False
    """The image has no such command."""
    hangs: bool = False
    """A probe that fails gets no answer in its time."""

    def succeed(self, seconds: float) -> bool:
        """Whether a probe succeeds so long after the start."""
        if self.after is None or seconds < self.after:
            return False
        return self.until is None or seconds < self.until


@dataclass(frozen=True, slots=True)
class Hook:
    """A lifecycle hook: how long it takes beyond a sleep, and how it fails."""

    seconds: float = 0.0
    fails: bool = False
    code: int = 1
    missing: bool = False
    """The image has no such command."""
    output: str = ""


_NO_HOOK = Hook()


@dataclass(frozen=True, slots=True)
class Workload:
    """Seconds count from the start of the container, after SIGTERM for `stop_after`.

    The default starts at once, is ready at once, never exits and stops at once with code 0.
    """

    start_seconds: float = 0.0
    """What the runtime needs to create and start the container, beyond the usual."""
    ready_after: float | None = 0.0
    """When probes are answered of which nothing else is said; None: never."""
    ready_until: float | None = None
    """When they are answered no more; None: for ever."""
    startup: Answers | None = None
    readiness: Answers | None = None
    liveness: Answers | None = None
    exit_after: float | None = None
    exit_code: int = 0
    out_of_memory: bool = False
    """An exit is the kernel's doing: 137, OOMKilled."""
    stop_after: float | None = 0.0
    """None: SIGTERM is ignored."""
    stop_code: int = 0
    executable: bool = True
    """False: the command of the container does not exist in the image."""
    permitted: bool = True
    """False: the command of the container may not be executed."""
    log: str = ""
    """What it prints."""
    termination_message: str = ""
    """What it writes to its terminationMessagePath at its end."""
    memory: int = 0
    """Bytes that it uses; more than its limit ends it: 137, OOMKilled."""
    user: str = ""
    """The user of the image, a number or a name; empty: one that is not root."""
    post_start: Hook = _NO_HOOK
    pre_stop: Hook = _NO_HOOK

    def stops(self, grace: float) -> tuple[float, int]:
        """When it has ended after SIGTERM, and with which code; SIGKILL comes after `grace`."""
        if self.stop_after is None or self.stop_after > grace:
            return grace, KILLED
        return self.stop_after, self.stop_code

    def answers(self, kind: str) -> Answers:
        """How probes of a kind are answered."""
        declared: Answers | None = getattr(self, kind)
        return declared or Answers(self.ready_after, self.ready_until)

    def exhausts(self, limit: int) -> bool:
        """Whether it needs more memory than its limit; 0 is no limit."""
        return 0 < limit < self.memory
