"""The phases of a Performer."""

from enum import StrEnum


class Phase(StrEnum):
    """`status.phase`: where a Performer is in its life."""

    PENDING = "Pending"
    RUNNING = "Running"
    UPGRADING = "Upgrading"
    TERMINATING = "Terminating"
    FAILED = "Failed"
