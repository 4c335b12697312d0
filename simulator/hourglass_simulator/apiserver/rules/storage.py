"""StorageClasses and PersistentVolumes.

https://github.com/kubernetes/kubernetes/tree/v1.34.4/pkg/apis/storage/validation
https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/apis/core/validation/validation.go
"""

import posixpath
from collections.abc import Iterator, Mapping

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.rules import (
    claims,
    labels,
    names,
    object_meta,
    scheduling,
    volumes,
)
from hourglass_simulator.apiserver.rules.fault import (
    Faults,
    amount,
    duplicate,
    each,
    forbidden,
    immutable,
    invalid,
    is_multiple,
    not_supported,
    one_of,
    positive_quantity,
    required,
    too_long,
)
from hourglass_simulator.apiserver.rules.go_text import difference, printed
from hourglass_simulator.apiserver.rules.pod_warnings import DEPRECATED_LABELS
from hourglass_simulator.apiserver.rules.volumes import SHARED, Source, needs, referring

_MOST_PARAMETERS, _LARGEST_PARAMETERS = 512, 256 * 1024
_BINDINGS = ("Immediate", "WaitForFirstConsumer")
_RECLAIMS = ("Delete", "Recycle", "Retain")
_ISCSI = "must be valid format"


def class_created(found: JSON) -> Faults:
    """What is wrong with a new StorageClass."""
    yield from object_meta.created("storageclasses", found["metadata"])
    yield from provisioner("provisioner", found.get("provisioner") or "")
    yield from parameters(found.get("parameters") or {})
    if found.get("reclaimPolicy"):
        yield from one_of("reclaimPolicy", found["reclaimPolicy"], ("Delete", "Retain"))
    mode = found.get("volumeBindingMode")
    if mode is None:
        yield required("volumeBindingMode")
    else:
        yield from one_of("volumeBindingMode", mode, _BINDINGS)
    yield from _topologies(found.get("allowedTopologies") or [])


def provisioner(field: str, name: str) -> Faults:
    """What is wrong with the name of a provisioner."""
    if not name:
        yield required(field)
    else:
        yield from each(field, name, names.qualified_name(name.lower()))


def parameters(given: Mapping[str, str]) -> Faults:
    """What is wrong with the parameters of a class."""
    if len(given) > _MOST_PARAMETERS:
        yield too_long("parameters", _MOST_PARAMETERS)
        return
    if "" in given:
        yield invalid("parameters", "", "field can not be empty.")
    if sum(len(k) + len(v) for k, v in given.items()) > _LARGEST_PARAMETERS:
        yield too_long("parameters", _LARGEST_PARAMETERS)


def _topologies(terms: list[JSON]) -> Faults:
    # Kubernetes begins with an empty one for each, so that one that says nothing is there already.
    seen: list[dict[str, set[str]]] = [{} for _ in terms]
    for index, term in enumerate(terms):
        path, found = f"allowedTopologies[{index}].matchLabelExpressions", {}
        for number, requirement in enumerate(term.get("matchLabelExpressions") or ()):
            where, key = f"{path}[{number}]", requirement.get("key") or ""
            values: set[str] = set()
            if not requirement.get("values"):
                yield required(f"{where}.values")
            for place, value in enumerate(requirement.get("values") or ()):
                if value in values:
                    yield duplicate(f"{where}.values[{place}]", value)
                values.add(value)
            yield from labels.label_name(f"{where}.key", key)
            if key in found:
                yield duplicate(f"{where}.key", key)
            found[key] = values
        for _ in range(seen.count(found)):
            yield duplicate(path, "")
        seen.append(found)


def class_updated(new: JSON, old: JSON) -> Faults:
    """What is wrong with a changed StorageClass."""
    yield from class_created(new)
    yield from object_meta.updated(new["metadata"], old["metadata"], "storageclasses")
    for field in ("parameters", "provisioner", "reclaimPolicy"):
        if (new.get(field) or None) != (old.get(field) or None):
            yield forbidden(field, f"updates to {field} are forbidden.")
    modes = new.get("volumeBindingMode"), old.get("volumeBindingMode")
    yield from immutable("volumeBindingMode", *modes)


def class_warnings(found: JSON) -> Iterator[str]:
    """What is deprecated in a StorageClass."""
    for index, term in enumerate(found.get("allowedTopologies") or ()):
        for number, requirement in enumerate(term.get("matchLabelExpressions") or ()):
            field = f"allowedTopologies[{index}].matchLabelExpressions[{number}].key"
            if requirement.get("key") in DEPRECATED_LABELS:
                yield f"{field}: {DEPRECATED_LABELS[requirement['key']]}"


