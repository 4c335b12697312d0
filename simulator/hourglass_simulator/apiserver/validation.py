"""What the API server refuses whatever the resource, and what bindings and evictions write."""

from collections.abc import Iterable

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import errors, gates
from hourglass_simulator.apiserver.decoding import FieldValidation, undecodable
from hourglass_simulator.apiserver.resources import Resource
from hourglass_simulator.apiserver.schema_error import FieldError
from hourglass_simulator.kubernetes.version import Version

DISRUPTION_TARGET = "DisruptionTarget"
_OTHER_NAMESPACE = (
    "the namespace of the provided object does not match the namespace sent on the request"
)


def namespace(resource: Resource, meta: JSON, requested: str) -> str:
    """The namespace to create in; 400 when object and request differ."""
    if not resource.namespaced:
        return ""
    own: str = meta.get("namespace") or ""
    if requested and own and own != requested:
        raise errors.bad_request(_OTHER_NAMESPACE)
    return requested or own or "default"


def addressed(old: JSON, meta: JSON) -> None:
    """400 when an update or a patch would rename an object or move it."""
    before = old["metadata"]
    own, wanted = meta.get("namespace"), before.get("namespace")
    # Of what belongs to the cluster a namespace is passed over.
    if own and wanted and own != wanted:
        raise errors.bad_request(_OTHER_NAMESPACE)
    name(meta, before["name"])


def name(meta: JSON, requested: str) -> None:
    """400 when an object is called otherwise than in the request, or not at all."""
    own = meta.get("name")
    if not own:
        why = f"the name of the object ({requested} based on URL) was undeterminable: "
        raise errors.bad_request(f"{why}name must be provided")
    if own != requested:
        why = f"the name of the object ({own}) does not match the name on the URL ({requested})"
        raise errors.bad_request(why)


def body(version: Version, resource: Resource, obj: JSON) -> None:
    """400 for an object of another kind or version."""
    api_version, kind = obj.get("apiVersion"), obj.get("kind")
    if resource.custom:
        if api_version not in (None, resource.api_version):
            raise errors.bad_request(
                f"the API version in the data ({api_version}) does not match the expected API "
                f"version ({resource.api_version})"
            )
    elif kind not in (None, resource.kind) or api_version not in (None, resource.api_version):
        kind, api_version = kind or resource.kind, api_version or resource.api_version
        group, _, short = str(api_version).rpartition("/")
        below = f"apis/{api_version}" if group else f"api/{api_version}"
        why = f'no kind "{kind}" is registered for version "{api_version}" in scheme '
        why += f'"{version.texts.scheme}"'
        if f"{below}/{kind}" in version.kinds:
            why = f"converting ({short}.{kind}) to ({_internal(resource)}.{resource.kind}): "
            why += "unknown conversion"
        raise errors.undecodable(resource, why, kind, short)


def patched(
    of_kubernetes: Version, resource: Resource, obj: JSON, fields: FieldValidation | None
) -> None:
    """422 when a patch has made an object of another kind or version."""
    version, kind = obj.get("apiVersion"), obj.get("kind")
    if fields is None or fields.shows_patch is not None or resource.custom:
        return
    if (version, kind) == (resource.api_version, resource.kind):
        return
    why = f'no kind "{kind}" is registered for version "{version}" in scheme '
    raise undecodable(resource, obj, f'{why}"{of_kubernetes.texts.scheme}"', fields)


def _internal(resource: Resource) -> str:
    return resource.group.partition(".")[0] or "core"


def refuse(version: Version, resource: Resource, obj: JSON, faults: Iterable[FieldError]) -> None:
    """422 if there is any fault."""
    if faults == ():
        # As of nearly every write.
        return
    with gates.Following(version):
        found = list(faults)
    if version.reports_faults_once and not resource.custom:
        found = list({str(fault.cause()): fault for fault in found}.values())
    if found:
        raise errors.invalid(resource, obj["metadata"]["name"], found)


