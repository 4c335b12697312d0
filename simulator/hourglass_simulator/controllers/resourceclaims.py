"""Makes the ResourceClaims of pods from templates, and frees claims that no pod uses any more.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/controller/resourceclaim/controller.go
"""

from collections.abc import Iterator

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIError, APIServer, CallTimeoutError, WatchEvent
from hourglass_simulator.clock import Clock

LATENCY = 0.01
"""Seconds from a change to what the controller makes of it."""
USER = "system:serviceaccount:kube-system:resource-claim-controller"
_FINALIZER = "resource.kubernetes.io/delete-protection"
_CLAIM_NAME = "resource.kubernetes.io/pod-claim-name"
_MAX_BASE = 57
_ENDED = ("Succeeded", "Failed")
_MERGE = "application/merge-patch+json"
_RETRY_SECONDS = 5.0

_Key = tuple[str, str, str]
"""Resource, namespace and name."""


class ResourceClaimController:
    """Looks at pods that have claims, and at claims that have users."""

    def __init__(self, clock: Clock, api: APIServer) -> None:
        self._clock = clock
        self._api = api
        self._due: dict[_Key, None] = {}
        self._waiting_for_template: dict[_Key, None] = {}
        self._used: dict[str, set[_Key]] = {}
        """Claims by the uid of the pods that use them."""
        self._made: dict[tuple[str, str], JSON] = {}
        """Claims by the uid of the pod that they were made for, and their name in it."""
        api.watch("pods", sink=self._pod_event)
        api.watch("resourceclaims", sink=self._claim_event)
        api.watch("resourceclaimtemplates", sink=self._template_event)

    def _pod_event(self, event: WatchEvent) -> None:
        pod = event.object
        if not pod["spec"].get("resourceClaims"):
            return
        meta = pod["metadata"]
        if event.type != "DELETED" and not _is_done(pod):
            if any(_missing(pod)):
                self._enqueue(("pods", meta["namespace"], meta["name"]))
            return
        self._waiting_for_template.pop(("pods", meta["namespace"], meta["name"]), None)
        for key in sorted(self._used.get(meta["uid"], ())):
            self._enqueue(key)

    def _claim_event(self, event: WatchEvent) -> None:
        claim = event.object
        key = ("resourceclaims", claim["metadata"]["namespace"], claim["metadata"]["name"])
        for user in (claim.get("status") or {}).get("reservedFor") or ():
            self._used.setdefault(user["uid"], set()).add(key)
        made_for = (claim["metadata"].get("annotations") or {}).get(_CLAIM_NAME)
        if made_for:
            for owner in claim["metadata"].get("ownerReferences") or ():
                if event.type == "DELETED":
                    self._made.pop((owner["uid"], made_for), None)
                else:
                    self._made[owner["uid"], made_for] = claim
        if event.type == "DELETED":
            for users in self._used.values():
                users.discard(key)
        elif "deletionTimestamp" in claim["metadata"]:
            self._enqueue(key)

    def _template_event(self, event: WatchEvent) -> None:
        if event.type != "DELETED":
            for key in list(self._waiting_for_template):
                self._enqueue(key)

    def _enqueue(self, key: _Key) -> None:
        if key not in self._due:
            self._due[key] = None
            self._clock.after(LATENCY, lambda: self._sync(key))

    def _sync(self, key: _Key) -> None:
        del self._due[key]
        self._waiting_for_template.pop(key, None)
        try:
            if key[0] == "pods":
                self._sync_pod(key)
            else:
                self._sync_claim(key)
        except (APIError, CallTimeoutError) as error:
            if not isinstance(error, APIError) or error.code != 404:
                self._clock.after(_RETRY_SECONDS, lambda: self._enqueue(key))

    def _sync_pod(self, key: _Key) -> None:
        """Make the claims that a pod lacks, and write their names into its status."""
        _, namespace, name = key
        pod = self._api.get("pods", namespace, name, user=USER)
        statuses = list((pod.get("status") or {}).get("resourceClaimStatuses") or ())
        known = len(statuses)
        for claim in _missing(pod):
            made = self._made.get((pod["metadata"]["uid"], claim["name"])) or self._create(
                key, pod, claim
            )
            if made is not None:
                name_made = made["metadata"]["name"]
                statuses.append({"name": claim["name"], "resourceClaimName": name_made})
        if len(statuses) > known:
            change = {"status": {"resourceClaimStatuses": statuses}}
            self._api.patch(
                "pods", namespace, name, change, _MERGE, subresource="status", user=USER
            )

    def _create(self, key: _Key, pod: JSON, claim: JSON) -> JSON | None:
        _, namespace, _ = key
        name = claim["resourceClaimTemplateName"]
        try:
            template = self._api.get("resourceclaimtemplates", namespace, name, user=USER)
        except APIError as error:
            if error.code != 404:
                raise
            self._waiting_for_template[key] = None
            return None
        new = _claim_of(pod, claim["name"], template)
        return self._api.create("resourceclaims", new, namespace=namespace, user=USER)

    def _sync_claim(self, key: _Key) -> None:
        """Forget users that are gone; without users, the devices are free again."""
        _, namespace, name = key
        claim = self._api.get("resourceclaims", namespace, name, user=USER)
        status: JSON = claim.get("status") or {}
        users = status.get("reservedFor") or []
        valid = [user for user in users if self._is_alive(namespace, user)]
        finalizers = claim["metadata"].get("finalizers") or []
        free = not valid and _FINALIZER in finalizers
        leaving = "deletionTimestamp" in claim["metadata"]
        if len(valid) == len(users) and not (free and leaving):
            return
        changed = {k: v for k, v in status.items() if k not in ("reservedFor", "allocation")}
        if valid:
            changed["reservedFor"] = valid
        if not free and "allocation" in status:
            changed["allocation"] = status["allocation"]
        self._api.set_status("resourceclaims", namespace, name, changed, USER)
        if free:
            kept = [finalizer for finalizer in finalizers if finalizer != _FINALIZER]
            change = {"metadata": {"finalizers": kept or None}}
            self._api.patch("resourceclaims", namespace, name, change, _MERGE, user=USER)

    def _is_alive(self, namespace: str, user: JSON) -> bool:
        try:
            pod = self._api.get("pods", namespace, user["name"], user=USER)
        except APIError as error:
            if error.code != 404:
                raise
            return False
        return bool(pod["metadata"]["uid"] == user["uid"]) and not _is_done(pod)


