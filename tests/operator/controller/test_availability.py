"""For how long a pod has been ready: trials of upgrades, and crashes that are not over yet."""

from dataclasses import dataclass, field, replace

import pytest

from builders import PerformerBuilder, PodBuilder
from hourglass_kube.types import JSON
from hourglass_operator.controller import Settings
from hourglass_operator.controller.availability import STEADY_SECONDS, ready_since
from hourglass_operator.controller.plan import ReadySince
from scene import Scene, calls, conditions_of, scene
from situations import AT_ONCE, NOW, OLD, V1, V2, bound, settled, view

NEW = bound(V2)
READY = NEW.ready(990)
UPGRADE = V2.min_ready(30).with_status(**settled(V1, OLD, serving=(OLD,)).status)
RECREATE = UPGRADE.strategy("Recreate")


@dataclass
class Watched:
    """A scene whose passes follow each other; the status it writes is stored."""

    performer: PerformerBuilder
    pods: tuple[PodBuilder, ...]
    serving: tuple[PodBuilder, ...]
    settings: Settings = AT_ONCE
    staged: Scene = field(init=False)

    def __post_init__(self) -> None:
        self.staged = scene(
            self.performer, *self.pods, serving=self.serving, settings=self.settings
        )

    def at(self, now: float) -> list[str]:
        """Calls of a pass at this time; its status is stored, its other writes are not done."""
        plan = self.staged.plan(now)
        self.wakes = plan.requeue_after
        for write in plan.writes:
            if write.subresource == "status":
                status = {**self.performer.status, **write.body["status"]}
                kept = {key: value for key, value in status.items() if value is not None}
                self.performer = replace(self.performer, status=kept)
                self.staged.sees("performers", self.performer.build())
        self.staged.succeed(replace(plan, writes=()), now)
        return calls(plan)

    def sees(self, pod: PodBuilder, *, serving: bool) -> None:
        others = tuple(p for p in self.serving if p.name != pod.name)
        self.serving = (*others, pod) if serving else others
        self.staged.sees("pods", pod.build())
        names = (p.name for p in self.serving)
        self.staged.sees("endpointslices", self.performer.endpoints(*names))

    @property
    def says(self) -> tuple[str, str, str, str]:
        status: JSON = self.performer.status
        found = conditions_of(status)
        return status["phase"], found["Available"], found["Progressing"], found["Degraded"]

    def message(self, kind: str) -> str:
        conditions: list[JSON] = self.performer.status["conditions"]
        return next(str(c["message"]) for c in conditions if c["type"] == kind)


UPGRADING = ("Upgrading", "True/PodReady", "True/UpgradeInProgress", "False/AsExpected")
HELD_UP = ("Upgrading", "True/PodReady", "True/UpgradeInProgress", "True/ContainerFailed")
RUNNING = ("Running", "True/PodReady", "False/ServiceReady", "False/AsExpected")
SHAKEN = ("Running", "True/PodReady", "False/ServiceReady", "True/ContainerFailed")


def test_an_upgrade_is_over_when_the_new_pod_has_been_ready_for_long_enough() -> None:
    watched = Watched(UPGRADE, (OLD, READY), (OLD, READY))
    assert (watched.at(NOW), watched.says) == ([], UPGRADING)
    assert watched.wakes == 30
    said = watched.message("Progressing")
    assert f"pod {NEW.name} must be ready for 30 s, since 1970-01-01T00:16:40Z" in said
    assert (watched.at(NOW + 29.9), watched.message("Progressing")) == ([], said)
    assert (watched.at(NOW + 30), watched.says) == ([f"delete pods {OLD.name}"], RUNNING)
    assert watched.performer.status["lastUpgrade"] == "1970-01-01T00:17:10Z"


def test_a_crash_during_the_trial_leaves_the_old_pod_serving_and_begins_the_trial_anew() -> None:
    watched = Watched(UPGRADE, (OLD, READY), (OLD, READY))
    watched.at(NOW)
    watched.sees(READY.crashed(1020, code=3), serving=False)
    assert (watched.at(NOW + 20), watched.says) == ([], HELD_UP)
    before = watched.message("Degraded")
    watched.sees(READY.restarted(1020, code=3).ready(1025), serving=True)
    assert (watched.at(NOW + 25), watched.says) == ([], HELD_UP)
    assert watched.message("Degraded") == before
    assert watched.at(NOW + 54) == []
    assert (watched.at(NOW + 55), watched.says[0]) == ([f"delete pods {OLD.name}"], "Running")


def test_with_recreate_the_new_pod_serves_alone_during_its_trial() -> None:
    watched = Watched(RECREATE, (READY,), (READY,))
    watched.staged.ends(OLD)
    assert (watched.at(NOW), watched.says) == ([], UPGRADING)
    assert watched.performer.status["ready"] is True
    assert "must be ready for 30 s" in watched.message("Progressing")
    assert (watched.at(NOW + 30), watched.says) == ([], RUNNING)


def test_with_recreate_a_crash_during_the_trial_ends_what_serves() -> None:
    watched = Watched(RECREATE, (READY,), (READY,))
    watched.staged.ends(OLD)
    watched.at(NOW)
    watched.sees(READY.crash_loop(1020, code=3), serving=False)
    watched.at(NOW + 20)
    assert watched.says[:2] == ("Failed", "False/ContainerFailed")