def preconditions(resource: Resource, obj: JSON, uid: str | None, version: str | None) -> None:
    """409 when a deletion was meant for another object or version."""
    meta = obj["metadata"]
    if uid is not None and uid != meta["uid"]:
        why = f"the UID in the precondition ({uid}) does not match the UID in record "
        why += f"({meta['uid']}). The object might have been deleted and then recreated"
        raise errors.conflict_of_kind(resource, meta["name"], why)
    if version is not None and version != meta["resourceVersion"]:
        why = f"the ResourceVersion in the precondition ({version}) does not match the "
        why += f"ResourceVersion in record ({meta['resourceVersion']}). "
        why += "The object might have been modified"
        raise errors.conflict_of_kind(resource, meta["name"], why)


def update_precondition(resource: Resource, old: JSON, uid: str | None) -> None:
    """409 when an update was meant for another object."""
    if uid and uid != old["metadata"]["uid"]:
        own = old["metadata"]["uid"]
        meta = old["metadata"]
        group = f"{resource.group}/" if resource.custom else ""
        where = f"{group}{resource.plural}/{meta.get('namespace', '')}".rstrip("/")
        why = (
            f"StorageError: invalid object, Code: 4, Key: /registry/{where}/{meta['name']}, "
            f"ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: "
            f"{uid}, UID in object meta: {own}"
        )
        raise errors.conflict(resource, meta["name"], why)


def propagation_policy(policy: str | None) -> None:
    """422 for a policy that does not exist."""
    if policy not in (None, "Background", "Foreground", "Orphan"):
        raise errors.unknown_propagation_policy(str(policy))


def resource_version(text: str | None) -> int:
    """The version to start a watch from, 0 for any; 500 when it is no number."""
    if not text:
        return 0
    if not text.isdecimal():
        why = f'strconv.ParseUint: parsing "{text}": invalid syntax'
        raise errors.internal(f'resourceVersion: Invalid value: "{text}": {why}')
    return int(text)


def bound(version: Version, resource: Resource, pod: JSON, node: str, timestamp: str) -> JSON:
    """The pod assigned to a node; 409 when it is assigned already or being deleted."""
    name = pod["metadata"]["name"]
    if "deletionTimestamp" in pod["metadata"]:
        why = f"pod {name} is being deleted, cannot be assigned to a host"
        raise errors.binding_conflict(resource, name, why)
    if host := pod["spec"].get("nodeName"):
        why = f'pod {name} is already assigned to node "{host}"'
        raise errors.binding_conflict(resource, name, why)
    if pod["spec"].get("schedulingGates"):
        why = f"pod {name} has non-empty .spec.schedulingGates"
        raise errors.binding_conflict(resource, name, why)
    scheduled = {
        "type": "PodScheduled",
        "status": "True",
        "lastProbeTime": None,
        "lastTransitionTime": timestamp,
    }
    spec = {**pod["spec"], "nodeName": node}
    status = with_condition(pod["status"], scheduled)
    if version.enabled("ClearingNominatedNodeNameAfterBinding"):
        status = {name: value for name, value in status.items() if name != "nominatedNodeName"}
    return {**pod, "spec": spec, "status": status}


def disrupted(pod: JSON, timestamp: str) -> JSON:
    """The pod marked as about to be evicted."""
    condition = {
        "type": DISRUPTION_TARGET,
        "status": "True",
        "lastProbeTime": None,
        "lastTransitionTime": timestamp,
        "reason": "EvictionByEvictionAPI",
        "message": "Eviction API: evicting",
    }
    return {**pod, "status": with_condition(pod["status"], condition)}


def with_condition(status: JSON, condition: JSON) -> JSON:
    """The status with a condition in the place of the one of its type.

    Its transition time stays when its status does.
    """
    conditions = list(status.get("conditions") or ())
    for index, before in enumerate(conditions):
        if before["type"] == condition["type"]:
            if before["status"] == condition["status"]:
                since = before["lastTransitionTime"]
                condition = {**condition, "lastTransitionTime": since}
            conditions[index] = condition
            return {**status, "conditions": conditions}
    return {**status, "conditions": [*conditions, condition]}
