"""Nodes that are alike to a pod, put together: clusters have few kinds of nodes."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from hourglass_kube import podresources
from hourglass_kube.affinity import required_terms
from hourglass_kube.node import NodeView
from hourglass_operator.hardware.requirement import Requirement


@dataclass(frozen=True, slots=True)
class NodeGroup:
    """`names` of nodes that are alike, in the order of the nodes; `node` is the first of them."""

    node: NodeView
    names: list[str]

    @property
    def count(self) -> int:
        """How many nodes there are of this kind."""
        return len(self.names)


def group_nodes(
    nodes: Iterable[NodeView],
    needed: Requirement,
    used: Mapping[str, Mapping[str, int]],
    pod_spec: Mapping[str, Any],
) -> list[NodeGroup]:
    """Groups in the order of their first nodes.

    Alike are nodes with the same of all that a hardware requirement and the pod's own constraints
    look at, and of whose devices Performers hold the same (`used`, by node and resource).
    """
    terms = required_terms(pod_spec.get("affinity")) or ()
    labels = tuple(_label_keys(needed, pod_spec, terms))
    by_name = any(term.get("matchFields") for term in terms)
    devices = tuple(device.resource for device in needed.devices)
    shortages = [
        (resource, _shortage(resource, count))
        for resource, count in podresources.requests(pod_spec).items()
        if resource not in devices
    ]
    custom = tuple(key for key, _ in needed.custom_labels)
    nothing: Mapping[str, int] = {}
    groups: dict[tuple[Any, ...], NodeGroup] = {}
    for node in nodes:
        kind = (
            tuple(map(node.labels.get, labels)),
            tuple(map(node.allocatable.get, devices)),
            tuple([short(node.allocatable.get(resource)) for resource, short in shortages]),
            tuple([key in node.allocatable for key in custom]),
            tuple(map(used.get(node.name, nothing).get, devices)),
            node.taints,
            node.unschedulable,
            node.ready,
            node.name if by_name else "",
        )
        group = groups.get(kind)
        if group is None:
            groups[kind] = NodeGroup(node, [node.name])
        else:
            group.names.append(node.name)
    return list(groups.values())


def _shortage(resource: str, count: int) -> Callable[[str | None], str | None]:
    """What is allocatable, if it is less than `count`; machines differ in what is beyond that."""

    @cache
    def short(allocatable: str | None) -> str | None:
        enough = allocatable is not None and podresources.amount(resource, allocatable) >= count
        return "enough" if enough else allocatable

    return short


def _label_keys(
    needed: Requirement, pod_spec: Mapping[str, Any], terms: Sequence[Mapping[str, Any]]
) -> Iterable[str]:
    return dict.fromkeys(
        (
            *(key for choice in needed.choices for key, _ in choice.alternatives),
            *(key for key, _ in needed.custom_labels),
            *(pod_spec.get("nodeSelector") or ()),
            *(e["key"] for term in terms for e in term.get("matchExpressions") or ()),
        )
    )
