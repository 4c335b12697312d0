"""Why Karpenter launches no node of a pool for a pod, in its words.

https://github.com/kubernetes-sigs/karpenter/blob/main/pkg/controllers/provisioning/scheduling/nodeclaim.go
"""

from collections.abc import Mapping

from hourglass_kube import affinity, podresources
from hourglass_kube.node import view
from hourglass_kube.toleration import untolerated
from hourglass_kube.types import JSON
from hourglass_simulator.nodepools.pool import NodePool
from hourglass_simulator.scheduler.pod import pod_info

NO_RESOURCES = "no instance type has enough resources"
NO_TOPOLOGY = "unsatisfiable topology constraint"
NO_OFFERING = "no instance type has the required offering"


def over_limits(pool: NodePool) -> str:
    """The pool has as many nodes as it may have."""
    why = "all available instance types exceed limits for nodepool"
    return f"{why} (NodePool={pool.name})"


def refusal(pod: JSON, node: JSON) -> str | None:
    """What keeps a pod off an empty node of a pool first: taints, requirements or resources."""
    seen = view(node)
    taint = untolerated(pod["spec"].get("tolerations") or (), seen.taints)
    if taint is not None:
        value = f"={taint.value}" if taint.value else ""
        return f"did not tolerate taint (taint={taint.key}{value}:{taint.effect})"
    if not affinity.node_matches(pod["spec"], seen):
        return f"incompatible requirements, {_incompatible(pod['spec'], seen.labels)}"
    offered = podresources.allocatable(seen.allocatable)
    requests = pod_info(pod).requests
    if any(amount > offered.get(name, 0) for name, amount in requests.items() if amount):
        return NO_RESOURCES
    return None


def _incompatible(spec: JSON, labels: Mapping[str, str]) -> str:
    for key, values in _required(spec):
        if key not in labels:
            return f'label "{key}" does not have known values'
        if values and labels[key] not in values:
            listed = " ".join(sorted(values))
            return f"key {key}, {key} In [{listed}] not in {key} In [{labels[key]}]"
    return "no node selector term matches"


def _required(spec: JSON) -> list[tuple[str, tuple[str, ...]]]:
    """Keys with the values that may be; by node selector, then by required affinity."""
    selector = sorted((spec.get("nodeSelector") or {}).items())
    node = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    required = node.get("requiredDuringSchedulingIgnoredDuringExecution") or {}
    terms = required.get("nodeSelectorTerms") or ()
    expressions = [each for term in terms for each in term.get("matchExpressions") or ()]
    return [
        *((str(key), (str(value),)) for key, value in selector),
        *(
            (str(each["key"]), tuple(map(str, each.get("values") or ())))
            for each in expressions
            if each["operator"] in ("In", "Exists")
        ),
    ]
