"""`cluster`: the nodes, images and cluster objects that a scenario starts with."""

# ruff: noqa: RUF012 - pydantic copies mutable defaults

import re
from typing import Annotated, Literal, Self, TypedDict

from pydantic import BeforeValidator, Field, model_serializer, model_validator

from hourglass_kube.types import JSON
from hourglass_simulator.kubernetes.version import OLDEST, VERSIONS
from hourglass_simulator.scenario.behaviour import Behaviour
from hourglass_simulator.scenario.strict import (
    Bool,
    Count,
    Duration,
    Quantity,
    Strict,
    reads,
    several,
)

EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")


class Taint(Strict):
    """A node taint, written `key=value:NoSchedule` or `key:NoSchedule` as `kubectl taint` does."""

    key: str
    value: str = ""
    effect: str

    def to_json(self) -> JSON:
        """As a Node has it in `spec.taints`."""
        return {
            "key": self.key,
            "effect": self.effect,
            **({"value": self.value} if self.value else {}),
        }

    @model_serializer
    def __str__(self) -> str:
        middle = f"={self.value}" if self.value else ""
        return f"{self.key}{middle}:{self.effect}"


def _taint(value: object) -> Taint:
    if isinstance(value, Taint):
        return value
    text = value if isinstance(value, str) else ""
    pair, _, effect = text.rpartition(":")
    key, _, content = pair.partition("=")
    if not key or effect not in EFFECTS:
        raise ValueError(
            f"{value!r} is not a taint; write it as key=value:NoSchedule or key:NoSchedule "
            f"(effects: {', '.join(EFFECTS)})"
        )
    return Taint(key=key, value=content, effect=effect)


class NodeProperties(TypedDict):
    """The parameters of `node_object.node_object` that a group of nodes decides."""

    cpu: str
    memory: str
    pods: int
    labels: dict[str, str]
    taints: list[dict[str, str]]
    devices: dict[str, int]


def _nodes(value: object) -> str:
    """A number of nodes or a percentage."""
    text = str(value)
    if isinstance(value, bool) or not re.fullmatch(r"[0-9]+%?", text):
        raise ValueError(f"{value!r} is not a number of nodes; write it as 2 or 10%")
    return text


class _Nodes(Strict):
    """What the nodes of a group or pool have in common."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$")]
    cpu: Quantity = "8"
    memory: Quantity = "32Gi"
    pods: Count = 110
    labels: dict[str, str] = {}
    taints: tuple[Annotated[Taint, *reads(_taint, {"type": "string"})], ...] = ()
    devices: dict[str, Count] = {}
    """Extended resources that a device plugin offers, such as `nvidia.com/gpu: 4`."""

    @property
    def properties(self) -> NodeProperties:
        """What each of its nodes is made with."""
        return {
            "cpu": self.cpu,
            "memory": self.memory,
            "pods": self.pods,
            "labels": self.labels,
            "taints": [taint.to_json() for taint in self.taints],
            "devices": self.devices,
        }


class Device(Strict):
    """A device as a ResourceSlice has it."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", max_length=63)]
    attributes: dict[str, dict[str, bool | int | str]] = {}
    """Such as `product: {string: NVIDIA A100}`."""
    capacity: dict[str, dict[str, str]] = {}
    """Such as `memory: {value: 40Gi}`."""
    taints: tuple[Annotated[Taint, *reads(_taint, {"type": "string"})], ...] = ()

    def to_json(self) -> dict[str, object]:
        """As the API has it."""
        parts: dict[str, object] = {
            "attributes": self.attributes,
            "capacity": self.capacity,
            "taints": [taint.to_json() for taint in self.taints],
        }
        return {"name": self.name, **{part: given for part, given in parts.items() if given}}


class NodeGroup(_Nodes):
    """Nodes that are alike. `count: 2` of `name: gpu` makes gpu-1 and gpu-2; without it, gpu."""

    count: Annotated[Count | None, Field(ge=1, le=10_000)] = None
    drivers: dict[str, tuple[Device, ...]] = {}
    """Drivers of Dynamic Resource Allocation by name, each with the devices that it publishes."""

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the nodes in the group."""
        if self.count is None:
            return (self.name,)
        return tuple(f"{self.name}-{number}" for number in range(1, self.count + 1))


class Stage(Strict):
    """What changes on a node of a pool after it has registered, or after the stage before."""

    after: Duration
    labels: Annotated[tuple[str, ...], BeforeValidator(several)] = ()
    """Keys of the pool's labels that appear now."""
    devices: Annotated[tuple[str, ...], BeforeValidator(several)] = ()
    """Resources of the pool's devices that a device plugin offers from now on."""
    taints: Annotated[tuple[str, ...], BeforeValidator(several)] = ()
    """Keys of the pool's startupTaints that go now."""


