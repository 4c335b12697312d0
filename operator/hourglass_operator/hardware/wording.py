"""Sentences about many nodes: alike ones together, the rest counted."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from hourglass_kube.node import NodeView, Taint
from hourglass_operator.api.messages import TOLERATED_BY
from hourglass_operator.hardware.catalogue import Catalogue
from hourglass_operator.hardware.gpu import INSTANCE_TYPE, part_beside, part_of_label
from hourglass_operator.hardware.node_groups import NodeGroup, hardware_labels
from hourglass_operator.hardware.obstacle import Obstacle
from hourglass_operator.hardware.requirement import Alternative, LabelChoice, Requirement
from hourglass_operator.hardware.suggestion import suggestion

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


def absence(needed: Requirement, groups: Sequence[NodeGroup], catalogue: Catalogue) -> str:
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
    return "".join(
        (
            words,
            suggestion(needed, catalogue),
            _in_parts(needed, groups),
            _there_is(needed, groups, catalogue),
            _unlabelled(needed, groups, catalogue),
            _mix_up(needed, groups),
        )
    )


def _sentence(groups: Mapping[tuple[str, str], list[str]]) -> str:
    parts: list[str] = []
    for (verb, rest), names in list(groups.items())[:_GROUPS]:
        several = len(names) > 1
        noun = "" if parts else ("nodes " if several else "node ")
        said = rest.replace("; offers ", "; offer ") if several else rest
        parts.append(f"{noun}{_names(names)} {_PLURAL[verb] if several else verb} {said}")
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
    return f"{TOLERATED_BY}{listed}"


def _missing(node: NodeView, needed: Requirement) -> list[str]:
    claim = needed.claim
    claimed = {d.resource: d.what for d in needed.devices if claim and d.resource == claim.resource}
    parts = [
        needed.gpu_type or what
        for resource, what in claimed.items()
        if resource not in node.allocatable
    ]
    parts += [choice.what for choice in needed.choices if not choice.holds(node.labels)]
    parts += [
        f"the label {key}={value}"
        for key, value in needed.custom_labels
        if node.labels.get(key) != value
    ]
    if not needed.choices:
        others = (d.resource for d in needed.devices if d.resource not in claimed)
        parts += [resource for resource in others if resource not in node.allocatable]
    return parts


def _in_parts(needed: Requirement, groups: Sequence[NodeGroup]) -> str:
    """Nodes that have the GPU, but offer slices or shares of it."""
    found: dict[tuple[str, str], list[str]] = {}
    for group in groups:
        for choice in needed.choices:
            if parts := _part(choice, group.node.labels):
                found.setdefault(("offers", parts), []).extend(group.names)
    listed = {said: sorted(names) for said, names in list(found.items())[:_NAMES]}
    return f"; {_sentence(listed)}" if listed else ""


def _part(choice: LabelChoice, labels: Mapping[str, str]) -> str:
    """What parts of the GPU a node with these labels offers, in words; empty if none."""
    for alternative in choice.alternatives:
        key = alternative.key
        found = part_of_label(key, labels.get(key, ""))
        if found and found.whole in alternative.values:
            label = f"{key}={labels[key]}"
            return f"parts of it ({label}), which are gpuType {found.name(choice.what)}"
        if key == INSTANCE_TYPE or not alternative.named(labels):
            continue
        for said in alternative.beside:
            if not said.matches(labels) and said.key in labels:
                beside = part_beside(key, labels)
                asked = f", which are gpuType {beside.name(choice.what)}" if beside else ""
                return f"parts of it ({said.key}={labels[said.key]}){asked}"
    return ""


def _there_is(needed: Requirement, groups: Sequence[NodeGroup], catalogue: Catalogue) -> str:
    """Other values of the labels that were looked for: a misspelling is seen at a glance."""
    seen: Counter[str] = Counter()
    keys = hardware_labels(needed)
    for group in groups:
        labels = group.node.labels
        if any(_part(choice, labels) for choice in needed.choices):
            continue
        claim = needed.claim
        fits = claim is not None and claim.resource in group.node.allocatable
        for key in keys:
            if fits and claim is not None and key.startswith(f"{claim.driver}/"):
                continue
            if key in labels:
                seen[f"{key}={labels[key]}"] += group.count
        if not any(key in labels for key in keys) and (
            gpu := _by_machine(needed, group, catalogue)
        ):
            seen[f"{gpu} by {INSTANCE_TYPE}={labels[INSTANCE_TYPE]}"] += group.count
    wanted = {f"{key}={value}" for key, value in needed.custom_labels}
    wanted |= {f"{a.key}={v}" for c in needed.choices for a in c.alternatives for v in a.values}
    if needed.claim is not None:
        wanted |= {f"{needed.claim.driver}/{name}={value}" for name, value in needed.claim.equal}
    others = [(label, count) for label, count in seen.items() if label not in wanted]
    others.sort(key=lambda item: (-item[1], item[0]))
    if not others:
        return ""
    listed = ", ".join(f"{label} ({_nodes(count)})" for label, count in others[:_NAMES])
    more = f" and {len(others) - _NAMES} more" if len(others) > _NAMES else ""
    return f"; there is {listed}{more}"


def _unlabelled(needed: Requirement, groups: Sequence[NodeGroup], catalogue: Catalogue) -> str:
    """Nodes with such devices but without their labels: feature discovery does not run there."""
    words = ""
    for number, choice in enumerate(needed.choices):
        forms = [(form.choices[number], form.devices) for form in (needed, *needed.others)]
        own = (a.key for same, _ in forms for a in same.alternatives if a.key != INSTANCE_TYPE)
        keys = {*own, *choice.kin}
        lacking = [
            group
            for group in groups
            if not choice.holds(group.node.labels)
            and not keys & group.node.labels.keys()
            and not _by_machine(needed, group, catalogue)
        ]
        for same, devices in forms:
            resources = choice.resources or [device.resource for device in devices]
            if said := _offering(resources, lacking, same.alternatives[0]):
                words += said
                break
    return words


def _by_machine(needed: Requirement, group: NodeGroup, catalogue: Catalogue) -> str:
    """Which other GPU the machine type names, where it would name the one that is needed, too."""
    machine = group.node.labels.get(INSTANCE_TYPE, "")
    by_type = [a for c in needed.choices for a in c.alternatives if a.key == INSTANCE_TYPE]
    if not needed.devices or not by_type or any(machine in a.values for a in by_type):
        return ""
    return catalogue.gpu_of_machine(machine)


def _offering(resources: Iterable[str], lacking: Sequence[NodeGroup], label: Alternative) -> str:
    for resource in resources:
        count = sum(group.count for group in lacking if resource in group.node.allocatable)
        if count:
            verb = "offers" if count == 1 else "offer"
            return (
                f"; {_nodes(count)} {verb} {resource} without a label that names its type "
                f"(such as {label.key}={label.values[-1]})"
            )
    return ""


def _mix_up(needed: Requirement, groups: Sequence[NodeGroup]) -> str:
    """A custom label that no node has, but which is a resource of some."""
    nodes = [group.node for group in groups]
    for key, value in needed.custom_labels:
        labelled = any(node.labels.get(key) == value for node in nodes)
        if not labelled and any(key in node.allocatable for node in nodes):
            return f"; {key} is a resource, not a label: request {key} under spec.resources.limits"
    return ""


def _nodes(count: int) -> str:
    return "1 node" if count == 1 else f"{count} nodes"
