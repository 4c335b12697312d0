"""Which PersistentVolume a claim may have on a node, and where one could be provisioned.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/component-helpers/storage/volume/pv_helpers.go
https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/scheduler/framework/plugins/volumebinding/binder.go
"""

from collections.abc import Sequence
from decimal import Decimal

from hourglass_kube import affinity, quantity, selector
from hourglass_kube.node import NodeView
from hourglass_kube.types import JSON
from hourglass_simulator.scheduler.listers import Listers

SELECTED_NODE = "volume.kubernetes.io/selected-node"
_CLASS = "volume.beta.kubernetes.io/storage-class"


def class_of(claim_or_volume: JSON) -> str:
    """The name of the StorageClass; "" for none."""
    annotations = claim_or_volume["metadata"].get("annotations") or {}
    name: str = annotations.get(_CLASS) or claim_or_volume["spec"].get("storageClassName") or ""
    return name


def size_of(claim: JSON) -> Decimal:
    """The storage that a claim requests, in bytes."""
    requests = (claim["spec"].get("resources") or {}).get("requests") or {}
    return quantity.parse(requests.get("storage", "0"))


def volumes_of(listers: Listers, class_name: str) -> list[JSON]:
    """The volumes of a class, by name."""
    found = [v for v in listers["persistentvolumes"] if class_of(v) == class_name]
    return sorted(found, key=lambda volume: volume["metadata"]["name"])


def find(claim: JSON, volumes: Sequence[JSON], node: NodeView, taken: Sequence[str]) -> JSON | None:
    """The volume that is kept for the claim, or the smallest that does."""
    best, least = None, Decimal(0)
    chosen = claim["spec"].get("selector")
    for volume in volumes:
        spec = volume["spec"]
        kept = spec.get("claimRef") is not None
        if volume["metadata"]["name"] in taken or (kept and not _kept_for(volume, claim)):
            continue
        size = quantity.parse((spec.get("capacity") or {}).get("storage", "0"))
        if size < size_of(claim) or "deletionTimestamp" in volume["metadata"]:
            continue
        if any(_differs(claim, volume, key, default) for key, default in _EQUAL):
            continue
        if kept:
            return volume if reaches(volume, node) else None
        if (volume.get("status") or {}).get("phase") != "Available":
            continue
        labels = volume["metadata"].get("labels") or {}
        if chosen is not None and not selector.matches(chosen, labels):
            continue
        modes = set(claim["spec"].get("accessModes") or ())
        if not modes <= set(spec.get("accessModes") or ()) or not reaches(volume, node):
            continue
        if best is None or size < least:
            best, least = volume, size
    return best


_EQUAL = (("volumeMode", "Filesystem"), ("volumeAttributesClassName", ""))


def _differs(claim: JSON, volume: JSON, key: str, default: str) -> bool:
    return bool((claim["spec"].get(key) or default) != (volume["spec"].get(key) or default))


def _kept_for(volume: JSON, claim: JSON) -> bool:
    reference, meta = volume["spec"]["claimRef"], claim["metadata"]
    same = all(reference.get(key) == meta[key] for key in ("name", "namespace"))
    return same and reference.get("uid", meta["uid"]) == meta["uid"]


def reaches(volume: JSON, node: NodeView) -> bool:
    """Whether the node affinity of a volume permits a node."""
    required = (volume["spec"].get("nodeAffinity") or {}).get("required")
    if required is None:
        return True
    return affinity.compile_terms(required.get("nodeSelectorTerms") or ())(node)


def allows(storage_class: JSON, node: NodeView) -> bool:
    """Whether a class lets volumes be made for a node: one of its topologies, if it names any."""
    terms = storage_class.get("allowedTopologies") or ()
    return not terms or any(
        all(
            node.labels.get(expression["key"]) in expression["values"]
            for expression in term.get("matchLabelExpressions") or ()
        )
        and bool(term.get("matchLabelExpressions"))
        for term in terms
    )


def has_space(listers: Listers, storage_class: JSON, claim: JSON, node: NodeView) -> bool:
    """Whether a driver that reports its capacity has enough of it for a node."""
    driver = listers["csidrivers"].get(storage_class["provisioner"])
    if driver is None or not driver["spec"].get("storageCapacity"):
        return True
    wanted = size_of(claim)
    for capacity in listers["csistoragecapacities"]:
        limit = capacity.get("maximumVolumeSize") or capacity.get("capacity")
        if (
            capacity["storageClassName"] == storage_class["metadata"]["name"]
            and limit is not None
            and quantity.parse(limit) >= wanted
            and selector.matches(capacity.get("nodeTopology"), node.labels)
        ):
            return True
    return False
