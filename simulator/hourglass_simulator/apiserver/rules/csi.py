"""CSI drivers and what they offer, volume attachments and volume attributes.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/apis/storage/validation/validation.go
"""

from collections.abc import Sequence

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import gates
from hourglass_simulator.apiserver.rules import (
    labels,
    names,
    object_meta,
    storage,
    volumes,
)
from hourglass_simulator.apiserver.rules.fault import (
    IMMUTABLE,
    Faults,
    duplicate,
    each,
    forbidden,
    immutable,
    in_range,
    invalid,
    non_negative,
    non_negative_quantity,
    one_of,
    required,
    too_long,
)
from hourglass_simulator.apiserver.rules.go_text import printed
from hourglass_simulator.apiserver.schema_error import Verbatim

_FS_GROUP_POLICIES = ("File", "None", "ReadWriteOnceWithFSType")
_MODES = ("Persistent", "Ephemeral")
_SHORTEST_TOKEN, _LONGEST_TOKEN = 600, 2**32
_SHORTEST_PERIOD = 10
_LONGEST_NODE_ID = 256
_LARGEST_METADATA, _LONGEST_MESSAGE = 256 * 1024, 1024


def driver_created(found: JSON) -> Faults:
    """What is wrong with a new CSIDriver."""
    yield from object_meta.created("csidrivers", found["metadata"])
    yield from _driver(found.get("spec") or {})


def driver_updated(new: JSON, old: JSON) -> Faults:
    """What is wrong with a changed CSIDriver."""
    yield from object_meta.updated(new["metadata"], old["metadata"])
    spec, before = new.get("spec") or {}, old.get("spec") or {}
    yield from _driver(spec)
    for field, shown in (
        ("attachRequired", "attachedRequired"),
        ("volumeLifecycleModes", "volumeLifecycleModes"),
    ):
        if spec.get(field) != before.get(field):
            yield invalid(f"spec.{shown}", spec.get(field), IMMUTABLE)


def _driver(spec: JSON) -> Faults:
    if spec.get("fsGroupPolicy") is not None:
        yield from one_of("spec.fsGroupPolicy", spec["fsGroupPolicy"], _FS_GROUP_POLICIES)
    yield from _tokens("spec.tokenRequests", spec.get("tokenRequests") or ())
    for mode in spec.get("volumeLifecycleModes") or ():
        yield from one_of("spec.volumeLifecycleModes", mode, _MODES)
    period = spec.get("nodeAllocatableUpdatePeriodSeconds")
    counts = gates.enabled("MutableCSINodeAllocatableCount")
    if counts and period is not None and period < _SHORTEST_PERIOD:
        why = "must be greater than or equal to 10 seconds"
        yield invalid("spec.nodeAllocatableUpdatePeriodSeconds", period, why)
    in_secrets = spec.get("serviceAccountTokenInSecrets")
    if in_secrets is not None and not spec.get("tokenRequests"):
        why = "serviceAccountTokenInSecrets is set but no tokenRequests are specified"
        yield invalid("spec.serviceAccountTokenInSecrets", in_secrets, why)


def _tokens(path: str, requests: Sequence[JSON]) -> Faults:
    seen: set[str] = set()
    for index, request in enumerate(requests):
        audience, seconds = request.get("audience") or "", request.get("expirationSeconds")
        if audience in seen:
            yield duplicate(f"{path}[{index}].audience", audience)
            continue
        seen.add(audience)
        field = f"{path}[{index}].expirationSeconds"
        if seconds is not None and seconds < _SHORTEST_TOKEN:
            yield invalid(field, seconds, "may not specify a duration less than 10 minutes")
        if seconds is not None and seconds > _LONGEST_TOKEN:
            yield invalid(field, seconds, "may not specify a duration larger than 2^32 seconds")


def node_created(found: JSON) -> Faults:
    """What is wrong with a new CSINode."""
    yield from object_meta.created("csinodes", found["metadata"])
    seen: set[str] = set()
    for index, driver in enumerate((found.get("spec") or {}).get("drivers") or ()):
        path, name = f"spec.drivers[{index}]", driver.get("name") or ""
        yield from volumes.driver_name(f"{path}.name", name)
        node = driver.get("nodeID") or ""
        if not node:
            yield required(f"{path}.nodeID")
        if len(node) > _LONGEST_NODE_ID:
            why = f"must be {_LONGEST_NODE_ID} characters or less"
            yield invalid(f"{path}.nodeID", node, why)
        count = (driver.get("allocatable") or {}).get("count")
        yield from non_negative(f"{path}.allocatable.count", count)
        if name in seen:
            yield duplicate(f"{path}.name", name)
        seen.add(name)
        keys: set[str] = set()
        for key in driver.get("topologyKeys") or ():
            if not key:
                yield required(path)
            if key in keys:
                yield duplicate(path, key)
            keys.add(key)
            yield from each(path, key, names.qualified_name(key))


