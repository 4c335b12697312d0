"""Sentences about many nodes: alike ones together, the rest counted."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from hourglass_kube.node import NodeView, Taint
from hourglass_operator.hardware.node_groups import NodeGroup
from hourglass_operator.hardware.obstacle import Obstacle
from hourglass_operator.hardware.requirement import LabelChoice, Requirement

_NAMES = 3
_GROUPS = 5
_PLURAL = {"has": "have", "is": "are", "lacks": "lack", "does": "do", "offers": "offer"}


def listing(needed: Requirement, found: Iterable[tuple[NodeGroup, Obstacle]], without: int) -> str:
    """What keeps the pod off the nodes that have the hardware; `without` others do not have it."""
    names: dict[Obstacle, list[str]] = {}
    for group, obstacle in found:
        names.setdefault(obstacle, []).extend(group.names)
    for listed in names.values():
        listed.sort()
    ordered = sorted(names.items(), key=lambda item: (item[0].kind, item[1][0]))
    words = _sentence({(o.verb, o.rest): listed for o, listed in ordered})
    if without:
        subject = f"{without} other nodes have" if without > 1 else "1 other node has"
        words += f"; {subject} no such {needed.noun}"
    return words + _tolerations(o.taint for o, _ in ordered if o.taint)


def absence(needed: Requirement, groups: Sequence[NodeGroup]) -> str:
    """That no node has the hardware: which part of it is missing where, and what is there."""
    if not groups:
        return "the cluster has no nodes"
    total = sum(group.count for group in groups)
    missing: dict[str, list[str]] = {}
    lacking: Counter[str] = Counter()
    for group in groups:
        parts = _missing(group.node, needed)
        lacking.update(dict.fromkeys(parts, group.count))
        missing.setdefault(" and ".join(parts), []).extend(group.names)
    nowhere = [part for part, count in lacking.items() if count == total]
    subject = "the only node does not have" if total == 1 else f"none of {total} nodes has"
    if nowhere:
        words = f"{subject} {' or '.join(nowhere)}"
    else:
        # Those that lack least are the nearest to what is wanted.
        nearest = sorted(missing.items(), key=lambda item: item[0].count(" and "))
        words = "no node has all of it: " + _sentence(
            {("lacks", part): sorted(names) for part, names in nearest}
        )
    return words + _there_is(needed, groups) + _unlabelled(needed, groups) + _mix_up(needed, groups)


def shortened(text: str, limit: int) -> str:
    """At most so many characters; the end says that something was cut off."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def _sentence(groups: Mapping[tuple[str, str], list[str]]) -> str:
    parts: list[str] = []
    for (verb, rest), names in list(groups.items())[:_GROUPS]:
        noun = "" if parts else ("nodes " if len(names) > 1 else "node ")
        parts.append(f"{noun}{_names(names)} {_PLURAL[verb] if len(names) > 1 else verb} {rest}")
    left = sum(map(len, list(groups.values())[_GROUPS:]))
    if left:
        parts.append(f"{left} more cannot take the pod either")
    return (", " if not any("," in part for part in parts) else "; ").join(parts)


def _names(names: Sequence[str]) -> str:
    if len(names) > _NAMES:
        return f"{', '.join(names[:_NAMES])} and {len(names) - _NAMES} more"
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _tolerations(taints: Iterable[Taint]) -> str:
    wanted = list(dict.fromkeys(taints))[:2]
    if not wanted:
        return ""
    listed = ", ".join(
        f"{{key: {taint.key}, operator: Equal, value: {taint.value}, effect: {taint.effect}}}"
        if taint.value
        else f"{{key: {taint.key}, operator: Exists, effect: {taint.effect}}}"
        for taint in wanted
    )
    return f"; a taint is tolerated by an entry in spec.scheduling.tolerations: {listed}"


def _missing(node: NodeView, needed: Requirement) -> list[str]:
    parts = [choice.what for choice in needed.choices if not choice.holds(node.labels)]
    parts += [
        f"the label {key}={value}"
        for key, value in needed.custom_labels
        if node.labels.get(key) != value
    ]
    if not needed.choices:
        parts += [d.resource for d in needed.devices if d.resource not in node.allocatable]
    return parts


def _there_is(needed: Requirement, groups: Sequence[NodeGroup]) -> str:
    """Other values of the labels that were looked for: a misspelling is seen at a glance."""
    seen: Counter[str] = Counter()
    for group in groups:
        labels = group.node.labels
        for key in _keys(needed):
            if key in labels:
                seen[f"{key}={labels[key]}"] += group.count
    wanted = {f"{key}={value}" for key, value in needed.custom_labels}
    wanted |= {f"{k}={v}" for c in needed.choices for k, values in c.alternatives for v in values}
    others = [(label, count) for label, count in seen.items() if label not in wanted]
    others.sort(key=lambda item: (-item[1], item[0]))
    if not others:
        return ""
    listed = ", ".join(f"{label} ({_nodes(count)})" for label, count in others[:_NAMES])
    more = f" and {len(others) - _NAMES} more" if len(others) > _NAMES else ""
    return f"; there is {listed}{more}"


def _unlabelled(needed: Requirement, groups: Sequence[NodeGroup]) -> str:
    """Nodes with such devices but without their labels: feature discovery does not run there."""
    keys = [key for choice in needed.choices for key, _ in choice.alternatives]
    for device in needed.devices if needed.choices else ():
        count = sum(
            group.count
            for group in groups
            if device.resource in group.node.allocatable
            and not any(key in group.node.labels for key in keys)
        )
        if count:
            verb = "offers" if count == 1 else "offer"
            return (
                f"; {_nodes(count)} {verb} {device.resource} without a label that tells its type "
                f"({_examples(needed.choices)})"
            )
    return ""


def _examples(choices: Sequence[LabelChoice]) -> str:
    key, values = choices[0].alternatives[0]
    return f"such as {key}={values[-1]}"


def _mix_up(needed: Requirement, groups: Sequence[NodeGroup]) -> str:
    """A custom label that no node has, but which is a resource of some."""
    nodes = [group.node for group in groups]
    for key, value in needed.custom_labels:
        labelled = any(node.labels.get(key) == value for node in nodes)
        if not labelled and any(key in node.allocatable for node in nodes):
            return f"; {key} is a resource, not a label: request {key} under spec.resources.limits"
    return ""


def _keys(needed: Requirement) -> list[str]:
    of_choices = (key for choice in needed.choices for key, _ in choice.alternatives)
    return list(dict.fromkeys([*of_choices, *(key for key, _ in needed.custom_labels)]))


def _nodes(count: int) -> str:
    return "1 node" if count == 1 else f"{count} nodes"
