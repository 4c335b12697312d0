"""Faults of nodes that run low on something.

https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/
"""

from random import Random

from hourglass_kube import quantity
from hourglass_simulator.faults import present
from hourglass_simulator.faults.holds import Undo
from hourglass_simulator.faults.nodes import OfNode
from hourglass_simulator.faults.target import FaultType, Target
from hourglass_simulator.kubelet.pressure import MemoryPressure
from hourglass_simulator.scenario.strict import Quantity


class Lacking(OfNode):
    """Which node, and how much it lacks."""

    lacks: Quantity = "4Gi"
    """How much memory the evicted pods must have used; what pods use, their images say."""


def _memory(target: Target, p: Lacking, _: Random) -> Undo:
    """A node lacks memory: its kubelet evicts pods, those that use more than they request first.

    Healed, there is memory again.
    """
    present.node(target, p.node)
    cluster = target.cluster

    def begin() -> Undo:
        lacking = quantity.whole(p.lacks)
        return MemoryPressure(cluster.clock, cluster.kubelets, p.node, lacking).end

    return target.holds.hold(("memory", p.node), begin)


FAULTS = (FaultType("memory-pressure", Lacking, _memory, {"node": "gpu-1", "lacks": "8Gi"}),)