def node_updated(new: JSON, old: JSON) -> Faults:
    """What is wrong with a changed CSINode: what a driver has said stays."""
    yield from node_created(new)
    drivers, before = ((found.get("spec") or {}).get("drivers") or () for found in (new, old))
    for was in before:
        for driver in drivers:
            if was["name"] == driver["name"]:
                yield from immutable("spec.drivers", driver, was, _shown_driver)


def _shown_attachment(spec: JSON) -> Verbatim:
    return printed("storage.VolumeAttachmentSpec", spec)


def _shown_driver(driver: JSON) -> Verbatim:
    return printed("storage.CSINodeDriver", driver)


def capacity_created(found: JSON) -> Faults:
    """What is wrong with a new CSIStorageCapacity."""
    yield from object_meta.created("csistoragecapacities", found["metadata"])
    yield from labels.selector("nodeTopology", found.get("nodeTopology"))
    name = found.get("storageClassName") or ""
    yield from each("storageClassName", name, names.dns_subdomain(name))
    if found.get("capacity") is not None:
        yield from non_negative_quantity("capacity", found["capacity"])


def capacity_updated(new: JSON, old: JSON) -> Faults:
    """What is wrong with a changed CSIStorageCapacity."""
    yield from capacity_created(new)
    yield from object_meta.updated(new["metadata"], old["metadata"])
    for field in ("nodeTopology", "storageClassName"):
        yield from immutable(field, new.get(field), old.get(field))


def attachment_created(found: JSON) -> Faults:
    """What is wrong with a new VolumeAttachment."""
    yield from _attachment(found)
    spec = found.get("spec") or {}
    yield from volumes.driver_name("spec.attacher", spec.get("attacher") or "")
    volume = (spec.get("source") or {}).get("persistentVolumeName")
    if volume is not None:
        path = "spec.source.persistentVolumeName"
        yield from each(path, volume, names.dns_subdomain(volume))


def _attachment(found: JSON) -> Faults:
    yield from object_meta.created("volumeattachments", found["metadata"])
    spec, status = found.get("spec") or {}, found.get("status") or {}
    if not spec.get("attacher"):
        yield required("spec.attacher")
    source = spec.get("source") or {}
    volume, inline = source.get("persistentVolumeName"), source.get("inlineVolumeSpec")
    if (volume is None) == (inline is None):
        why = "must specify exactly one of inlineVolumeSpec and persistentVolumeName"
        error = required if volume is None else forbidden
        yield error("spec.source", why)
    elif volume == "":
        why = "must specify non empty persistentVolumeName"
        yield required("spec.source.persistentVolumeName", why)
    node = spec.get("nodeName") or ""
    yield from each("spec.nodeName", node, names.dns_subdomain(node))
    noted = status.get("attachmentMetadata") or {}
    if sum(len(key) + len(value) for key, value in noted.items()) > _LARGEST_METADATA:
        yield too_long("status.attachmentMetadata", _LARGEST_METADATA)
    for field in ("attachError", "detachError"):
        error_of = status.get(field) or {}
        if len(error_of.get("message") or "") > _LONGEST_MESSAGE:
            yield too_long(f"status.{field}.message", _LARGEST_METADATA)
        code = error_of.get("errorCode")
        counts = gates.enabled("MutableCSINodeAllocatableCount")
        if counts and code is not None and code < 0:
            yield invalid(f"status.{field}.errorCode", code, in_range(0, 2**31 - 1))


def attachment_updated(new: JSON, old: JSON) -> Faults:
    """What is wrong with a changed VolumeAttachment."""
    yield from _attachment(new)
    yield from immutable("spec", new.get("spec"), old.get("spec"), _shown_attachment)


def attributes_created(found: JSON) -> Faults:
    """What is wrong with a new VolumeAttributesClass."""
    yield from object_meta.created("volumeattributesclasses", found["metadata"])
    yield from storage.provisioner("driverName", found.get("driverName") or "")
    yield from storage.parameters(found.get("parameters") or {})
    if not found.get("parameters"):
        yield required("parameters", "must contain at least one key/value pair")


def attributes_updated(new: JSON, old: JSON) -> Faults:
    """What is wrong with a changed VolumeAttributesClass."""
    yield from object_meta.updated(new["metadata"], old["metadata"])
    for field in ("driverName", "parameters"):
        if new.get(field) != old.get(field):
            yield forbidden(field, f"updates to {field} are forbidden.")
    yield from attributes_created(new)