def _iscsi(path: str, source: JSON) -> Faults:
    yield from needs("targetPortal")(path, source)
    yield from volumes.iscsi(path, source, _ISCSI)
    if source.get("secretRef") is not None:
        yield from needs("name")(f"{path}.secretRef", source["secretRef"])
    yield from volumes.iscsi_initiator(path, source, _ISCSI)


def _azure_file(path: str, source: JSON) -> Faults:
    yield from needs("secretName", "shareName")(path, source)
    if source.get("secretNamespace") == "":
        yield required(f"{path}.secretNamespace")


def _glusterfs(path: str, source: JSON) -> Faults:
    yield from needs("endpoints", "path")(path, source)
    namespace, field = source.get("endpointsNamespace"), f"{path}.endpointsNamespace"
    if namespace == "":
        why = "if the endpointnamespace is set, it must be a valid namespace name"
        yield invalid(field, namespace, why)
    elif namespace is not None:
        yield from each(field, namespace, names.dns_label(namespace))


_SECRETS = (
    *("controllerPublishSecretRef", "controllerExpandSecretRef", "nodePublishSecretRef"),
    "nodeExpandSecretRef",
)


def _csi(path: str, source: JSON) -> Faults:
    yield from volumes.driver_name(f"{path}.driver", source.get("driver") or "")
    yield from needs("volumeHandle")(path, source)
    for field in _SECRETS:
        secret = source.get(field)
        if secret is None:
            continue
        for part, check in (("name", names.dns_subdomain), ("namespace", names.dns_label)):
            value = secret.get(part) or ""
            if not value:
                yield required(f"{path}.{field}.{part}")
            else:
                yield from each(f"{path}.{field}.{part}", value, check(value))


_SOURCES = (
    SHARED["hostPath"],
    SHARED["gcePersistentDisk"],
    SHARED["awsElasticBlockStore"],
    Source("glusterfs", _glusterfs),
    SHARED["flocker"],
    SHARED["nfs"],
    SHARED["rbd"],
    SHARED["quobyte"],
    SHARED["cephfs"],
    Source("iscsi", _iscsi),
    Source("cinder", referring(needs("volumeID"), "name", "namespace")),
    SHARED["fc"],
    SHARED["flexVolume"],
    Source("azureFile", _azure_file),
    SHARED["vsphereVolume"],
    SHARED["photonPersistentDisk"],
    SHARED["portworxVolume"],
    SHARED["azureDisk"],
    SHARED["scaleIO"],
    Source("local", volumes.local),
    Source("storageos", referring(volumes.storage_os, "name", "namespace")),
    Source("csi", _csi),
)
_DEPRECATED = (
    ("photonPersistentDisk", "photonPersistentDisk", "v1.11, non-functional in v1.16+"),
    ("scaleIO", "scaleIO", "v1.16, non-functional in v1.22+"),
    ("storageos", "storageOS", "v1.22, non-functional in v1.25+"),
    ("glusterfs", "glusterfs", "v1.25, non-functional in v1.26+"),
    ("cephfs", "cephfs", "v1.28, non-functional in v1.31+"),
    ("rbd", "rbd", "v1.28, non-functional in v1.31+"),
)


def volume_created(found: JSON) -> Faults:
    """What is wrong with a new PersistentVolume."""
    yield from object_meta.created("persistentvolumes", found["metadata"])
    spec = found.get("spec") or {}
    modes, capacity = spec.get("accessModes") or [], spec.get("capacity") or {}
    if not modes:
        yield required("spec.accessModes")
    yield from claims.access_modes("spec.accessModes", modes)
    if not capacity:
        yield required("spec.capacity")
    if capacity.keys() != {"storage"}:
        yield not_supported("spec.capacity", capacity or None, ("storage",))
    for name, value in sorted(capacity.items()):
        if amount(value) < 0:
            why = "must be a valid resource quantity"
            yield invalid(f"spec.capacity[{name}]", int(amount(value)), why)
        yield from positive_quantity(f"spec.capacity[{name}]", value)
    policy = spec.get("persistentVolumeReclaimPolicy")
    if policy:
        yield from one_of("spec.persistentVolumeReclaimPolicy", policy, _RECLAIMS)
    affinity = spec.get("nodeAffinity")
    if affinity is not None:
        if affinity.get("required") is None:
            why = "must specify required node constraints"
            yield required("spec.nodeAffinity.required", why)
        else:
            yield from scheduling.node_selector("spec.nodeAffinity.required", affinity["required"])
    yield from _sources(spec)
    if (
        policy == "Recycle"
        and posixpath.normpath((spec.get("hostPath") or {}).get("path") or "") == "/"
    ):
        why = "may not be 'recycle' for a hostPath mount of '/'"
        yield forbidden("spec.persistentVolumeReclaimPolicy", why)
    name = spec.get("storageClassName")
    if name:
        yield from each("spec.storageClassName", name, names.dns_subdomain(name))
    if spec.get("volumeMode") is not None:
        yield from one_of("spec.volumeMode", spec["volumeMode"], claims.VOLUME_MODES)
    yield from _attributes_class(spec)


