"""How controllers create, delete, adopt and release objects, with the Events about it.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/controller/controller_utils.go
https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/controller/controller_ref_manager.go
"""

from collections.abc import Iterable
from typing import Any

from hourglass_kube.expression import Selector
from hourglass_kube.selector import matches_all
from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIError, APIServer, CallTimeoutError
from hourglass_simulator.controllers.informer import controller_of
from hourglass_simulator.recorder import NORMAL, WARNING, EventRecorder, reference

_LONGEST_PREFIX = 253


def controller_reference(owner: JSON) -> JSON:
    """The owner reference of an object that `owner` controls."""
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def pod_of_template(template: JSON, owner: JSON) -> JSON:
    """The pod of a template, with a name to be generated."""
    given = template.get("metadata") or {}
    name = owner["metadata"]["name"]
    meta: JSON = {
        field: given[field] for field in ("labels", "annotations", "finalizers") if given.get(field)
    }
    meta["generateName"] = f"{name}-" if len(name) < _LONGEST_PREFIX else name
    meta["ownerReferences"] = [controller_reference(owner)]
    return {"metadata": meta, "spec": template["spec"]}


def in_words(error: APIError | CallTimeoutError) -> str:
    """An error as Go prints it."""
    return error.message if isinstance(error, APIError) else str(error)


def namespace_is_terminating(error: APIError | CallTimeoutError) -> bool:
    """Whether a creation was refused because the namespace is being deleted."""
    if not isinstance(error, APIError):
        return False
    causes = (error.status().get("details") or {}).get("causes") or ()
    return any(cause.get("reason") == "NamespaceTerminating" for cause in causes)


class PodControl:
    """Makes the calls of one controller."""

    def __init__(self, api: APIServer, recorder: EventRecorder, user: str) -> None:
        self._api = api
        self._recorder = recorder
        self._user = user

    def create(self, owner: JSON, pod: JSON) -> JSON:
        """Create a pod of an owner; raises what the API server answers."""
        about = reference(owner)
        try:
            made = self._api.create(
                "pods", pod, namespace=owner["metadata"]["namespace"], user=self._user
            )
        except (APIError, CallTimeoutError) as error:
            if not namespace_is_terminating(error):
                text = f"Error creating: {in_words(error)}"
                self._recorder.event(about, WARNING, "FailedCreate", text)
            raise
        text = f"Created pod: {made['metadata']['name']}"
        self._recorder.event(about, NORMAL, "SuccessfulCreate", text)
        return made

    def delete(self, owner: JSON, pod: JSON) -> None:
        """Delete a pod of an owner; one that is gone already is not an error."""
        meta = pod["metadata"]
        about = reference(owner)
        try:
            self._api.delete("pods", meta["namespace"], meta["name"], user=self._user)
        except APIError as error:
            if error.code == 404:
                return
            text = f"Error deleting: {in_words(error)}"
            self._recorder.event(about, WARNING, "FailedDelete", text)
            raise
        self._recorder.event(about, NORMAL, "SuccessfulDelete", f"Deleted pod: {meta['name']}")

    def claim(
        self,
        resource: str,
        owner: JSON,
        selector: Selector,
        owned: Iterable[JSON],
        orphans: Iterable[JSON],
    ) -> list[JSON]:
        """What belongs to an owner: what it has, less what it releases, and what it adopts."""
        going = "deletionTimestamp" in owner["metadata"]
        claimed = []
        for obj in owned:
            if matches_all(selector, obj["metadata"].get("labels") or {}):
                claimed.append(obj)
            elif not going:
                self._release(resource, owner, obj)
        for obj in orphans:
            meta = obj["metadata"]
            if going or "deletionTimestamp" in meta:
                continue
            if matches_all(selector, meta.get("labels") or {}):
                claimed.append(self._adopt(resource, owner, obj))
        return claimed

    def _adopt(self, resource: str, owner: JSON, obj: JSON) -> JSON:
        owners = [*(obj["metadata"].get("ownerReferences") or ()), controller_reference(owner)]
        return self._patch(resource, obj, {"ownerReferences": owners})

    def _release(self, resource: str, owner: JSON, obj: JSON) -> None:
        uid = owner["metadata"]["uid"]
        owners = [o for o in obj["metadata"].get("ownerReferences") or () if o["uid"] != uid]
        try:
            self._patch(resource, obj, {"ownerReferences": owners or None})
        except APIError as error:
            if error.code != 404:
                raise

    def _patch(self, resource: str, obj: JSON, metadata: dict[str, Any]) -> JSON:
        meta = obj["metadata"]
        patch = {"metadata": {"uid": meta["uid"], **metadata}}
        return self._api.patch(resource, meta["namespace"], meta["name"], patch, user=self._user)


def controlled_by(obj: JSON, owner: JSON) -> bool:
    """Whether `owner` is the controller of an object."""
    found = controller_of(obj)
    return found is not None and found["uid"] == owner["metadata"]["uid"]
