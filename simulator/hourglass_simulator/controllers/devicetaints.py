"""Which devices are tainted so that their pods have to go, and since when.

https://github.com/kubernetes/kubernetes/blob/v1.37.2/pkg/controller/devicetainteviction/device_taint_eviction.go
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from hourglass_kube import time
from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import WatchEvent
from hourglass_simulator.scheduler.devicetaints import NO_EXECUTE, matches, tolerates

DeviceID = tuple[str, str, str]
"""Driver, pool and name."""


@dataclass(frozen=True, slots=True)
class Eviction:
    """When a pod has to go, in seconds since 1970, and the DeviceTaintRules that are why."""

    when: float
    rules: frozenset[str] = frozenset()
    """By uid."""

    def joined(self, other: "Eviction") -> "Eviction":
        """The earlier of both times, for the reasons of both."""
        return Eviction(min(self.when, other.when), self.rules | other.rules)


@dataclass(slots=True)
class DeviceTaints:
    """The slices and rules as they are."""

    slices: dict[str, JSON] = field(default_factory=dict)
    """By name, those that list a tainted device."""
    rules: dict[str, JSON] = field(default_factory=dict)
    """By name, those that evict."""

    def __bool__(self) -> bool:
        return bool(self.slices or self.rules)

    def take_slice(self, event: WatchEvent) -> bool:
        """A slice has changed; returns whether that may concern a pod."""
        one = event.object
        name = one["metadata"]["name"]
        before = self.slices.pop(name, None)
        if event.type != "DELETED" and any(_evicting(d) for d in one["spec"].get("devices") or ()):
            self.slices[name] = one
        return before != self.slices.get(name)

    def take_rule(self, event: WatchEvent) -> bool:
        """A rule has changed; returns whether that may concern a pod."""
        rule = event.object
        name = rule["metadata"]["name"]
        before = self.rules.pop(name, None)
        if event.type != "DELETED" and rule["spec"]["taint"]["effect"] == NO_EXECUTE:
            self.rules[name] = rule
        after = self.rules.get(name)
        return (before or {}).get("spec") != (after or {}).get("spec")

    def eviction(self, allocation: JSON) -> Eviction | None:
        """When a pod with an allocation has to go; None if it may stay."""
        found: Eviction | None = None
        for result in (allocation.get("devices") or {}).get("results") or ():
            for taint, rule in self._taints((result["driver"], result["pool"], result["device"])):
                seconds = _tolerated(result, taint)
                if seconds is None:
                    continue
                when = time.parse(taint["timeAdded"]).timestamp() + seconds
                one = Eviction(when, frozenset((rule,) if rule else ()))
                found = found.joined(one) if found else one
        return found

    def _taints(self, device: DeviceID) -> Iterator[tuple[JSON, str]]:
        """Taints of a device that evict, with the uid of their rule if they have one."""
        for one in self.slices.values():
            spec = one["spec"]
            if (spec["driver"], spec["pool"]["name"]) != device[:2]:
                continue
            for listed in spec.get("devices") or ():
                if listed["name"] == device[2]:
                    yield from ((taint, "") for taint in _evicting(listed))
        for rule in self.rules.values():
            if matches(rule, device):
                yield rule["spec"]["taint"], rule["metadata"]["uid"]


def _evicting(device: JSON) -> list[JSON]:
    return [taint for taint in device.get("taints") or () if taint["effect"] == NO_EXECUTE]


def _tolerated(result: JSON, taint: JSON) -> float | None:
    """For how many seconds after it was added; None: for ever."""
    used = [
        toleration
        for toleration in result.get("tolerations") or ()
        if toleration.get("effect") == NO_EXECUTE and tolerates(toleration, taint)
    ]
    if any(toleration.get("tolerationSeconds") is None for toleration in used):
        return None
    return min((max(0.0, float(t["tolerationSeconds"])) for t in used), default=0.0)


def condition(rule: JSON, evicted: int, pending: int, namespaces: int, selected: str) -> JSON:
    """`EvictionInProgress` of a rule, without its times.

    `evicted` pods are gone already, `pending` ones in so many namespaces are to go. `selected` says
    of how many devices a rule without an effect is.
    """
    effect = rule["spec"]["taint"]["effect"]
    status, message = "False", ""
    if effect == NO_EXECUTE and pending:
        status, reason = "True", "PodsPendingEviction"
        message = f"{_pods(pending, 'needs', 'need')} to be evicted in {_spaces(namespaces)}."
    elif effect == NO_EXECUTE:
        reason = "Completed" if evicted else "NotStarted"
    elif effect == "None":
        reason = "NoEffect"
        would = f"{_pods(pending, 'would', 'would')} be evicted in {_spaces(namespaces)} "
        message = (
            f"{selected}{would}if the effect was NoExecute. This information will not be updated "
            "again. Recreate the DeviceTaintRule to trigger an update."
        )
    else:
        reason, message = "OtherEffect", "Eviction only happens for the NoExecute effect."
    if evicted:
        since = "1 pod" if evicted == 1 else f"{evicted} pods"
        message = f"{message} {since} evicted since starting the controller.".lstrip()
    return {
        "type": "EvictionInProgress",
        "status": status,
        "reason": reason,
        "message": message,
        "observedGeneration": rule["metadata"]["generation"],
    }


def _pods(count: int, one: str, many: str) -> str:
    return f"1 pod {one}" if count == 1 else f"{count} pods {many}"


def _spaces(count: int) -> str:
    return "1 namespace" if count == 1 else f"{count} different namespaces"
