"""Makes the ResourceClaims of pods from templates, and frees claims that no pod uses any more.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/controller/resourceclaim/controller.go
"""

from collections.abc import Iterator

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIServer, WatchEvent
from hourglass_simulator.clock import Clock
from hourglass_simulator.controllers.lookup import find
from hourglass_simulator.controllers.workqueue import Key, RetryError, WorkQueue
from hourglass_simulator.recorder import WARNING, EventRecorder, reference

USER = "system:serviceaccount:kube-system:resource-claim-controller"
_FINALIZER = "resource.kubernetes.io/delete-protection"
_CLAIM_NAME = "resource.kubernetes.io/pod-claim-name"
_MAX_BASE = 57
_ENDED = ("Succeeded", "Failed")
_MERGE = "application/merge-patch+json"


class ResourceClaimController:
    """Looks at pods that have claims, and at claims that have users."""

    def __init__(self, clock: Clock, api: APIServer) -> None:
        self._api = api
        self._recorder = EventRecorder(clock, api, "resource_claim")
        self._pods = WorkQueue(clock, self._sync_pod)
        self._claims = WorkQueue(clock, self._sync_claim)
        self._made: dict[tuple[str, str], JSON] = {}
        """Claims by the uid of the pod that they were made for, and their name in it."""
        api.watch("pods", sink=self._pod_event)
        api.watch("resourceclaims", sink=self._claim_event)

    def _pod_event(self, event: WatchEvent) -> None:
        pod = event.object
        status = pod.get("status") or {}
        if not pod["spec"].get("resourceClaims") and "extendedResourceClaimStatus" not in status:
            return
        meta = pod["metadata"]
        if event.type != "DELETED" and not _is_done(pod):
            if any(_missing(pod)):
                self._pods.add((meta["namespace"], meta["name"]))
            return
        for name in sorted(claims_of(pod)):
            self._claims.add((meta["namespace"], name))

    def _claim_event(self, event: WatchEvent) -> None:
        claim = event.object
        key = (claim["metadata"]["namespace"], claim["metadata"]["name"])
        made_for = (claim["metadata"].get("annotations") or {}).get(_CLAIM_NAME)
        if made_for:
            for owner in claim["metadata"].get("ownerReferences") or ():
                if event.type == "DELETED":
                    self._made.pop((owner["uid"], made_for), None)
                else:
                    self._made[owner["uid"], made_for] = claim
        if event.type != "DELETED" and "deletionTimestamp" in claim["metadata"]:
            self._claims.add(key)

    def _sync_pod(self, key: Key) -> None:
        """Make the claims that a pod lacks, and write their names into its status."""
        namespace, name = key
        pod = find(self._api, "pods", key, USER)
        if pod is None or "deletionTimestamp" in pod["metadata"]:
            return
        statuses = list((pod.get("status") or {}).get("resourceClaimStatuses") or ())
        known = len(statuses)
        for claim in _missing(pod):
            made = self._made.get((pod["metadata"]["uid"], claim["name"]))
            made = made or self._create(pod, claim)
            name_made = made["metadata"]["name"]
            statuses.append({"name": claim["name"], "resourceClaimName": name_made})
        if len(statuses) > known:
            change = {"status": {"resourceClaimStatuses": statuses}}
            self._api.patch(
                "pods", namespace, name, change, _MERGE, subresource="status", user=USER
            )

    def _create(self, pod: JSON, claim: JSON) -> JSON:
        namespace, name = pod["metadata"]["namespace"], claim["resourceClaimTemplateName"]
        template = find(self._api, "resourceclaimtemplates", (namespace, name), USER)
        if template is None:
            text = (
                f"PodResourceClaim {claim['name']}: resource claim template {_quoted(name)}: "
                f"resourceclaimtemplate.resource.k8s.io {_quoted(name)} not found"
            )
            self._recorder.event(reference(pod), WARNING, "FailedResourceClaimCreation", text)
            raise RetryError(text)
        new = _claim_of(pod, claim["name"], template)
        return self._api.create("resourceclaims", new, namespace=namespace, user=USER)

    def _sync_claim(self, key: Key) -> None:
        """Forget users that are gone; without users, the devices are free again."""
        namespace, name = key
        claim = find(self._api, "resourceclaims", key, USER)
        if claim is None:
            return
        status: JSON = claim.get("status") or {}
        users = status.get("reservedFor") or []
        valid = [user for user in users if self._is_alive(namespace, user)]
        finalizers = claim["metadata"].get("finalizers") or []
        free = not valid and _FINALIZER in finalizers
        leaving = "deletionTimestamp" in claim["metadata"]
        if len(valid) < len(users) or (free and leaving):
            self._release(claim, valid, free=free)
        if not valid and self._is_made_in_vain(claim):
            self._api.delete("resourceclaims", namespace, name, user=USER)

    def _release(self, claim: JSON, valid: list[JSON], *, free: bool) -> None:
        """These are the users that are left; `free`: nobody holds the devices any more."""
        namespace, name = claim["metadata"]["namespace"], claim["metadata"]["name"]
        status: JSON = claim.get("status") or {}
        changed = {k: v for k, v in status.items() if k not in ("reservedFor", "allocation")}
        if valid:
            changed["reservedFor"] = valid
        if not free and "allocation" in status:
            changed["allocation"] = status["allocation"]
        self._api.set_status("resourceclaims", namespace, name, changed, USER)
        if free:
            finalizers = claim["metadata"].get("finalizers") or []
            kept = [finalizer for finalizer in finalizers if finalizer != _FINALIZER]
            change = {"metadata": {"finalizers": kept or None}}
            self._api.patch("resourceclaims", namespace, name, change, _MERGE, user=USER)

    def _is_made_in_vain(self, claim: JSON) -> bool:
        """Whether it was made for a pod that will not run any more, though its object is there."""
        meta = claim["metadata"]
        for owner in meta.get("ownerReferences") or ():
            if owner.get("controller") and owner["kind"] == "Pod" and owner["apiVersion"] == "v1":
                pod = find(self._api, "pods", (meta["namespace"], owner["name"]), USER)
                return pod is not None and (pod["metadata"]["uid"] != owner["uid"] or _is_done(pod))
        return False

    def _is_alive(self, namespace: str, user: JSON) -> bool:
        pod = find(self._api, "pods", (namespace, user["name"]), USER)
        return pod is not None and pod["metadata"]["uid"] == user["uid"] and not _is_done(pod)


def _quoted(name: str) -> str:
    return f'"{name}"'


def _missing(pod: JSON) -> Iterator[JSON]:
    """The claims of a pod that are to be made of templates."""
    made = {one["name"] for one in (pod.get("status") or {}).get("resourceClaimStatuses") or ()}
    for claim in pod["spec"].get("resourceClaims") or ():
        if claim.get("resourceClaimTemplateName") and claim["name"] not in made:
            yield claim


def claims_of(pod: JSON) -> Iterator[str]:
    """Names of the claims that a pod uses."""
    status = pod.get("status") or {}
    made = {
        one["name"]: one.get("resourceClaimName")
        for one in status.get("resourceClaimStatuses") or ()
    }
    for claim in pod["spec"].get("resourceClaims") or ():
        name = claim.get("resourceClaimName") or made.get(claim["name"])
        if name:
            yield name
    if extended := status.get("extendedResourceClaimStatus"):
        yield extended["resourceClaimName"]


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
