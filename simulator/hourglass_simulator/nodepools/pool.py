"""A node pool: what its nodes are like, how they come up, and who scales it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from hourglass_kube.types import JSON
from hourglass_simulator.node_object import node_object

Reason = Literal["Empty", "Drifted", "Underutilized"]
"""Why Karpenter disrupts a node: https://karpenter.sh/docs/concepts/disruption/"""


@dataclass(frozen=True, slots=True)
class Stage:
    """What changes on a node some seconds after it has registered, or after the stage before.

    `labels` and `devices` (resources) appear, `taints` (keys) go.
    """

    after: float
    labels: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    taints: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ClusterAutoscaler:
    """Settings of the cluster autoscaler, with its defaults; seconds.

    https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/FAQ.md
    """

    unneeded: float = 600.0
    """How long a node must be unneeded before it is removed."""
    delay_after_add: float = 600.0
    """How long nothing is removed after a node was added."""


@dataclass(frozen=True, slots=True)
class Budget:
    """How many nodes may be disrupted at once, as a number or a percentage; for some reasons only.

    https://karpenter.sh/docs/concepts/disruption/#nodepool-disruption-budgets
    """

    nodes: str
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Karpenter:
    """Settings of a NodePool of Karpenter, with their defaults; seconds."""

    consolidate_after: float | None = 0.0
    """How long a node must have been left alone before it is consolidated; None: never."""
    underutilized: bool = True
    """Also nodes whose pods fit elsewhere are consolidated, not only empty ones."""
    budgets: tuple[Budget, ...] = (Budget("10%"),)


@dataclass(frozen=True, slots=True)
class NodePool:
    """Between `least` and `most` nodes that are alike; `boot`: seconds from launch to registration.

    `startup_taints` are there at registration beside `taints`, until a stage takes them away.
    """

    name: str
    least: int
    most: int
    boot: float
    scaler: ClusterAutoscaler | Karpenter
    cpu: str = "8"
    memory: str = "32Gi"
    pods: int = 110
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: Sequence[Mapping[str, str]] = ()
    devices: Mapping[str, int] = field(default_factory=dict)
    startup_taints: Sequence[Mapping[str, str]] = ()
    stages: tuple[Stage, ...] = ()

    def template(self, name: str, version: str) -> JSON:
        """A node as it is when it has come up, for a scaler to try pods on."""
        node = node_object(
            name,
            0,
            "",
            cpu=self.cpu,
            memory=self.memory,
            pods=self.pods,
            labels=self.labels,
            taints=self.taints,
            devices=self.devices,
            zone=None,
            kubelet_version=version,
        )
        return {"apiVersion": "v1", "kind": "Node", **node}

    @property
    def late_labels(self) -> frozenset[str]:
        """Labels that nodes register without."""
        return frozenset(key for stage in self.stages for key in stage.labels)

    @property
    def late_devices(self) -> frozenset[str]:
        """Resources that nodes register without."""
        return frozenset(resource for stage in self.stages for resource in stage.devices)
