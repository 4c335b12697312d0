"""What the sync of a Job asks its controller for."""

from typing import Protocol

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIError, CallTimeoutError

Failure = APIError | CallTimeoutError
"""A call that failed."""


class Calls(Protocol):
    """What a sync asks the controller for."""

    @property
    def now(self) -> float:
        """Unix time."""

    @property
    def suspended_have_not_started(self) -> bool:
        """Whether a Job that is suspended loses the time at which it has started."""

    def timestamp(self) -> str:
        """Now, as in objects."""

    def again(self, job: JSON, seconds: float) -> None:
        """Sync once more in some seconds."""

    def write(self, job: JSON, status: JSON) -> None:
        """Write the status of a Job."""

    def record(self, job: JSON, kind: str, reason: str, message: str) -> None:
        """Record an Event of a Job."""

    def remove_finalizer(self, pod: JSON) -> None:
        """Let a pod go that has been counted."""

    def delete(self, job: JSON, pod: JSON) -> None:
        """Delete a pod."""

    def create(
        self, job: JSON, numbers: list[int | None], notes: dict[int, dict[str, str]]
    ) -> tuple[int, Failure | None]:
        """Create pods; how many, and the error that ended it."""