def _missing(pod: JSON) -> Iterator[JSON]:
    """The claims of a pod that are to be made of templates."""
    made = {one["name"] for one in (pod.get("status") or {}).get("resourceClaimStatuses") or ()}
    for claim in pod["spec"].get("resourceClaims") or ():
        if claim.get("resourceClaimTemplateName") and claim["name"] not in made:
            yield claim


def _claim_of(pod: JSON, name: str, template: JSON) -> JSON:
    meta = pod["metadata"]
    base = f"{meta['name']}-{name}-"
    if len(base) > _MAX_BASE:
        length = len(base)
        base = (
            f"{meta['name'][: len(meta['name']) * _MAX_BASE // length]}-"
            f"{name[: len(name) * _MAX_BASE // length]}"
        )
    given = template["spec"].get("metadata") or {}
    owner = {
        "apiVersion": "v1",
        "kind": "Pod",
        "name": meta["name"],
        "uid": meta["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
    made: JSON = {
        "generateName": base,
        "annotations": {**(given.get("annotations") or {}), _CLAIM_NAME: name},
        "ownerReferences": [owner],
    }
    if given.get("labels"):
        made["labels"] = given["labels"]
    return {"metadata": made, "spec": template["spec"]["spec"]}


def _is_done(pod: JSON) -> bool:
    """It has ended, or is deleted and was never bound."""
    if (pod.get("status") or {}).get("phase") in _ENDED:
        return True
    return "deletionTimestamp" in pod["metadata"] and not pod["spec"].get("nodeName")
