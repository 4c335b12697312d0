"""Keeps claims that pods use, and volumes that claims use, until they are free.

Since 1.37 claims say whether pods use them.
https://github.com/kubernetes/kubernetes/blob/v1.37.2/pkg/controller/volume/pvcprotection/pvc_protection_controller.go
https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/controller/volume/pvprotection/pv_protection_controller.go
"""

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIServer
from hourglass_simulator.clock import Clock
from hourglass_simulator.controllers import podstatus
from hourglass_simulator.controllers.informer import Informers, key_of
from hourglass_simulator.controllers.persistentvolumes import claims_of
from hourglass_simulator.controllers.workqueue import Key, WorkQueue

CLAIM_FINALIZER = "kubernetes.io/pvc-protection"
VOLUME_FINALIZER = "kubernetes.io/pv-protection"
_UNUSED = "Unused"
_USED = ("False", "PodUsingPVC", "A pod is currently referencing this PVC")
_NOT_USED = ("True", "NoPodsUsingPVC", "No pods are currently referencing this PVC")
_CLAIM_USER = "system:serviceaccount:kube-system:pvc-protection-controller"
_VOLUME_USER = "system:serviceaccount:kube-system:pv-protection-controller"


class VolumeProtection:
    """Looks at what is being deleted, and again when a pod goes or a claim does.

    Where claims say whether they are used, it looks at all of them.
    """

    def __init__(self, clock: Clock, api: APIServer, informers: Informers) -> None:
        self._api = api
        self._clock = clock
        self._tells_use = api.version.enabled("PersistentVolumeClaimUnusedSinceTime")
        self._claim_queue = WorkQueue(clock, self._sync_claim)
        self._volume_queue = WorkQueue(clock, self._sync_volume)
        self._claims = informers.of("persistentvolumeclaims")
        self._volumes = informers.of("persistentvolumes")
        self._pods = informers.of("pods")
        self._claims.on_change(self._claim_changed)
        self._volumes.on_change(self._volume_changed)
        self._pods.on_change(self._pod_changed)

    def _claim_changed(self, before: JSON | None, after: JSON | None) -> None:
        if after is not None and (
            _is_kept(after, CLAIM_FINALIZER)
            or (self._tells_use and podstatus.condition(after, _UNUSED) is None)
        ):
            self._claim_queue.add(key_of(after))
        claim = after or before
        assert claim is not None
        volume = self._volumes.get("", claim["spec"].get("volumeName") or "")
        if volume is not None and _is_kept(volume, VOLUME_FINALIZER):
            self._volume_queue.add(key_of(volume))

    def _volume_changed(self, _: JSON | None, after: JSON | None) -> None:
        if after is not None and _is_kept(after, VOLUME_FINALIZER):
            self._volume_queue.add(key_of(after))

    def _pod_changed(self, before: JSON | None, after: JSON | None) -> None:
        if not self._claims.objects:
            return
        if after is not None and not (self._tells_use or podstatus.ended(after)):
            return
        pod = after or before
        assert pod is not None
        for name in claims_of(pod):
            claim = self._claims.get(pod["metadata"]["namespace"], name)
            if claim is not None and (self._tells_use or _is_kept(claim, CLAIM_FINALIZER)):
                self._claim_queue.add(key_of(claim))

    def _sync_claim(self, key: Key) -> None:
        claim = self._claims.get(*key)
        if claim is None:
            return
        pods = [pod for pod in self._pods.namespaced(key[0]) if key[1] in claims_of(pod)]
        is_bound = (claim.get("status") or {}).get("phase") == "Bound"
        if self._tells_use and is_bound and "deletionTimestamp" not in claim["metadata"]:
            self._tell(claim, is_used=any(not podstatus.ended(pod) for pod in pods))
        if not _is_kept(claim, CLAIM_FINALIZER) or any(_uses(pod) for pod in pods):
            return
        self._release("persistentvolumeclaims", claim, CLAIM_FINALIZER, _CLAIM_USER)

    def _tell(self, claim: JSON, *, is_used: bool) -> None:
        """Write whether pods use a claim, and since when."""
        state, reason, message = _USED if is_used else _NOT_USED
        before = podstatus.condition(claim, _UNUSED)
        if before is not None and before["status"] == state:
            return
        condition = {
            "type": _UNUSED,
            "status": state,
            "lastProbeTime": None,
            "lastTransitionTime": self._clock.timestamp(),
            "reason": reason,
            "message": message,
        }
        status = claim.get("status") or {}
        conditions = [
            condition if each is before else each for each in status.get("conditions") or ()
        ]
        if before is None:
            conditions.append(condition)
        new = {**status, "conditions": conditions}
        self._api.set_status("persistentvolumeclaims", *key_of(claim), new, user=_CLAIM_USER)

    def _sync_volume(self, key: Key) -> None:
        volume = self._volumes.get(*key)
        if volume is None or not _is_kept(volume, VOLUME_FINALIZER):
            return
        if (volume.get("status") or {}).get("phase") != "Bound":
            self._release("persistentvolumes", volume, VOLUME_FINALIZER, _VOLUME_USER)

    def _release(self, resource: str, obj: JSON, finalizer: str, user: str) -> None:
        kept = [each for each in obj["metadata"]["finalizers"] if each != finalizer]
        patch = {"metadata": {"uid": obj["metadata"]["uid"], "finalizers": kept}}
        self._api.patch(resource, *key_of(obj), patch, user=user)


def _uses(pod: JSON) -> bool:
    """Whether a pod keeps its claims: one that was never bound to a node does not."""
    return bool(pod["spec"].get("nodeName")) and not podstatus.ended(pod)


def _is_kept(obj: JSON, finalizer: str) -> bool:
    meta = obj["metadata"]
    return "deletionTimestamp" in meta and finalizer in (meta.get("finalizers") or ())
