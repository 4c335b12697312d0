"""What a StatefulSet's sync reads and writes: pods, their claims, revisions and Events.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/controller/statefulset/stateful_pod_control.go
"""

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIError, APIServer, CallTimeoutError
from hourglass_simulator.clock import Clock
from hourglass_simulator.controllers import podstatus, statefulset_claims
from hourglass_simulator.controllers.history import RevisionHistory, ordered, patch_of
from hourglass_simulator.controllers.informer import Informers, key_of
from hourglass_simulator.controllers.podcontrol import in_words
from hourglass_simulator.controllers.statefulset_pods import identity, in_range, is_identified
from hourglass_simulator.controllers.statefulset_update import MAX_UNAVAILABLE
from hourglass_simulator.controllers.workqueue import RetryError, WorkQueue
from hourglass_simulator.recorder import NORMAL, WARNING, EventRecorder, reference

USER = "system:serviceaccount:kube-system:statefulset-controller"


class StatefulSetCalls:
    """The calls of the controller, for all of its objects."""

    def __init__(
        self,
        clock: Clock,
        api: APIServer,
        recorder: EventRecorder,
        queue: WorkQueue,
        informers: Informers,
    ) -> None:
        self._clock = clock
        self._api = api
        self._recorder = recorder
        self._queue = queue
        self._history = RevisionHistory(api, USER)
        self._claims = informers.of("persistentvolumeclaims")
        self.may_replace_several = api.version.enabled(MAX_UNAVAILABLE)
        """Whether an update follows `maxUnavailable`."""
        self._capitals = api.version.texts.capital_verbs

    def revisions_of(self, obj: JSON, revisions: list[JSON]) -> tuple[JSON, JSON, int]:
        """The current revision, the one to update to, and the collisions of names."""
        found = ordered(revisions)
        status = obj.get("status") or {}
        collisions = status.get("collisionCount", 0)
        number = found[-1]["revision"] + 1 if found else 1
        equal = [each for each in found if each["data"] == patch_of(obj)]
        if equal and equal[-1] is found[-1]:
            update = found[-1]
        elif equal:
            update = self._history.renumber(equal[-1], number)
        else:
            update, collisions = self._history.create(obj, number, collisions)
        named = [e for e in found if e["metadata"]["name"] == status.get("currentRevision")]
        return (named[0] if named else update), update, collisions

    def truncate(self, obj: JSON, revisions: list[JSON], live: set[str]) -> None:
        """Delete the revisions that are beyond the history."""
        self._history.truncate(revisions, live, obj["spec"].get("revisionHistoryLimit", 10))

    def create(self, obj: JSON, pod: JSON) -> JSON:
        """Create a pod and before that the claims it needs."""
        name = pod["metadata"]["name"]
        try:
            self.create_claims(obj, pod)
            made = self._api.create("pods", pod, namespace=obj["metadata"]["namespace"], user=USER)
            self.own_claims(obj, made)
        except (APIError, CallTimeoutError) as error:
            if not (isinstance(error, APIError) and error.reason == "AlreadyExists"):
                self._record("create", obj, name, in_words(error))
            raise
        except RetryError as error:
            self._record("create", obj, name, str(error))
            raise
        self._record("create", obj, name)
        return made

    def delete(self, obj: JSON, pod: JSON) -> None:
        """Delete a pod."""
        meta = pod["metadata"]
        try:
            self._api.delete("pods", meta["namespace"], meta["name"], user=USER)
        except (APIError, CallTimeoutError) as error:
            self._record("delete", obj, meta["name"], in_words(error))
            if not (isinstance(error, APIError) and error.code == 404):
                raise
        else:
            self._record("delete", obj, meta["name"])

    def create_claims(self, obj: JSON, pod: JSON) -> None:
        """Create the claims of a pod that do not exist."""
        namespace, name = obj["metadata"]["namespace"], pod["metadata"]["name"]
        for claim in statefulset_claims.claims(obj, pod):
            known = self._claims.get(namespace, claim["metadata"]["name"])
            if known is None:
                self._create_claim(obj, name, claim)
            elif "deletionTimestamp" in known["metadata"]:
                raise RetryError(f"pvc {claim['metadata']['name']} is being deleted")

    def _create_claim(self, obj: JSON, pod: str, claim: JSON) -> None:
        name = claim["metadata"]["name"]
        about = reference(obj)
        owner, said = obj["metadata"]["name"], self._said("create")
        try:
            self._api.create(
                "persistentvolumeclaims", claim, namespace=obj["metadata"]["namespace"], user=USER
            )
        except (APIError, CallTimeoutError) as error:
            why = in_words(error)
            text = f"{said} Claim {name} for Pod {pod} in StatefulSet {owner} failed error: {why}"
            self._recorder.event(about, WARNING, "FailedCreate", text)
            raise RetryError(f"failed to create PVC {name}: {why}") from None
        text = f"{said} Claim {name} Pod {pod} in StatefulSet {owner} success"
        self._recorder.event(about, NORMAL, "SuccessfulCreate", text)

    def claims_are_owned(self, obj: JSON, pod: JSON) -> bool:
        """Whether the owners of a pod's claims are those of the retention policy."""
        return not self._misowned(obj, pod)

    def own_claims(self, obj: JSON, pod: JSON) -> None:
        """Set the owners of a pod's claims by the retention policy."""
        for claim, owners in self._misowned(obj, pod):
            meta = {**claim["metadata"], "ownerReferences": owners}
            self._api.update("persistentvolumeclaims", {**claim, "metadata": meta}, user=USER)

    def _misowned(self, obj: JSON, pod: JSON) -> list[tuple[JSON, list[JSON]]]:
        found = []
        for template in obj["spec"].get("volumeClaimTemplates") or ():
            name = statefulset_claims.claim_name(template, pod)
            claim = self._claims.get(obj["metadata"]["namespace"], name)
            if claim is None:
                continue
            down = not in_range(obj, pod)
            owners = statefulset_claims.owners(obj, pod, claim, scaled_down=down)
            if owners != (claim["metadata"].get("ownerReferences") or []):
                found.append((claim, owners))
        return found

    def has_stale_claim(self, obj: JSON, pod: JSON) -> bool:
        """Whether a claim of a pod to create still goes with the pod before it."""
        namespace = obj["metadata"]["namespace"]
        names = [c["metadata"]["name"] for c in statefulset_claims.claims(obj, pod)]
        known = [claim for name in names if (claim := self._claims.get(namespace, name))]
        return any(statefulset_claims.is_stale(obj, pod, claim) for claim in known)

    def update(self, obj: JSON, pod: JSON) -> None:
        """Give a pod its labels back."""
        if not is_identified(pod):
            meta = pod["metadata"]
            labels = {**(meta.get("labels") or {}), **identity(meta["name"])}
            self._api.update("pods", {**pod, "metadata": {**meta, "labels": labels}}, user=USER)
        self.own_claims(obj, pod)
        self._record("update", obj, pod["metadata"]["name"])

    def write(self, obj: JSON, status: JSON) -> None:
        """Write the status, if it says something else than before."""
        before = obj.get("status") or {}
        if any(before.get(field, 0) != status.get(field, 0) for field in {**before, **status}):
            key = key_of(obj)
            if "conditions" in before:
                status = {**status, "conditions": before["conditions"]}
            self._api.set_status("statefulsets", *key, status, user=USER)

    def wait_for(self, obj: JSON, pods: list[JSON]) -> None:
        """Look again when the next pod becomes available."""
        seconds = obj["spec"].get("minReadySeconds", 0)
        now = self._clock.unix_time
        waits = [podstatus.available_in(pod, seconds, now) for pod in pods]
        if pending := [wait for wait in waits if wait]:
            self._queue.add_after(key_of(obj), min(pending))

    def available(self, obj: JSON, pod: JSON) -> bool:
        """Whether a pod has been ready for long enough."""
        seconds = obj["spec"].get("minReadySeconds", 0)
        return podstatus.available(pod, seconds, self._clock.unix_time)

    def _said(self, verb: str) -> str:
        """The verb as the version writes it in events."""
        return verb.title() if self._capitals else verb

    def _record(self, verb: str, obj: JSON, pod: str, failure: str = "") -> None:
        text = f"{self._said(verb)} Pod {pod} in StatefulSet {obj['metadata']['name']}"
        if failure:
            text += f" failed error: {failure}"
            self._recorder.event(reference(obj), WARNING, f"Failed{verb.title()}", text)
        else:
            text += " successful"
            self._recorder.event(reference(obj), NORMAL, f"Successful{verb.title()}", text)
