"""What the scalers of node pools have in common: what they look at and speak through."""

from collections.abc import Sequence

from hourglass_simulator.nodepools.machines import Machines
from hourglass_simulator.nodepools.nodes import Nodes
from hourglass_simulator.nodepools.pool import NodePool
from hourglass_simulator.nodepools.repeatedevents import RepeatedEvents
from hourglass_simulator.recorder import EventRecorder


class Scaler:
    """Some pools of a cluster, and a name to write Events by."""

    def __init__(
        self, cluster: Nodes, machines: Machines, pools: Sequence[NodePool], name: str
    ) -> None:
        self._cluster = cluster
        self._clock = cluster.clock
        self._api = cluster.api
        self._machines = machines
        self._pools = pools
        self._recorder = EventRecorder(cluster.clock, cluster.api, name)
        self._events = RepeatedEvents(cluster.clock, self._recorder)
        self._leaving: set[str] = set()
        """Nodes that are being removed."""
