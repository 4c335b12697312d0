"""Hardware requirements as scheduling terms of the pod."""

from itertools import chain, product

from hourglass_kube.affinity import required_terms
from hourglass_kube.types import JSON
from hourglass_operator.hardware.requirement import Alternative, Requirement

_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


def node_affinity(affinity: JSON | None, needed: Requirement | None) -> JSON | None:
    """The user's affinity with the hardware's terms multiplied into its required node terms.

    Node selector terms are alternatives: (a or b) and (x or y) becomes ax, ay, bx, by. The number
    of terms is the product of the user's (at most 32), the label keys of the GPU and those of the
    TEE (about ten each): all values of one key stand in one expression. Without label
    requirements the user's affinity comes back unchanged.
    """
    if needed is None or not (needed.choices or needed.custom_labels):
        return affinity
    hardware = _alternatives(needed)
    own = required_terms(affinity)
    if own is None:
        terms = [{"matchExpressions": expressions} for expressions in hardware]
    else:
        # A term without expressions matches nothing, and must not come to match by additions.
        live = [t for t in own if t.get("matchExpressions") or t.get("matchFields")]
        terms = [_with(t, expressions) for t in live for expressions in hardware] or own
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
    devices = needed.devices if needed else ()
    claimed = needed.claim.resource if needed and needed.claim else ""
    asked = (d for d in devices if d.resource != claimed)
    missing = {d.resource: str(d.count) for d in asked if d.resource not in named}
    if not missing:
        return resources
    return {
        **resources,
        "requests": {**(resources.get("requests") or {}), **missing},
        "limits": {**(resources.get("limits") or {}), **missing},
    }


def _alternatives(needed: Requirement) -> list[list[JSON]]:
    choices = [[_expressions(a) for a in choice.alternatives] for choice in needed.choices]
    custom = [{"key": k, "operator": "In", "values": [v]} for k, v in needed.custom_labels]
    return [[*chain(*combination), *custom] for combination in product(*choices)]


def _expressions(alternative: Alternative) -> list[JSON]:
    label = {"key": alternative.key, "operator": "In", "values": list(alternative.values)}
    beside = [
        {"key": e.key, "operator": e.operator, **({"values": list(e.values)} if e.values else {})}
        for e in alternative.beside
    ]
    return [label, *beside]


def _with(term: JSON, expressions: list[JSON]) -> JSON:
    return {**term, "matchExpressions": [*(term.get("matchExpressions") or ()), *expressions]}