class ScaledByClusterAutoscaler(Strict):
    """The cluster autoscaler grows and shrinks the pool."""

    unneeded_for: Duration = 600.0
    """How long a node must be unneeded before it is removed."""
    delay_after_add: Duration = 600.0
    """How long nothing is removed after nodes were added."""


class DisruptionBudget(Strict):
    """How many nodes Karpenter may disrupt at once."""

    nodes: Annotated[str, *reads(_nodes, {"type": ["string", "number"]})]
    """A number, or a percentage such as 10%."""
    reasons: Annotated[
        tuple[Literal["Empty", "Drifted", "Underutilized"], ...], BeforeValidator(several)
    ] = ()
    """For these reasons only; for all unless given."""


class ScaledByKarpenter(Strict):
    """Karpenter launches nodes for pods, and disrupts them."""

    consolidate_after: Annotated[Duration | Literal["Never"], Field(union_mode="left_to_right")] = (
        0.0
    )
    """How long the pods of a node must have been the same before it is consolidated."""
    consolidates: Literal["WhenEmpty", "WhenEmptyOrUnderutilized"] = "WhenEmptyOrUnderutilized"
    budgets: tuple[DisruptionBudget, ...] = (DisruptionBudget(nodes="10%"),)


class NodePool(_Nodes):
    """Nodes that come and go by themselves: gpu-1, gpu-2 … of `name: gpu`."""

    min: Count = 0
    max: Annotated[Count, Field(ge=1, le=1000)]
    boots_in: Duration = 60.0
    """From the launch of a machine to its node's registration."""
    startup_taints: tuple[Annotated[Taint, *reads(_taint, {"type": "string"})], ...] = ()
    """Taints that nodes register with, beside `taints`, until a stage takes them away."""
    startup: tuple[Stage, ...] = ()
    """What nodes lack when they register, in the order in which it comes."""
    cluster_autoscaler: ScaledByClusterAutoscaler | None = None
    karpenter: ScaledByKarpenter | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        """Stages name what the pool has; one scaler is enough."""
        if self.cluster_autoscaler and self.karpenter:
            raise ValueError("a pool is scaled by clusterAutoscaler or by karpenter, not by both")
        if self.min > self.max:
            raise ValueError(f"min is {self.min}, more than max, which is {self.max}")
        startup = [taint.key for taint in self.startup_taints]
        for stage in self.startup:
            for what, named, known in (
                ("labels", stage.labels, [*self.labels]),
                ("devices", stage.devices, [*self.devices]),
                ("taints", stage.taints, startup),
            ):
                for name in named:
                    if name not in known:
                        listed = ", ".join(known) or "none"
                        raise ValueError(f"startup.{what}: {name} is not one of {listed}")
        return self


class Build(Behaviour):
    """A newer build of an image: how its containers behave."""

    pushed: Duration
    """When the tag is moved to it."""


class Image(Behaviour):
    """An image: how it is pulled, and how a container of it behaves."""

    missing: Bool = False
    """Not in the registry: the pull fails."""
    unauthorized: Bool = False
    """The registry wants credentials that the pod does not have: the pull fails."""
    pull: Duration | None = None
    """How long the pull takes."""
    builds: tuple[Build, ...] = ()
    """Later builds behind the same tag; nodes that have pulled it keep the one they have."""


def _kubernetes(value: object) -> str:
    """A minor version; without quotes YAML takes it for a number."""
    if str(value) not in VERSIONS:
        raise ValueError(f"{value!r} is not a version that is simulated: {', '.join(VERSIONS)}")
    return str(value)


class Cluster(Strict):
    """Everything that exists before the manifests are applied."""

    kubernetes: Annotated[
        str, *reads(_kubernetes, {"type": ["string", "number"], "enum": list(VERSIONS)})
    ] = OLDEST
    """The minor version."""
    operator_replicas: Annotated[Count, Field(ge=1, le=2)] = 1
    """Replicas of the operator; of two, the one leads that holds a Lease."""
    resizes_pods: Bool = True
    """Whether pods have the subresource resize, as since Kubernetes 1.33."""
    managed_fields: Bool = False
    """Objects say which field manager owns which field."""
    nodes: tuple[NodeGroup, ...] = (NodeGroup(name="node", count=3),)
    node_pools: tuple[NodePool, ...] = ()
    images: dict[str, Image] = {}
    priority_classes: dict[str, Annotated[int, Field(ge=-2_147_483_648, le=1_000_000_000)]] = {}
    """Name → value."""
    runtime_classes: tuple[str, ...] = ()
    """Names; the handler has the same name. Write one with overhead as a manifest."""
    secrets: dict[str, tuple[str, ...]] = {}
    """Name → keys, in the scenario's namespace."""
    config_maps: dict[str, tuple[str, ...]] = {}
    """Name → keys, in the scenario's namespace."""
    service_accounts: tuple[str, ...] = ()
    """Names, in the scenario's namespace."""
