"""PodDisruptionBudgets: how many pods may be missing, from what their owners ask for.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/controller/disruption/disruption.go
"""

from typing import NamedTuple

from hourglass_kube import time
from hourglass_kube.selector_index import SelectorIndex
from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIServer
from hourglass_simulator.apiserver.disruption_budget import with_disruptions_allowed
from hourglass_simulator.clock import Clock
from hourglass_simulator.controllers import podstatus
from hourglass_simulator.controllers.informer import Informers, controller_of, key_of
from hourglass_simulator.controllers.intorpercent import scaled
from hourglass_simulator.controllers.workqueue import Key, WorkQueue
from hourglass_simulator.recorder import NORMAL, WARNING, EventRecorder, reference

USER = "system:serviceaccount:kube-system:disruption-controller"
DELETION_SECONDS = 120.0
"""How long an evicted pod counts as missing though it is not being deleted."""
STALE_SECONDS = 120.0
"""How long a pod that stays may bear the condition DisruptionTarget."""

_SCALED = {
    ("ReplicationController", "v1"): "replicationcontrollers",
    ("ReplicaSet", "apps/v1"): "replicasets",
    ("StatefulSet", "apps/v1"): "statefulsets",
}


class UnknownScaleError(Exception):
    """The owner of a pod has no scale, or does not exist."""


class Expected(NamedTuple):
    """How many pods there should be, how many of them healthy, and which have no owner."""

    pods: int
    healthy: int
    unmanaged: list[str]


