"""Object metadata: what the server fills in, and what an update may not change.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/apimachinery/pkg/api/validation/objectmeta.go
"""

from random import Random

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.strategy import kept

_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
_SUFFIX = 5
_LONGEST_BASE = 58
_COLLECTIONS = ("annotations", "finalizers", "labels", "ownerReferences")
_SERVER_OWNED = frozenset(
    {
        "creationTimestamp",
        "deletionGracePeriodSeconds",
        "deletionTimestamp",
        "managedFields",
        "resourceVersion",
        "selfLink",
        "uid",
    }
)


def uid(random: Random) -> str:
    """A version 4 UUID."""
    text = f"{random.getrandbits(128):032x}"
    variant = "89ab"[int(text[16], 16) & 3]
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{variant}{text[17:20]}-{text[20:]}"


def suffix(random: Random) -> str:
    """Five characters, as generated names end."""
    return "".join(random.choices(_ALPHABET, k=_SUFFIX))


def generated_name(base: str, random: Random) -> str:
    """A name from `metadata.generateName`."""
    return base[:_LONGEST_BASE] + suffix(random)


def created(meta: JSON, namespace: str, name: str, new_uid: str, timestamp: str) -> JSON:
    """The metadata of a new object."""
    result = {
        field: value
        for field, value in meta.items()
        if field not in _SERVER_OWNED and (value or field not in _COLLECTIONS)
    }
    result["name"] = name
    if namespace:
        result["namespace"] = namespace
    else:
        result.pop("namespace", None)
    result["uid"] = new_uid
    result["creationTimestamp"] = timestamp
    return result


_KEPT = ("creationTimestamp", "generation")
_DROPPED = ("managedFields", "selfLink")


def updated(new: JSON, old: JSON) -> JSON:
    """The metadata of an update: what the server owns is kept."""
    if new is old:
        return new
    result = {**new, "resourceVersion": old["resourceVersion"]}
    for field in _DROPPED:
        result.pop(field, None)
    for field in _COLLECTIONS:
        if field in result and not result[field]:
            del result[field]
    result.setdefault("uid", old["uid"])
    if not result.get("namespace") or "namespace" not in old:
        result = kept(result, "namespace", old)
    if result.get("deletionGracePeriodSeconds") is None:
        result = kept(result, "deletionGracePeriodSeconds", old)
    for field in _KEPT:
        result = kept(result, field, old)
    if "deletionTimestamp" in old:
        result = kept(result, "deletionTimestamp", old)
    return result
