"""The objects of a cluster in the form of `kubectl get … -o json`, to be loaded again."""

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIServer

_LEFT_OUT = ("events", "events.events.k8s.io")
_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def of(api: APIServer) -> JSON:
    """A List of everything but Events, without managedFields and values of Secrets."""
    items = [
        _printed(obj)
        for resource in api.resources()
        if resource.qualified not in _LEFT_OUT
        for obj in api.list(resource.name).items
    ]
    return {"apiVersion": "v1", "kind": "List", "items": items}


def _printed(obj: JSON) -> JSON:
    meta = {name: value for name, value in obj["metadata"].items() if name != "managedFields"}
    found = {**obj, "metadata": meta}
    if obj["kind"] == "Secret":
        # The annotation holds the values, too.
        notes = {k: v for k, v in (meta.get("annotations") or {}).items() if k != _APPLIED}
        found["metadata"] = {**meta, "annotations": notes}
        found["data"] = dict.fromkeys(obj.get("data") or {}, "")
    return found
