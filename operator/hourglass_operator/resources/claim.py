"""The ResourceClaimTemplate of a Performer, and the pod that uses it.

https://kubernetes.io/docs/concepts/scheduling-eviction/dynamic-resource-allocation/#resourceclaims-templates
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from sys import intern
from typing import Any

from hourglass_kube.types import JSON
from hourglass_operator.hardware.claim import DeviceClaim, counted
from hourglass_operator.resources import names
from hourglass_operator.resources.owner import owner_reference, owner_uid

_DIGEST = 10


@dataclass(frozen=True, slots=True)
class TemplateView:
    """A ResourceClaimTemplate, whose content its name says; `owner` is as in `owner_uid`."""

    name: str
    uid: str
    owner: str
    labels: Mapping[str, str]
    deleted: bool


def template_of(performer: str, claim: DeviceClaim) -> str:
    """Name of the template for such claims of a Performer."""
    text = json.dumps(claim.spec(), sort_keys=True)
    return names.template_name(performer, hashlib.sha256(text.encode()).hexdigest()[:_DIGEST])


def build_template(name: str, namespace: str, uid: str, claim: DeviceClaim) -> JSON:
    """The template for the pods of the Performer `namespace/name` (`uid`)."""
    labels = {**names.selector(name), **names.claim(name)}
    return {
        "apiVersion": "resource.k8s.io/v1",
        "kind": "ResourceClaimTemplate",
        "metadata": {
            "name": template_of(name, claim),
            "namespace": namespace,
            "labels": labels,
            "ownerReferences": [owner_reference(name, uid)],
        },
        # Kubernetes makes the claim, and the pod owns it.
        "spec": {"metadata": {"labels": labels}, "spec": claim.spec()},
    }


def with_claim(pod: JSON, performer: str, claim: DeviceClaim) -> JSON:
    """A pod of a Performer that is given such devices by the template."""
    metadata, spec = pod["metadata"], pod["spec"]
    own = {"name": names.CLAIM, "resourceClaimTemplateName": template_of(performer, claim)}
    container, *others = spec["containers"]
    resources = container.get("resources") or {}
    used = [*(resources.get("claims") or ()), {"name": names.CLAIM}]
    annotations = {**(metadata.get("annotations") or {}), names.CLAIMED: counted(claim)}
    return {
        **pod,
        "metadata": {**metadata, "annotations": annotations},
        "spec": {
            **spec,
            "resourceClaims": [*(spec.get("resourceClaims") or ()), own],
            "containers": [{**container, "resources": {**resources, "claims": used}}, *others],
        },
    }


def template_used(pod_spec: Mapping[str, Any]) -> str:
    """The operator's template that a pod uses; empty if none."""
    claims = pod_spec.get("resourceClaims") or ()
    own = (each for each in claims if each["name"] == names.CLAIM)
    return intern(next((each.get("resourceClaimTemplateName") or "" for each in own), ""))


def view(template: Mapping[str, Any]) -> TemplateView:
    """Trim a ResourceClaimTemplate as the API returns it."""
    meta = template["metadata"]
    return TemplateView(
        name=meta["name"],
        uid=meta.get("uid", ""),
        owner=owner_uid(meta),
        labels=names.OwnLabels(meta.get("labels") or {}),
        deleted="deletionTimestamp" in meta,
    )
