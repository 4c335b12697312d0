"""The managedFields of an object: those that were sent, and those that are stored."""

from typing import Any

from hourglass_kube.mergepatch import same
from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.managedfields import entries
from hourglass_simulator.apiserver.managedfields.typed import ABSENT


def sent(obj: JSON) -> Any:
    """Those that a client has sent, before they are decoded; ABSENT if it has sent none."""
    meta = obj.get("metadata")
    return meta.get("managedFields", ABSENT) if isinstance(meta, dict) else ABSENT


def stored(obj: JSON) -> list[JSON]:
    """Those of a stored object."""
    found: list[JSON] = obj["metadata"].get("managedFields") or []
    return found


def owned(obj: JSON, owners: list[JSON]) -> JSON:
    """The object with these as its managedFields."""
    meta = obj["metadata"]
    if meta.get("managedFields", []) is owners or not (owners or "managedFields" in meta):
        return obj
    rest = {name: value for name, value in meta.items() if name != "managedFields"}
    return {**obj, "metadata": {**rest, "managedFields": owners} if owners else rest}


def differ_in_times_only(new: JSON, old: JSON) -> bool:
    """Whether only the times of its managedFields would change, which is no change.

    https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/apiserver/pkg/endpoints/handlers/fieldmanager/equality.go
    """
    mine, theirs = stored(new), stored(old)
    if not mine or mine is theirs or not entries.same_but_for_time(mine, theirs):
        return False
    return same(owned(new, theirs), old)
