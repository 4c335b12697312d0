"""`cluster`: the nodes, images and cluster objects that a scenario starts with."""

# ruff: noqa: RUF012 - pydantic copies mutable defaults

from typing import Annotated

from pydantic import Field, model_serializer

from hourglass_simulator.scenario.strict import Bool, Count, Duration, Quantity, Strict, reads

EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")


class Taint(Strict):
    """A node taint, written `key=value:NoSchedule` or `key:NoSchedule` as `kubectl taint` does."""

    key: str
    value: str = ""
    effect: str

    @model_serializer
    def __str__(self) -> str:
        middle = f"={self.value}" if self.value else ""
        return f"{self.key}{middle}:{self.effect}"

    @property
    def fields(self) -> dict[str, str]:
        """As in the API: without a value if it has none."""
        value = {"value": self.value} if self.value else {}
        return {"key": self.key, "effect": self.effect, **value}


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


class NodeGroup(Strict):
    """Nodes that are alike. `count: 2` of `name: gpu` makes gpu-1 and gpu-2; without it, gpu."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$")]
    count: Annotated[Count | None, Field(ge=1, le=10_000)] = None
    cpu: Quantity = "8"
    memory: Quantity = "32Gi"
    pods: Count = 110
    labels: dict[str, str] = {}
    taints: tuple[Annotated[Taint, *reads(_taint, {"type": "string"})], ...] = ()
    devices: dict[str, Count] = {}
    """Extended resources that a device plugin offers, such as `nvidia.com/gpu: 4`."""

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the nodes in the group."""
        if self.count is None:
            return (self.name,)
        return tuple(f"{self.name}-{number}" for number in range(1, self.count + 1))


class Image(Strict):
    """How a container of this image behaves; by default it is pulled and ready within seconds.

    Durations count from the start of the container, unless they say otherwise.
    """

    missing: Bool = False
    """Not in the registry: the pull fails."""
    unauthorized: Bool = False
    """The registry wants credentials that the pod does not have: the pull fails."""
    pull: Duration | None = None
    """How long the pull takes."""
    start: Duration | None = None
    """What the runtime needs to start the container, beyond the usual."""
    command_missing: Bool = False
    """The image has no such command: the container cannot be started."""
    ready_after: Duration | None = None
    """When readiness probes begin to succeed."""
    ready_until: Duration | None = None
    """When they fail again, for good."""
    never_ready: Bool = False
    exits_after: Duration | None = None
    """When the container ends by itself, each time that it is started."""
    exit_code: Count = 1
    out_of_memory: Bool = False
    """It is the kernel that ends it: OOMKilled, exit code 137."""
    stops_after: Duration | None = None
    """From SIGTERM to its end."""
    ignores_termination: Bool = False
    """It ends by SIGKILL only, when the grace period is over."""


class Cluster(Strict):
    """Everything that exists before the manifests are applied."""

    nodes: tuple[NodeGroup, ...] = (NodeGroup(name="node", count=3),)
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
