"""What passes say, as metrics."""

from dataclasses import replace
from typing import Any

import pytest

from hourglass_operator.controller import Outcome, Pass, Plan, Write
from hourglass_operator.controller.views import PerformerView, performer_view
from hourglass_operator.runtime.process.metrics import Metrics
from hourglass_operator.runtime.process.pass_report import PassReport

KEY = ("avs", "ml")
STATUS = Write("patch", "performers", "avs", "ml", {}, "status")
CREATED = 1_790_000_000.0
DONE = Pass(KEY, "u", Plan(), CREATED)
CONDITION = {
    "type": "Ready",
    "status": "False",
    "reason": "PodPending",
    "message": "m",
    "lastTransitionTime": "2026-09-21T14:13:20Z",
}


def seen(**status: Any) -> PerformerView:
    return performer_view(
        {
            "metadata": {
                "namespace": "avs",
                "name": "ml",
                "uid": "u",
                "creationTimestamp": "2026-09-21T14:13:20Z",
            },
            "status": status,
        }
    )


def wrote(**status: Any) -> list[Outcome]:
    return [Outcome(STATUS, 200, body={"status": status})]


class Report:
    def __init__(self) -> None:
        self.metrics = Metrics()
        self._report = PassReport(self.metrics)

    def passed(self, outcomes: list[Outcome], before: PerformerView | None, now: float) -> None:
        self._report.ended(DONE, outcomes, before, now)

    def value(self, name: str, **labels: str) -> float:
        found = self.metrics.registry.get_sample_value(f"hourglass_performer_{name}", labels)
        return found or 0.0


def test_the_first_start_of_a_new_performer_is_timed() -> None:
    report = Report()
    report.passed([], seen(phase="Pending"), CREATED)
    starting = seen(phase="Pending", conditions=[CONDITION])
    report.passed(wrote(phase="Running"), starting, CREATED + 7)
    report.passed(wrote(phase="Pending"), starting, CREATED + 20)
    report.passed(wrote(phase="Running"), starting, CREATED + 30)
    assert report.value("time_to_running_seconds_count") == 1.0
    assert report.value("time_to_running_seconds_sum") == 7.0


def test_one_that_starts_within_a_single_pass_is_timed_too() -> None:
    report = Report()
    report.passed(wrote(phase="Running"), seen(phase="Pending"), CREATED + 3)
    assert report.value("time_to_running_seconds_sum") == 3.0


def test_one_that_was_there_before_this_process_is_not_timed() -> None:
    report = Report()
    before = seen(phase="Pending", conditions=[CONDITION])
    report.passed(wrote(phase="Running"), before, CREATED + 3)
    assert report.value("time_to_running_seconds_count") == 0.0


def test_one_that_is_deleted_before_it_runs_is_forgotten() -> None:
    report = Report()
    report.passed([], seen(phase="Pending"), CREATED)
    report.passed([], replace(seen(), deleted=CREATED + 1), CREATED + 1)
    report.passed([], None, CREATED + 2)
    again = seen(phase="Pending", conditions=[CONDITION])
    report.passed(wrote(phase="Running"), again, CREATED + 9)
    assert report.value("time_to_running_seconds_count") == 0.0


EARLIER, LATER = "2026-09-21T14:13:20Z", "2026-09-21T15:00:00Z"
UPGRADES: list[tuple[str, dict[str, Any], dict[str, Any], str | None]] = [
    (
        "the new version serves",
        {"phase": "Upgrading"},
        {"phase": "Running", "lastUpgrade": LATER},
        "succeeded",
    ),
    (
        "the new version serves, and it was not the first upgrade",
        {"phase": "Upgrading", "lastUpgrade": EARLIER},
        {"phase": "Running", "lastUpgrade": LATER},
        "succeeded",
    ),
    (
        "the spec went back",
        {"phase": "Upgrading", "lastUpgrade": EARLIER},
        {"phase": "Running", "lastUpgrade": EARLIER},
        "reverted",
    ),
    ("nothing serves any more", {"phase": "Upgrading"}, {"phase": "Failed"}, "failed"),
    ("it goes on", {"phase": "Upgrading"}, {"phase": "Upgrading"}, None),
    ("it was a start", {"phase": "Pending"}, {"phase": "Running"}, None),
]


@pytest.mark.parametrize(
    ("before", "after", "result"), [u[1:] for u in UPGRADES], ids=[u[0] for u in UPGRADES]
)
def test_how_an_upgrade_ends_is_counted(
    before: dict[str, Any], after: dict[str, Any], result: str | None
) -> None:
    report = Report()
    report.passed(wrote(**after), seen(**before, conditions=[CONDITION]), CREATED)
    counted = {
        name
        for name in ("succeeded", "reverted", "failed")
        if report.value("upgrades_total", result=name)
    }
    assert counted == ({result} if result else set())


def test_a_status_that_was_refused_counts_for_nothing() -> None:
    report = Report()
    report.passed([Outcome(STATUS, 500)], seen(phase="Upgrading"), CREATED)
    assert report.value("upgrades_total", result="failed") == 0.0
