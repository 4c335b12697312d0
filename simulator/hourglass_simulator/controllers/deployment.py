"""Deployments: ReplicaSets, one for each template, scaled so that the newest takes over.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/controller/deployment/deployment_controller.go
"""

from hourglass_kube.selector import compile_selector
from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIError, APIServer
from hourglass_simulator.clock import Clock
from hourglass_simulator.controllers import deployment_replicas as counting
from hourglass_simulator.controllers import deployment_status as progress
from hourglass_simulator.controllers import podstatus
from hourglass_simulator.controllers.enqueue import enqueue_object, enqueue_owner, enqueue_selecting
from hourglass_simulator.controllers.hashes import digest
from hourglass_simulator.controllers.informer import Informers, controller_of, key_of
from hourglass_simulator.controllers.podcontrol import (
    PodControl,
    controller_reference,
    namespace_is_terminating,
)
from hourglass_simulator.controllers.replicaset import TERMINATING_REPLICAS
from hourglass_simulator.controllers.workqueue import Key, WorkQueue
from hourglass_simulator.recorder import NORMAL, WARNING, EventRecorder, reference

USER = "system:serviceaccount:kube-system:deployment-controller"
_LONGEST_NAME = 253
_TERMINATING = "terminatingReplicas"


class DeploymentController:
    """Reads ReplicaSets by their owner; of pods only those of Deployments that recreate."""

    def __init__(self, clock: Clock, api: APIServer, informers: Informers) -> None:
        self._clock = clock
        self._api = api
        self._counts_terminating = api.version.enabled(TERMINATING_REPLICAS)
        self._recorder = EventRecorder(clock, api, "deployment-controller")
        self._control = PodControl(api, self._recorder, USER)
        self._queue = WorkQueue(clock, self._sync)
        self._deployments = informers.of("deployments")
        self._sets = informers.of("replicasets")
        self._pods = informers.of("pods")
        self._deployments.on_change(enqueue_object(self._queue))
        self._sets.on_owned("Deployment", enqueue_owner(self._queue))
        self._sets.on_orphan(enqueue_selecting(self._queue, self._deployments))
        self._pods.on_owned("ReplicaSet", self._pod_changed)

    def _pod_changed(self, before: JSON | None, after: JSON | None) -> None:
        """A Deployment that recreates waits until its last pod is gone."""
        pod = before if after is None else after if podstatus.ended(after) else None
        if pod is None or (owner := controller_of(pod)) is None:
            return
        found = self._sets.get(pod["metadata"]["namespace"], owner["name"])
        above = controller_of(found) if found is not None else None
        if above is None:
            return
        key = (pod["metadata"]["namespace"], above["name"])
        deployment = self._deployments.get(*key)
        if deployment is not None and not counting.is_rolling(deployment):
            self._queue.add(key)

    # One pass

    def _sync(self, key: Key) -> None:
        deployment = self._deployments.get(*key)
        if deployment is None:
            return
        if not deployment["spec"]["selector"]:
            why = "This deployment is selecting all pods. A non-empty selector is required."
            self._recorder.event(reference(deployment), WARNING, "SelectingAll", why)
            return
        sets = self._control.claim(
            "replicasets",
            deployment,
            compile_selector(deployment["spec"]["selector"]),
            self._sets.owned(deployment["metadata"]["uid"]),
            self._sets.orphans(key[0]),
        )
        if "deletionTimestamp" in deployment["metadata"]:
            new, old = counting.split(deployment, sets)
            self._write_numbers(deployment, old, new)
            return
        deployment = self._marked_paused(deployment)
        deployment, new, old = self._revised(deployment, sets)
        if deployment["spec"].get("paused"):
            new, old = self._scale(deployment, new, old)
            self._clean_up(deployment, old)
            self._write_numbers(deployment, old, new)
        elif _is_scaled(deployment, [*old, new]):
            new, old = self._scale(deployment, new, old)
            self._write_numbers(deployment, old, new)
        elif counting.is_rolling(deployment):
            self._roll(deployment, new, old)
        else:
            self._recreate(deployment, new, old)

    def _marked_paused(self, deployment: JSON) -> JSON:
        found = podstatus.condition(deployment, progress.PROGRESSING)
        if progress.deadline(deployment) is None:
            return deployment
        if found is not None and found["reason"] == progress.TIMED_OUT:
            return deployment
        marked = found is not None and found["reason"] == progress.PAUSED
        paused = bool(deployment["spec"].get("paused"))
        if paused == marked:
            return deployment
        if paused:
            why = (progress.PAUSED, "Deployment is paused")
        else:
            why = (progress.RESUMED, "Deployment is resumed")
        return self._with_condition(deployment, "Unknown", *why)

    def _with_condition(self, deployment: JSON, status: str, reason: str, message: str) -> JSON:
        now = self._clock.timestamp()
        condition = progress.new_condition(progress.PROGRESSING, status, reason, message, now)
        return self._write(
            deployment, progress.with_condition(deployment.get("status") or {}, condition)
        )

    def _write(self, deployment: JSON, status: JSON, revision: str = "") -> JSON:
        """Write a status, and with it the revision; the Deployment as it is then."""
        meta = deployment["metadata"]
        if revision and (meta.get("annotations") or {}).get(counting.REVISION) != revision:
            notes = {**(meta.get("annotations") or {}), counting.REVISION: revision}
            new = {**deployment, "metadata": {**meta, "annotations": notes}, "status": status}
            return self._api.update("deployments", new, subresource="status", user=USER)
        if status == deployment.get("status"):
            return deployment
        return self._api.set_status(
            "deployments", meta["namespace"], meta["name"], status, user=USER
        )

    # ReplicaSets

    def _revised(self, deployment: JSON, sets: list[JSON]) -> tuple[JSON, JSON | None, list[JSON]]:
        """The newest ReplicaSet, if there is one, with its revision, and the old ones."""
        new, old = counting.split(deployment, sets)
        if new is None:
            return deployment, None, old
        revision = max(map(counting.revision, old), default=0) + 1
        meta, spec = new["metadata"], new["spec"]
        before = meta.get("annotations") or {}
        notes = counting.revision_annotations(deployment, before, revision)
        seconds = deployment["spec"].get("minReadySeconds", 0)
        if notes != before or spec.get("minReadySeconds", 0) != seconds:
            spec = {k: v for k, v in spec.items() if k != "minReadySeconds"}
            if seconds:
                spec["minReadySeconds"] = seconds
            changed = {**new, "metadata": {**meta, "annotations": notes}, "spec": spec}
            new = self._api.update("replicasets", changed, user=USER)
        status = deployment.get("status") or {}
        if (
            progress.deadline(deployment) is not None
            and podstatus.condition(deployment, progress.PROGRESSING) is None
        ):
            text = f'Found new replica set "{meta["name"]}"'
            condition = progress.new_condition(
                progress.PROGRESSING, "True", "FoundNewReplicaSet", text, self._clock.timestamp()
            )
            status = progress.with_condition(status, condition)
        deployment = self._write(deployment, status, notes.get(counting.REVISION, ""))
        return deployment, new, old

    def _created(self, deployment: JSON, old: list[JSON]) -> tuple[JSON, JSON]:
        """A ReplicaSet for the template as it is now."""
        revision = str(max(map(counting.revision, old), default=0) + 1)
        new = self._drafted(deployment, old, int(revision))
        name = new["metadata"]["name"]
        namespace = deployment["metadata"]["namespace"]
        try:
            made = self._api.create("replicasets", new, namespace=namespace, user=USER)
        except APIError as error:
            if error.reason == "AlreadyExists":
                collisions = (deployment.get("status") or {}).get("collisionCount", 0) + 1
                status = {**(deployment.get("status") or {}), "collisionCount": collisions}
                self._write(deployment, status)
            elif not namespace_is_terminating(error):
                text = f'Failed to create new replica set "{name}": {error.message}'
                if progress.deadline(deployment) is not None:
                    self._with_condition(deployment, "False", "ReplicaSetCreateError", text)
                self._recorder.event(reference(deployment), WARNING, "ReplicaSetCreateError", text)
            raise
        if size := counting.replicas(made):
            self._scaled(deployment, "up", name, 0, size)
        status = deployment.get("status") or {}
        if progress.deadline(deployment) is not None:
            condition = progress.new_condition(
                progress.PROGRESSING,
                "True",
                "NewReplicaSetCreated",
                f'Created new replica set "{name}"',
                self._clock.timestamp(),
            )
            status = progress.with_condition(status, condition)
        return self._write(deployment, status, revision), made

    def _drafted(self, deployment: JSON, old: list[JSON], revision: int) -> JSON:
        meta, spec = deployment["metadata"], deployment["spec"]
        collisions = (deployment.get("status") or {}).get("collisionCount")
        hashed = {counting.HASH: digest(spec["template"], collisions)}
        template = spec["template"]
        labels = {**(template["metadata"].get("labels") or {}), **hashed}
        selector = spec["selector"]
        exact = {**(selector.get("matchLabels") or {}), **hashed}
        suffix = f"-{hashed[counting.HASH]}"
        new: JSON = {
            "metadata": {
                "name": meta["name"][: _LONGEST_NAME - len(suffix)] + suffix,
                "namespace": meta["namespace"],
                "labels": labels,
                "ownerReferences": [controller_reference(deployment)],
                "annotations": {
                    **counting.revision_annotations(deployment, {}, revision),
                    **counting.scale_annotations(deployment),
                },
            },
            "spec": {
                "replicas": 0,
                "selector": {**selector, "matchLabels": exact},
                "template": {**template, "metadata": {**template["metadata"], "labels": labels}},
            },
        }
        if seconds := spec.get("minReadySeconds", 0):
            new["spec"]["minReadySeconds"] = seconds
        new["spec"]["replicas"] = counting.new_replicas(deployment, [*old, new], new)
        return new

    def _resize(self, deployment: JSON, each: JSON, size: int) -> JSON:
        """Scale a ReplicaSet; the ReplicaSet as it is then."""
        meta = each["metadata"]
        before = counting.replicas(each)
        notes = {**(meta.get("annotations") or {}), **counting.scale_annotations(deployment)}
        if size == before and notes == meta.get("annotations"):
            return each
        new = {
            **each,
            "metadata": {**meta, "annotations": notes},
            "spec": {**each["spec"], "replicas": size},
        }
        stored = self._api.update("replicasets", new, user=USER)
        if size != before:
            self._scaled(deployment, "up" if size > before else "down", meta["name"], before, size)
        return stored

    def _scaled(self, deployment: JSON, way: str, name: str, before: int, after: int) -> None:
        text = f"Scaled {way} replica set {name} from {before} to {after}"
        self._recorder.event(reference(deployment), NORMAL, "ScalingReplicaSet", text)

    def _resized(self, deployment: JSON, each: JSON, size: int) -> JSON:
        """As `_resize`, but what has the size is left alone."""
        return each if counting.replicas(each) == size else self._resize(deployment, each, size)

    # Scaling, rolling, recreating

    def _scale(
        self, deployment: JSON, new: JSON | None, old: list[JSON]
    ) -> tuple[JSON | None, list[JSON]]:
        """Scale when the Deployment itself was scaled, in proportion if a rollout is under way."""
        one = counting.active_or_latest(new, old)
        changed: list[tuple[JSON, JSON]] = []
        if one is not None:
            changed = [(one, self._resized(deployment, one, counting.replicas(deployment)))]
        elif counting.is_saturated(deployment, new):
            changed = [(o, self._resized(deployment, o, 0)) for o in counting.active(old)]
        elif counting.is_rolling(deployment):
            sizes = counting.proportional(deployment, counting.active([*old, new]))
            changed = [(each, self._resize(deployment, each, size)) for each, size in sizes]
        stored = {before["metadata"]["uid"]: after for before, after in changed}
        if new is not None:
            new = stored.get(new["metadata"]["uid"], new)
        return new, [stored.get(each["metadata"]["uid"], each) for each in old]

    def _roll(self, deployment: JSON, new: JSON | None, old: list[JSON]) -> None:
        if new is None:
            deployment, new = self._created(deployment, old)
        wanted, size = counting.replicas(deployment), counting.replicas(new)
        if size != wanted:
            if size < wanted:
                wanted = counting.new_replicas(deployment, [*old, new], new)
            if size != wanted:
                new = self._resize(deployment, new, wanted)
                self._report(deployment, old, new)
                return
        replaced = self._shrunk(deployment, new, old)
        if replaced == old and progress.complete(deployment, deployment.get("status") or {}):
            self._clean_up(deployment, old)
        self._report(deployment, replaced, new)

    def _shrunk(self, deployment: JSON, new: JSON, old: list[JSON]) -> list[JSON]:
        """The old ReplicaSets, smaller by what the available pods allow: unhealthy pods first."""
        floor = counting.replicas(deployment) - counting.max_unavailable(deployment)
        unavailable = counting.replicas(new) - counting.counted([new], "availableReplicas")
        most = counting.total([*old, new]) - floor - unavailable
        if not counting.total(old) or most <= 0:
            return old
        result = list(old)
        for place, each in enumerate(result):
            size = counting.replicas(each)
            sick = size - counting.counted([each], "availableReplicas")
            if size and sick < 0:
                # Its status is older than its size: the real controller gives up here as well.
                return old
            less = min(most, sick)
            if size and less > 0:
                result[place] = self._resized(deployment, each, size - less)
                most -= less
        spare = counting.counted([*result, new], "availableReplicas") - floor
        for place, each in enumerate(result):
            size = counting.replicas(each)
            less = min(size, spare)
            if less > 0:
                result[place] = self._resized(deployment, each, size - less)
                spare -= less
        return result

    def _recreate(self, deployment: JSON, new: JSON | None, old: list[JSON]) -> None:
        shrunk = [self._resized(deployment, each, 0) for each in old]
        if shrunk != old or self._old_pods_run(shrunk):
            self._report(deployment, shrunk, new)
            return
        if new is None:
            deployment, new = self._created(deployment, old)
        new = self._resized(deployment, new, counting.replicas(deployment))
        if progress.complete(deployment, deployment.get("status") or {}):
            self._clean_up(deployment, old)
        self._report(deployment, old, new)

    def _old_pods_run(self, old: list[JSON]) -> bool:
        if counting.counted(old, "replicas"):
            return True
        pods = (pod for each in old for pod in self._pods.owned(each["metadata"]["uid"]))
        return any(not podstatus.ended(pod) for pod in pods)

    # Ends

    def _clean_up(self, deployment: JSON, old: list[JSON]) -> None:
        for each in counting.superfluous(deployment, old):
            meta = each["metadata"]
            try:
                self._api.delete("replicasets", meta["namespace"], meta["name"], user=USER)
            except APIError as error:
                if error.code != 404:
                    raise

    def _write_numbers(self, deployment: JSON, old: list[JSON], new: JSON | None) -> None:
        sets = old if new is None else [*old, new]
        status = progress.calculated(deployment, sets, new, self._clock.timestamp())
        self._write(deployment, self._with_terminating(status, sets))

    def _with_terminating(self, status: JSON, sets: list[JSON]) -> JSON:
        """The status with the pods that are going, if all ReplicaSets say how many they have."""
        reports = [each.get("status") or {} for each in sets]
        seen = [each for each in reports if each.get("observedGeneration") or _TERMINATING in each]
        if not self._counts_terminating or any(_TERMINATING not in each for each in seen):
            return status
        return {**status, _TERMINATING: sum(each[_TERMINATING] for each in seen)}

    def _report(self, deployment: JSON, old: list[JSON], new: JSON | None) -> None:
        sets = old if new is None else [*old, new]
        now = self._clock.unix_time
        status = progress.during_rollout(deployment, sets, new, now, self._clock.timestamp())
        status = self._with_terminating(status, sets)
        if status != deployment.get("status"):
            self._write(deployment, status)
        elif (seconds := progress.check_in(deployment, status, now)) is not None:
            self._queue.add_after(key_of(deployment), seconds)


def _is_scaled(deployment: JSON, sets: list[JSON | None]) -> bool:
    """Whether the Deployment was scaled since its ReplicaSets were."""
    wanted = counting.replicas(deployment)
    desired = [counting.desired_annotation(each) for each in counting.active(sets)]
    return any(found is not None and found != wanted for found in desired)