class PodDisruptionBudgetController:
    """Knows the pods of each budget by their labels."""

    def __init__(self, clock: Clock, api: APIServer, informers: Informers) -> None:
        self._clock = clock
        self._api = api
        self._recorder = EventRecorder(clock, api, "controllermanager")
        self._queue = WorkQueue(clock, self._sync)
        self._stale = WorkQueue(clock, self._reset)
        self._selectors = SelectorIndex()
        self._members: dict[Key, dict[Key, None]] = {}
        self._informers = informers
        self._budgets = informers.of("poddisruptionbudgets")
        self._pods = informers.of("pods")
        self._budgets.on_change(self._budget_changed)
        self._pods.on_change(self._pod_changed)

    def _budget_changed(self, before: JSON | None, after: JSON | None) -> None:
        budget = after or before
        assert budget is not None
        key = key_of(budget)
        self._queue.add(key)
        if after is None:
            self._selectors.remove(key)
            self._members.pop(key, None)
        elif before is None or before["spec"] != after["spec"]:
            self._selectors.set(key, after["spec"].get("selector"))
            found = {
                key_of(pod): None for pod in self._pods.namespaced(key[0]) if key in self._of(pod)
            }
            self._members[key] = found

    def _of(self, pod: JSON) -> list[Key]:
        meta = pod["metadata"]
        return list(self._selectors.matching(meta["namespace"], meta.get("labels") or {}))

    def _pod_changed(self, before: JSON | None, after: JSON | None) -> None:
        if after is not None and _has_stale_target(after):
            self._stale.add_after(key_of(after), STALE_SECONDS)
        if not self._members:
            return
        old = self._of(before) if before is not None else []
        new = self._of(after) if after is not None else []
        pod = after or before
        assert pod is not None
        for key in old:
            if key not in new:
                self._members[key].pop(key_of(pod), None)
                self._queue.add(key)
        for key in new:
            self._members[key][key_of(pod)] = None
        if new:
            self._queue.add(new[0])
        if len(new) > 1:
            name, chosen = pod["metadata"]["name"], new[0][1]
            text = f'Pod "{new[0][0]}"/"{name}" matches multiple PodDisruptionBudgets.  '
            text += f'Chose "{chosen}" arbitrarily.'
            self._recorder.event(reference(pod), WARNING, "MultiplePodDisruptionBudgets", text)

    # One pass

    def _sync(self, key: Key) -> None:
        budget = self._budgets.get(*key)
        if budget is None:
            return
        pods = [self._pods.objects[each] for each in self._members.get(key, ())]
        about = reference(budget)
        if not pods:
            self._recorder.event(about, NORMAL, "NoPods", "No matching pods found")
        try:
            expected = self._expected(budget, pods)
        except UnknownScaleError as error:
            text = f"Failed to calculate the number of expected pods: {error}"
            self._recorder.event(about, WARNING, "CalculateExpectedPodCountFailed", text)
            self._write(budget, self._failed(budget, str(error)))
            return
        if expected.unmanaged:
            text = f"Pods selected by this PodDisruptionBudget (selector: {_go(budget)}) were"
            text += " found to be unmanaged. As a result, the status of the PDB cannot be"
            text += " calculated correctly, which may result in undefined behavior. To account"
            text += ' for these pods please set ".spec.minAvailable" field of the PDB to an'
            text += " integer value."
            self._recorder.event(about, WARNING, "UnmanagedPods", text)
        disrupted = self._disrupted(budget, pods)
        healthy = sum(
            podstatus.ready(pod)
            and not podstatus.terminating(pod)
            and pod["metadata"]["name"] not in disrupted
            for pod in pods
        )
        self._write(budget, _status(budget, healthy, expected, disrupted, self._clock.timestamp()))
        if disrupted:
            since = min(time.parse(when).timestamp() for when in disrupted.values())
            left = since + DELETION_SECONDS - self._clock.unix_time
            self._queue.add_after(key, max(0.0, left) + 1.0)

    def _write(self, budget: JSON, status: JSON) -> None:
        if status != budget.get("status"):
            new = {**budget, "status": status}
            self._api.update("poddisruptionbudgets", new, subresource="status", user=USER)

    def _disrupted(self, budget: JSON, pods: list[JSON]) -> dict[str, str]:
        """Pods that were evicted a short while ago and are not yet being deleted, with when."""
        known = (budget.get("status") or {}).get("disruptedPods") or {}
        found = {}
        for pod in pods:
            name = pod["metadata"]["name"]
            if name not in known or podstatus.terminating(pod):
                continue
            over = time.parse(known[name]).timestamp() + DELETION_SECONDS
            if over < self._clock.unix_time:
                namespace = budget["metadata"]["namespace"]
                # The real message has the namespace in the place of the budget's name as well.
                text = (
                    f"Pod was expected by PDB {namespace}/{namespace} to be deleted but it wasn't"
                )
                self._recorder.event(reference(pod), WARNING, "NotDeleted", text)
            else:
                found[name] = known[name]
        return found

    def _failed(self, budget: JSON, why: str) -> JSON:
        before = budget.get("status") or {}
        status = {**before, "disruptionsAllowed": 0}
        return with_disruptions_allowed(
            status, ("False", "SyncFailed", why), self._clock.timestamp()
        )

    def _expected(self, budget: JSON, pods: list[JSON]) -> Expected:
        spec = budget["spec"]
        if spec.get("maxUnavailable") is not None:
            count, unmanaged = self._scale(pods)
            missing = scaled(spec["maxUnavailable"], count, up=True)
            return Expected(count, max(0, count - missing), unmanaged)
        least = spec.get("minAvailable")
        if isinstance(least, str):
            count, unmanaged = self._scale(pods)
            return Expected(count, scaled(least, count, up=True), unmanaged)
        return Expected(len(pods) if least is not None else 0, least or 0, [])

    def _scale(self, pods: list[JSON]) -> tuple[int, list[str]]:
        """What the owners of pods ask for, and the pods without one."""
        scales: dict[str, int] = {}
        seen: set[str] = set()
        unmanaged = []
        for pod in pods:
            owner = controller_of(pod)
            if owner is None:
                unmanaged.append(pod["metadata"]["name"])
            elif owner["uid"] not in seen and owner["uid"] not in scales:
                seen.add(owner["uid"])
                uid, count = self._scale_of(owner, pod)
                scales[uid] = count
        return sum(scales.values()), unmanaged

    def _scale_of(self, owner: JSON, pod: JSON) -> tuple[str, int]:
        namespace = pod["metadata"]["namespace"]
        plural = _SCALED.get((owner["kind"], owner["apiVersion"]))
        if plural is None:
            raise UnknownScaleError(self._without_scale(owner))
        found = self._informers.of(plural).get(namespace, owner["name"])
        if found is not None and found["metadata"]["uid"] == owner["uid"]:
            above = controller_of(found)
            if above is not None and above["kind"] == "Deployment":
                found = self._informers.of("deployments").get(namespace, above["name"])
                if found is not None and found["metadata"]["uid"] != above["uid"]:
                    found = None
            if found is not None:
                return found["metadata"]["uid"], found["spec"].get("replicas", 1)
        raise UnknownScaleError(f'found no controllers for pod "{pod["metadata"]["name"]}"')

    def _without_scale(self, owner: JSON) -> str:
        group = owner["apiVersion"].rpartition("/")[0]
        for resource in self._api.resources():
            if (resource.kind, resource.group) == (owner["kind"], group):
                return f"{resource.qualified} does not implement the scale subresource"
        return f'no matches for kind "{owner["kind"]}" in version "{owner["apiVersion"]}"'

    # Conditions that were set in vain

    def _reset(self, key: Key) -> None:
        pod = self._pods.get(*key)
        if pod is None or not _has_stale_target(pod):
            return
        found = podstatus.condition(pod, "DisruptionTarget")
        assert found is not None
        since = time.parse(found["lastTransitionTime"]).timestamp()
        left = since + STALE_SECONDS - self._clock.unix_time
        if left > 0:
            self._stale.add_after(key, left)
            return
        off: JSON = {
            "type": "DisruptionTarget",
            "status": "False",
            "lastProbeTime": None,
            "lastTransitionTime": self._clock.timestamp(),
        }
        if "observedGeneration" in found:
            off["observedGeneration"] = pod["metadata"].get("generation", 1)
        conditions = [off if c is found else c for c in pod["status"]["conditions"]]
        status = {**pod["status"], "conditions": conditions}
        self._api.set_status("pods", *key, status, user=USER)


