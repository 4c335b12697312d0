"""Whether an upgrade must take the hardware from the old pod before the new one can run."""

from hourglass_kube import affinity, quantity, toleration
from hourglass_operator.api import UpgradeStrategyType
from hourglass_operator.controller.observe import Observation
from hourglass_operator.controller.pod_view import PodView
from hourglass_operator.hardware.explain import offers
from hourglass_operator.hardware.scheduler_message import insufficient


def must_go_first(seen: Observation, old: PodView, new: PodView) -> bool:
    """The upgrade strategy asks for the end of the old pod before the new one serves."""
    strategy = seen.spec.upgrade_strategy.type
    if strategy is UpgradeStrategyType.AUTO:
        return frees_hardware(seen, old, new)
    return strategy is UpgradeStrategyType.RECREATE


def frees_hardware(seen: Observation, old: PodView, new: PodView) -> bool:
    """The unschedulable new pod would fit where the old one runs, but for the devices it holds.

    False in doubt: the old pod serves, and deleting it must not be in vain. Only pods of
    Performers are known, so where others use devices of the node too, the old pod must hold as
    many as the new one needs.
    """
    node = seen.nodes.get(old.node)
    needed = seen.requirement
    if new.unschedulable is None or not new.devices or node is None:
        return False
    if not node.ready or node.unschedulable:
        return False
    if needed is not None and not offers(node, needed):
        return False
    if not affinity.node_matches(seen.pod_spec, node):
        return False
    if toleration.untolerated(seen.pod_spec.get("tolerations") or [], node.taints):
        return False
    held, used = dict(old.devices), seen.used.get(old.node, {})
    is_short = False
    for resource, count in new.devices:
        free = int(quantity.parse(node.allocatable.get(resource, "0"))) - used.get(resource, 0)
        freed = held.get(resource, 0)
        if insufficient(resource, new.unschedulable):
            is_short = True
            fits = freed >= count or (free < count <= free + freed)
        else:
            fits = free + freed >= count
        if not fits:
            return False
    return is_short
