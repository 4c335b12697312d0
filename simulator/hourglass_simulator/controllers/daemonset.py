"""DaemonSets: a pod on every node that suits it.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/controller/daemon/daemon_controller.go
"""

from hourglass_kube.selector import compile_selector
from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIError, APIServer, CallTimeoutError
from hourglass_simulator.clock import Clock
from hourglass_simulator.controllers import daemonset_pods as daemons
from hourglass_simulator.controllers import podstatus
from hourglass_simulator.controllers.enqueue import enqueue_owner, enqueue_selecting
from hourglass_simulator.controllers.hashes import digest
from hourglass_simulator.controllers.history import ordered, patch_of
from hourglass_simulator.controllers.informer import Informers, key_of
from hourglass_simulator.controllers.podcontrol import (
    PodControl,
    controller_reference,
    namespace_is_terminating,
    pod_of_template,
)
from hourglass_simulator.controllers.workqueue import Key, RetryError, WorkQueue
from hourglass_simulator.recorder import NORMAL, WARNING, EventRecorder, reference

USER = "system:serviceaccount:kube-system:daemon-set-controller"
BURST = 250
"""Pods that one sync creates or deletes."""
BACKOFF_SECONDS = 1.0
LONGEST_BACKOFF_SECONDS = 900.0
"""Between two deletions of failed pods on a node; twice as long each time."""


