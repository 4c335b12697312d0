"""The numbers that the controller's decisions depend on; all times are in seconds."""

from dataclasses import dataclass, field

from hourglass_operator.api import DisruptionPolicy
from hourglass_operator.resources.pod import PodDefaults


@dataclass(frozen=True, slots=True)
class Settings:
    """Times are in seconds.

    `status_delay`: how long a change of status that leaves the phase alone must last before it is
    written; `status_limit`: how long it is held back at most while it goes on changing.
    `node_delay`: for how long changes of nodes are gathered before they are looked at together.
    `retry_base`, `retry_limit`: back-off after a failed write, doubled with each failure.
    `replacement_base`, `replacement_limit`: the least age of a pod that failed before it is
    replaced, doubled with each replacement. `termination_slack`: how long after its pod's grace
    period a deleted Performer waits for the pod's end before its finalizer is released.
    `repair_base`, `repair_limit`: back-off of a repair whose answer showed that it was in vain,
    doubled with each try. `repair_window`: for how long a repair that lasted is remembered, to see
    that somebody undoes it.
    `pod_defaults`, `disruption_policy`: for Performers that do not say it themselves.
    """

    status_delay: float = 2.0
    status_limit: float = 5.0
    node_delay: float = 1.0
    retry_base: float = 1.0
    retry_limit: float = 60.0
    replacement_base: float = 10.0
    replacement_limit: float = 300.0
    termination_slack: float = 60.0
    repair_base: float = 60.0
    repair_limit: float = 3600.0
    repair_window: float = 600.0
    pod_defaults: PodDefaults = field(default_factory=PodDefaults)
    disruption_policy: DisruptionPolicy = DisruptionPolicy.EVICT
