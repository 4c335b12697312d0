"""Who owns how many replicas are wanted, through the subresource scale.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/apimachinery/pkg/util/managedfields/scalehandler.go
"""

from collections.abc import Sequence
from dataclasses import replace

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.managedfields import entries, fieldset
from hourglass_simulator.apiserver.managedfields.fieldset import FieldSet

VERSION = "autoscaling/v1"
_REPLICAS: FieldSet = {"f:spec": {"f:replicas": {}}}


def path_of(text: str) -> FieldSet:
    """The set of the one field at a path such as `.spec.replicas`."""
    found: FieldSet = {}
    for name in reversed(text.removeprefix(".").split(".")):
        found = {f"f:{name}": found}
    return found


def of_scale(stored: Sequence[JSON], path: FieldSet) -> list[JSON]:
    """The managedFields of a Scale: those who own the replicas at a path of the object."""
    owners = {
        key: replace(entry, version=VERSION, fields=_REPLICAS, sent=None)
        for key, entry in entries.decoded(list(stored)).items()
        if _has(entry.fields, path)
    }
    return entries.encoded(owners)


def of_object(
    stored: Sequence[JSON], scale: Sequence[JSON], path: FieldSet, version: str
) -> list[JSON]:
    """The managedFields of the object, whose version is given, when its Scale has these."""
    left, owners = dict[str, entries.Entry](), _by_owner(scale)
    for key, entry in entries.decoded(list(stored)).items():
        owner = (entry.manager, entry.operation, entry.subresource)
        if not _has(entry.fields, path):
            left[key] = entry
        elif owner in owners:
            left[key] = entry
            del owners[owner]
        elif rest := fieldset.difference(entry.fields, path):
            left[key] = replace(entry, fields=rest, sent=None)
    for entry in owners.values():
        key = entries.identifier(entry.manager, entry.operation, version, entry.subresource)
        left[key] = replace(entry, version=version, fields=path, sent=None)
    return entries.encoded(left)


def _by_owner(scale: Sequence[JSON]) -> dict[tuple[str, str, str], entries.Entry]:
    found = entries.decoded(list(scale)).values()
    return {(each.manager, each.operation, each.subresource): each for each in found}


def _has(fields: FieldSet, path: FieldSet) -> bool:
    return all(name in fields and _has(fields[name], below) for name, below in path.items())