def _has_stale_target(pod: JSON) -> bool:
    if podstatus.terminating(pod) or podstatus.ended(pod):
        return False
    found = podstatus.condition(pod, "DisruptionTarget")
    return (
        found is not None
        and found["status"] == "True"
        and found.get("reason") != "TerminationByKubelet"
    )


def _status(
    budget: JSON, healthy: int, expected: Expected, disrupted: dict[str, str], now: str
) -> JSON:
    allowed = max(0, healthy - expected.healthy) if expected.pods > 0 else 0
    status: JSON = {
        "observedGeneration": budget["metadata"].get("generation", 1),
        "disruptionsAllowed": allowed,
        "currentHealthy": healthy,
        "desiredHealthy": expected.healthy,
        "expectedPods": expected.pods,
    }
    before = budget.get("status") or {}
    if disrupted:
        status["disruptedPods"] = disrupted
    if before.get("conditions"):
        status["conditions"] = before["conditions"]
    return with_disruptions_allowed(status, None, now)


def _go(budget: JSON) -> str:
    """The selector as Go prints it."""
    selector = budget["spec"].get("selector")
    if selector is None:
        return "nil"
    labels = "".join(f"{k}: {v}," for k, v in sorted((selector.get("matchLabels") or {}).items()))
    expressions = "".join(
        f"LabelSelectorRequirement{{Key:{e['key']},Operator:{e['operator']},"
        f"Values:[{' '.join(e.get('values') or ())}],}},"
        for e in selector.get("matchExpressions") or ()
    )
    return (
        f"&LabelSelector{{MatchLabels:map[string]string{{{labels}}},"
        f"MatchExpressions:[]LabelSelectorRequirement{{{expressions}}},}}"
    )
