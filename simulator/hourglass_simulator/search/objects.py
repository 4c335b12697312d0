"""What monitors read of objects; written anew, as the operator's own reading is what they judge."""

from collections.abc import Iterator

from hourglass_kube.types import JSON

OPERATOR = "system:serviceaccount:hourglass-system:hourglass-performer-operator"
"""Whose writes are judged."""
FINALIZER = "hourglass.eigenlayer.io/performer"
TEMPLATE = "hourglass.eigenlayer.io/template-hash"
CLAIM = "hourglass.eigenlayer.io/performer"
PERFORMER = "Performer"


def controller(obj: JSON) -> JSON | None:
    """The owner reference of the object's controller."""
    owners: list[JSON] = obj["metadata"].get("ownerReferences") or []
    return next((owner for owner in owners if owner.get("controller")), None)


def performer_uid(obj: JSON) -> str:
    """Uid of the Performer that owns the object, "" if none does."""
    owner = controller(obj)
    return owner["uid"] if owner is not None and owner["kind"] == PERFORMER else ""


def template(pod: JSON) -> str:
    """The template that a pod was made from, "" if it was not made by the operator."""
    found: str = (pod["metadata"].get("labels") or {}).get(TEMPLATE, "")
    return found


def has_ended(pod: JSON) -> bool:
    """Its phase is final."""
    return (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")


def is_leaving(obj: JSON) -> bool:
    """It is being deleted."""
    return "deletionTimestamp" in obj["metadata"]


def is_alive(pod: JSON) -> bool:
    """It runs or may run, and nobody has deleted it."""
    return not is_leaving(pod) and not has_ended(pod)


def condition(obj: JSON, type_: str) -> str:
    """The status of a condition, "" if there is no such condition."""
    for found in (obj.get("status") or {}).get("conditions") or ():
        if found["type"] == type_:
            status: str = found["status"]
            return status
    return ""


def ready_pods(endpoint_slice: JSON) -> Iterator[str]:
    """Names of the pods that are ready endpoints."""
    for endpoint in endpoint_slice.get("endpoints") or ():
        target = endpoint.get("targetRef") or {}
        if endpoint.get("conditions", {}).get("ready") is not False and "name" in target:
            yield target["name"]
