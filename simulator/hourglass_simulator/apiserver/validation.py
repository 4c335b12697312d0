"""What the API server refuses whatever the resource: names, namespaces, preconditions, bindings."""

from hourglass_simulator.apiserver import errors
from hourglass_simulator.apiserver.resources import Resource
from hourglass_simulator.apiserver.watch import JSON

DISRUPTION_TARGET = "DisruptionTarget"


def namespace(resource: Resource, meta: JSON, requested: str) -> str:
    """The namespace to create in; 400 when object and request differ."""
    if not resource.namespaced:
        return ""
    own: str = meta.get("namespace") or ""
    if requested and own and own != requested:
        raise errors.bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
        )
    return requested or own or "default"


def created(resource: Resource, obj: JSON) -> None:
    """422 for a new object that is invalid."""
    meta = obj["metadata"]
    if not meta["name"]:
        field = "metadata.name"
        why = "Required value: name or generateName is required"
        raise errors.invalid(resource, "", field, "FieldValueRequired", why)


def updated(resource: Resource, new: JSON, old: JSON) -> None:
    """422 for a change of what may not change."""
    meta, before = new["metadata"], old["metadata"]
    if meta is before:
        return
    if meta["uid"] != before["uid"]:
        why = f'Invalid value: "{meta["uid"]}": field is immutable'
        raise errors.invalid(resource, before["name"], "metadata.uid", "FieldValueInvalid", why)
    if "deletionTimestamp" in before:
        known = before.get("finalizers") or ()
        added = sorted(name for name in meta.get("finalizers") or () if name not in known)
        if added:
            shown = ", ".join(f'"{name}"' for name in added)
            why = "Forbidden: no new finalizers can be added if the object is being deleted, "
            why += f"found new finalizers []string{{{shown}}}"
            raise errors.invalid(
                resource, before["name"], "metadata.finalizers", "FieldValueForbidden", why
            )


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
        why = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {own}"
        raise errors.conflict(resource, old["metadata"]["name"], why)


def propagation_policy(policy: str | None) -> None:
    """422 for a policy that does not exist."""
    if policy not in (None, "Background", "Foreground", "Orphan"):
        raise errors.unknown_propagation_policy(str(policy))


def resource_version(text: str | None) -> int:
    """The version to start a watch from, 0 for any; 400 when it is no number."""
    if not text:
        return 0
    if not text.isdecimal():
        raise errors.bad_request(f"Invalid value: resourceVersion: {text}")
    return int(text)


def bound(resource: Resource, pod: JSON, node: str, timestamp: str) -> JSON:
    """The pod assigned to a node; 409 when it is assigned already or being deleted."""
    name = pod["metadata"]["name"]
    if "deletionTimestamp" in pod["metadata"]:
        why = f"pod {name} is being deleted, cannot be assigned to a host"
        raise errors.binding_conflict(resource, name, why)
    if host := pod["spec"].get("nodeName"):
        why = f'pod {name} is already assigned to node "{host}"'
        raise errors.binding_conflict(resource, name, why)
    scheduled = {
        "type": "PodScheduled",
        "status": "True",
        "lastProbeTime": None,
        "lastTransitionTime": timestamp,
    }
    spec = {**pod["spec"], "nodeName": node}
    return {**pod, "spec": spec, "status": with_condition(pod["status"], scheduled)}


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
    """The status with a condition in the place of the one of its type."""
    others = [c for c in status.get("conditions") or () if c["type"] != condition["type"]]
    return {**status, "conditions": [*others, condition]}
