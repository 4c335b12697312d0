"""Every reason that a condition of a Performer can carry."""

from enum import StrEnum


class Reason(StrEnum):
    """`status.conditions[].reason`: one CamelCase word that programs may rely on."""

    # Nothing is wrong.
    POD_PENDING = "PodPending"
    SCHEDULING_GATED = "SchedulingGated"
    SCHEDULED = "Scheduled"
    POD_READY = "PodReady"
    ENDPOINTS_NOT_READY = "EndpointsNotReady"
    SERVICE_READY = "ServiceReady"
    UPGRADE_IN_PROGRESS = "UpgradeInProgress"
    RESIZE_IN_PROGRESS = "ResizeInProgress"
    MOVE_IN_PROGRESS = "MoveInProgress"
    TERMINATING = "Terminating"
    AS_EXPECTED = "AsExpected"
    NOT_AVAILABLE = "NotAvailable"

    # Something keeps the Performer from serving, or did.
    HARDWARE_UNAVAILABLE = "HardwareUnavailable"
    SCHEDULING_FAILED = "SchedulingFailed"
    IMAGE_PULL_FAILED = "ImagePullFailed"
    CONTAINER_FAILED = "ContainerFailed"
    POD_NOT_READY = "PodNotReady"
    POD_LOST = "PodLost"
    POD_REJECTED = "PodRejected"
    SERVICE_REJECTED = "ServiceRejected"
    CLAIM_REJECTED = "ClaimRejected"
    NAME_CONFLICT = "NameConflict"
    BUDGET_REJECTED = "BudgetRejected"
    BUDGET_CONFLICT = "BudgetConflict"
    REPAIR_UNDONE = "RepairUndone"
    PROGRESS_DEADLINE_EXCEEDED = "ProgressDeadlineExceeded"
