"""A simulated copy of a real cluster, from what `kubectl get … -o yaml` printed of it."""

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from hourglass_operator.api.crd import generate
from hourglass_simulator.apiserver import APIError
from hourglass_simulator.cluster import Cluster

JSON = dict[str, Any]

KINDS = {
    "Node": "nodes",
    "Pod": "pods",
    "PriorityClass": "priorityclasses",
    "RuntimeClass": "runtimeclasses",
}
_ENDED = ("Succeeded", "Failed")
_POD_FIELDS_OF_THE_SERVER = ("nodeName", "priority", "serviceAccount", "preemptionPolicy")


class BadObject(ValueError):  # noqa: N818 - what it is
    """An object that no cluster would have; the text says which and what is wrong with it."""


def copy_of(
    items: Iterable[JSON], *, without: Collection[str], drained: Collection[str]
) -> Cluster:
    """The cluster with the pods where they are.

    Nodes in `without` are left out, those in `drained` are cordoned. Pods of either that have a
    controller other than a DaemonSet look for a new place, as their controllers would make them;
    the others are gone. Images are taken to exist, and containers to behave. Raises BadObject.
    """
    by_kind: dict[str, list[JSON]] = {kind: [] for kind in KINDS}
    for item in items:
        by_kind[item["kind"]].append(item)
    cluster = Cluster(crd=generate())
    api = cluster.api
    for found in by_kind["PriorityClass"]:
        if not found["metadata"]["name"].startswith("system-"):
            with _naming(found):
                api.create("priorityclasses", _bare(found))
    for found in by_kind["RuntimeClass"]:
        with _naming(found):
            api.create("runtimeclasses", _bare(found))
    for node in by_kind["Node"]:
        name = node["metadata"]["name"]
        if name in without:
            continue
        spec = dict(node.get("spec") or {})
        if name in drained:
            spec["unschedulable"] = True
        with _naming(node):
            api.create("nodes", {**_bare(node), "spec": spec, "status": node.get("status") or {}})
    gone = {*without, *drained}
    for pod in sorted(by_kind["Pod"], key=lambda p: p["spec"].get("nodeName") in gone):
        if (pod.get("status") or {}).get("phase") not in _ENDED:
            with _naming(pod):
                _add_pod(cluster, pod, gone)
    return cluster


@contextmanager
def _naming(obj: JSON) -> Iterator[None]:
    meta = obj["metadata"]
    name = "/".join(filter(None, (meta.get("namespace"), meta["name"])))
    try:
        yield
    except (APIError, ValueError, TypeError, LookupError, AttributeError) as error:
        why = error.message if isinstance(error, APIError) else str(error)
        raise BadObject(f"{obj['kind']} {name}: {why or type(error).__name__}") from error


def ensure_namespace(cluster: Cluster, namespace: str) -> None:
    """Make a namespace unless it is there."""
    names = {ns["metadata"]["name"] for ns in cluster.api.list("namespaces").items}
    if namespace not in names:
        cluster.api.create("namespaces", {"metadata": {"name": namespace}})


def _add_pod(cluster: Cluster, pod: JSON, gone: Collection[str]) -> None:
    meta, spec = pod["metadata"], dict(pod["spec"])
    owners = [o for o in meta.get("ownerReferences") or () if o.get("controller")]
    displaced = spec.get("nodeName") in gone
    if displaced and (not owners or owners[0]["kind"] in ("DaemonSet", "Node")):
        return
    if displaced:
        del spec["nodeName"]
        spec = {key: value for key, value in spec.items() if key not in _POD_FIELDS_OF_THE_SERVER}
    # What a ServiceAccount or a volume does is of no concern here, and neither is in the snapshot.
    spec.pop("serviceAccountName", None)
    spec.pop("serviceAccount", None)
    ensure_namespace(cluster, meta["namespace"])
    bare = _bare(pod)
    # Owners are not in the snapshot: the garbage collector would take the pod for a left-over.
    bare["metadata"].pop("ownerReferences", None)
    cluster.api.create("pods", {**bare, "spec": spec}, namespace=meta["namespace"])


def _bare(obj: JSON) -> JSON:
    """An object as one would create it."""
    kept = ("name", "namespace", "labels", "ownerReferences")
    meta = {key: value for key, value in obj["metadata"].items() if key in kept}
    return {**{k: v for k, v in obj.items() if k != "status"}, "metadata": meta}
