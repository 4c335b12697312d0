"""Which revision of its template a StatefulSet or DaemonSet has, as its controller computed it.

Its pods say by a label of which revision they are. That a copy writes the template otherwise, or
that the file has no revisions, must not look like a new template: every pod would be replaced.
"""

from collections.abc import Iterable

from hourglass_kube.types import JSON
from hourglass_simulator.controllers.history import ordered, patch_of
from hourglass_simulator.controllers.podcontrol import controller_reference

_HASH = "controller-revision-hash"
_GENERATION = "deprecated.daemonset.template.generation"
_POD_GENERATION = "pod-template-generation"


def current_revision(owner: JSON, owned: Iterable[JSON]) -> JSON | None:
    """The ControllerRevision of the template, if the controller has seen the template as it is.

    `owner` as the copy has it, `owned` as in the file.
    """
    meta, status = owner["metadata"], owner.get("status") or {}
    if status.get("observedGeneration") != meta.get("generation"):
        return None
    owned = list(owned)
    revisions = ordered([item for item in owned if item["kind"] == "ControllerRevision"])
    if owner["kind"] == "StatefulSet":
        name = status.get("updateRevision")
        found = next((each for each in revisions if each["metadata"]["name"] == name), None)
        hashed = name
    else:
        found = revisions[-1] if revisions else None
        hashed = _hash_of_newest(owner, owned)
        name = f"{meta['name']}-{hashed}" if hashed else None
    if found is not None:
        return {**found, "data": patch_of(owner)}
    if not name or not hashed:
        return None
    labels = owner["spec"]["template"]["metadata"].get("labels") or {}
    made = {
        "name": name,
        "namespace": meta["namespace"],
        "labels": {**labels, _HASH: hashed},
        "ownerReferences": [controller_reference(owner)],
    }
    revision = {"apiVersion": "apps/v1", "kind": "ControllerRevision", "metadata": made}
    return {**revision, "data": patch_of(owner), "revision": 1}


def _hash_of_newest(owner: JSON, owned: Iterable[JSON]) -> str | None:
    """By the pods of the template's generation."""
    generation = (owner["metadata"].get("annotations") or {}).get(_GENERATION)
    for item in owned:
        labels = item["metadata"].get("labels") or {}
        if item["kind"] == "Pod" and labels.get(_POD_GENERATION) == generation and generation:
            return str(labels.get(_HASH) or "") or None
    return None
