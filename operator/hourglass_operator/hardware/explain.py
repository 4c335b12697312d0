"""Why no node is found: in words for a person, and whether the hardware is to blame."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hourglass_kube import quantity
from hourglass_kube.node import NodeView
from hourglass_kube.text import cut
from hourglass_operator.api.messages import SCHEDULER_SAYS
from hourglass_operator.hardware.catalogue import Catalogue
from hourglass_operator.hardware.claim import RESOURCE_DOMAIN
from hourglass_operator.hardware.node_groups import NodeGroup, group_nodes
from hourglass_operator.hardware.obstacle import Kind, NodeFilter, Obstacle
from hourglass_operator.hardware.requirement import ANY_NODE, Requirement
from hourglass_operator.hardware.scheduler_message import insufficient
from hourglass_operator.hardware.wording import absence, listing

_LIMIT = 1024
_OWN_WORDS = 704
"""Characters for what is said here; the rest is the scheduler's."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """`hardware`: the hardware is what keeps the pod off. `message` is for a person."""

    hardware: bool
    message: str


def offers(node: NodeView, needed: Requirement) -> bool:
    """Whether a node has the hardware, enough of it and healthy, whoever uses it.

    What other labels say beside that of the hardware does not count: a pod that runs there was
    placed there, by a release that knew less or before the node was labelled so.
    """
    return needed.named(node.labels) and all(
        quantity.whole(node.allocatable.get(device.resource, "0")) >= device.count
        for device in needed.devices
    )


def explain(
    catalogue: Catalogue,
    needed: Requirement | None,
    nodes: Sequence[NodeView],
    used: Mapping[str, Mapping[str, int]],
    pod_spec: Mapping[str, Any],
    scheduler_message: str,
) -> Explanation:
    """Explain an unschedulable pod in at most 1024 characters.

    `nodes` in the order of their names; `used`: devices that pods of Performers hold, by node and
    resource (other pods are not known); `pod_spec`: the pod's; `scheduler_message`: what the
    scheduler says of it.

    The hardware is to blame if no node has it, or if on every node that has it and that the pod's
    own constraints (tolerations, nodeSelector, affinity, CPU and memory) permit it is in use, too
    little or unhealthy, or the node is away (cordoned, not ready, going or coming). It is not to
    blame if the pod's constraints keep it off every node with the hardware, or if one has it free
    and another reason keeps the pod off.

    Claims of the user's own (`resourceClaims` of `pod_spec`) are hardware as well.

    For a pod that needs no hardware: the nodes that are away, and what the scheduler says.
    """
    states, claims = catalogue.node_states, _claims(pod_spec, scheduler_message)
    groups = group_nodes(nodes, needed or ANY_NODE, used, pod_spec, states)
    if needed is None:
        checks = NodeFilter(ANY_NODE, used, pod_spec, states)
        judged = [(group, checks.obstacle(group.node)) for group in groups]
        away = [(group, obstacle) for group, obstacle in judged if obstacle.kind is Kind.AWAY]
        words = "; ".join(filter(None, (claims, listing(ANY_NODE, away, 0))))
        return Explanation(bool(claims), _said(words, scheduler_message))
    having = [group for group in groups if _has(group.node, needed)]
    if having:
        checks = NodeFilter(needed, used, pod_spec, states)
        found = _obstacles(having, groups, checks, scheduler_message)
        permitted = [o.kind for _, o in found if o.kind is not Kind.CLOSED]
        is_open = Kind.OPEN in permitted
        hardware = bool(permitted) and (not is_open or bool(claims))
        without = len(nodes) - sum(group.count for group in having)
        words = listing(needed, found, without)
        if claims and is_open:
            words += f"; {claims}"
    else:
        hardware = True
        words = absence(needed, groups, catalogue)
    return Explanation(hardware, _said(f"needs {needed}: {words}", scheduler_message))


def _claims(pod_spec: Mapping[str, Any], scheduler_message: str) -> str:
    """That claims of the user's own cannot be allocated, as a sentence; empty if they are not why.

    What they ask for is not known here.
    """
    names = ", ".join(claim["name"] for claim in pod_spec.get("resourceClaims") or ())
    count = insufficient(RESOURCE_DOMAIN, scheduler_message)
    if not names or not count:
        return ""
    nodes = "1 node" if count == 1 else f"{count} nodes"
    return f"what spec.config.resourceClaims asks for ({names}) is not to be had on {nodes}"


def _said(own: str, scheduler_message: str) -> str:
    if not own or not scheduler_message:
        return cut(own or scheduler_message, _LIMIT if not own else _OWN_WORDS)
    own = cut(own, _OWN_WORDS)
    room = _LIMIT - len(own) - len(SCHEDULER_SAYS)
    return f"{own}{SCHEDULER_SAYS}{cut(scheduler_message, room)}"


def _has(node: NodeView, needed: Requirement) -> bool:
    """A node with the label of the hardware has it, even while its device plugin offers none.

    What is claimed it has if a device will do that is published for it.
    """
    if not needed.labelled(node.labels):
        return False
    if needed.claim is not None and needed.claim.resource not in node.allocatable:
        return False
    return bool(needed.choices) or all(d.resource in node.allocatable for d in needed.devices)


def _obstacles(
    having: Sequence[NodeGroup],
    groups: Sequence[NodeGroup],
    checks: NodeFilter,
    scheduler_message: str,
) -> list[tuple[NodeGroup, Obstacle]]:
    found = [(group, checks.obstacle(group.node)) for group in having]
    seemingly_open = sum(group.count for group, obstacle in found if obstacle.kind is Kind.OPEN)
    for device in checks.needed.devices:
        short = insufficient(device.resource, scheduler_message)
        if not seemingly_open or not short:
            continue
        # Nodes that are short by the Performers' use alone explain a part of the scheduler's
        # count; if what is left is as many as seem open, other pods use the devices of them all.
        known = sum(
            group.count
            for group in groups
            if checks.is_considered(group.node) and checks.is_short(group.node, device)
        )
        if short - known >= seemingly_open:
            return [
                (g, checks.used_by_others(g.node, device) if o.kind is Kind.OPEN else o)
                for g, o in found
            ]
    return found
