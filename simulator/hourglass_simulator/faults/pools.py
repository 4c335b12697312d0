"""Faults of node pools: https://karpenter.sh/docs/concepts/disruption/#drift."""

from random import Random

from hourglass_simulator.faults.holds import Undo
from hourglass_simulator.faults.parameters import Parameters
from hourglass_simulator.faults.target import FaultNotPossibleError, FaultType, Target, nothing


class OfPool(Parameters):
    """Which node pool."""

    pool: str
    """Its name."""


def _exhausted(target: Target, p: OfPool, _: Random) -> Undo:
    """The cloud has no machines left for a node pool."""
    pools = target.cluster.node_pools
    _require(p.pool, pools.names, "there is no node pool")

    def begin() -> Undo:
        pools.exhaust(p.pool, on=True)
        return lambda: pools.exhaust(p.pool, on=False)

    return target.holds.hold(("pool", p.pool), begin)


def _drifted(target: Target, p: OfPool, _: Random) -> Undo:
    """The template of a node pool of Karpenter changes: its nodes are replaced."""
    pools = target.cluster.node_pools
    _require(p.pool, pools.drifting, "Karpenter has no node pool")
    pools.drift(p.pool)
    return nothing


def _require(name: str, known: list[str], what: str) -> None:
    if name not in known:
        listed = ", ".join(known) or "none"
        raise FaultNotPossibleError(f"{what} {name}; there are {listed}")


FAULTS = (
    FaultType("pool-drifted", OfPool, _drifted, {"pool": "gpu"}),
    FaultType("pool-exhausted", OfPool, _exhausted, {"pool": "gpu"}),
)
