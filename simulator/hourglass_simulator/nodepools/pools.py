"""The node pools of a cluster, each with the machines that it has from the start and its scaler."""

from collections.abc import Sequence

from hourglass_simulator.nodepools.autoscaler import Autoscaler
from hourglass_simulator.nodepools.karpenter import Karpenter
from hourglass_simulator.nodepools.machines import Machines
from hourglass_simulator.nodepools.nodes import Nodes
from hourglass_simulator.nodepools.pool import ClusterAutoscaler, NodePool


class NodePools:
    """Scaled from now on; what decides between equal pools is their order."""

    def __init__(self, cluster: Nodes, pools: Sequence[NodePool]) -> None:
        self.names = [pool.name for pool in pools]
        self._machines = Machines(cluster)
        for pool in pools:
            self._machines.start(pool)
        scaled = [pool for pool in pools if isinstance(pool.scaler, ClusterAutoscaler)]
        provisioned = [pool for pool in pools if not isinstance(pool.scaler, ClusterAutoscaler)]
        self._karpenter: Karpenter | None = None
        if scaled:
            Autoscaler(cluster, self._machines, scaled)
        if provisioned:
            self._karpenter = Karpenter(cluster, self._machines, provisioned)
        self.drifting = [pool.name for pool in provisioned]
        """Pools whose nodes are replaced when their template changes."""

    def exhaust(self, pool: str, *, on: bool) -> None:
        """The cloud has no machines left for a pool, or has some again."""
        (self._machines.exhausted.add if on else self._machines.exhausted.discard)(pool)

    def drift(self, pool: str) -> None:
        """The template of a pool of Karpenter has changed."""
        if self._karpenter is not None:
            self._karpenter.drift(pool)
