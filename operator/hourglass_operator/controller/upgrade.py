"""Which old pods must end before the new one can serve, and why none may."""

from dataclasses import dataclass

from hourglass_kube import affinity, quantity, toleration
from hourglass_operator.api import UpgradeStrategyType
from hourglass_operator.controller.competitors import Competitor, first_competitor
from hourglass_operator.controller.observation import Observation
from hourglass_operator.controller.pod_view import PodView
from hourglass_operator.controller.quota import exceeded, helps
from hourglass_operator.hardware.explain import offers
from hourglass_operator.hardware.scheduler_message import insufficient
from hourglass_statemachine import Serving


@dataclass(frozen=True, slots=True)
class Handover:
    """How the old pods make room for the new one.

    `pods`: those whose end comes first, among them some that are on their way there. `competitor`:
    who keeps an old pod from making room, because it could take what becomes free; `kept` says that
    in words.
    """

    pods: tuple[PodView, ...] = ()
    competitor: Competitor | None = None
    kept: str = ""


NONE = Handover()
"""The new pod comes first, or there is no old one."""


def plan_handover(seen: Observation) -> Handover:
    """What the upgrade strategy asks of the old pods before the new one serves.

    What has ended holds nothing up: neither a device nor the creation of the new pod.
    """
    if seen.deleting or seen.invalid or seen.impossible or seen.roles.serving is Serving.WANTED:
        return NONE
    new, strategy = seen.roles.candidate, seen.spec.upgrade_strategy.type
    if strategy is UpgradeStrategyType.RECREATE:
        if new is not None:
            return Handover(seen.roles.previous)
        left = seen.roles.leaving
        others = [pod for pod in seen.pods if pod.template_hash != seen.wanted or pod in left]
        others = [pod for pod in others if not (pod.ended or pod.over)]
        stuck = tuple(pod for pod in others if pod.deleted is not None and not _heard_of(seen, pod))
        # While their end is not known, the end of what serves would be in vain.
        return Handover(stuck or tuple(others))
    if strategy is UpgradeStrategyType.AUTO and new is not None:
        return _free_hardware(seen, new)
    if strategy is UpgradeStrategyType.AUTO:
        return _free_quota(seen)
    return NONE


def _free_quota(seen: Observation) -> Handover:
    """Let the old pods go first, if that is what a quota refuses the new one for."""
    refusal = next((r for r in seen.refusals if r.resource == "pods" and not r.transient), None)
    refused = exceeded(refusal.message) if refusal is not None else None
    others = (pod for pod in seen.pods if pod.template_hash != seen.wanted)
    old = tuple(pod for pod in others if not (pod.ended or pod.over))
    if refused is None or not old:
        return NONE
    names, enough = ", ".join(pod.name for pod in old), helps(refused, old)
    if enough is None:
        return Handover(
            kept=f"whether the end of pod {names} would make room does not follow from that:"
            " spec.upgradeStrategy.type Recreate lets it go first"
        )
    if not enough:
        return NONE
    competitor = next(iter(seen.refused(refused.quota)), None)
    if competitor is None:
        return Handover(old)
    return Handover(
        competitor=Competitor(competitor, refused.quota),
        kept=f"pod {names} keeps what it holds of the quota: Performer {'/'.join(competitor)} waits"
        " for the same and could take it first",
    )


def _heard_of(seen: Observation, pod: PodView) -> bool:
    """Somebody will say when it has ended."""
    node = seen.nodes.get(pod.node)
    return node is not None and node.ready


def _free_hardware(seen: Observation, new: PodView) -> Handover:
    """Take the hardware from one old pod, if that is what the new one waits for."""
    leaving = (pod for pod in seen.pods if pod.deleted is not None and not pod.over)
    underway = tuple(pod for pod in leaving if frees_hardware(seen, pod, new))
    if underway:
        return Handover(underway)
    # What serves goes last.
    for old in sorted(seen.roles.previous, key=lambda pod: pod is seen.roles.serving_pod):
        if not frees_hardware(seen, old, new):
            continue
        competitor = first_competitor(
            seen.waiting(), old, new, seen.nodes[old.node], seen.used.get(old.node, {})
        )
        if competitor is None:
            return Handover((old,))
        kept = (
            f"pod {old.name} keeps its {competitor.resource}: Performer"
            f" {'/'.join(competitor.performer)} waits for the same and could take it first"
        )
        return Handover(competitor=competitor, kept=kept)
    return NONE


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
    if new.nominated:
        # The scheduler makes room already, by taking less important pods away.
        return False
    if not node.ready or node.unschedulable:
        return False
    if new.unready is not None and new.unready.kept_off == old.node:
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
        short = bool(insufficient(resource, new.unschedulable))
        is_short = is_short or short
        # An unhealthy device that is given back is none that another could have.
        if short and not old.unhealthy:
            fits = freed >= count or (free < count <= free + freed)
        else:
            fits = free + freed >= count
        if not fits:
            return False
    return is_short
