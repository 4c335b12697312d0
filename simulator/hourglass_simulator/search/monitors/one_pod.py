"""A Performer has one living pod of a template."""

from collections.abc import Iterator, Mapping

from hourglass_kube.types import JSON
from hourglass_simulator.scenario.expect import Mismatch
from hourglass_simulator.scenario.history import History, key_of
from hourglass_simulator.search.monitors.monitor import Judge, Monitor, Seen
from hourglass_simulator.search.objects import (
    OPERATOR,
    condition,
    is_alive,
    performer_uid,
    template,
)


class OnePodMonitor(Monitor):
    """Whoever makes a second one must have a reason: the first is to leave its node."""

    oracle = "one pod of a template"

    @property
    def changes(self) -> Mapping[str, Judge]:
        """See Monitor."""
        return {"pods": self._pod}

    def __init__(self, history: History) -> None:
        super().__init__(history)
        self._of: dict[str, dict[str, JSON]] = {}

    def _pod(self, seen: Seen) -> Iterator[Mismatch]:
        pod, uid = seen.object, performer_uid(seen.object)
        name = pod["metadata"]["name"]
        if seen.before is not None:
            self._of.get(performer_uid(seen.before), {}).pop(name, None)
        if not uid or seen.type == "DELETED":
            return
        mine = self._of.setdefault(uid, {})
        if seen.type == "ADDED" and seen.by == OPERATOR:
            others = [
                other["metadata"]["name"]
                for other in mine.values()
                if is_alive(other) and template(other) == template(pod) and self._stays(other)
            ]
            if others:
                subject = "pod {}/{}".format(*key_of(pod))
                yield Mismatch(subject, "no other living pod of its template", ", ".join(others))
        mine[name] = pod

    def _stays(self, pod: JSON) -> bool:
        """Nothing asks it to leave: its node is well and takes pods, and so are its devices."""
        name = (pod.get("spec") or {}).get("nodeName")
        if not name:
            return True
        node = self.history.get("nodes", ("", name))
        if node is None or condition(node, "Ready") != "True":
            return False
        spec = node.get("spec") or {}
        return not (spec.get("unschedulable") or spec.get("taints") or _is_unhealthy(pod))


def _is_unhealthy(pod: JSON) -> bool:
    return "Unhealthy" in str((pod.get("status") or {}).get("containerStatuses"))
