"""Runs that need the same thing of the machine."""

import os
from pathlib import Path

import pytest

from clusters import UnavailableError
from clusters.lock import alone, only_node


def test_a_run_waits_for_another_and_says_so(tmp_path: Path) -> None:
    lock, logged = tmp_path / "lock", list[str]()
    with alone(lock, "building", logged.append):
        assert logged == []
        reason = "another run has been building for 0 s"
        with (
            pytest.raises(UnavailableError, match=reason),
            alone(lock, "building", logged.append, 0),
        ):
            pass


def test_a_run_goes_on_when_the_other_is_done(tmp_path: Path) -> None:
    lock, logged = tmp_path / "lock", list[str]()
    for _ in range(2):
        with alone(lock, "building", logged.append, 0):
            pass
    assert logged == []


class WaitsError(Exception):
    """Instead of sleeping."""


def test_there_is_one_node_on_a_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def wait(_: float) -> None:
        raise WaitsError

    monkeypatch.setattr("clusters.lock.NODE", tmp_path / "lock")
    monkeypatch.setattr("time.sleep", wait)
    logged: list[str] = []
    with only_node(logged.append), pytest.raises(WaitsError), only_node(logged.append):
        pass
    assert logged == ["waiting for another run that is running a node on this machine"]


def test_a_lock_that_cannot_be_had_is_reported(tmp_path: Path) -> None:
    lock = tmp_path / "file" / "lock"
    lock.parent.touch()
    with pytest.raises(UnavailableError, match="Not a directory"), alone(lock, "building", print):
        pass


def test_everybody_may_wait_for_a_run(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        with alone(tmp_path / "lock", "building", print):
            assert (tmp_path / "lock").stat().st_mode & 0o777 == 0o644
    finally:
        os.umask(before)
