"""Binds claims to volumes, and asks a provisioner for those that have none.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/controller/volume/persistentvolume/pv_controller.go
"""

from collections.abc import Iterable

from hourglass_kube import quantity, selector
from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIServer
from hourglass_simulator.clock import Clock
from hourglass_simulator.controllers import podstatus
from hourglass_simulator.controllers.informer import Informers, key_of
from hourglass_simulator.controllers.workqueue import Key, WorkQueue
from hourglass_simulator.recorder import NORMAL, WARNING, EventRecorder, reference

USER = "system:serviceaccount:kube-system:persistent-volume-binder"
RESYNC_SECONDS = 15.0
"""Between two attempts for a claim that has no volume."""
BIND_COMPLETED = "pv.kubernetes.io/bind-completed"
BOUND_BY_CONTROLLER = "pv.kubernetes.io/bound-by-controller"
PROVISIONED_BY = "pv.kubernetes.io/provisioned-by"
SELECTED_NODE = "volume.kubernetes.io/selected-node"
PROVISIONERS = (
    "volume.beta.kubernetes.io/storage-provisioner",
    "volume.kubernetes.io/storage-provisioner",
)
IS_DEFAULT = "storageclass.kubernetes.io/is-default-class"


class PersistentVolumeBinder:
    """Looks at a claim again when a volume or a pod that may help it has changed."""

    def __init__(self, clock: Clock, api: APIServer, informers: Informers) -> None:
        self._clock = clock
        self._api = api
        self._recorder = EventRecorder(clock, api, "persistentvolume-controller")
        self._claim_queue = WorkQueue(clock, self._sync_claim)
        self._volume_queue = WorkQueue(clock, self._sync_volume)
        self._claims = informers.of("persistentvolumeclaims")
        self._volumes = informers.of("persistentvolumes")
        self._classes = informers.of("storageclasses")
        self._pods = informers.of("pods")
        self._claims.on_change(self._claim_changed)
        self._volumes.on_change(self._volume_changed)

    def _claim_changed(self, before: JSON | None, after: JSON | None) -> None:
        claim = after or before
        assert claim is not None
        if after is not None:
            self._claim_queue.add(key_of(claim))
        volume = claim["spec"].get("volumeName")
        if volume and ("", volume) in self._volumes.objects:
            self._volume_queue.add(("", volume))

    def _volume_changed(self, before: JSON | None, after: JSON | None) -> None:
        volume = after or before
        assert volume is not None
        self._volume_queue.add(key_of(volume))
        if after is None:
            claim = volume["spec"].get("claimRef")
            if claim is not None:
                self._claim_queue.add((claim["namespace"], claim["name"]))

    # Claims

    def _sync_claim(self, key: Key) -> None:
        claim = self._claims.get(*key)
        if claim is None:
            return
        if BIND_COMPLETED in _annotations(claim):
            self._sync_bound(claim)
        elif name := claim["spec"].get("volumeName"):
            self._sync_named(claim, name)
        else:
            self._sync_unbound(claim)

    def _sync_bound(self, claim: JSON) -> None:
        name = claim["spec"].get("volumeName")
        volume = self._volumes.get("", name or "")
        if volume is None:
            what = "its PersistentVolume" if name else "reference to PersistentVolume"
            text = f"Bound claim has lost {what}. Data on the volume is lost!"
            self._lose(claim, "ClaimLost", text)
        elif (volume["spec"].get("claimRef") or {}).get("uid") in (None, claim["metadata"]["uid"]):
            self._bind(volume, claim)
        else:
            text = "Two claims are bound to the same volume, this one is bound incorrectly"
            self._lose(claim, "ClaimMisbound", text)

    def _lose(self, claim: JSON, reason: str, text: str) -> None:
        if claim["status"].get("phase") != "Lost":
            self._write_claim(claim, "Lost", None)
            self._recorder.event(reference(claim), WARNING, reason, text)

    def _sync_named(self, claim: JSON, name: str) -> None:
        volume = self._volumes.get("", name)
        if volume is None:
            self._write_claim(claim, "Pending", None)
        elif volume["spec"].get("claimRef") is None:
            if (fault := _mismatch(volume, claim)) is None:
                self._bind(volume, claim)
                return
            text = f'Cannot bind to requested volume "{name}": {fault}'
            self._recorder.event(reference(claim), WARNING, "VolumeMismatch", text)
            self._write_claim(claim, "Pending", None)
        elif is_bound_to(volume, claim):
            self._bind(volume, claim)
            return
        else:
            text = f'volume "{name}" already bound to a different claim.'
            self._recorder.event(reference(claim), WARNING, "FailedBinding", text)
            self._write_claim(claim, "Pending", None)
        self._claim_queue.add_after(key_of(claim), RESYNC_SECONDS)

    def _sync_unbound(self, claim: JSON) -> None:
        storage = self._classes.get("", claim["spec"].get("storageClassName") or "")
        delayed = storage is not None and storage["volumeBindingMode"] == "WaitForFirstConsumer"
        volume = matching(claim, self._volumes.objects.values(), delayed=delayed)
        if volume is not None:
            self._bind(volume, claim)
            return
        about = reference(claim)
        if self._assign_default_class(claim):
            return
        if delayed and SELECTED_NODE not in _annotations(claim):
            reason, text = self._waiting(claim)
            self._recorder.event(about, NORMAL, reason, text)
            self._write_claim(claim, "Pending", None)
        elif name := claim["spec"].get("storageClassName"):
            self._ask_provisioner(claim, name, storage)
        else:
            text = "no persistent volumes available for this claim and no storage class is set"
            self._recorder.event(about, NORMAL, "FailedBinding", text)
            self._write_claim(claim, "Pending", None)
        self._claim_queue.add_after(key_of(claim), RESYNC_SECONDS)

    def _waiting(self, claim: JSON) -> tuple[str, str]:
        """For what a claim waits whose class binds when a pod comes."""
        namespace, name = key_of(claim)
        pods = [
            pod["metadata"]["name"]
            for pod in self._pods.namespaced(namespace)
            if name in claims_of(pod)
            and not podstatus.ended(pod)
            and not pod["spec"].get("nodeName")
        ]
        if not pods:
            text = "waiting for first consumer to be created before binding"
            return "WaitForFirstConsumer", text
        which = f"pods {','.join(pods)}" if len(pods) > 1 else f"pod {pods[0]}"
        return "WaitForPodScheduled", f"waiting for {which} to be scheduled"

    def _assign_default_class(self, claim: JSON) -> bool:
        if "storageClassName" in claim["spec"]:
            return False
        default = default_class(self._classes.objects.values())
        if default is None:
            return False
        spec = {**claim["spec"], "storageClassName": default}
        self._api.update("persistentvolumeclaims", {**claim, "spec": spec}, user=USER)
        return True

    def _ask_provisioner(self, claim: JSON, name: str, storage: JSON | None) -> None:
        about = reference(claim)
        if storage is None:
            text = f'storageclass.storage.k8s.io "{name}" not found'
            self._recorder.event(about, WARNING, "ProvisioningFailed", text)
            return
        provisioner = storage["provisioner"]
        if provisioner == "kubernetes.io/no-provisioner":
            text = "no volume plugin matched name: kubernetes.io/no-provisioner"
            self._recorder.event(about, WARNING, "ProvisioningFailed", text)
            return
        before = _annotations(claim)
        after = {**before, **dict.fromkeys(PROVISIONERS, provisioner)}
        if after != before:
            meta = {**claim["metadata"], "annotations": after}
            claim = self._api.update(
                "persistentvolumeclaims", {**claim, "metadata": meta}, user=USER
            )
        text = "Waiting for a volume to be created either by the external provisioner '"
        text += f"{provisioner}' or manually by the system administrator. If volume creation is"
        text += " delayed, please verify that the provisioner is running and correctly registered."
        self._recorder.event(reference(claim), NORMAL, "ExternalProvisioning", text)

    # Binding

    def _bind(self, volume: JSON, claim: JSON) -> None:
        volume = self._bound_volume(volume, claim)
        volume = self._write_phase(volume, "Bound")
        name, notes = volume["metadata"]["name"], dict(_annotations(claim))
        spec = claim["spec"]
        if spec.get("volumeName") != name:
            spec = {**spec, "volumeName": name}
            notes.setdefault(BOUND_BY_CONTROLLER, "yes")
        notes.setdefault(BIND_COMPLETED, "yes")
        if spec is not claim["spec"] or notes != _annotations(claim):
            meta = {**claim["metadata"], "annotations": notes}
            new = {**claim, "metadata": meta, "spec": spec}
            claim = self._api.update("persistentvolumeclaims", new, user=USER)
        self._write_claim(claim, "Bound", volume)

    def _bound_volume(self, volume: JSON, claim: JSON) -> JSON:
        meta, bound = claim["metadata"], volume["spec"].get("claimRef") or {}
        if bound.get("uid") == meta["uid"] and is_bound_to(volume, claim):
            return volume
        spec = {
            **volume["spec"],
            "claimRef": {
                "kind": "PersistentVolumeClaim",
                "namespace": meta["namespace"],
                "name": meta["name"],
                "uid": meta["uid"],
                "apiVersion": "v1",
                "resourceVersion": meta["resourceVersion"],
            },
        }
        new = {**volume, "spec": spec}
        if not is_bound_to(volume, claim):
            notes = {BOUND_BY_CONTROLLER: "yes", **_annotations(volume)}
            new["metadata"] = {**volume["metadata"], "annotations": notes}
        return self._api.update("persistentvolumes", new, user=USER)

    def _write_phase(self, volume: JSON, phase: str) -> JSON:
        before = volume.get("status") or {}
        if before.get("phase") == phase:
            return volume
        now = self._clock.timestamp()
        status = {**before, "phase": phase, "lastPhaseTransitionTime": now}
        return self._api.set_status(
            "persistentvolumes", "", volume["metadata"]["name"], status, user=USER
        )

    def _write_claim(self, claim: JSON, phase: str, volume: JSON | None) -> None:
        status = {**(claim.get("status") or {}), "phase": phase}
        for field in ("accessModes", "capacity"):
            status.pop(field, None)
        if volume is not None:
            status["accessModes"] = volume["spec"]["accessModes"]
            status["capacity"] = volume["spec"]["capacity"]
        if status != claim.get("status"):
            self._api.set_status("persistentvolumeclaims", *key_of(claim), status, user=USER)

    # Volumes

    def _sync_volume(self, key: Key) -> None:
        volume = self._volumes.get(*key)
        if volume is None:
            return
        bound = volume["spec"].get("claimRef")
        if bound is None or not bound.get("uid"):
            self._write_phase(volume, "Available")
            if bound is not None:
                self._claim_queue.add((bound["namespace"], bound["name"]))
            else:
                self._offer(volume)
            return
        claim = self._claims.get(bound["namespace"], bound["name"])
        if claim is None or claim["metadata"]["uid"] != bound["uid"]:
            if (volume.get("status") or {}).get("phase") not in ("Released", "Failed"):
                volume = self._write_phase(volume, "Released")
            return
        if not claim["spec"].get("volumeName"):
            self._claim_queue.add(key_of(claim))
        elif claim["spec"]["volumeName"] == volume["metadata"]["name"]:
            self._write_phase(volume, "Bound")

    def _offer(self, volume: JSON) -> None:
        """Let the claims that have none look at a volume."""
        storage = volume["spec"].get("storageClassName", "")
        for key, claim in self._claims.objects.items():
            same = claim["spec"].get("storageClassName", "") == storage
            if same and BIND_COMPLETED not in _annotations(claim):
                self._claim_queue.add(key)