class DaemonSetController:
    """Remembers for each DaemonSet on which nodes its pods fit."""

    def __init__(self, clock: Clock, api: APIServer, informers: Informers) -> None:
        self._clock = clock
        self._api = api
        self._recorder = EventRecorder(clock, api, "daemonset-controller")
        self._control = PodControl(api, self._recorder, USER)
        self._queue = WorkQueue(clock, self._sync)
        self._placements: dict[Key, tuple[JSON, daemons.Placements]] = {}
        self._backoff: dict[tuple[str, str], tuple[float, float]] = {}
        self._sets = informers.of("daemonsets")
        self._pods = informers.of("pods")
        self._nodes = informers.of("nodes")
        self._revisions = informers.of("controllerrevisions")
        self._sets.on_change(self._changed)
        self._pods.on_owned("DaemonSet", enqueue_owner(self._queue))
        self._pods.on_orphan(enqueue_selecting(self._queue, self._sets))
        self._nodes.on_change(self._node_changed)

    def _changed(self, before: JSON | None, after: JSON | None) -> None:
        obj = after or before
        assert obj is not None
        if after is None:
            self._placements.pop(key_of(obj), None)
        self._queue.add(key_of(obj))

    def _node_changed(self, before: JSON | None, after: JSON | None) -> None:
        if not self._sets.objects:
            return
        if before is not None and after is not None:
            same = before["metadata"].get("labels") == after["metadata"].get("labels")
            if same and before["spec"] == after["spec"]:
                return
        for key in self._sets.objects:
            self._queue.add(key)

    # One pass

    def _sync(self, key: Key) -> None:
        owner = self._sets.get(*key)
        if owner is None or "deletionTimestamp" in owner["metadata"]:
            return
        if not owner["spec"]["selector"]:
            why = "This daemon set is selecting all pods. A non-empty selector is required."
            self._recorder.event(reference(owner), WARNING, "SelectingAll", why)
            return
        current, old = self._history(owner)
        revision = current["metadata"]["labels"][daemons.REVISION]
        failure: APIError | CallTimeoutError | None = None
        try:
            self._manage(owner, revision)
            if (owner["spec"].get("updateStrategy") or {}).get("type") == "RollingUpdate":
                self._roll(owner, revision)
            self._truncate(owner, old)
        except (APIError, CallTimeoutError) as error:
            failure = error
        self._report(owner, revision)
        if failure is not None:
            raise failure

    def _by_node(self, owner: JSON) -> dict[str, list[JSON]]:
        """The pods of each node, without those that have ended and are being deleted."""
        pods = self._control.claim(
            "pods",
            owner,
            compile_selector(owner["spec"]["selector"]),
            self._pods.owned(owner["metadata"]["uid"]),
            self._pods.orphans(owner["metadata"]["namespace"]),
        )
        found: dict[str, list[JSON]] = {}
        for pod in pods:
            if podstatus.ended(pod) and podstatus.terminating(pod):
                continue
            if node := daemons.target(pod):
                found.setdefault(node, []).append(pod)
        return found

    def _placed(self, owner: JSON) -> dict[str, daemons.Placement]:
        spec = owner["spec"]["template"]["spec"]
        key = key_of(owner)
        known = self._placements.get(key)
        if known is None or known[0] is not spec:
            known = self._placements[key] = (spec, daemons.Placements(spec))
        placements = known[1]
        return {name: placements.of(node) for (_, name), node in self._nodes.objects.items()}

    def _available(self, owner: JSON) -> daemons.Available:
        seconds, now = owner["spec"].get("minReadySeconds", 0), self._clock.unix_time
        return lambda pod: podstatus.available(pod, seconds, now)

    def _manage(self, owner: JSON, revision: str) -> None:
        by_node, placements = self._by_node(owner), self._placed(owner)
        available = self._available(owner)
        nodes: list[str] = []
        doomed: list[JSON] = []
        for node, placement in placements.items():
            pods = by_node.get(node, ())
            doomed += [pod for pod in daemons.ended(placement, pods) if self._gives_up(owner, pod)]
            changes = daemons.superfluous_and_missing(
                owner, node, placement, pods, revision, available
            )
            nodes += changes.nodes
            doomed += changes.pods
        for node, pods in by_node.items():
            if node not in placements:
                # Nobody else deletes pods that were never bound to the node that is gone.
                doomed += [pod for pod in pods if not pod["spec"].get("nodeName")]
        self._apply(owner, daemons.Changes(nodes, doomed), revision)

    def _gives_up(self, owner: JSON, pod: JSON) -> bool:
        """Whether an ended pod is deleted now; failed ones of a node only now and then."""
        meta, node = pod["metadata"], daemons.target(pod)
        what = f"daemon pod {meta['namespace']}/{meta['name']} on node {node}"
        about = reference(owner)
        if podstatus.phase(pod) == "Succeeded":
            text = f"Found succeeded {what}, will try to delete it"
            self._recorder.event(about, NORMAL, "SucceededDaemonPod", text)
            return True
        key, now = (owner["metadata"]["uid"], node), self._clock.now
        since, wait = self._backoff.get(key, (now, 0.0))
        if wait and now - since < wait:
            self._queue.add_after(key_of(owner), wait)
            return False
        if now - since > 2 * LONGEST_BACKOFF_SECONDS:
            wait = 0.0
        longer = min(2 * wait, LONGEST_BACKOFF_SECONDS) if wait else BACKOFF_SECONDS
        self._backoff[key] = (now, longer)
        text = f"Found failed {what}, will try to kill it"
        self._recorder.event(about, WARNING, "FailedDaemonPod", text)
        return True

    def _roll(self, owner: JSON, revision: str) -> None:
        changes = daemons.rolled(
            owner, self._placed(owner), self._by_node(owner), revision, self._available(owner)
        )
        self._apply(owner, changes, revision)

    def _apply(self, owner: JSON, changes: daemons.Changes, revision: str) -> None:
        failure: APIError | CallTimeoutError | None = None
        template = owner["spec"]["template"]
        meta = template.get("metadata") or {}
        notes = owner["metadata"].get("annotations") or {}
        labels = {**(meta.get("labels") or {}), daemons.REVISION: revision}
        if daemons.TEMPLATE_GENERATION in notes:
            labels[daemons.GENERATION] = notes[daemons.TEMPLATE_GENERATION]
        spec = daemons.with_tolerations(template["spec"])
        for node in changes.nodes[:BURST]:
            bound = daemons.bound_to(spec, node)
            drafted = {"metadata": {**meta, "labels": labels}, "spec": bound}
            try:
                self._control.create(owner, pod_of_template(drafted, owner))
            except (APIError, CallTimeoutError) as error:
                if not namespace_is_terminating(error):
                    failure = error
                    break
        for pod in changes.pods[:BURST]:
            try:
                self._control.delete(owner, pod)
            except (APIError, CallTimeoutError) as error:
                failure = failure or error
        if failure is not None:
            raise failure
        if len(changes.nodes) > BURST or len(changes.pods) > BURST:
            self._queue.add(key_of(owner))

    # Revisions

    def _history(self, owner: JSON) -> tuple[JSON, list[JSON]]:
        """The revision of the template as it is, numbered as the newest, and the old ones."""
        revisions = self._control.claim(
            "controllerrevisions",
            owner,
            compile_selector(owner["spec"]["selector"]),
            self._revisions.owned(owner["metadata"]["uid"]),
            self._revisions.orphans(owner["metadata"]["namespace"]),
        )
        data = patch_of(owner)
        matching = ordered([each for each in revisions if each["data"] == data])
        old = [each for each in revisions if each["data"] != data]
        number = max((each["revision"] for each in old), default=0) + 1
        if not matching:
            return self._snapshot(owner, data, number), old
        current = matching[-1]
        if current["revision"] < number:
            new = {**current, "revision": number}
            current = self._api.update("controllerrevisions", new, user=USER)
        return current, old

    def _snapshot(self, owner: JSON, data: JSON, number: int) -> JSON:
        meta, template = owner["metadata"], owner["spec"]["template"]
        collisions = (owner.get("status") or {}).get("collisionCount")
        hashed = digest(template, collisions)
        labels = {**(template["metadata"].get("labels") or {}), daemons.REVISION: hashed}
        new: JSON = {
            "metadata": {
                "name": f"{meta['name']}-{hashed}",
                "labels": labels,
                "annotations": meta.get("annotations") or {},
                "ownerReferences": [controller_reference(owner)],
            },
            "data": data,
            "revision": number,
        }
        try:
            return self._api.create(
                "controllerrevisions", new, namespace=meta["namespace"], user=USER
            )
        except APIError as error:
            if error.reason != "AlreadyExists":
                raise
            status = {**(owner.get("status") or {}), "collisionCount": (collisions or 0) + 1}
            self._api.set_status("daemonsets", *key_of(owner), status, user=USER)
            raise RetryError(str(error)) from None

    def _truncate(self, owner: JSON, old: list[JSON]) -> None:
        extra = len(old) - owner["spec"].get("revisionHistoryLimit", 10)
        if extra <= 0:
            return
        pods = self._pods.owned(owner["metadata"]["uid"])
        live = {(pod["metadata"].get("labels") or {}).get(daemons.REVISION) for pod in pods}
        for each in ordered(old):
            if extra <= 0:
                return
            meta = each["metadata"]
            if meta["labels"].get(daemons.REVISION) in live:
                continue
            self._api.delete("controllerrevisions", meta["namespace"], meta["name"], user=USER)
            extra -= 1

    # Status

    def _report(self, owner: JSON, revision: str) -> None:
        by_node, placements = self._by_node(owner), self._placed(owner)
        available = self._available(owner)
        wanted = [node for node, placement in placements.items() if placement.should_run]
        shown = [daemons.oldest_first(by_node[node])[0] for node in wanted if by_node.get(node)]
        ready = [pod for pod in shown if podstatus.ready(pod)]
        there = sum(available(pod) for pod in ready)
        misplaced = [n for n, p in placements.items() if not p.should_run and by_node.get(n)]
        status: JSON = {
            "currentNumberScheduled": len(shown),
            "numberMisscheduled": len(misplaced),
            "desiredNumberScheduled": len(wanted),
            "numberReady": len(ready),
        }
        more = {
            "observedGeneration": owner["metadata"].get("generation", 0),
            "updatedNumberScheduled": sum(daemons.is_updated(owner, p, revision) for p in shown),
            "numberAvailable": there,
            "numberUnavailable": len(wanted) - there,
        }
        status |= {field: number for field, number in more.items() if number}
        before = owner.get("status") or {}
        for kept in ("collisionCount", "conditions"):
            if kept in before:
                status[kept] = before[kept]
        if status != before:
            self._api.set_status("daemonsets", *key_of(owner), status, user=USER)
        seconds, now = owner["spec"].get("minReadySeconds", 0), self._clock.unix_time
        waits = [podstatus.available_in(pod, seconds, now) for pod in ready]
        if pending := [wait for wait in waits if wait]:
            self._queue.add_after(key_of(owner), min(pending))
