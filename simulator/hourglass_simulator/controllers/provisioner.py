"""A provisioner of volumes for every StorageClass, as an external one works.

https://github.com/kubernetes-sigs/sig-storage-lib-external-provisioner/blob/v10.0.1/controller/controller.go
"""

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIError, APIServer
from hourglass_simulator.clock import Clock
from hourglass_simulator.controllers.informer import Informers, key_of
from hourglass_simulator.controllers.persistentvolumes import (
    PROVISIONED_BY,
    PROVISIONERS,
    SELECTED_NODE,
)
from hourglass_simulator.controllers.workqueue import Key, WorkQueue
from hourglass_simulator.recorder import NORMAL, EventRecorder, reference

USER = "system:serviceaccount:kube-system:simulated-provisioner"
PROVISION_SECONDS = 2.0
"""What it takes to make a volume."""


class Provisioner:
    """Makes a volume for each claim that waits for one, and deletes those that are released."""

    def __init__(self, clock: Clock, api: APIServer, informers: Informers) -> None:
        self._clock = clock
        self._api = api
        self._recorder = EventRecorder(clock, api, "simulated-provisioner")
        self._queue = WorkQueue(clock, self._provision)
        self._going = WorkQueue(clock, self._delete)
        self._claims = informers.of("persistentvolumeclaims")
        self._volumes = informers.of("persistentvolumes")
        self._classes = informers.of("storageclasses")
        self._claims.on_change(self._claim_changed)
        self._volumes.on_change(self._volume_changed)

    def _claim_changed(self, before: JSON | None, claim: JSON | None) -> None:
        if claim is None or not _waits(claim):
            return
        if before is None or not _waits(before):
            self._queue.add_after(key_of(claim), PROVISION_SECONDS)

    def _volume_changed(self, _: JSON | None, volume: JSON | None) -> None:
        if volume is None or (volume.get("status") or {}).get("phase") != "Released":
            return
        notes = volume["metadata"].get("annotations") or {}
        deletes = volume["spec"].get("persistentVolumeReclaimPolicy") == "Delete"
        if deletes and PROVISIONED_BY in notes:
            self._going.add_after(key_of(volume), PROVISION_SECONDS)

    def _provision(self, key: Key) -> None:
        claim = self._claims.get(*key)
        if claim is None or not _waits(claim) or "deletionTimestamp" in claim["metadata"]:
            return
        storage = self._classes.get("", claim["spec"]["storageClassName"])
        if storage is None:
            return
        about, name = reference(claim), f"pvc-{claim['metadata']['uid']}"
        text = f'External provisioner is provisioning volume for claim "{key[0]}/{key[1]}"'
        self._recorder.event(about, NORMAL, "Provisioning", text)
        try:
            self._api.create("persistentvolumes", _volume(name, claim, storage), user=USER)
        except APIError as error:
            if error.reason != "AlreadyExists":
                raise
        text = f"Successfully provisioned volume {name}"
        self._recorder.event(about, NORMAL, "ProvisioningSucceeded", text)

    def _delete(self, key: Key) -> None:
        volume = self._volumes.get(*key)
        if volume is not None and (volume.get("status") or {}).get("phase") == "Released":
            self._api.delete("persistentvolumes", *key, user=USER)


def _waits(claim: JSON) -> bool:
    notes = claim["metadata"].get("annotations") or {}
    return PROVISIONERS[1] in notes and not claim["spec"].get("volumeName")


def _source(provisioner: str, name: str) -> JSON:
    """Where a volume is; a provisioner with a path in its name is no CSI driver."""
    if "/" in provisioner:
        return {"hostPath": {"path": f"/var/lib/volumes/{name}"}}
    return {"csi": {"driver": provisioner, "volumeHandle": name}}


def _volume(name: str, claim: JSON, storage: JSON) -> JSON:
    meta, spec = claim["metadata"], claim["spec"]
    made: JSON = {
        "capacity": {"storage": spec["resources"]["requests"]["storage"]},
        "accessModes": spec["accessModes"],
        "persistentVolumeReclaimPolicy": storage.get("reclaimPolicy", "Delete"),
        "storageClassName": spec["storageClassName"],
        "volumeMode": spec.get("volumeMode", "Filesystem"),
        **_source(storage["provisioner"], name),
        "claimRef": {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "namespace": meta["namespace"],
            "name": meta["name"],
            "uid": meta["uid"],
            "resourceVersion": meta["resourceVersion"],
        },
    }
    terms = [
        {
            "matchExpressions": [
                {"key": each["key"], "operator": "In", "values": each["values"]}
                for each in topology.get("matchLabelExpressions") or ()
            ]
        }
        for topology in storage.get("allowedTopologies") or ()
    ]
    if terms:
        made["nodeAffinity"] = {"required": {"nodeSelectorTerms": terms}}
    notes = {PROVISIONED_BY: storage["provisioner"]}
    if node := (meta.get("annotations") or {}).get(SELECTED_NODE):
        notes[SELECTED_NODE] = node
    return {"metadata": {"name": name, "annotations": notes}, "spec": made}
