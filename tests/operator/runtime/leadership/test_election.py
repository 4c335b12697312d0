"""The election's calls, and what it says of them."""

import asyncio
import logging
import time

import pytest

from hourglass_operator.runtime.leadership.election import Election
from hourglass_operator.runtime.leadership.lease import Candidate
from hourglass_operator.transport.calls import Answer, Request
from hourglass_simulator.clock import Clock
from hourglass_simulator.virtual_loop import new_event_loop
from scripted_api import Script, done, refused


class Process:
    """A candidate with clocks that the test sets."""

    def __init__(self, *answers: object) -> None:
        self.now = 100.0
        self.changes: list[bool] = []
        self.script = Script(*answers)  # type: ignore[arg-type]
        candidate = Candidate("me", "operator", "system", 15.0, 10.0)
        self.election = Election(
            self.script, candidate, 2.0, self.changes.append, lambda: self.now, lambda: self.now
        )

    def step(self, seconds: float = 0.0) -> None:
        self.now += seconds
        asyncio.run(self.election.step())


def written(call: Request) -> Answer:
    return done(**(call.body or {}))


def held_by(holder: str) -> Answer:
    return done(spec={"holderIdentity": holder, "leaseDurationSeconds": 15})


def test_the_first_one_leads_until_its_renewal_is_overdue() -> None:
    process = Process(refused(404), written)
    process.step()
    assert [call.verb for call in process.script.calls] == ["get", "create"]
    assert process.election.remaining() == 10.0
    process.now += 9.0
    assert process.election.remaining() == 1.0
    process.now += 1.0
    assert process.election.remaining() == 0.0
    assert process.changes == [True]


def test_leadership_counts_from_before_the_call() -> None:
    process = Process(refused(404))

    def slow(call: Request) -> Answer:
        process.now += 4.0
        return written(call)

    process.script.answers.append(slow)
    process.step()
    assert process.election.remaining() == 6.0


def test_a_leader_that_was_stopped_for_a_while_leads_anew() -> None:
    process = Process(refused(404), written, held_by("me"), written)
    process.step()
    process.now += 3600.0
    assert process.election.remaining() == 0.0
    process.step()
    assert process.changes == [True, False, True]


def test_a_leader_whose_renewal_takes_longer_than_it_leads_leads_anew() -> None:
    process = Process(refused(404), written)
    process.step()

    def slow(call: Request) -> Answer:
        process.now += 2.0
        assert process.election.remaining() == 0.0
        return written(call)

    process.script.answers.append(slow)
    process.step(9.0)
    assert process.election.remaining() == 8.0
    assert process.changes == [True, False, True]


def test_a_renewal_that_was_sent_before_the_machine_was_suspended_counts_from_then() -> None:
    process = Process(refused(404), written)

    def suspended(call: Request) -> Answer:
        process.now += 3600.0
        return written(call)

    process.script.answers.append(suspended)
    process.step()
    process.step(2.0)
    assert process.election.remaining() == 0.0
    assert process.changes == [True, False]


def test_leadership_ends_while_the_machine_is_suspended(monkeypatch: pytest.MonkeyPatch) -> None:
    now = {"boot": 100.0}
    monkeypatch.setattr(time, "CLOCK_BOOTTIME", "boot", raising=False)
    monkeypatch.setattr(time, "clock_gettime", now.get)
    candidate = Candidate("me", "operator", "system", 15.0, 10.0)
    changes: list[bool] = []
    election = Election(Script(refused(404), written), candidate, 2.0, changes.append)
    asyncio.run(election.step())
    assert election.remaining() == 10.0
    now["boot"] += 3600.0
    assert election.remaining() == 0.0


def test_a_standby_takes_over_when_the_lease_has_run_out() -> None:
    process = Process(held_by("other"), held_by("other"), held_by("other"), written)
    process.step()
    process.step(14.0)
    assert process.changes == []
    process.step(1.0)
    assert process.changes == [True]


