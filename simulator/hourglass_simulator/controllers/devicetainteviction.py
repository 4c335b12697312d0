"""Deletes pods whose devices have NoExecute taints that their claims do not tolerate any more.

https://github.com/kubernetes/kubernetes/blob/v1.37.2/pkg/controller/devicetainteviction/device_taint_eviction.go
"""

from collections import Counter
from collections.abc import Iterator

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIServer, WatchEvent
from hourglass_simulator.clock import Clock, Timer
from hourglass_simulator.controllers.devicetaints import DeviceTaints, Eviction, condition
from hourglass_simulator.controllers.disruption import disrupted
from hourglass_simulator.controllers.lookup import find
from hourglass_simulator.controllers.resourceclaims import claims_of
from hourglass_simulator.controllers.workqueue import Key, WorkQueue
from hourglass_simulator.recorder import NORMAL, EventRecorder, reference
from hourglass_simulator.scheduler.devicetaints import NO_EXECUTE, matches

USER = "system:serviceaccount:kube-system:device-taint-eviction-controller"
STATUS_SECONDS = 10.0
"""The status of a rule is written no more often."""


class DeviceTaintEviction:
    """Holds a timer for each pod that has to go, and says of each rule how far that is."""

    def __init__(self, clock: Clock, api: APIServer) -> None:
        self._clock = clock
        self._api = api
        self._recorder = EventRecorder(clock, api, "device-taint-eviction")
        self._taints = DeviceTaints()
        self._claims: dict[Key, JSON] = {}
        """Those that are allocated."""
        self._due: dict[Key, tuple[Eviction, Timer]] = {}
        """By the pod that has to go."""
        self._evicted: Counter[str] = Counter()
        """Pods that went, by the uid of the rule."""
        self._pods = WorkQueue(clock, self._evict)
        self._rules = WorkQueue(clock, self._report)
        api.watch("resourceslices", sink=self._slice_event)
        api.watch("devicetaintrules", sink=self._rule_event)
        api.watch("resourceclaims", sink=self._claim_event)
        api.watch("pods", sink=self._pod_event)

    def _slice_event(self, event: WatchEvent) -> None:
        if self._taints.take_slice(event):
            self._consider_all()

    def _rule_event(self, event: WatchEvent) -> None:
        changed = self._taints.take_rule(event)
        if event.type == "ADDED" or (event.type == "MODIFIED" and changed):
            self._rules.add(("", event.object["metadata"]["name"]))
        if changed:
            self._consider_all()

    def _claim_event(self, event: WatchEvent) -> None:
        claim = event.object
        key = _key(claim)
        before = self._claims.pop(key, None)
        if event.type != "DELETED" and (claim.get("status") or {}).get("allocation"):
            self._claims[key] = claim
        if self._taints or self._due:
            self._consider_users(before)
            self._consider_users(self._claims.get(key))

    def _pod_event(self, event: WatchEvent) -> None:
        if not (self._taints or self._due):
            return
        if event.type == "DELETED":
            self._keep(_key(event.object))
        else:
            self._consider(event.object)

    def _consider_all(self) -> None:
        for claim in list(self._claims.values()):
            self._consider_users(claim)

    def _consider_users(self, claim: JSON | None) -> None:
        for user in ((claim or {}).get("status") or {}).get("reservedFor") or ():
            namespace = (claim or {})["metadata"]["namespace"]
            pod = find(self._api, "pods", (namespace, user["name"]), USER)
            if pod is not None and pod["metadata"]["uid"] == user["uid"]:
                self._consider(pod)

    def _consider(self, pod: JSON) -> None:
        key, eviction = _key(pod), self._eviction(pod)
        if eviction is None:
            if self._keep(key) and "deletionTimestamp" not in pod["metadata"]:
                self._record(pod, "Cancelling deletion")
            return
        known = self._due.get(key)
        if known is not None and known[0] == eviction:
            return
        if known is not None:
            known[1].cancel()
        delay = max(0.0, eviction.when - self._clock.epoch - self._clock.now)
        timer = self._clock.after(delay, lambda: self._pods.add(key))
        self._due[key] = (eviction, timer)
        for name in self._names(eviction):
            self._rules.add_after(("", name), STATUS_SECONDS)

    def _keep(self, key: Key) -> bool:
        """A pod need not go any more; returns whether it had to."""
        known = self._due.pop(key, None)
        if known is not None:
            known[1].cancel()
        return known is not None

    def _eviction(self, pod: JSON) -> Eviction | None:
        if not pod["spec"].get("nodeName") or "deletionTimestamp" in pod["metadata"]:
            return None
        found: Eviction | None = None
        for name in claims_of(pod):
            claim = self._claims.get((pod["metadata"]["namespace"], name))
            users = (claim or {}).get("status", {}).get("reservedFor") or ()
            if claim is None or all(user["uid"] != pod["metadata"]["uid"] for user in users):
                continue
            one = self._taints.eviction(claim["status"]["allocation"])
            found = found.joined(one) if found and one else found or one
        return found

    def _evict(self, key: Key) -> None:
        known = self._due.get(key)
        if known is None:
            return
        namespace, name = key
        pod = find(self._api, "pods", key, USER)
        if pod is None or "deletionTimestamp" in pod["metadata"]:
            self._due.pop(key, None)
            return
        self._record(pod, "Marking for deletion")
        status = disrupted(
            pod,
            "DeletionByDeviceTaintManager",
            "Device Taint manager: deleting due to NoExecute taint",
            self._clock.timestamp(),
        )
        self._api.set_status("pods", namespace, name, status, user=USER)
        self._api.delete("pods", namespace, name, uid=pod["metadata"]["uid"], user=USER)
        self._due.pop(key, None)
        for rule in known[0].rules:
            self._evicted[rule] += 1
        for rule_name in self._names(known[0]):
            self._rules.add_after(("", rule_name), STATUS_SECONDS)

    def _report(self, key: Key) -> None:
        """Write the status of a rule."""
        rule = find(self._api, "devicetaintrules", key, USER)
        if rule is None:
            return
        conditions = (rule.get("status") or {}).get("conditions") or []
        mine = [c for c in conditions if c["type"] == "EvictionInProgress"]
        before: JSON = mine[0] if mine else {}
        pending = list(self._pending(rule))
        found = condition(
            rule,
            self._evicted[rule["metadata"]["uid"]],
            len(pending),
            len({namespace for namespace, _ in pending}),
            self._selected(rule),
        )
        if all(before.get(name) == value for name, value in found.items()):
            return
        found["lastTransitionTime"] = self._clock.timestamp()
        others = [c for c in conditions if c not in mine]
        status = {**(rule.get("status") or {}), "conditions": [*others, found]}
        self._api.set_status("devicetaintrules", "", key[1], status, user=USER)

    def _pending(self, rule: JSON) -> Iterator[Key]:
        """Pods that have to go because of a rule, or would have to if it evicted."""
        if rule["spec"]["taint"]["effect"] == NO_EXECUTE:
            uid = rule["metadata"]["uid"]
            yield from (key for key, (found, _) in self._due.items() if uid in found.rules)
        elif rule["spec"]["taint"]["effect"] == "None":
            yield from {
                (namespace, user["name"])
                for (namespace, _), claim in self._claims.items()
                if any(matches(rule, device) for device in _devices(claim))
                for user in claim["status"].get("reservedFor") or ()
            }

    def _selected(self, rule: JSON) -> str:
        """Of how many devices a rule is that evicts nobody."""
        published = 0
        for one in self._api.list("resourceslices").items:
            spec = one["spec"]
            where = (spec["driver"], spec["pool"]["name"])
            published += sum(matches(rule, (*where, d["name"])) for d in spec.get("devices") or ())
        held = [device for claim in self._claims.values() for device in _devices(claim)]
        allocated = sum(matches(rule, device) for device in held)
        return (
            " ".join(
                f"{count} {kind} device{'' if count == 1 else 's'} selected."
                for count, kind in ((published, "published"), (allocated, "allocated"))
            )
            + " "
        )

    def _names(self, eviction: Eviction) -> list[str]:
        rules = self._taints.rules
        return [name for name in sorted(rules) if rules[name]["metadata"]["uid"] in eviction.rules]

    def _record(self, pod: JSON, text: str) -> None:
        self._recorder.event(reference(pod), NORMAL, "DeviceTaintManagerEviction", text)


def _key(obj: JSON) -> Key:
    return obj["metadata"]["namespace"], obj["metadata"]["name"]


def _devices(claim: JSON) -> Iterator[tuple[str, str, str]]:
    allocation = claim["status"]["allocation"]
    for one in (allocation.get("devices") or {}).get("results") or ():
        yield one["driver"], one["pool"], one["device"]
