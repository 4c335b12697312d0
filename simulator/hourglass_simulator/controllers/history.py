"""Revisions of the templates of StatefulSets and DaemonSets.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/controller/history/controller_history.go
"""

from collections.abc import Collection

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIError, APIServer
from hourglass_simulator.controllers.hashes import digest
from hourglass_simulator.controllers.podcontrol import controller_reference

HASH = "controller.kubernetes.io/hash"


def patch_of(owner: JSON) -> JSON:
    """What a revision keeps: the template, as a patch that replaces it."""
    return {"spec": {"template": {**owner["spec"]["template"], "$patch": "replace"}}}


def template_of(revision: JSON) -> JSON:
    """The template that a revision keeps."""
    template = revision["data"]["spec"]["template"]
    return {name: value for name, value in template.items() if name != "$patch"}


def ordered(revisions: Collection[JSON]) -> list[JSON]:
    """From the oldest to the newest."""
    return sorted(
        revisions,
        key=lambda each: (
            each["revision"],
            each["metadata"]["creationTimestamp"],
            each["metadata"]["name"],
        ),
    )


class RevisionHistory:
    """Creates, renumbers and deletes the revisions of one controller's objects."""

    def __init__(self, api: APIServer, user: str) -> None:
        self._api = api
        self._user = user

    def create(self, owner: JSON, number: int, collisions: int) -> tuple[JSON, int]:
        """A new revision of the owner's template, and the collisions of its name by then."""
        meta, data = owner["metadata"], patch_of(owner)
        labels = owner["spec"]["template"]["metadata"].get("labels") or {}
        while True:
            hashed = digest(data, collisions)
            name = f"{meta['name']}-{hashed}"
            new: JSON = {
                "metadata": {
                    "name": name,
                    "labels": {**labels, HASH: hashed},
                    "ownerReferences": [controller_reference(owner)],
                },
                "data": data,
                "revision": number,
            }
            if meta.get("annotations"):
                new["metadata"]["annotations"] = meta["annotations"]
            try:
                made = self._api.create(
                    "controllerrevisions", new, namespace=meta["namespace"], user=self._user
                )
            except APIError as error:
                if error.reason != "AlreadyExists":
                    raise
                found = self._api.get(
                    "controllerrevisions", meta["namespace"], name, user=self._user
                )
                if found["data"] == data:
                    return found, collisions
                collisions += 1
            else:
                return made, collisions

    def renumber(self, revision: JSON, number: int) -> JSON:
        """A revision that is the newest again."""
        if revision["revision"] == number:
            return revision
        new = {**revision, "revision": number}
        return self._api.update("controllerrevisions", new, user=self._user)

    def truncate(self, revisions: Collection[JSON], live: Collection[str], limit: int) -> None:
        """Delete the oldest of those that no pod needs, beyond the history that is kept."""
        unused = [each for each in ordered(revisions) if each["metadata"]["name"] not in live]
        for each in unused[: max(0, len(unused) - limit)]:
            meta = each["metadata"]
            try:
                self._api.delete(
                    "controllerrevisions", meta["namespace"], meta["name"], user=self._user
                )
            except APIError as error:
                if error.code != 404:
                    raise
