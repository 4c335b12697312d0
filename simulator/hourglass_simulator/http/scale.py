"""The subresource `scale`: how many replicas a workload has, whatever its kind.

https://kubernetes.io/docs/reference/kubernetes-api/autoscaling-resources/scale-v1/
"""

from typing import Any

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIServer, errors, patches
from hourglass_simulator.apiserver.decoding import text_of
from hourglass_simulator.apiserver.resources import Resource
from hourglass_simulator.apiserver.rules import fault, labels
from hourglass_simulator.http import typed

SCALE = Resource("scales", "Scale", "autoscaling", "v1")
_META = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")


def of(obj: JSON) -> JSON:
    """The Scale of a stored workload."""
    spec, meta, status = obj["spec"], obj["metadata"], obj.get("status") or {}
    selector = spec.get("selector") or {}
    if obj["kind"] == "ReplicationController":
        selector = {"matchLabels": selector}
    replicas, found = spec.get("replicas") or 0, labels.text(selector)
    return {
        "kind": SCALE.kind,
        "apiVersion": SCALE.api_version,
        "metadata": {field: meta[field] for field in _META if field in meta},
        "spec": {"replicas": replicas} if replicas else {},
        "status": {
            "replicas": status.get("replicas") or 0,
            **({"selector": found} if found else {}),
        },
    }


def updated(
    api: APIServer, resource: Resource, old: JSON, sent: JSON, user: str, manager: str
) -> JSON:
    """The Scale of the workload with the replicas that were sent, which the manager owns then."""
    kind, version = sent.get("kind", SCALE.kind), sent.get("apiVersion", SCALE.api_version)
    if (kind, version) != (SCALE.kind, SCALE.api_version):
        short = version.rpartition("/")[2]
        why = f'{kind} in version "{short}" cannot be handled as a Scale: converting '
        why += f"({short}.{kind}) to (autoscaling.Scale): unknown conversion"
        raise errors.bad_request(why)
    meta, replicas = sent.get("metadata") or {}, (sent.get("spec") or {}).get("replicas") or 0
    faults = list(fault.non_negative("spec.replicas", replicas))
    if faults:
        raise errors.invalid(SCALE, old["metadata"]["name"], faults)
    kept = {k: v for k, v in old["metadata"].items() if k not in ("uid", "resourceVersion")}
    asked = {k: meta[k] for k in ("uid", "resourceVersion") if meta.get(k)}
    if not asked.get("resourceVersion"):
        asked["resourceVersion"] = old["metadata"]["resourceVersion"]
    changed = {
        **old,
        "metadata": {**kept, **asked},
        "spec": {**old["spec"], "replicas": replicas},
    }
    written = api.update(resource.plural, changed, subresource="scale", user=user, manager=manager)
    return of(written)


def patched(
    api: APIServer,
    resource: Resource,
    old: JSON,
    patch: Any,
    content_type: str,
    user: str,
    manager: str,
) -> JSON:
    """The Scale of the workload when its Scale is patched."""
    patches.require_supported(content_type, resource)
    new = patches.apply(of(old), patch, content_type, api.version)
    if why := typed.mismatch(new, SCALE.kind, api.version):
        raise errors.strange_patch(text_of(new), why)
    return updated(api, resource, old, new, user, manager)


def applied(
    api: APIServer,
    resource: Resource,
    old: JSON,
    wanted: JSON,
    user: str,
    manager: str,
    force: bool,
) -> JSON:
    """The Scale of the workload when something is applied to its Scale."""
    meta = old["metadata"]
    written = api.apply_scale(
        resource.plural,
        meta["namespace"],
        meta["name"],
        wanted,
        shown=of(old),
        manager=manager,
        force=force,
        user=user,
    )
    return of(written)
