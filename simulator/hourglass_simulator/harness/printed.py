"""What `kubectl get … -o yaml` printed of a cluster, checked before a copy is made of it.

Objects must have the shapes of Kubernetes' OpenAPI, from which the models of the kubernetes package
are made. Keys that those do not know are let be: a newer cluster may have them.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from kubernetes import client

from hourglass_kube import quantity
from hourglass_kube.types import JSON
from hourglass_operator.api import GROUP, KIND, VERSION
from hourglass_simulator.harness.pool import Pool
from hourglass_simulator.scenario.document import Location
from hourglass_simulator.scenario.mistakes import mistakes, shown

MODELS: Mapping[tuple[str, str], str | None] = {
    ("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy"): "V1ValidatingAdmissionPolicy",
    ("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicyBinding"): (
        "V1ValidatingAdmissionPolicyBinding"
    ),
    ("apps/v1", "ControllerRevision"): "V1ControllerRevision",
    ("apps/v1", "DaemonSet"): "V1DaemonSet",
    ("apps/v1", "Deployment"): "V1Deployment",
    ("apps/v1", "ReplicaSet"): "V1ReplicaSet",
    ("apps/v1", "StatefulSet"): "V1StatefulSet",
    ("batch/v1", "CronJob"): "V1CronJob",
    ("batch/v1", "Job"): "V1Job",
    ("node.k8s.io/v1", "RuntimeClass"): "V1RuntimeClass",
    ("policy/v1", "PodDisruptionBudget"): "V1PodDisruptionBudget",
    ("resource.k8s.io/v1", "DeviceClass"): "V1DeviceClass",
    ("resource.k8s.io/v1", "ResourceClaim"): "ResourceV1ResourceClaim",
    ("resource.k8s.io/v1", "ResourceClaimTemplate"): "V1ResourceClaimTemplate",
    ("resource.k8s.io/v1", "ResourceSlice"): "V1ResourceSlice",
    ("scheduling.k8s.io/v1", "PriorityClass"): "V1PriorityClass",
    ("storage.k8s.io/v1", "CSIDriver"): "V1CSIDriver",
    ("storage.k8s.io/v1", "CSINode"): "V1CSINode",
    ("storage.k8s.io/v1", "CSIStorageCapacity"): "V1CSIStorageCapacity",
    ("storage.k8s.io/v1", "StorageClass"): "V1StorageClass",
    ("v1", "ConfigMap"): "V1ConfigMap",
    ("v1", "LimitRange"): "V1LimitRange",
    ("v1", "Namespace"): "V1Namespace",
    ("v1", "Node"): "V1Node",
    ("v1", "PersistentVolume"): "V1PersistentVolume",
    ("v1", "PersistentVolumeClaim"): "V1PersistentVolumeClaim",
    ("v1", "Pod"): "V1Pod",
    ("v1", "ReplicationController"): "V1ReplicationController",
    ("v1", "ResourceQuota"): "V1ResourceQuota",
    ("v1", "Secret"): "V1Secret",
    ("v1", "Service"): "V1Service",
    ("v1", "ServiceAccount"): "V1ServiceAccount",
    (f"{GROUP}/{VERSION}", KIND): None,
}
"""What a copy is made of, by apiVersion and kind; a Performer is read by its definition.

