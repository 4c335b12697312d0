"""A simulated copy of a real cluster, from what `kubectl get … -o yaml` printed of it."""

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager

from hourglass_kube.types import JSON
from hourglass_operator.api.crd import generate
from hourglass_simulator.apiserver import APIError
from hourglass_simulator.cluster import Cluster
from hourglass_simulator.harness.printed import KINDS, InvalidObjectError, as_written
from hourglass_simulator.harness.setup import ensure_namespace

_ENDED = ("Succeeded", "Failed")
_POD_FIELDS_OF_THE_SERVER = ("nodeName", "priority", "serviceAccount", "preemptionPolicy")


def copy_of(
    items: Iterable[JSON], *, without: Collection[str], drained: Collection[str]
) -> Cluster:
    """The cluster with the pods where they are.

    Nodes in `without` are left out, those in `drained` are cordoned. Pods of either that have a
    controller other than a DaemonSet look for a new place, as their controllers would make them;
    the others are gone. Images are taken to exist, and containers to behave.

    Raises InvalidObjectError.
    """
    by_kind: dict[str, list[JSON]] = {kind: [] for kind in KINDS}
    for item in items:
        by_kind[item["kind"]].append(item)
    cluster = Cluster(crd=generate())
    api = cluster.api
    for found in by_kind["PriorityClass"]:
        if not found["metadata"]["name"].startswith("system-"):
            with _naming(found):
                api.create("priorityclasses", as_written(found))
    for found in by_kind["RuntimeClass"]:
        with _naming(found):
            api.create("runtimeclasses", as_written(found))
    for node in by_kind["Node"]:
        name = node["metadata"]["name"]
        if name in without:
            continue
        spec = dict(node.get("spec") or {})
        if name in drained:
            spec["unschedulable"] = True
        with _naming(node):
            api.create(
                "nodes", {**as_written(node), "spec": spec, "status": node.get("status") or {}}
            )
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
    except APIError as error:
        raise InvalidObjectError(f"{obj['kind']} {name}: {error.message}") from error


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
    # Without its owners: for the garbage collector it would be a left-over.
    cluster.api.create("pods", {**as_written(pod), "spec": spec}, namespace=meta["namespace"])
