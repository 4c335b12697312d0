"""Times in the status move for their one cause, and for no other."""

from collections.abc import Iterator, Mapping

from hourglass_kube import time
from hourglass_kube.types import JSON
from hourglass_simulator.scenario.expect import Mismatch
from hourglass_simulator.scenario.history import key_of
from hourglass_simulator.search.monitors.monitor import Judge, Monitor, Seen
from hourglass_simulator.search.objects import OPERATOR


class TimesMonitor(Monitor):
    """Conditions, readiness, progress and the last upgrade."""

    oracle = "times"

    @property
    def changes(self) -> Mapping[str, Judge]:
        """See Monitor."""
        return {"performers": self._performer}

    def _performer(self, seen: Seen) -> Iterator[Mismatch]:
        if seen.before is None or seen.by != OPERATOR or seen.type == "DELETED":
            return
        before, now = (obj.get("status") or {} for obj in (seen.before, seen.object))
        if before is now:
            return
        subject = "performer {}/{}".format(*key_of(seen.object))
        for expected, found in (
            *_conditions(before, now),
            *_ready_time(before, now),
            *_progress(before, now, seen.object["spec"]),
            *_last_upgrade(before, now, seen.unix),
        ):
            yield Mismatch(subject, expected, found)


def _conditions(before: JSON, now: JSON) -> Iterator[tuple[str, str]]:
    old = {found["type"]: found for found in before.get("conditions") or ()}
    for new in now.get("conditions") or ():
        was = old.get(new["type"])
        if was is None:
            continue
        moved = was["lastTransitionTime"] != new["lastTransitionTime"]
        if moved and was["status"] == new["status"]:
            yield (
                f"{new['type']} keeps its lastTransitionTime while it is {new['status']}",
                f"{was['lastTransitionTime']} → {new['lastTransitionTime']}",
            )
        elif new["lastTransitionTime"] < was["lastTransitionTime"]:
            yield (
                f"the lastTransitionTime of {new['type']} does not go back",
                f"{was['lastTransitionTime']} → {new['lastTransitionTime']}",
            )


def _ready_time(before: JSON, now: JSON) -> Iterator[tuple[str, str]]:
    was, is_ = before.get("readyTime"), now.get("readyTime")
    if before.get("ready") and now.get("ready") and was is not None and was != is_:
        yield "readyTime stays while it is ready", f"{was} → {is_}"


def _progress(before: JSON, now: JSON, spec: JSON) -> Iterator[tuple[str, str]]:
    was, is_ = before.get("progressStartTime"), now.get("progressStartTime")
    # Other resources are another change, though of the same template.
    same = all(before.get(what) == now.get(what) for what in ("templateHash", "observedGeneration"))
    # What could not be resized has its time as an upgrade, though of the same template.
    same = same and not spec.get("resources")
    # One that was yet to come is put right.
    if same and was is not None and is_ is not None and is_ > was:
        yield "progressStartTime stays while the same template is on its way", f"{was} → {is_}"


def _last_upgrade(before: JSON, now: JSON, moment: float) -> Iterator[tuple[str, str]]:
    was, is_ = before.get("lastUpgrade"), now.get("lastUpgrade")
    served, serves = before.get("servingTemplateHash"), now.get("servingTemplateHash")
    if was != is_ and (served is None or served == serves):
        yield "lastUpgrade is set when another template comes to serve", f"{was or 'none'} → {is_}"
        return
    # A change that is taken back leaves the pod that serves: that is no upgrade.
    moved = serves not in (None, served) and before.get("podName") != now.get("podName")
    # Where it comes to serve twice in a second, the time is the same.
    is_fresh = is_ is not None and moment - time.parse(is_).timestamp() < 1.0
    if was == is_ and not is_fresh and served and moved and serves == now["templateHash"]:
        expected = "lastUpgrade is when the template that is wanted came to serve"
        yield expected, f"still {is_ or 'none'}"
