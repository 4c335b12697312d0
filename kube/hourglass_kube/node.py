"""A Node, trimmed to what scheduling and hardware decisions read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any


@dataclass(frozen=True, slots=True)
class Taint:
    """A node taint; effect is NoSchedule, PreferNoSchedule or NoExecute."""

    key: str
    value: str
    effect: str

    def __str__(self) -> str:
        value = f"={self.value}" if self.value else ""
        return f"{self.key}{value}:{self.effect}"


@dataclass(frozen=True, slots=True)
class NodeView:
    """A Node's name, labels, allocatable quantities (as the API prints them), taints and state.

    `conditions` are pairs of type and status, in the order of the types. `device_taints`: devices
    that ResourceSlices publish for the node, each with a taint that keeps claims off it.
    """

    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    allocatable: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[Taint, ...] = ()
    unschedulable: bool = False
    ready: bool = True
    conditions: tuple[tuple[str, str], ...] = ()
    features: tuple[str, ...] = ()
    """What its kubelet declares that it can do."""
    device_taints: tuple[tuple[str, Taint], ...] = ()


def view(node: Mapping[str, Any]) -> NodeView:
    """Trim a Node as the API returns it."""
    meta, spec, status = node["metadata"], node.get("spec") or {}, node.get("status") or {}
    conditions = sorted((c["type"], c["status"]) for c in status.get("conditions") or ())
    return NodeView(
        name=meta["name"],
        labels=meta.get("labels") or {},
        allocatable=status.get("allocatable") or {},
        taints=tuple(
            Taint(t["key"], t.get("value", ""), t["effect"]) for t in spec.get("taints") or ()
        ),
        unschedulable=bool(spec.get("unschedulable")),
        ready=dict(conditions).get("Ready", "True") == "True",
        conditions=_shared(tuple(conditions)),
        features=tuple(status.get("declaredFeatures") or ()),
    )


@lru_cache(maxsize=1024)
def _shared(conditions: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """One tuple for all nodes that are in the same condition, as nearly all are."""
    return conditions
