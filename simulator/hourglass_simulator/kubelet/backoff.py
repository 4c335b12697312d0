"""flowcontrol.Backoff as the kubelet uses it for restarts and image pulls.

https://github.com/kubernetes/client-go/blob/v0.34.4/util/flowcontrol/backoff.go
"""

INITIAL_SECONDS = 10.0
MAX_SECONDS = 300.0


class Backoff:
    """One entry: it doubles with every use and starts over after twice its maximum without."""

    __slots__ = ("_updated", "seconds")

    def __init__(self) -> None:
        self.seconds = 0.0
        self._updated: float | None = None

    def waiting(self, since: float, now: float) -> bool:
        """Whether what ended at `since` has to wait still."""
        return not self._expired(since) and now - since < self.seconds

    def waiting_since_update(self, now: float) -> bool:
        """Whether the last use was too recent."""
        return self._updated is not None and self.waiting(self._updated, now)

    def next(self, event: float, now: float) -> None:
        """Use it for something that ended at `event`."""
        expired = self._expired(event)
        self.seconds = INITIAL_SECONDS if expired else min(self.seconds * 2, MAX_SECONDS)
        self._updated = now

    def _expired(self, event: float) -> bool:
        return self._updated is None or event - self._updated > 2 * MAX_SECONDS
