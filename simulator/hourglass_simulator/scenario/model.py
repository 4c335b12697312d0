"""A scenario: a cluster, manifests, timed steps, and how it ends."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from hourglass_simulator.scenario.cluster import Cluster
from hourglass_simulator.scenario.expectation import Settles
from hourglass_simulator.scenario.manifest import Manifest
from hourglass_simulator.scenario.step import FAULT_ACTIONS, Step
from hourglass_simulator.scenario.strict import Strict, several

__all__ = ["Scenario"]


class Scenario(Strict):
    """One file. Everything that it holds is described in docs/scenarios.md."""

    title: Annotated[str, Field(alias="scenario", min_length=1)]
    shows: Annotated[str, Field(min_length=1)]
    """What a reader sees in it, in a sentence or two."""
    namespace: str = "default"
    """Where everything lives that does not name a namespace."""
    cluster: Cluster = Cluster()
    manifests: Annotated[tuple[Manifest, ...], BeforeValidator(several)] = ()
    """Applied at 0 s, before the first step."""
    steps: tuple[Step, ...] = ()
    settles: Settles = Settles()

    @property
    def portable(self) -> bool:
        """All its steps are plain API operations, its nodes stay: it runs on a real cluster.

        There, nobody publishes the devices of drivers.
        """
        cluster = self.cluster
        if cluster.node_pools or cluster.operator_replicas > 1:
            return False
        if any(group.drivers for group in cluster.nodes):
            return False
        return not any(step.action in FAULT_ACTIONS for step in self.steps)
