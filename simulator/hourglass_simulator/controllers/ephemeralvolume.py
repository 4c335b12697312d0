"""Makes the claims of pods' generic ephemeral volumes.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/controller/volume/ephemeral/controller.go
"""

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIError, APIServer
from hourglass_simulator.clock import Clock
from hourglass_simulator.controllers.informer import Informers, key_of
from hourglass_simulator.controllers.podcontrol import controlled_by, controller_reference, in_words
from hourglass_simulator.controllers.workqueue import Key, RetryError, WorkQueue
from hourglass_simulator.recorder import WARNING, EventRecorder, reference

USER = "system:serviceaccount:kube-system:ephemeral-volume-controller"


class EphemeralVolumeController:
    """Looks only at pods that have such volumes."""

    def __init__(self, clock: Clock, api: APIServer, informers: Informers) -> None:
        self._api = api
        self._recorder = EventRecorder(clock, api, "ephemeral_volume")
        self._queue = WorkQueue(clock, self._sync)
        self._pods = informers.of("pods")
        self._claims = informers.of("persistentvolumeclaims")
        self._pods.on_change(self._pod_changed)
        self._claims.on_change(self._claim_changed)

    def _pod_changed(self, before: JSON | None, pod: JSON | None) -> None:
        if before is None and pod is not None and _volumes(pod):
            self._queue.add(key_of(pod))

    def _claim_changed(self, claim: JSON | None, after: JSON | None) -> None:
        if claim is None or after is not None:
            return
        for owner in claim["metadata"].get("ownerReferences") or ():
            key = claim["metadata"]["namespace"], owner["name"]
            if owner["kind"] == "Pod" and (pod := self._pods.get(*key)) and _volumes(pod):
                self._queue.add(key)

    def _sync(self, key: Key) -> None:
        pod = self._pods.get(*key)
        if pod is None or "deletionTimestamp" in pod["metadata"]:
            return
        for volume in _volumes(pod):
            if why := self._claim(pod, volume):
                text = f"ephemeral volume {volume['name']}: {why}"
                self._recorder.event(reference(pod), WARNING, "FailedBinding", text)
                raise RetryError(text)

    def _claim(self, pod: JSON, volume: JSON) -> str:
        """Create the claim of a volume unless it exists; says what is wrong."""
        namespace = pod["metadata"]["namespace"]
        name = f"{pod['metadata']['name']}-{volume['name']}"
        found = self._claims.get(namespace, name)
        if found is not None:
            if controlled_by(found, pod):
                return ""
            about = f"{namespace}/{pod['metadata']['name']}"
            return f"PVC {namespace}/{name} was not created for pod {about} (pod is not owner)"
        template = volume["ephemeral"]["volumeClaimTemplate"]
        given = template.get("metadata") or {}
        meta: JSON = {field: given[field] for field in ("annotations", "labels") if field in given}
        meta |= {"name": name, "ownerReferences": [controller_reference(pod)]}
        claim = {"metadata": meta, "spec": template["spec"]}
        try:
            self._api.create("persistentvolumeclaims", claim, namespace=namespace, user=USER)
        except APIError as error:
            return f"create PVC {name}: {in_words(error)}"
        return ""


def _volumes(pod: JSON) -> list[JSON]:
    return [volume for volume in pod["spec"].get("volumes") or () if "ephemeral" in volume]
