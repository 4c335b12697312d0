"""Which pods a DaemonSet needs and which it replaces.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/controller/daemon/daemon_controller.go
https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/controller/daemon/update.go
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from hourglass_kube.affinity import compile_pod
from hourglass_kube.node import view
from hourglass_kube.toleration import NO_EXECUTE, untolerated
from hourglass_kube.types import JSON
from hourglass_simulator.controllers import podstatus
from hourglass_simulator.controllers.intorpercent import scaled

REVISION = "controller-revision-hash"
GENERATION = "pod-template-generation"
TEMPLATE_GENERATION = "deprecated.daemonset.template.generation"

_TOLERATED = {
    "not-ready": "NoExecute",
    "unreachable": "NoExecute",
    "disk-pressure": "NoSchedule",
    "memory-pressure": "NoSchedule",
    "pid-pressure": "NoSchedule",
    "unschedulable": "NoSchedule",
}
Available = Callable[[JSON], bool]


class Placement(NamedTuple):
    """Whether a node should get a pod, and whether one that is there may stay."""

    should_run: bool
    should_continue: bool


class Changes(NamedTuple):
    """Nodes that need a pod, and pods to delete."""

    nodes: list[str]
    pods: list[JSON]


def with_tolerations(spec: JSON) -> JSON:
    """A pod spec with what every daemon tolerates."""
    wanted = [
        {"key": f"node.kubernetes.io/{name}", "operator": "Exists", "effect": effect}
        for name, effect in _TOLERATED.items()
    ]
    if spec.get("hostNetwork"):
        key = "node.kubernetes.io/network-unavailable"
        wanted.append({"key": key, "operator": "Exists", "effect": "NoSchedule"})
    tolerations = list(spec.get("tolerations") or ())
    for each in wanted:
        places = [i for i, found in enumerate(tolerations) if _is_same(found, each)]
        if places:
            tolerations[places[0]] = each
        else:
            tolerations.append(each)
    return {**spec, "tolerations": tolerations}


def _is_same(one: JSON, other: JSON) -> bool:
    return all(one.get(f, "") == other.get(f, "") for f in ("key", "effect", "operator", "value"))


def bound_to(spec: JSON, node: str) -> JSON:
    """A pod spec that only one node suits; it replaces the required terms of the template."""
    affinity = spec.get("affinity") or {}
    node_affinity = affinity.get("nodeAffinity") or {}
    term = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]}
    required = "requiredDuringSchedulingIgnoredDuringExecution"
    node_affinity = {**node_affinity, required: {"nodeSelectorTerms": [term]}}
    return {**spec, "affinity": {**affinity, "nodeAffinity": node_affinity}}


def target(pod: JSON) -> str:
    """The node that a daemon runs on or is meant for, "" if none."""
    if node := pod["spec"].get("nodeName"):
        return str(node)
    affinity = (pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or {}
    for term in required.get("nodeSelectorTerms") or ():
        for field in term.get("matchFields") or ():
            if field["key"] == "metadata.name" and field["operator"] == "In":
                return str(field["values"][0]) if len(field["values"]) == 1 else ""
    return ""


class Placements:
    """Where the pods of a template fit, remembered per node until its labels or spec change."""

    def __init__(self, spec: JSON) -> None:
        spec = with_tolerations(spec)
        self._node_name = spec.get("nodeName", "")
        self._tolerations = spec["tolerations"]
        self._permits = compile_pod(spec)
        self._known: dict[str, tuple[JSON | None, JSON, Placement]] = {}

    def of(self, node: JSON) -> Placement:
        """Whether a pod should run on a node."""
        meta = node["metadata"]
        labels, spec = meta.get("labels"), node["spec"]
        known = self._known.get(meta["name"])
        if known is not None and known[0] == labels and known[1] == spec:
            return known[2]
        found = self._judge(node)
        self._known[meta["name"]] = (labels, spec, found)
        return found

    def _judge(self, node: JSON) -> Placement:
        seen = view(node)
        if self._node_name not in ("", seen.name) or not self._permits(seen):
            return Placement(should_run=False, should_continue=False)
        if untolerated(self._tolerations, seen.taints) is None:
            return Placement(should_run=True, should_continue=True)
        evicted = untolerated(self._tolerations, seen.taints, (NO_EXECUTE,))
        return Placement(should_run=False, should_continue=evicted is None)


def is_updated(owner: JSON, pod: JSON, revision: str) -> bool:
    """Whether a pod is of the newest template."""
    labels = pod["metadata"].get("labels") or {}
    generation = (owner["metadata"].get("annotations") or {}).get(TEMPLATE_GENERATION)
    if generation is not None and labels.get(GENERATION) == generation:
        return True
    return bool(labels.get(REVISION) == revision)


def oldest_first(pods: Sequence[JSON]) -> list[JSON]:
    """Pods that are bound first, then by age."""
    return sorted(pods, key=lambda pod: (not pod["spec"].get("nodeName"), podstatus.created(pod)))


def surge(owner: JSON, nodes: int) -> int:
    """How many nodes may have an old and a new pod at the same time."""
    return _rolling(owner, "maxSurge", nodes)


def unavailable(owner: JSON, nodes: int) -> int:
    """How many nodes may be without a pod that is available."""
    return _rolling(owner, "maxUnavailable", nodes)


def _rolling(owner: JSON, field: str, nodes: int) -> int:
    strategy = owner["spec"].get("updateStrategy") or {}
    rolling = strategy.get("rollingUpdate") or {}
    if strategy.get("type") != "RollingUpdate" or field not in rolling:
        return 0
    return scaled(rolling[field], nodes, up=True)


def superfluous_and_missing(
    owner: JSON,
    node: str,
    placement: Placement,
    pods: Sequence[JSON],
    revision: str,
    available: Available,
) -> Changes:
    """What one node needs, apart from ended pods: those are `ended`."""
    staying = [pod for pod in pods if not podstatus.terminating(pod)]
    if placement.should_run and not pods:
        return Changes([node], [])
    if not placement.should_continue:
        return Changes([], staying)
    running = oldest_first([pod for pod in staying if not podstatus.ended(pod)])
    if not surge(owner, 1):
        return Changes([], running[1:])
    if len(running) <= 1:
        return Changes([node] if not running and placement.should_run else [], [])
    groups: dict[bool, list[JSON]] = {True: [], False: []}
    for pod in running:
        groups[(pod["metadata"].get("labels") or {}).get(REVISION) == revision].append(pod)
    surplus = [*groups[True][1:], *groups[False][1:]]
    if groups[True] and groups[False]:
        new, old = groups[True][0], groups[False][0]
        if not podstatus.ready(old) or available(new):
            surplus.append(old)
    return Changes([], surplus)


def ended(placement: Placement, pods: Sequence[JSON]) -> list[JSON]:
    """Pods of a node that have ended and are to be deleted, so that others come."""
    if not placement.should_continue:
        return []
    return [pod for pod in pods if podstatus.ended(pod) and not podstatus.terminating(pod)]


def rolled(
    owner: JSON,
    placements: Mapping[str, Placement],
    by_node: Mapping[str, Sequence[JSON]],
    revision: str,
    available: Available,
) -> Changes:
    """What a rolling update does next."""
    desired = sum(placement.should_run for placement in placements.values())
    most_missing, most_surge = unavailable(owner, desired), surge(owner, desired)
    if desired and not most_missing and not most_surge:
        most_missing = 1
    nodes = [n for n, p in placements.items() if p.should_run or by_node.get(n)]
    split = {node: _split(owner, by_node.get(node, ()), revision) for node in nodes}
    if most_surge:
        return _surging(placements, split, desired, most_surge, available)
    missing, allowed, candidates = 0, [], []
    for found in split.values():
        if found is None or (found[0] is None) == (found[1] is None):
            missing += 1
            continue
        new, old = found
        if new is not None:
            missing += not available(new)
        elif old is not None and not available(old):
            allowed.append(old)
            missing += 1
        elif old is not None and missing < most_missing:
            candidates.append(old)
    return Changes([], [*allowed, *candidates[: max(0, most_missing - missing)]])


_Split = tuple[JSON | None, JSON | None] | None


def _split(owner: JSON, pods: Sequence[JSON], revision: str) -> _Split:
    """The new and the old pod of a node; None where there are several of one kind."""
    staying = [pod for pod in pods if not podstatus.terminating(pod)]
    new = [pod for pod in staying if is_updated(owner, pod, revision)]
    old = [pod for pod in staying if not is_updated(owner, pod, revision)]
    if len(new) > 1 or len(old) > 1:
        return None
    return (new[0] if new else None), (old[0] if old else None)


def _surging(
    placements: Mapping[str, Placement],
    split: Mapping[str, _Split],
    desired: int,
    most: int,
    available: Available,
) -> Changes:
    doomed: list[JSON] = []
    misplaced: list[JSON] = []
    allowed: list[str] = []
    candidates: list[str] = []
    surging = there = 0
    for node, found in split.items():
        if found is None:
            surging += 1
            continue
        new, old = found
        shown = old if old is not None else new
        there += shown is not None and available(shown)
        if old is None:
            continue
        suits = placements[node].should_run
        if new is None:
            if not available(old):
                if suits:
                    allowed.append(node)
                else:
                    doomed.append(old)
            elif not suits:
                misplaced.append(old)
            elif surging < most:
                candidates.append(node)
        elif available(new):
            doomed.append(old)
        else:
            surging += 1
    doomed += misplaced[: max(0, there - desired)]
    return Changes([*allowed, *candidates[: max(0, most - surging)]], doomed)
