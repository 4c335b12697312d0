"""How the container of an image behaves."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Workload:
    """Seconds count from the start of the container, after SIGTERM for `stop_after`.

    The default starts at once, is ready at once, never exits and stops at once with code 0.
    """

    start_seconds: float = 0.0
    """What the runtime needs to create and start the container, beyond the usual."""
    ready_after: float | None = 0.0
    """When a readiness probe is answered; None: never."""
    ready_until: float | None = None
    """When it is answered no more; None: for ever."""
    exit_after: float | None = None
    exit_code: int = 0
    out_of_memory: bool = False
    """An exit is the kernel's doing: 137, OOMKilled."""
    stop_after: float | None = 0.0
    """None: SIGTERM is ignored."""
    stop_code: int = 0
    executable: bool = True
    """False: the command of the container does not exist in the image."""

    def answers(self, seconds: float) -> bool:
        """Whether a readiness probe is answered so long after the start."""
        if self.ready_after is None or seconds < self.ready_after:
            return False
        return self.ready_until is None or seconds < self.ready_until
