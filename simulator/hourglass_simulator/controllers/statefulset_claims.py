"""The claims of a StatefulSet's pods, and who owns them by the retention policy.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/controller/statefulset/stateful_set_utils.go
"""

from hourglass_kube.types import JSON
from hourglass_simulator.controllers.podcontrol import controller_reference


def claim_name(template: JSON, pod: JSON) -> str:
    """The claim of a pod for a template."""
    return f"{template['metadata']['name']}-{pod['metadata']['name']}"


def claims(owner: JSON, pod: JSON) -> list[JSON]:
    """The claims that a pod needs, to create."""
    found = []
    for template in owner["spec"].get("volumeClaimTemplates") or ():
        meta = template["metadata"]
        exact = owner["spec"]["selector"].get("matchLabels") or {}
        named = {
            **meta,
            "name": claim_name(template, pod),
            "labels": {**(meta.get("labels") or {}), **exact},
        }
        found.append({"metadata": named, "spec": template["spec"]})
    return found


def volumes(owner: JSON, pod: JSON, others: list[JSON]) -> list[JSON]:
    """The volumes of a pod: its claims, and what its template has besides."""
    templates = owner["spec"].get("volumeClaimTemplates") or ()
    names = {template["metadata"]["name"] for template in templates}
    claimed = [
        {
            "name": template["metadata"]["name"],
            "persistentVolumeClaim": {"claimName": claim_name(template, pod)},
        }
        for template in templates
    ]
    return [*claimed, *(volume for volume in others if volume["name"] not in names)]


def _policy(owner: JSON) -> tuple[bool, bool]:
    """Whether claims go when the pod is scaled down, and with the StatefulSet."""
    policy = owner["spec"].get("persistentVolumeClaimRetentionPolicy") or {}
    return policy.get("whenScaled") == "Delete", policy.get("whenDeleted") == "Delete"


def owners(owner: JSON, pod: JSON, claim: JSON, *, scaled_down: bool) -> list[JSON]:
    """The owners that a claim should have, as they are where they are right."""
    before: list[JSON] = list(claim["metadata"].get("ownerReferences") or ())
    if _stale(before, owner) or _stale(before, pod):
        return before
    with_pod, with_set = _policy(owner)
    mine = (owner["metadata"]["uid"], pod["metadata"].get("uid"))
    others = [each for each in before if each["uid"] not in mine]
    if (with_pod or with_set) and any(each.get("controller") for each in others):
        return others
    wanted = []
    if with_set and not (with_pod and scaled_down):
        wanted.append(controller_reference(owner))
    if with_pod and scaled_down and mine[1] is not None:
        wanted.append(controller_reference({"apiVersion": "v1", "kind": "Pod", **pod}))
    result = [*others, *wanted]
    return before if sorted(map(str, before)) == sorted(map(str, result)) else result


def _stale(references: list[JSON], obj: JSON) -> bool:
    """Whether an owner is meant that had the name of `obj` before it."""
    kind, meta = obj.get("kind", "Pod"), obj["metadata"]
    return any(
        each["kind"] == kind and each["name"] == meta["name"] and each["uid"] != meta.get("uid")
        for each in references
    )


def is_stale(owner: JSON, pod: JSON, claim: JSON) -> bool:
    """Whether a claim still belongs to an earlier pod of the name, with which it will go."""
    references = claim["metadata"].get("ownerReferences") or []
    return _policy(owner)[0] and _stale(references, pod)