def _annotations(obj: JSON) -> dict[str, str]:
    return obj["metadata"].get("annotations") or {}


def claims_of(pod: JSON) -> list[str]:
    """The names of the claims that a pod mounts."""
    name = pod["metadata"]["name"]
    found = []
    for volume in pod["spec"].get("volumes") or ():
        if "persistentVolumeClaim" in volume:
            found.append(volume["persistentVolumeClaim"]["claimName"])
        elif "ephemeral" in volume:
            found.append(f"{name}-{volume['name']}")
    return found


def default_class(classes: Iterable[JSON]) -> str | None:
    """The newest class that is marked as the default."""
    marked = [each for each in classes if _annotations(each).get(IS_DEFAULT) == "true"]
    if not marked:
        return None
    newest = min(marked, key=lambda each: (-podstatus.created(each), each["metadata"]["name"]))
    return str(newest["metadata"]["name"])


def is_bound_to(volume: JSON, claim: JSON) -> bool:
    """Whether a volume is meant for a claim."""
    bound, meta = volume["spec"].get("claimRef"), claim["metadata"]
    if bound is None:
        return False
    if (bound.get("namespace"), bound["name"]) != (meta["namespace"], meta["name"]):
        return False
    return bound.get("uid") in (None, "", meta["uid"])