def test_a_trial_that_is_over_does_not_begin_again_when_the_status_cannot_be_written() -> None:
    watched = Watched(UPGRADE, (OLD, READY), (OLD, READY))
    watched.at(NOW)
    before = watched.performer
    watched.at(NOW + 30)
    watched.performer = before
    watched.staged.sees("performers", before.build())
    assert watched.at(NOW + 31) == [f"delete pods {OLD.name}"]


def test_a_crash_that_is_over_does_not_begin_again_while_the_status_is_held_back() -> None:
    reported = settled(settled(V1, OLD, serving=(OLD,)), OLD.crashed(990))
    back = OLD.restarted(990).ready(995)
    held = Watched(reported, (back,), (back,), Settings())
    for now in (NOW, NOW + 10, NOW + 13):
        held.at(now)
    assert held.says == RUNNING


def test_the_first_start_is_no_trial() -> None:
    first = bound(V1)
    watched = Watched(V1.min_ready(30), (first.ready(990),), (first,))
    assert (watched.at(NOW), watched.says) == ([], RUNNING)


def test_a_trial_outlasts_the_progress_deadline() -> None:
    late = UPGRADE.deadline(60).min_ready(600)
    watched = Watched(late, (OLD, READY), (OLD, READY))
    watched.at(NOW)
    watched.at(NOW + 100)
    assert watched.says == UPGRADING
    watched.at(NOW + 600)
    assert watched.says == RUNNING


def test_an_operator_that_starts_during_a_trial_counts_anew() -> None:
    watched = Watched(UPGRADE, (OLD, READY), (OLD, READY))
    watched.at(NOW)
    restarted = Watched(watched.performer, (OLD, READY), (OLD, READY))
    assert (restarted.at(NOW + 20), restarted.at(NOW + 49)) == ([], [])
    assert restarted.at(NOW + 50) == [f"delete pods {OLD.name}"]


def test_an_upgrade_that_is_over_is_no_trial_after_a_restart() -> None:
    done = settled(V2.min_ready(30), READY, serving=(READY,))
    watched = Watched(done, (READY,), (READY,))
    assert (watched.at(NOW + 5), watched.says, watched.wakes) == ([], RUNNING, None)


def test_a_crash_is_reported_until_the_container_has_been_ready_for_a_while() -> None:
    watched = Watched(settled(V1, OLD, serving=(OLD,)), (OLD,), (OLD,))
    watched.sees(OLD.crashed(1010, code=2), serving=False)
    watched.at(1010)
    assert watched.says[:2] == ("Pending", "False/ContainerFailed")
    back = OLD.restarted(1010, code=2).ready(1012)
    watched.sees(back, serving=True)
    watched.at(1012)
    assert (watched.says, watched.wakes) == (SHAKEN, STEADY_SECONDS)
    said = "the container ended with exit code 2 (Error) and was started again (restarts: 1)"
    assert said in watched.message("Degraded")
    watched.at(1012 + STEADY_SECONDS - 0.1)
    assert watched.says == SHAKEN
    watched.at(1012 + STEADY_SECONDS)
    assert (watched.says, watched.wakes) == (RUNNING, None)


def test_a_crash_loop_that_is_ready_each_time_is_never_as_expected() -> None:
    watched = Watched(settled(V1, OLD, serving=(OLD,)), (OLD,), (OLD,))
    pod, now, seen = OLD, 1010.0, set()
    for _ in range(6):
        watched.sees(pod.crashed(now), serving=False)
        watched.at(now)
        seen.add(watched.says)
        pod = pod.restarted(now).ready(now + 2)
        watched.sees(pod, serving=True)
        watched.at(now + 2)
        seen.add(watched.says)
        now += 2.5
    assert RUNNING not in seen
    assert SHAKEN in seen


@pytest.mark.parametrize(
    "stored",
    [
        pytest.param(settled(V1, OLD, serving=(OLD,)), id="that was over long ago"),
        pytest.param(
            settled(V2, OLD, NEW.crash_loop(900), serving=(OLD,)), id="of a version given up since"
        ),
    ],
)
def test_nothing_is_said_of_a_crash(stored: PerformerBuilder) -> None:
    pod = OLD.restarted(20).ready(25)
    watched = Watched(replace(V1, status=stored.status), (pod,), (pod,))
    watched.at(NOW)
    assert watched.says == RUNNING


SINCE = ReadySince(f"{NEW.name}-uid", 990.0, 0, 995.0)


@pytest.mark.parametrize(
    ("pod", "at"),
    [
        pytest.param(READY, 995.0, id="a pod that has been ready all the time"),
        pytest.param(NEW.ready(998), NOW, id="a pod that was not ready meanwhile"),
        pytest.param(
            NEW.restarted(989).ready(990), NOW, id="a container that ended within the second"
        ),
        pytest.param(NEW.number(1).ready(990), NOW, id="another pod"),
        pytest.param(NEW, None, id="a pod that is not ready"),
    ],
)
def test_since_when(pod: PodBuilder, at: float | None) -> None:
    since = ready_since(view(pod), SINCE, NOW)
    assert (since.at if since else None) == at
