"""When schedules of CronJobs are due, as robfig/cron decides."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from hourglass_simulator.controllers.cron import Schedule


def _unix(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("schedule", "after", "due"),
    [
        pytest.param("* * * * *", "2026-03-01 10:00:30", "2026-03-01 10:01", id="every minute"),
        pytest.param("0 * * * *", "2026-03-01 10:00:00", "2026-03-01 11:00", id="later than now"),
        pytest.param("@hourly", "2026-03-01 10:00:01", "2026-03-01 11:00", id="descriptor"),
        pytest.param("*/20 3 * * *", "2026-03-01 03:20:00", "2026-03-01 03:40", id="steps"),
        pytest.param("5/20 * * * *", "2026-03-01 03:06:00", "2026-03-01 03:25", id="steps from 5"),
        pytest.param("30 2 29 2 *", "2026-03-01 00:00:00", "2028-02-29 02:30", id="leap day"),
        pytest.param("0 0 * * MON-WED", "2026-03-01 00:00:00", "2026-03-02 00:00", id="names"),
        pytest.param(
            "0 0 13 * FRI", "2026-03-01 00:00:00", "2026-03-06 00:00", id="either of two days"
        ),
        pytest.param("@every 90m", "2026-03-01 00:00:10", "2026-03-01 01:30:10", id="interval"),
    ],
)
def test_next(schedule: str, after: str, due: str) -> None:
    assert Schedule(schedule, UTC).next(_unix(after)) == _unix(due)


def test_in_the_time_zone_of_the_schedule() -> None:
    schedule = Schedule("0 9 * * *", ZoneInfo("Asia/Tokyo"))
    assert schedule.next(_unix("2026-03-01 00:30:00")) == _unix("2026-03-02 00:00:00")


def test_never() -> None:
    assert Schedule("0 0 31 2 *", UTC).next(0.0) is None


@pytest.mark.parametrize(
    ("schedule", "why"),
    [
        ("* * * *", "expected exactly 5 fields, found 4"),
        ("60 * * * *", r"end of range \(60\) above maximum \(59\): 60"),
        ("5-1 * * * *", r"beginning of range \(5\) beyond end of range \(1\): 5-1"),
        ("x * * * *", "failed to parse int from x"),
        ("*/0 * * * *", r"step of range should be a positive number: \*/0"),
        ("@often", "unrecognized descriptor: @often"),
        ("@every x", "failed to parse duration @every x"),
    ],
)
def test_no_schedule(schedule: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Schedule(schedule, UTC)
