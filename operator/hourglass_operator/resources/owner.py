"""Metadata that ties an object to its Performer."""

from collections.abc import Mapping
from sys import intern
from typing import Any

from hourglass_kube.types import JSON
from hourglass_operator.api import GROUP, KIND, VERSION


def owner_reference(name: str, uid: str) -> JSON:
    """The owner reference of a controller; the garbage collector takes the object along.

    https://kubernetes.io/docs/concepts/overview/working-with-objects/owners-dependents/
    """
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": KIND,
        "name": name,
        "uid": uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }


def owner_uid(metadata: Mapping[str, Any]) -> str:
    """The uid of the owner that controls an object, of another owner if none controls it.

    Empty if it has no owner at all: only then may it be adopted.
    """
    owners = metadata.get("ownerReferences") or ()
    controlling = (owner for owner in owners if owner.get("controller"))
    owner = next(controlling, next(iter(owners), None))
    return intern(owner["uid"]) if owner else ""
