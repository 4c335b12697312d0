"""The annotation in which kubectl keeps what it applied at the client.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/apimachinery/pkg/util/managedfields/internal/lastappliedmanager.go
"""

import json

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.managedfields import fieldset
from hourglass_simulator.apiserver.managedfields.compare import compare
from hourglass_simulator.apiserver.managedfields.fields_of import fields_of
from hourglass_simulator.apiserver.managedfields.fieldset import FieldSet
from hourglass_simulator.apiserver.managedfields.schema import Type
from hourglass_simulator.apiserver.managedfields.typed import SchemaError
from hourglass_simulator.apiserver.managedfields.validate import validate

ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration"
_LONGEST = 256 * 1024
"""Bytes of all annotations together."""


def owned(live: JSON, known: Type, version: str) -> FieldSet:
    """The fields that are still as the annotation has them."""
    text = _annotations(live).get(ANNOTATION)
    if not text:
        return fieldset.EMPTY
    try:
        applied = json.loads(text)
        if not isinstance(applied, dict) or applied.get("apiVersion") != version:
            return fieldset.EMPTY
        validate(applied, known)
        difference = compare(applied, live, known)
        fields = fields_of(applied, known)
    except (ValueError, RecursionError, SchemaError):
        return fieldset.EMPTY
    for other in (difference.modified, difference.added, difference.removed):
        fields = fieldset.difference(fields, other)
    return fields


def synchronized(obj: JSON, applied: JSON) -> JSON:
    """The object with what is applied now in its annotation, if it has one."""
    annotations = _annotations(obj)
    if not annotations.get(ANNOTATION):
        return obj
    meta = applied.get("metadata") or {}
    own = {k: v for k, v in (meta.get("annotations") or {}).items() if k != ANNOTATION}
    rest = {k: v for k, v in meta.items() if k != "annotations"}
    kept = {**rest, "annotations": own} if "annotations" in meta else rest
    text = json.dumps(
        {**applied, "metadata": kept}, separators=(",", ":"), sort_keys=True, ensure_ascii=False
    )
    new = {**annotations, ANNOTATION: text + "\n"}
    if sum(len(k.encode()) + len(v.encode()) for k, v in new.items()) > _LONGEST:
        del new[ANNOTATION]
    return {**obj, "metadata": {**obj["metadata"], "annotations": new}}


def _annotations(obj: JSON) -> JSON:
    found: JSON = (obj.get("metadata") or {}).get("annotations") or {}
    return found