They are names in kubernetes.client, which imports a model, slowly, when it is asked for it.
"""

MADE_ANEW = frozenset(
    [
        ("coordination.k8s.io/v1", "Lease"),
        ("discovery.k8s.io/v1", "EndpointSlice"),
        ("events.k8s.io/v1", "Event"),
        ("v1", "Endpoints"),
        ("v1", "Event"),
    ]
)
"""What the components of a copy write by themselves, and of which nothing depends on the past."""

DECIDING = frozenset(
    [
        "MutatingAdmissionPolicy",
        "MutatingWebhookConfiguration",
        "ValidatingWebhookConfiguration",
    ]
)
"""Kinds that could change or refuse a pod, and of which a copy has nothing."""

_VERSIONS = {kind: version for version, kind in MODELS}
_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_QUANTITIES = ("allocatable", "capacity", "hard", "limits", "overhead", "podFixed", "requests")
_CLUSTER_WIDE = frozenset(
    [
        "CSIDriver",
        "CSINode",
        "DeviceClass",
        "Namespace",
        "Node",
        "PersistentVolume",
        "PriorityClass",
        "ResourceSlice",
        "RuntimeClass",
        "StorageClass",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
    ]
)
_WITH_SPEC = frozenset(
    [
        "CronJob",
        "DaemonSet",
        "Deployment",
        "Job",
        "LimitRange",
        "PersistentVolume",
        "PersistentVolumeClaim",
        "Pod",
        "PodDisruptionBudget",
        "ReplicaSet",
        "ResourceClaim",
        "StatefulSet",
    ]
)


class InvalidObjectError(ValueError):
    """An object that no cluster would have; the text says which and what is wrong with it."""


class Printed(NamedTuple):
    """What a copy is made of, and what it has nothing of: kinds, each with how many there are.

    `deciding` are those that could change or refuse a pod. Both are sorted.
    """

    objects: list[JSON]
    deciding: list[str]
    others: list[str]


def read(items: Iterable[Any]) -> Printed:
    """What is of use to a copy among the items of a List.

    managedFields and the values of Secrets are left out. Raises InvalidObjectError.
    """
    objects = []
    pool = Pool()
    deciding: Counter[str] = Counter()
    others: Counter[str] = Counter()
    for index, item in enumerate(items):
        if not is_named(item):
            raise InvalidObjectError(
                f"items[{index}]: expected an object with kind and metadata.name"
            )
        version, kind = _kind_of(item)
        if (version, kind) in MODELS:
            for location, text in _mistakes(item):
                where = f"items[{index}] ({kind} {item['metadata']['name']})"
                raise InvalidObjectError(f"{where}.{_path(location)}: {text}")
            objects.append(_read(item, pool))
            if is_parametrised(item):
                deciding[f"{kind} with parameters"] += 1
        elif (version, kind) not in MADE_ANEW:
            (deciding if kind in DECIDING else others)[_shown(version, kind)] += 1
    return Printed(objects, _listed(deciding), _listed(others))


def is_parametrised(policy: JSON) -> bool:
    """Whether it is an admission policy whose parameters a copy may not have."""
    spec = policy.get("spec") or {}
    if policy["kind"] == "ValidatingAdmissionPolicy":
        return bool(spec.get("paramKind"))
    return policy["kind"] == "ValidatingAdmissionPolicyBinding" and bool(spec.get("paramRef"))


def _listed(found: Counter[str]) -> list[str]:
    return [f"{count} × {kind}" for kind, count in sorted(found.items())]


def _kind_of(item: JSON) -> tuple[str, str]:
    """apiVersion and kind; the version that a copy knows where none is written."""
    kind: str = item["kind"]
    return str(item.get("apiVersion") or _VERSIONS.get(kind, "v1")), kind


def _shown(version: str, kind: str) -> str:
    """With its version, where it is no kind of Kubernetes' own, or known in another version."""
    group = version.rpartition("/")[0]
    own = "." not in group or group.endswith(".k8s.io")
    return kind if own and kind not in _VERSIONS else f"{kind} ({version})"


def _read(item: JSON, pool: Pool) -> JSON:
    """An object as a copy needs it; the API server takes null for absent."""
    version, kind = _kind_of(item)
    obj: JSON = {"apiVersion": version, **pool.add(item)}
    meta = {name: value for name, value in obj["metadata"].items() if name != "managedFields"}
    if kind == "Secret":
        if _APPLIED in meta.get("annotations", {}):
            meta["annotations"] = {k: v for k, v in meta["annotations"].items() if k != _APPLIED}
        obj["data"] = dict.fromkeys(obj.get("data", {}), "")
        obj.pop("stringData", None)
    obj["metadata"] = meta
    return obj


def is_named(found: Any) -> bool:
    """Whether it is an object with a kind and a name."""
    if not isinstance(found, dict) or not isinstance(found.get("metadata"), dict):
        return False
    return isinstance(found.get("kind"), str) and isinstance(found["metadata"].get("name"), str)


def as_written(obj: JSON) -> JSON:
    """An object as one would create it, without what a cluster has added to it."""
    kept = ("name", "namespace", "labels", "annotations")
    metadata = {key: value for key, value in obj["metadata"].items() if key in kept}
    return {**{k: v for k, v in obj.items() if k != "status"}, "metadata": metadata}


def _mistakes(obj: JSON) -> Iterator[tuple[Location, str]]:
    kind = obj["kind"]
    if (model := MODELS[_kind_of(obj)]) is not None:
        yield from mistakes(getattr(client, model), obj, extra="ignore", null_is_empty=True)
    for location, amount in _bad_quantities(obj):
        yield location, f"expected a quantity such as 500m or 8Gi, found {shown(amount)}"
    if kind == "PriorityClass" and obj.get("value") is None:
        yield ("value",), "required, but missing"
    if kind not in _CLUSTER_WIDE and obj["metadata"].get("namespace") is None:
        yield ("metadata", "namespace"), "required, but missing"
    if kind in _WITH_SPEC and obj.get("spec") is None:
        yield ("spec",), "required, but missing"


def _bad_quantities(value: Any, at: Location = ()) -> Iterator[tuple[Location, Any]]:
    parts = value.items() if isinstance(value, dict) else enumerate(value)
    for part, item in parts:
        if isinstance(item, dict | list):
            yield from _bad_quantities(item, (*at, part))
        elif at and at[-1] in _QUANTITIES:
            try:
                quantity.parse(item)
            except ValueError:
                yield (*at, part), item


def _path(location: Location) -> str:
    path, before = "", None
    for part in location:
        path += f"[{part}]" if isinstance(part, int) or before in _QUANTITIES else f".{part}"
        before = part
    return path.removeprefix(".")