def _size(resources: JSON) -> int:
    return quantity.milli(resources.get("storage", 0))


def matching(claim: JSON, volumes: Iterable[JSON], *, delayed: bool) -> JSON | None:
    """The volume that is meant for a claim, or the smallest one that suits it."""
    spec = claim["spec"]
    wanted = _size((spec.get("resources") or {}).get("requests") or {})
    suitable = []
    for volume in volumes:
        offered = volume["spec"]
        if "deletionTimestamp" in volume["metadata"]:
            continue
        if offered.get("claimRef") is not None and not is_bound_to(volume, claim):
            continue
        if _size(offered["capacity"]) < wanted or _differs(spec, offered, "volumeMode"):
            continue
        if _differs(spec, offered, "volumeAttributesClassName"):
            continue
        if not set(spec["accessModes"]) <= set(offered["accessModes"]):
            continue
        if is_bound_to(volume, claim):
            return volume
        if delayed or (volume.get("status") or {}).get("phase") != "Available":
            continue
        if _differs(spec, offered, "storageClassName"):
            continue
        labels = volume["metadata"].get("labels") or {}
        if spec.get("selector") is not None and not selector.matches(spec["selector"], labels):
            continue
        suitable.append(volume)
    return min(
        suitable,
        key=lambda v: (
            len(v["spec"]["accessModes"]),
            _size(v["spec"]["capacity"]),
            v["metadata"]["name"],
        ),
        default=None,
    )


def _differs(one: JSON, other: JSON, field: str) -> bool:
    return bool((one.get(field) or "") != (other.get(field) or ""))


def _mismatch(volume: JSON, claim: JSON) -> str | None:
    """Why a claim cannot have the volume that it names."""
    spec, offered = claim["spec"], volume["spec"]
    if "deletionTimestamp" in volume["metadata"]:
        return f'the volume is marked for deletion "{volume["metadata"]["name"]}"'
    if _size(offered["capacity"]) < _size((spec.get("resources") or {}).get("requests") or {}):
        return "requested PV is too small"
    if _differs(spec, offered, "storageClassName"):
        return "storageClassName does not match"
    if _differs(spec, offered, "volumeAttributesClassName"):
        return "volumeAttributesClassName does not match"
    if _differs(spec, offered, "volumeMode"):
        return "incompatible volumeMode"
    if not set(spec["accessModes"]) <= set(offered["accessModes"]):
        return "incompatible accessMode"
    return None
