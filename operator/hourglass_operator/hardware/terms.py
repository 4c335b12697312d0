"""Hardware requirements as scheduling terms of the pod."""

from itertools import product
from typing import Any

from hourglass_operator.hardware.requirement import Requirement
from hourglass_operator.kube.affinity import required_terms

JSON = dict[str, Any]

_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


def node_affinity(affinity: JSON | None, needed: Requirement | None) -> JSON | None:
    """The user's affinity with the hardware's terms multiplied into its required node terms.

    Node selector terms are alternatives: (a or b) and (x or y) becomes ax, ay, bx, by. Without
    label requirements the user's affinity comes back unchanged.
    """
    if needed is None or not (needed.choices or needed.custom_labels):
        return affinity
    hardware = _alternatives(needed)
    own = required_terms(affinity)
    terms = hardware if own is None else [_both(a, b) for a, b in product(own, hardware)]
    merged = dict(affinity or {})
    merged["nodeAffinity"] = {
        **(merged.get("nodeAffinity") or {}),
        _REQUIRED: {"nodeSelectorTerms": terms},
    }
    return merged


def device_resources(resources: JSON, needed: Requirement | None) -> JSON:
    """The user's resources with the devices added to requests and limits unless they are named.

    Extended resources cannot be overcommitted: request and limit must be equal.
    https://kubernetes.io/docs/tasks/configure-pod-container/extended-resource/
    """
    named = {**(resources.get("requests") or {}), **(resources.get("limits") or {})}
    missing = {k: str(v) for k, v in (needed.devices if needed else ()) if k not in named}
    if not missing:
        return resources
    return {
        **resources,
        "requests": {**(resources.get("requests") or {}), **missing},
        "limits": {**(resources.get("limits") or {}), **missing},
    }


def _alternatives(needed: Requirement) -> list[JSON]:
    custom = [{"key": k, "operator": "In", "values": [v]} for k, v in needed.custom_labels]
    choices = [
        [{"key": key, "operator": "In", "values": list(values)} for key, values in c.alternatives]
        for c in needed.choices
    ]
    return [{"matchExpressions": [*combination, *custom]} for combination in product(*choices)]


def _both(one: JSON, other: JSON) -> JSON:
    expressions = [*(one.get("matchExpressions") or ()), *other["matchExpressions"]]
    # A term without expressions matches nothing, and must go on doing so.
    if not one.get("matchExpressions") and not one.get("matchFields"):
        return one
    return {**one, "matchExpressions": expressions}
