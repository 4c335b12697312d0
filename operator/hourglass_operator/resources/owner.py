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


def controller_uid(metadata: Mapping[str, Any]) -> str:
    """The uid of the owner that controls an object; empty if nobody does."""
    owners = metadata.get("ownerReferences") or ()
    return next((intern(owner["uid"]) for owner in owners if owner.get("controller")), "")
