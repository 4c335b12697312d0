"""What can go wrong while a program waits for a Performer."""

from hourglass_operator.client.errors import ClientError
from hourglass_operator.client.performer import Performer


class WaitError(ClientError):
    """Waiting ended before the awaited state was reached.

    `performer` is as it was last seen, if it was; `reason` and `message` are those of the condition
    that explains it.
    """

    def __init__(
        self, text: str, performer: Performer | None = None, reason: str = "", message: str = ""
    ) -> None:
        super().__init__(text)
        self.performer = performer
        self.reason = reason
        self.message = message


class NotReadyError(WaitError):
    """The Performer is not ready: it failed, or the time was over."""


class UpgradeError(WaitError):
    """The new version does not serve: it failed, or the time was over.

    `old_serves`: whether the version before it still does.
    """

    @property
    def old_serves(self) -> bool:
        """Whether clients are still answered, by the version before."""
        return self.performer is not None and self.performer.ready


class MoveError(WaitError):
    """The successor of a pod does not serve: it failed, or the time was over.

    `old_serves`: whether the pod before it still does.
    """

    @property
    def old_serves(self) -> bool:
        """Whether clients are still answered, by the pod before."""
        return self.performer is not None and self.performer.ready


class NotDeletedError(WaitError):
    """The Performer is still there: its pod drains, or somebody's finalizer holds it."""


class DeletedError(WaitError):
    """The Performer was deleted while it was waited for."""