def test_a_standby_says_once_who_leads(caplog: pytest.LogCaptureFixture) -> None:
    answers = [held_by("a"), held_by("a"), held_by("b"), held_by("b"), held_by(""), written]
    process = Process(*answers)
    with caplog.at_level(logging.INFO):
        for _ in range(5):
            process.step(2.0)
    assert [record.getMessage() for record in caplog.records] == [
        "standing by: a leads",
        "standing by: b leads",
        "leading, as me",
    ]


def test_a_conflict_is_a_loss_without_a_word(caplog: pytest.LogCaptureFixture) -> None:
    process = Process(refused(404), refused(409, "AlreadyExists"))
    process.step()
    assert process.election.remaining() == 0.0
    assert caplog.text == ""


def test_a_leader_that_cannot_renew_says_so_once_and_stops(
    caplog: pytest.LogCaptureFixture,
) -> None:
    process = Process(refused(404), written, *[refused(403, "Forbidden", "no")] * 7)
    with caplog.at_level(logging.WARNING):
        process.step()
        for _ in range(6):
            process.step(2.0)
    assert process.changes == [True, False]
    assert [record.getMessage() for record in caplog.records] == [
        "cannot update the Lease system/operator: no",
        "no longer leading: the Lease could not be renewed in time",
    ]


def test_calls_end_before_the_renewal_is_overdue() -> None:
    process = Process(refused(404), written)
    process.step()
    assert set(process.script.timeouts) == {5.0}


def test_giving_up_frees_the_lease_at_once() -> None:
    # A renewal that was broken off may have been made: the Lease is newer than the answer.
    newer = done(metadata={"resourceVersion": "9"}, spec={"holderIdentity": "me"})
    process = Process(refused(404), written, newer, written)
    process.step()
    asyncio.run(process.election.release())
    assert process.election.remaining() == 0.0
    body = process.script.calls[-1].body or {}
    assert body["spec"]["holderIdentity"] == ""
    assert body["metadata"]["resourceVersion"] == "9"


def test_a_leader_renews_with_one_call() -> None:
    process = Process(refused(404), written, written, written)
    for _ in range(3):
        process.step(2.0)
    assert [call.verb for call in process.script.calls] == ["get", "create", "update", "update"]
    assert process.election.remaining() == 10.0


def test_a_leader_whose_lease_somebody_edited_reads_it_and_renews_at_once() -> None:
    edited = done(metadata={"labels": {"a": "b"}}, spec={"holderIdentity": "me"})
    process = Process(refused(404), written, refused(409, "Conflict"), edited, written)
    process.step()
    process.step(2.0)
    assert [call.verb for call in process.script.calls[2:]] == ["update", "get", "update"]
    assert (process.script.calls[-1].body or {})["metadata"]["labels"] == {"a": "b"}
    assert process.changes == [True]


def test_a_leader_whose_lease_was_deleted_makes_another() -> None:
    process = Process(refused(404), written, refused(404), refused(404), written)
    process.step()
    process.step(2.0)
    assert [call.verb for call in process.script.calls[2:]] == ["update", "get", "create"]
    assert process.changes == [True]


def test_a_slow_api_server_does_not_end_the_leadership() -> None:
    process = Process(refused(404), written)

    def slow(call: Request) -> Answer:
        process.now += 4.5
        return written(call)

    process.script.answers.extend([slow] * 5)
    process.step()
    for _ in range(5):
        process.step()
        assert process.election.remaining() > 0.0
    assert process.changes == [True]


def test_a_try_that_raises_is_made_again(caplog: pytest.LogCaptureFixture) -> None:
    def raising(_: Request) -> Answer:
        raise OSError("the token file is empty")

    process = Process(raising, refused(404), written)

    clock = Clock()
    loop = new_event_loop(clock)
    process.election._monotonic = loop.time
    loop.create_task(process.election.run())
    clock.run_until(3.0)
    assert process.changes == [True]
    assert "the token file is empty" in caplog.text


def test_a_standby_has_nothing_to_give_up() -> None:
    process = Process(held_by("other"))
    process.step()
    asyncio.run(process.election.release())
    assert len(process.script.calls) == 1
