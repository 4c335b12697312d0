"""What is a Performer's says so."""

from collections.abc import Iterator

from hourglass_simulator.scenario.expect import Mismatch
from hourglass_simulator.scenario.history import key_of
from hourglass_simulator.search.monitors.monitor import Monitor
from hourglass_simulator.search.objects import CLAIM, controller, is_alive

_WATCHED = "app"


class OwnersMonitor(Monitor):
    """In the end no pod that claims to be a Performer's has no owner."""

    oracle = "owners"

    def settled(self) -> Iterator[Mismatch]:
        """See Monitor."""
        for pod in self.history.objects("pods"):
            labels = pod["metadata"].get("labels") or {}
            space, name = key_of(pod)
            performer = self.history.get("performers", (space, labels.get(CLAIM, "")))
            # Without the label by which it is watched an operator that starts does not see it.
            if performer is None or _WATCHED not in labels or not is_alive(pod):
                continue
            if controller(pod) is None and (performer.get("status") or {}).get("ready"):
                subject = f"pod {space}/{name}"
                yield Mismatch(subject, "it is given back its owner reference", "it has none")
