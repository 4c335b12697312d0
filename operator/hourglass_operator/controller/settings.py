"""The numbers that the controller's decisions depend on; all times are in seconds."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Settings:
    """Times are in seconds.

    `status_delay`: how long a change of status that leaves the phase alone must last before it is
    written; `status_limit`: how long it is held back at most while it goes on changing.
    `retry_base`, `retry_limit`: back-off after a failed write, doubled with each failure.
    `replacement_base`, `replacement_limit`: the least age of a pod that failed before it is
    replaced, doubled with each replacement. `termination_slack`: how long after its pod's grace
    period a deleted Performer waits for the pod's end before its finalizer is released.
    """

    status_delay: float = 1.0
    status_limit: float = 5.0
    retry_base: float = 1.0
    retry_limit: float = 60.0
    replacement_base: float = 10.0
    replacement_limit: float = 300.0
    termination_slack: float = 60.0
