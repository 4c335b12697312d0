"""One sync of a StatefulSet: which pods are created, replaced and removed, and in which order.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/controller/statefulset/stateful_set_control.go
"""

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIError, CallTimeoutError
from hourglass_simulator.controllers import podstatus, statefulset_claims
from hourglass_simulator.controllers.history import template_of
from hourglass_simulator.controllers.podcontrol import pod_of_template
from hourglass_simulator.controllers.statefulset_calls import StatefulSetCalls
from hourglass_simulator.controllers.statefulset_pods import (
    REVISION,
    exists,
    first_ordinal,
    identity,
    in_range,
    is_identified,
    ordinal,
    revision_of,
    running_and_ready,
)
from hourglass_simulator.controllers.statefulset_update import to_replace
from hourglass_simulator.controllers.workqueue import RetryError


class StatefulSetSync:
    """One sync of one StatefulSet."""

    def __init__(
        self, calls: StatefulSetCalls, obj: JSON, pods: list[JSON], revisions: list[JSON]
    ) -> None:
        self._calls = calls
        self._obj = obj
        self._revisions = revisions
        self._pods = pods
        self._current, self._update, self._collisions = calls.revisions_of(obj, revisions)
        spec = obj["spec"]
        self._monotonic = spec.get("podManagementPolicy") != "Parallel"
        self._replicas: list[JSON] = []
        self._condemned: list[JSON] = []

    def run(self) -> None:
        """Create, replace and remove pods as far as the order allows, and write the status."""
        obj = self._obj
        names = self._current["metadata"]["name"], self._update["metadata"]["name"]
        self._place()
        failure: APIError | CallTimeoutError | RetryError | None = None
        deleted = 0
        if "deletionTimestamp" not in obj["metadata"]:
            try:
                deleted = self._work()
            except (APIError, CallTimeoutError, RetryError) as error:
                failure = error
            known = [*self._replicas, *self._condemned]
        else:
            known = self._pods
        status = self._status(known, *names)
        if deleted:
            status["currentReplicas"] -= deleted
        self._calls.write(obj, _finished(obj, status))
        if failure is not None:
            raise failure
        live = {*names, *(revision_of(pod) for pod in self._pods)}
        self._calls.truncate(obj, self._revisions, live)
        self._calls.wait_for(obj, known)

    def _place(self) -> None:
        obj = self._obj
        start, count = first_ordinal(obj), obj["spec"].get("replicas", 1)
        by_ordinal = {ordinal(pod): pod for pod in self._pods}
        for number in range(start, start + count):
            found = by_ordinal.get(number)
            self._replicas.append(found if found is not None else self._new_pod(number))
        condemned = [pod for pod in self._pods if not in_range(obj, pod)]
        self._condemned = sorted(condemned, key=ordinal, reverse=True)

    def _new_pod(self, number: int) -> JSON:
        """A pod to create, of the current revision below the partition."""
        obj = self._obj
        strategy = obj["spec"].get("updateStrategy") or {}
        rolling = strategy.get("rollingUpdate")
        if rolling is not None:
            old = number < first_ordinal(obj) + rolling.get("partition", 0)
        else:
            counted = (obj.get("status") or {}).get("currentReplicas", 0)
            old = strategy.get("type") == "RollingUpdate" and number < first_ordinal(obj) + counted
        revision = self._current if old else self._update
        pod = pod_of_template(template_of(revision), obj)
        name = f"{obj['metadata']['name']}-{number}"
        meta = {k: v for k, v in pod["metadata"].items() if k != "generateName"}
        labels = {
            **(meta.get("labels") or {}),
            **identity(name),
            REVISION: revision["metadata"]["name"],
        }
        meta |= {"name": name, "generateName": pod["metadata"]["generateName"], "labels": labels}
        made: JSON = {"metadata": meta, "spec": {**pod["spec"], "hostname": name}}
        if service := obj["spec"].get("serviceName"):
            made["spec"]["subdomain"] = service
        claimed = statefulset_claims.volumes(obj, made, pod["spec"].get("volumes") or [])
        if claimed:
            made["spec"]["volumes"] = claimed
        return made

    def _work(self) -> int:
        """The steps of an update; how many pods of the current revision were deleted for it."""
        first = next((p for p in self._replicas if self._unavailable(p)), None)
        if first is None:
            last = reversed(self._condemned)
            first = next((pod for pod in last if self._unavailable(pod)), None)
        for place in range(len(self._replicas)):
            if self._process(place) and self._monotonic:
                return 0
        for pod in self._condemned:
            if not self._calls.claims_are_owned(self._obj, pod):
                self._calls.own_claims(self._obj, pod)
        for pod in self._condemned:
            if self._condemn(pod, first) and self._monotonic:
                return 0
        return self._replace()

    def _process(self, place: int) -> bool:
        """Whether the others have to wait for this pod."""
        obj, pod, calls = self._obj, self._replicas[place], self._calls
        if podstatus.ended(pod):
            if not podstatus.terminating(pod):
                calls.delete(obj, pod)
            return True
        if not exists(pod):
            if calls.has_stale_claim(obj, pod):
                return True
            pod = self._replicas[place] = calls.create(obj, pod)
            return True
        if podstatus.phase(pod) == "Pending":
            calls.create_claims(obj, pod)
            calls.own_claims(obj, pod)
        if self._monotonic and (
            podstatus.terminating(pod)
            or not running_and_ready(pod)
            or not calls.available(obj, pod)
        ):
            return True
        if not is_identified(pod) or not calls.claims_are_owned(obj, pod):
            calls.update(obj, pod)
        return False

    def _condemn(self, pod: JSON, first: JSON | None) -> bool:
        if podstatus.terminating(pod):
            return True
        waits = not running_and_ready(pod) or not self._calls.available(self._obj, pod)
        if waits and self._monotonic and pod is not first:
            return True
        self._calls.delete(self._obj, pod)
        return True

    def _replace(self) -> int:
        """Delete the last pod that is not of the newest revision, unless one is unavailable.

        Newer versions may delete several; how many are deleted is returned.
        """
        strategy = self._obj["spec"].get("updateStrategy") or {}
        if strategy.get("type") == "OnDelete":
            return 0
        if self._calls.may_replace_several:
            newest = self._update["metadata"]["name"]
            found = to_replace(self._obj, self._replicas, newest, self._unavailable)
            for pod in found:
                self._calls.delete(self._obj, pod)
            return len(found)
        partition = (strategy.get("rollingUpdate") or {}).get("partition", 0)
        for pod in reversed(self._replicas[partition:]):
            outdated = revision_of(pod) != self._update["metadata"]["name"]
            if outdated and not podstatus.terminating(pod):
                self._calls.delete(self._obj, pod)
                return 1
            if self._unavailable(pod):
                return 0
        return 0

    def _unavailable(self, pod: JSON) -> bool:
        if not exists(pod) or podstatus.terminating(pod):
            return True
        return not self._calls.available(self._obj, pod)

    def _status(self, pods: list[JSON], current: str, update: str) -> JSON:
        there = [pod for pod in pods if exists(pod)]
        ready = [pod for pod in there if running_and_ready(pod)]
        staying = [revision_of(pod) for pod in there if not podstatus.terminating(pod)]
        return {
            "observedGeneration": self._obj["metadata"].get("generation", 0),
            "replicas": len(there),
            "readyReplicas": len(ready),
            "availableReplicas": sum(self._calls.available(self._obj, p) for p in ready),
            "currentReplicas": staying.count(current),
            "updatedReplicas": staying.count(update),
            "currentRevision": current,
            "updateRevision": update,
            "collisionCount": self._collisions,
        }


_ALWAYS_PRINTED = ("replicas", "availableReplicas", "collisionCount")


def _finished(obj: JSON, status: JSON) -> JSON:
    """The status, with the new revision as the current one when all pods are of it."""
    strategy = obj["spec"].get("updateStrategy") or {}
    wanted = obj["spec"].get("replicas", 1)
    counts = (status["updatedReplicas"], status["readyReplicas"], status["replicas"])
    if strategy.get("type") == "RollingUpdate" and counts == (wanted,) * 3:
        status = {
            **status,
            "currentReplicas": status["updatedReplicas"],
            "currentRevision": status["updateRevision"],
        }
    return {field: value for field, value in status.items() if value or field in _ALWAYS_PRINTED}
