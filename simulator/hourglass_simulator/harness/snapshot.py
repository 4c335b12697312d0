"""A simulated copy of a real cluster, from what `kubectl get … -o yaml` printed of it."""

import zlib
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from hourglass_kube import selector, time
from hourglass_kube.types import JSON
from hourglass_operator.api.crd import generate
from hourglass_simulator.apiserver import APIError
from hourglass_simulator.clock import EPOCH
from hourglass_simulator.cluster import Cluster
from hourglass_simulator.controllers.informer import controller_of
from hourglass_simulator.harness.absent_owners import AbsentOwners
from hourglass_simulator.harness.assumed import assume
from hourglass_simulator.harness.printed import InvalidObjectError, is_parametrised
from hourglass_simulator.harness.revisions import current_revision
from hourglass_simulator.kubelet import adoption
from hourglass_simulator.kubelet.workload import Workload
from hourglass_simulator.kubernetes.version import DEFAULT, Version, minor_of, nearest

_ENDED = ("Succeeded", "Failed")
_KINDS_OF_NODES = ("DaemonSet", "Node")
"""Controllers that make no pod for another node."""
_TERMINATED = 143
"""The exit code of a program that SIGTERM ends."""


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy, the controllers that it lacks, and what its reader should know of it.

    `assumed`: what was not in the file and is taken to exist; `unmanaged`: objects that do nothing
    here because what they manage is not in the file. Both in words.
    """

    cluster: Cluster
    absent_owners: AbsentOwners
    assumed: list[str]
    unmanaged: list[str]


def copy_of(
    items: Iterable[JSON],
    *,
    version: Version = DEFAULT,
    epoch: datetime | None = None,
    managed_fields: bool = False,
    without: Collection[str] = (),
) -> Copy:
    """The cluster with everything where it is, at the moment that the file is of, or at `epoch`.

    `managed_fields` and `without` as for the cluster.

    Objects are as they were admitted, with their uids, owners and status. Containers start anew
    and behave, but for those of pods that were not ready, which go on not to be. Owners that are
    not in the file still own, and their pods are made anew as they were. Images are taken to exist.

    Raises InvalidObjectError.
    """
    found, unmanaged = _managed(list(items))
    uids = {item["metadata"].get("uid") for item in found}
    cluster = Cluster(
        crd=generate(),
        epoch=epoch or _moment(found),
        version=version,
        managed_fields=managed_fields,
        without=without,
    )
    api = cluster.api
    api.reseed(_seed(uids))
    resources = {(r.api_version, r.kind): r.name for r in api.resources()}
    owners = {o["uid"] for item in found for o in item["metadata"].get("ownerReferences") or ()}
    cluster.take_owners_to_exist(owners - uids)
    pods = [item for item in found if item["kind"] == "Pod"]
    orphaned = [pod for pod in pods if _is_without_owner(pod, uids)]
    lost: set[str] = set()
    revised: list[JSON] = []
    for item in found:
        kind = item["kind"]
        if kind == "Pod" or is_parametrised(item):
            continue
        as_it_is = _as_computed(item, orphaned) if kind == "PodDisruptionBudget" else item
        with _naming(item):
            stored = api.restore(resources[item["apiVersion"], kind], as_it_is)
        if kind in ("DaemonSet", "StatefulSet"):
            revised.append(stored)
        elif kind == "Node" and _condition(item, "Ready") == "Unknown":
            lost.add(item["metadata"]["name"])
    owned = _by_controller(found) if revised else {}
    for owner in revised:
        revision = current_revision(owner, owned.get(owner["metadata"]["uid"], ()))
        if revision is not None:
            with _naming(revision):
                api.restore("controllerrevisions", revision)
    if "kubelet" not in without:
        for name in sorted(lost):
            cluster.kubelets.stop(name)
        initial = {c["image"] for pod in pods for c in pod["spec"].get("initContainers") or ()}
        for pod in pods:
            _let_behave(cluster, pod, initial)
    absent = AbsentOwners(cluster)
    keys = {id(pod) for pod in orphaned}
    for pod in pods:
        with _naming(pod):
            stored = api.restore("pods", _to_start(pod, lost))
        if id(pod) in keys and not _has_ended(pod):
            absent.keep(stored)
    assumed = [f"{count} × {kind}" for kind, count in sorted(assume(api, found).items())]
    return Copy(cluster, absent, assumed, unmanaged)


def version_of(items: Iterable[JSON]) -> Version:
    """The recorded version that is nearest to that of the cluster's newest node.

    A control plane is never older than a kubelet: https://kubernetes.io/releases/version-skew-policy/
    """
    nodes = [item for item in items if item["kind"] == "Node"]
    reported = [
        ((n.get("status") or {}).get("nodeInfo") or {}).get("kubeletVersion") for n in nodes
    ]
    found = [minor for minor in map(minor_of, reported) if minor is not None]
    return nearest(max(found)) if found else DEFAULT


@contextmanager
def _naming(obj: JSON) -> Iterator[None]:
    meta = obj["metadata"]
    name = "/".join(filter(None, (meta.get("namespace"), meta["name"])))
    try:
        yield
    except APIError as error:
        raise InvalidObjectError(f"{obj['kind']} {name}: {error.message}") from error


def _managed(items: list[JSON]) -> tuple[list[JSON], list[str]]:
    """The objects without Deployments whose ReplicaSets are not there, and these in words.

    Such a Deployment would make pods beside those that it has.
    """
    owners = {o["uid"] for item in items for o in item["metadata"].get("ownerReferences") or ()}
    kept, left = [], []
    for item in items:
        meta = item["metadata"]
        has_pods = (item.get("status") or {}).get("replicas", 0) > 0
        if item["kind"] == "Deployment" and has_pods and meta.get("uid") not in owners:
            left.append(f"Deployment {meta['namespace']}/{meta['name']}")
        else:
            kept.append(item)
    return kept, left


def _seed(uids: Iterable[str | None]) -> int:
    """By which new uids are others than those of the file, also if another copy was printed."""
    return zlib.crc32(" ".join(sorted(filter(None, uids))).encode())


def _moment(items: Iterable[JSON]) -> datetime:
    """When the file was made: no time in it is of the future."""
    texts = {item["metadata"].get("creationTimestamp") for item in items}
    for item in items:
        for condition in (item.get("status") or {}).get("conditions") or ():
            texts.add(condition.get("lastHeartbeatTime") or condition.get("lastTransitionTime"))
    found = [moment for text in texts if text and (moment := _parsed(text))]
    return max(found, default=EPOCH)


def _parsed(text: str) -> datetime | None:
    try:
        return time.parse(text).astimezone(UTC)
    except ValueError:
        return None


def _condition(obj: JSON, kind: str) -> str | None:
    conditions = (obj.get("status") or {}).get("conditions") or ()
    return next((c["status"] for c in conditions if c["type"] == kind), None)


def _has_ended(pod: JSON) -> bool:
    return (pod.get("status") or {}).get("phase") in _ENDED


def _is_without_owner(pod: JSON, uids: set[str | None]) -> bool:
    """Whether a controller would make the pod again that the file does not have."""
    owner = controller_of(pod)
    return owner is not None and owner["uid"] not in uids and owner["kind"] not in _KINDS_OF_NODES


def _as_computed(budget: JSON, orphaned: Iterable[JSON]) -> JSON:
    """A budget of pods without their owners, with what it came to while they were there."""
    desired = (budget.get("status") or {}).get("desiredHealthy")
    spec, namespace = budget.get("spec") or {}, budget["metadata"]["namespace"]
    if desired is None or not any(
        pod["metadata"]["namespace"] == namespace
        and selector.matches(spec.get("selector"), pod["metadata"].get("labels") or {})
        for pod in orphaned
    ):
        return budget
    fixed = {name: value for name, value in spec.items() if name != "maxUnavailable"}
    return {**budget, "spec": {**fixed, "minAvailable": desired}}


def _by_controller(items: Iterable[JSON]) -> dict[str, list[JSON]]:
    found: dict[str, list[JSON]] = {}
    for item in items:
        if (controller := controller_of(item)) is not None:
            found.setdefault(controller["uid"], []).append(item)
    return found


def _let_behave(cluster: Cluster, pod: JSON, initial: Collection[str]) -> None:
    """What is known of the containers of a pod: whether they run, are ready, and end well.

    They run for as long as anybody asks; those of Jobs also in the pods that come after this one,
    unless their image is among the `initial` ones: init containers must end. Those of a pod that
    was not ready do not get ready, or do not run, as before. Whoever works towards an end has not
    reached it when it is stopped.
    """
    if _has_ended(pod):
        return
    meta, behaviour = pod["metadata"], Workload()
    if _condition(pod, "Ready") == "False":
        statuses = pod["status"].get("containerStatuses") or ()
        if all("running" in (each.get("state") or {}) for each in statuses):
            behaviour = replace(behaviour, ready_after=None)
        else:
            behaviour = replace(behaviour, executable=False)
    if pod["spec"].get("restartPolicy", "Always") != "Always":
        behaviour = replace(behaviour, stop_code=_TERMINATED)
    controller = controller_of(pod)
    of_job = controller is not None and controller["kind"] == "Job"
    for container in pod["spec"]["containers"]:
        cluster.kubelets.behave(meta["namespace"], meta["name"], behaviour, container["name"])
        if of_job and container["image"] not in initial:
            cluster.images.behave(container["image"], Workload())


def _to_start(pod: JSON, lost: set[str]) -> JSON:
    """A pod whose containers its kubelet starts anew has no status yet."""
    node = pod["spec"].get("nodeName")
    if not node or node in lost or _has_ended(pod) or adoption.runs(pod):
        return pod
    return {name: value for name, value in pod.items() if name != "status"}
