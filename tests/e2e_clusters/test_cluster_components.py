"""Processes of a cluster, with real processes."""

import os
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from clusters import Components, wait_until
from clusters.components import StartError

SLEEP = ["sleep", "600"]
DEAF = ["sh", "-c", "trap '' TERM; echo deaf; while :; do sleep 0.05; done"]

POLITE = ["sh", "-c", "trap 'echo ended; exit' TERM; echo up; while :; do sleep 0.05; done"]


@pytest.fixture
def components(tmp_path: Path) -> Iterator[Components]:
    made = Components(tmp_path)
    yield made
    made.kill_all()


def pid(folder: Path, name: str) -> int:
    return int((folder / f"{name}.pid").read_text().split()[0])


def test_a_component_runs_until_it_is_stopped(components: Components, tmp_path: Path) -> None:
    components.run("etcd", SLEEP)
    started = pid(tmp_path, "etcd")
    assert components.runs("etcd")
    components.stop("etcd")
    assert not components.runs("etcd")
    assert not psutil.pid_exists(started)


def test_the_processes_of_those_that_are_alive_are_known(
    components: Components, tmp_path: Path
) -> None:
    components.run("etcd", SLEEP)
    components.run("kwok", SLEEP)
    components.stop("kwok")
    assert components.pids() == {"etcd": pid(tmp_path, "etcd")}


def test_a_component_that_ignores_the_request_is_killed(
    components: Components, tmp_path: Path
) -> None:
    components.run("etcd", DEAF)
    wait_until("it ignores SIGTERM", lambda: components.log("etcd").read_text() != "", 300)
    components.stop("etcd", seconds=0.1)
    assert not components.runs("etcd")


def test_a_restart_is_a_new_process_of_the_same_command_and_waits(tmp_path: Path) -> None:
    waited = list[bool]()
    restarted = Components(tmp_path, lambda: waited.append(restarted.runs("etcd")))
    restarted.run("etcd", SLEEP)
    before = pid(tmp_path, "etcd")
    try:
        restarted.restart("etcd")
        process = psutil.Process(pid(tmp_path, "etcd"))
        assert process.pid != before
        assert waited == [True]
        # Right after its start a process has no command line for a moment.
        wait_until("the same command", lambda: process.cmdline() == SLEEP, 300)
    finally:
        restarted.kill_all()


def test_a_paused_component_goes_on_afterwards(components: Components, tmp_path: Path) -> None:
    components.run("etcd", SLEEP)
    process = psutil.Process(pid(tmp_path, "etcd"))
    with components.paused("etcd"):
        wait_until("stopped", lambda: process.status() == psutil.STATUS_STOPPED, 300)
    wait_until("goes on", lambda: process.status() == psutil.STATUS_SLEEPING, 300)


def test_a_paused_component_can_be_asked_to_end(components: Components) -> None:
    components.run("etcd", POLITE)
    wait_until("it listens", lambda: components.log("etcd").read_text() == "up\n", 300)
    with components.paused("etcd"):
        components.stop("etcd", seconds=300)
    assert components.log("etcd").read_text() == "up\nended\n"


def test_what_does_not_run_cannot_be_paused(components: Components) -> None:
    with pytest.raises(LookupError, match="etcd does not run"), components.paused("etcd"):
        pass


def test_a_later_run_ends_what_a_killed_one_left(components: Components, tmp_path: Path) -> None:
    components.run("etcd", SLEEP)
    components.run("kubelet", DEAF)
    Components(tmp_path).kill_all()
    assert not components.runs("etcd")
    assert not components.runs("kubelet")
    assert list(tmp_path.glob("*.pid")) == []


def test_a_pid_that_was_used_again_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "etcd.pid").write_text(f"{os.getpid()} 1")
    later = Components(tmp_path)
    assert not later.runs("etcd")
    later.kill_all()


def test_waiting_ends_with_the_component_that_ended(components: Components) -> None:
    components.run("kubelet", ["sh", "-c", "echo no such flag; exit 1"])
    with pytest.raises(StartError, match=r"kubelet ended; .*kubelet.log ends: no such flag"):
        components.wait_until("the node is Ready", lambda: False, seconds=300)


def test_waiting_ends_in_time(components: Components) -> None:
    components.run("kubelet", SLEEP)
    with pytest.raises(StartError, match="the node is Ready: not within 0 s"):
        components.wait_until("the node is Ready", lambda: False, seconds=0)
