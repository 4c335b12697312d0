"""Nodes that are alike to a pod, put together: clusters have few kinds of nodes."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from hourglass_kube import podresources
from hourglass_kube.affinity import required_terms
from hourglass_kube.node import NodeView
from hourglass_operator.hardware.gpu import INSTANCE_TYPE
from hourglass_operator.hardware.node_state import NodeStates
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
    states: NodeStates,
) -> list[NodeGroup]:
    """Groups in the order of their first nodes.

    Alike are nodes with the same of all that a hardware requirement, the pod's own constraints and
    `states` look at, and of whose devices Performers hold the same (`used`, by node and resource).
    """
    terms = required_terms(pod_spec.get("affinity")) or ()
    labels = tuple(dict.fromkeys((*_label_keys(needed, pod_spec, terms), *states.label_keys)))
    by_name = any(term.get("matchFields") for term in terms)
    devices = tuple(device.resource for device in needed.devices)
    domains = tuple({resource.partition("/")[0] + "/" for resource in devices})
    shortages = [
        (resource, _shortage(resource, count))
        for resource, count in podresources.requests(pod_spec).items()
        if resource not in devices
    ]
    of_models = (resource for choice in needed.choices for resource in choice.resources)
    mentioned = (*(key for key, _ in needed.custom_labels), *of_models)
    nothing: Mapping[str, int] = {}
    groups: dict[tuple[Any, ...], NodeGroup] = {}
    for node in nodes:
        kind = (
            tuple(map(node.labels.get, labels)),
            tuple([item for item in node.allocatable.items() if item[0].startswith(domains)]),
            tuple([short(node.allocatable.get(resource)) for resource, short in shortages]),
            tuple([key in node.allocatable for key in mentioned]),
            tuple(map(used.get(node.name, nothing).get, devices)),
            node.taints,
            node.unschedulable,
            node.ready,
            node.conditions,
            node.device_taints,
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


def hardware_labels(needed: Requirement) -> list[str]:
    """The labels that name hardware of the sort, or are asked for by themselves."""
    forms = (needed, *needed.others)
    choices = [choice for form in forms for choice in form.choices]
    keys = (a.key for choice in choices for a in choice.alternatives if a.key != INSTANCE_TYPE)
    kin = (key for choice in choices for key in choice.kin)
    claim = needed.claim
    said = (f"{claim.driver}/{name}" for name in claim.attributes) if claim else ()
    return list(dict.fromkeys([*keys, *kin, *said, *(key for key, _ in needed.custom_labels)]))


def _label_keys(
    needed: Requirement, pod_spec: Mapping[str, Any], terms: Sequence[Mapping[str, Any]]
) -> Iterable[str]:
    choices = (choice for form in (needed, *needed.others) for choice in form.choices)
    alternatives = [alternative for choice in choices for alternative in choice.alternatives]
    return dict.fromkeys(
        (
            *hardware_labels(needed),
            *(a.key for a in alternatives),
            *(e.key for a in alternatives for e in a.beside),
            *(pod_spec.get("nodeSelector") or ()),
            *(e["key"] for term in terms for e in term.get("matchExpressions") or ()),
        )
    )