def _sources(spec: JSON) -> Faults:
    given = [source for source in _SOURCES if spec.get(source.field) is not None]
    for index, source in enumerate(given):
        yield from source.faults("spec", spec, first=index == 0 or source.field == "flexVolume")
        if source.field == "local" and index == 0 and spec.get("nodeAffinity") is None:
            yield required("spec.nodeAffinity", "Local volume requires node affinity")
    if not given:
        yield required("spec", "must specify a volume type")


def _attributes_class(spec: JSON) -> Faults:
    name, field = spec.get("volumeAttributesClassName"), "spec.volumeAttributesClassName"
    if name is None:
        return
    if not name:
        yield required(field, "an empty string is disallowed")
    else:
        yield from each(field, name, names.dns_subdomain(name))
    if spec.get("csi") is None:
        yield required("spec.csi", "has to be specified when using volumeAttributesClassName")


def volume_updated(new: JSON, old: JSON) -> Faults:
    """What is wrong with a changed PersistentVolume."""
    yield from volume_created(new)
    yield from volume_created(new)
    spec, before = new["spec"], old["spec"]
    source, known = _source(spec), _source(before)
    if "csi" in source and "controllerExpandSecretRef" not in (known.get("csi") or {}):
        kept = {k: v for k, v in source["csi"].items() if k != "controllerExpandSecretRef"}
        source = {**source, "csi": kept}
    if source != known:
        why = "spec.persistentvolumesource is immutable after creation\n"
        shown = difference("core.PersistentVolumeSource", known, source)
        yield forbidden("spec.persistentvolumesource", why + shown)
    yield from immutable("volumeMode", spec.get("volumeMode"), before.get("volumeMode"))
    affinity, own = spec.get("nodeAffinity"), before.get("nodeAffinity")
    if own is not None and affinity != own:
        why = "field is immutable, except for updating from beta label to GA"
        yield invalid("nodeAffinity", printed("*core.VolumeNodeAffinity", affinity), why)


def _source(spec: JSON) -> JSON:
    known = {source.field for source in _SOURCES}
    return {name: value for name, value in spec.items() if name in known}


def volume_status(new: JSON, old: JSON) -> Faults:
    """What is wrong with a changed status."""
    yield from object_meta.updated(new["metadata"], old["metadata"], "persistentvolumes")


def volume_warnings(found: JSON) -> Iterator[str]:
    """What is deprecated in a PersistentVolume."""
    spec = found.get("spec") or {}
    terms = ((spec.get("nodeAffinity") or {}).get("required") or {}).get("nodeSelectorTerms") or ()
    for index, term in enumerate(terms):
        for number, requirement in enumerate(term.get("matchExpressions") or ()):
            key = requirement.get("key")
            field = f"spec.nodeAffinity.required.nodeSelectorTerms[{index}]"
            if key in DEPRECATED_LABELS:
                yield f"{field}.matchExpressions[{number}].key: {key} is {DEPRECATED_LABELS[key]}"
    if spec.get("persistentVolumeReclaimPolicy") == "Recycle":
        yield (
            "spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead,"
            " the recommended approach is to use dynamic provisioning."
        )
    for kind, shown, since in _DEPRECATED:
        if spec.get(kind) is not None:
            yield f"spec.{shown}: deprecated in {since}"
    size = (spec.get("capacity") or {}).get("storage")
    if size is not None and not is_multiple(size):
        why = f'fractional byte value "{size}" is invalid, must be an integer'
        yield f"spec.capacity[storage]: {why}"


def claim_created(found: JSON) -> Faults:
    """What is wrong with a new PersistentVolumeClaim."""
    yield from object_meta.created("persistentvolumeclaims", found["metadata"])
    yield from claims.spec("spec", found.get("spec") or {})


def claim_updated(new: JSON, old: JSON) -> Faults:
    """What is wrong with a changed PersistentVolumeClaim."""
    yield from claim_created(new)
    yield from object_meta.updated(new["metadata"], old["metadata"], "persistentvolumeclaims")
    yield from claim_created(new)
    yield from claims.updated(new, old)


def claim_status(new: JSON, old: JSON) -> Faults:
    """What is wrong with a changed status."""
    yield from object_meta.updated(new["metadata"], old["metadata"], "persistentvolumeclaims")
    yield from claims.status(new)
