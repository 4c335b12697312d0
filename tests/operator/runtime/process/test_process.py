"""`hourglass-operator run` as a process, against the simulated API server over HTTP."""

import json
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from builders import performer
from forked_operator import Operator
from hourglass_kube.types import JSON
from hourglass_operator.api.crd import generate
from hourglass_simulator.apiserver import APIError
from hourglass_simulator.cluster import Cluster
from hourglass_simulator.http.served import Served, served

USER = "operator"
DEFINITION = "performers.hourglass.eigenlayer.io"
PATIENT = (
    *("--lease-duration=300", "--renew-deadline=200", "--retry-period=0.2"),
    "--resync-period=1",
)
"""A starved process keeps its leadership."""
TAKEOVER = ("--lease-duration=3", "--renew-deadline=2")
"""For tests that wait until a Lease has run out."""
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def wait_until(what: str, holds: Callable[[], bool], seconds: float = 300.0) -> None:
    """Processes run on the wall clock: look until it holds."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.02)


def program(arguments: list[str], log: Path) -> subprocess.Popen[bytes]:
    """As it is started outside of tests, which takes a second longer."""
    path = Path(sys.executable).with_name("hourglass-operator")
    with log.open("ab") as file:
        return subprocess.Popen([path, *arguments], stdout=file, stderr=file)


Starts = Callable[[list[str], Path], Operator | subprocess.Popen[bytes]]


class Process:
    """One replica of the operator."""

    def __init__(
        self, there: Served, folder: Path, name: str, *flags: str, starts: Starts = Operator
    ) -> None:
        kubeconfig = folder / f"{name}.kubeconfig"
        there.write_kubeconfig(kubeconfig, USER)
        self.log = folder / f"{name}.log"
        self.health, self.metrics = free_port(), free_port()
        self._arguments = [
            *("run", f"--kubeconfig={kubeconfig}", "--lease-namespace=default"),
            f"--health-address=127.0.0.1:{self.health}",
            f"--metrics-address=127.0.0.1:{self.metrics}",
            *(*PATIENT, *flags),
        ]
        self._starts = starts
        self.start()

    def start(self) -> None:
        self.process = self._starts(self._arguments, self.log)

    def ready(self) -> str:
        """What /readyz says; empty while nobody answers."""
        try:
            with DIRECT.open(f"http://127.0.0.1:{self.health}/readyz", timeout=300) as answer:
                return str(answer.read().decode().strip())
        except urllib.error.HTTPError as error:
            return error.read().decode().strip()
        except OSError:
            return ""

    def metric(self, name: str) -> str:
        """The value of a metric without labels, as it is written."""
        with DIRECT.open(f"http://127.0.0.1:{self.metrics}/metrics", timeout=300) as answer:
            lines: list[str] = answer.read().decode().splitlines()
        (found,) = [line for line in lines if line.startswith(f"hourglass_performer_{name} ")]
        return found.split()[1]

    def logged(self) -> str:
        return self.log.read_text() if self.log.exists() else ""

    def end(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(300)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class World:
    """A served cluster, the operators on it, and its Performers."""

    def __init__(self, there: Served, folder: Path) -> None:
        self.there = there
        self.folder = folder
        self.processes: list[Process] = []

    def operator(self, name: str = "a", *flags: str, starts: Starts = Operator) -> Process:
        self.processes.append(Process(self.there, self.folder, name, *flags, starts=starts))
        return self.processes[-1]

    def create(self, *names: str) -> None:
        with self.there.lock:
            for name in names:
                made = performer(name).build()
                obj = {key: made[key] for key in ("apiVersion", "kind", "spec")}
                obj["metadata"] = {"name": name}
                self.there.cluster.api.create("performers", obj, namespace="default")

    def phase(self, name: str) -> str:
        with self.there.lock:
            try:
                found = self.there.cluster.api.get("performers", "default", name)
            except APIError:
                return "gone"
        return str(found["status"]["phase"])

    def wait_phase(self, phase: str, *names: str) -> None:
        wait_until(f"{names} {phase}", lambda: {self.phase(name) for name in names} == {phase})

    def call(self, verb: str, *arguments: Any, **more: Any) -> Any:
        with self.there.lock:
            return getattr(self.there.cluster.api, verb)(*arguments, **more)

    def pods(self) -> list[str]:
        return [pod["metadata"]["name"] for pod in self.call("list", "pods").items]

    def writes(self) -> list[str]:
        """What the operators have written, apart from the Lease."""
        with DIRECT.open(self._control("audit")) as answer:
            audited: list[JSON] = json.loads(answer.read())
        return [
            f"{entry['verb']} {entry['resource']}/{entry['subresource']}".rstrip("/")
            for entry in audited
            if entry["user"] == USER and entry["resource"] != "leases"
        ]

    def _control(self, what: str, method: str = "GET") -> urllib.request.Request:
        headers = {"Authorization": f"Bearer {self.there.server.control_token}"}
        url = f"{self.there.url}/_simulator/{what}"
        return urllib.request.Request(url, headers=headers, method=method)

    def control(self, what: str) -> None:
        request = self._control(what, method="POST")
        DIRECT.open(request, timeout=300).close()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    cluster = Cluster(crd=generate(), epoch=datetime.now(UTC))
    cluster.add_node("node-1")
    cluster.images.push("*")
    with served(cluster) as there:
        found = World(there, tmp_path)
        try:
            yield found
        finally:
            for process in found.processes:
                process.process.kill()
                process.process.wait(300)


def test_it_brings_a_performer_to_life_and_writes_nothing_else(world: World) -> None:
    operator = world.operator()
    world.create("ml")
    world.wait_phase("Running", "ml")
    wait_until("ready", lambda: operator.ready() == "ok")
    writes = [write for write in world.writes() if write != "create events"]
    assert writes[:3] == ["patch performers", "create services", "create pods"]
    assert set(writes[3:]) == {"patch performers/status"}
    found = world.call("get", "performers", "default", "ml")
    assert found["metadata"]["finalizers"] == ["hourglass.eigenlayer.io/performer"]
    assert "annotations" not in found["metadata"]


def test_it_ends_orderly_and_the_next_one_leads_at_once(world: World) -> None:
    operator = world.operator(starts=program)
    world.create("ml")
    world.wait_phase("Running", "ml")
    assert operator.end() == 0
    lease = world.call("get", "leases", "default", "hourglass-performer-operator")
    assert lease["spec"]["holderIdentity"] == ""
    before = world.writes()
    world.operator("b")
    world.create("later")
    world.wait_phase("Running", "later")
    assert [write for write in world.writes()[len(before) :] if "delete" in write] == []


def test_a_healthy_cluster_costs_no_writes_after_a_restart(world: World) -> None:
    operator = world.operator()
    world.create("ml")
    world.wait_phase("Running", "ml")
    operator.end()
    before = world.writes()
    again = world.operator("b")
    wait_until("ready", lambda: again.ready() == "ok" and "leading" in again.logged())
    # When a later Performer runs, the healthy one has been looked at.
    world.create("later")
    world.wait_phase("Running", "later")
    since = world.writes()[len(before) :]
    assert since.count("patch performers") == 1


def test_killed_at_any_moment_it_finishes_what_it_began(world: World) -> None:
    names = [f"p{number}" for number in range(6)]
    operator = world.operator("a", *TAKEOVER)
    world.create(*names)
    for number in range(3, 20, 4):
        wait_until("some writes", lambda least=number: len(world.writes()) >= least)  # type: ignore[misc]
        operator.end(signal.SIGKILL)
        operator.start()
    world.wait_phase("Running", *names)
    assert len(world.pods()) == len(names)


def test_a_leader_that_was_stopped_for_a_while_writes_no_more(world: World) -> None:
    first = world.operator("a", *TAKEOVER)
    wait_until("a leads", lambda: "leading" in first.logged())
    second = world.operator("b", *TAKEOVER)
    wait_until("b is ready", lambda: second.ready() == "ok")
    first.process.send_signal(signal.SIGSTOP)
    world.create("ml")
    world.wait_phase("Running", "ml")
    before = first.logged()
    first.process.send_signal(signal.SIGCONT)
    wait_until("a knows", lambda: "no longer leading" in first.logged()[len(before) :])
    world.create("later")
    world.wait_phase("Running", "later")
    assert "create pods" not in first.logged()[len(before) :]
    assert "create pods performer-later" in second.logged()


def test_what_went_while_the_watches_were_down_is_missed(world: World) -> None:
    operator = world.operator()
    world.create("ml")
    world.wait_phase("Running", "ml")
    (pod,) = world.pods()
    operator.process.send_signal(signal.SIGSTOP)
    world.control("watches/drop?forget=1")
    world.call("delete", "pods", "default", pod, grace_period_seconds=0)
    world.call("delete", "services", "default", "performer-ml")
    world.control("watches/drop?forget=1")
    operator.process.send_signal(signal.SIGCONT)
    wait_until("a new Service", lambda: len(world.call("list", "services", "default").items) == 1)
    wait_until("a new pod", lambda: len(world.pods()) == 1)
    world.wait_phase("Running", "ml")


LOST = [
    ("a write", "create", "services", "create services"),
    ("a subresource", "patch", "performers/status", "performers.hourglass.eigenlayer.io/status"),
]


@pytest.mark.parametrize(
    ("verb", "resource", "permission"), [lost[1:] for lost in LOST], ids=[lost[0] for lost in LOST]
)
def test_a_permission_that_is_lost_and_found_needs_no_restart(
    world: World, verb: str, resource: str, permission: str
) -> None:
    operator = world.operator()
    wait_until("ready", lambda: operator.ready() == "ok")
    rule = f"user={USER}&verb={verb}&resource={resource}"
    world.control(f"deny?{rule}")
    world.create("ml")
    wait_until("reported", lambda: permission in operator.ready())
    assert re.search(
        rf"ERROR missing permission: {verb} \S*{permission.split()[-1]}", operator.logged()
    )
    world.control(f"allow?{rule}")
    world.wait_phase("Running", "ml")
    wait_until("ready again", lambda: operator.ready() == "ok")


def test_watches_that_are_forbidden_are_begun_anew(world: World) -> None:
    operator = world.operator()
    wait_until("ready", lambda: operator.ready() == "ok")
    for verb in ("list", "watch"):
        world.control(f"deny?user={USER}&verb={verb}&resource=pods")
    world.control("watches/drop")
    wait_until("reported", lambda: "missing permission: list pods" in operator.ready())
    for verb in ("list", "watch"):
        world.control(f"allow?user={USER}&verb={verb}&resource=pods")
    world.create("ml")
    world.wait_phase("Running", "ml")
    wait_until("ready again", lambda: operator.ready() == "ok")


def test_a_definition_that_goes_and_comes_back_needs_no_restart(world: World) -> None:
    operator = world.operator()
    world.create("ml")
    world.wait_phase("Running", "ml")
    assert operator.metric("synced") == "1.0"
    world.call("delete", "customresourcedefinitions", "", DEFINITION)
    wait_until("reported", lambda: f"{DEFINITION} is not installed" in operator.ready())
    assert f"ERROR the CustomResourceDefinition {DEFINITION} is not" in operator.logged()
    assert operator.metric("synced") == "0.0"
    world.call("create", "customresourcedefinitions", generate())
    wait_until("ready again", lambda: operator.ready() == "ok")
    world.create("ml", "later")
    world.wait_phase("Running", "ml", "later")
    assert operator.process.poll() is None
    assert "Traceback" not in operator.logged()


def test_only_the_namespaces_that_it_was_given_are_served(world: World) -> None:
    world.call("create", "namespaces", {"metadata": {"name": "other"}})
    made = performer("theirs").build()
    obj = {key: made[key] for key in ("apiVersion", "kind", "spec")}
    obj["metadata"] = {"name": "theirs"}
    world.call("create", "performers", obj, namespace="other")
    world.operator("a", "--namespace=default")
    world.create("ml")
    world.wait_phase("Running", "ml")
    theirs = world.call("get", "performers", "other", "theirs")
    assert theirs["metadata"].get("finalizers") is None


def test_without_the_definition_it_says_what_to_install(world: World) -> None:
    world.call("delete", "customresourcedefinitions", "", DEFINITION)
    operator = world.operator("a", "--startup-timeout=0.1")
    assert operator.process.wait(300) == 4
    missing = f"is not installed at {world.there.url}; install it with kubectl apply"
    assert missing in operator.logged()
    assert "Traceback" not in operator.logged()
