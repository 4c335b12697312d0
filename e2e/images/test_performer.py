"""The performer of the tests does what it is asked to; no cluster is needed for this."""

import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from clusters import wait_until
from images.go_program import go_program
from images.performer_image import MODULE

SERVING = "SERVING, v7"
NOT_SERVING = "NOT_SERVING, v7"
# The server knows the caller's deadline as well, and may give the call up a moment earlier.
NO_ANSWER = {"DEADLINE_EXCEEDED", "CANCELLED"}


@dataclass
class Performer:
    process: subprocess.Popen[str]
    port: int
    control_port: int

    def check(self) -> str:
        """What a health check says: status and version, or the code of the error."""
        with grpc.insecure_channel(f"127.0.0.1:{self.port}") as channel:
            stub = health_pb2_grpc.HealthStub(channel)
            try:
                answer, call = stub.Check.with_call(health_pb2.HealthCheckRequest(), timeout=2)
            except grpc.RpcError as error:
                return str(error.code().name)
            version = dict(call.initial_metadata())["x-performer-version"]
            return f"{health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)}, {version}"

    def request(self, path: str) -> int:
        """POST to the control port; the HTTP status."""
        url = f"http://127.0.0.1:{self.control_port}{path}"
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(urllib.request.Request(url, method="POST")) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code

    def listens(self, port: int) -> bool:
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", port)) == 0

    def wait_until_it_listens(self) -> None:
        wait_until("the performer listens", lambda: self.listens(self.port), 10)


Start = Callable[..., Performer]


@pytest.fixture(scope="module")
def program() -> Path:
    return go_program(MODULE, print)


@pytest.fixture
def start(program: Path) -> Iterator[Start]:
    started = []

    def run(*arguments: str) -> Performer:
        port, control_port = free_port(), free_port()
        process = subprocess.Popen(
            [program, "--control-port", str(control_port), *arguments],
            env={"PORT": str(port), "VERSION": "v7"},
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        performer = Performer(process, port, control_port)
        wait_until("the control port listens", lambda: performer.listens(control_port), 10)
        return performer

    yield run
    for process in started:
        process.kill()
        process.communicate()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.mark.parametrize(
    ("mode", "answers"),
    [
        pytest.param("serve", {SERVING}, id="one that serves says so"),
        pytest.param("fail", {NOT_SERVING}, id="one that fails says NOT_SERVING"),
        pytest.param("hang", NO_ANSWER, id="one that hangs never answers"),
    ],
)
def test_modes(start: Start, mode: str, answers: set[str]) -> None:
    from_the_start = start("--mode", mode)
    from_the_start.wait_until_it_listens()
    assert from_the_start.check() in answers

    requested_later = start()
    requested_later.wait_until_it_listens()
    assert requested_later.check() == SERVING
    assert requested_later.request(f"/mode/{mode}") == 200
    assert requested_later.check() in answers
    assert requested_later.request("/mode/serve") == 200
    assert requested_later.check() == SERVING


def test_an_unknown_mode_is_refused(start: Start) -> None:
    assert start().request("/mode/sing") == 400


def test_one_that_starts_slowly_listens_later(start: Start) -> None:
    slow = start("--listen-after", "1s")
    assert not slow.listens(slow.port)
    slow.wait_until_it_listens()
    assert slow.check() == SERVING


def test_one_that_never_listens_runs_all_the_same(start: Start) -> None:
    deaf = start("--never-listen")
    assert deaf.request("/mode/serve") == 200
    assert not deaf.listens(deaf.port)
    deaf.process.terminate()
    assert deaf.process.wait(5) == 0


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        pytest.param(("--crash-after", "200ms", "--exit-code", "3"), None, id="at its start"),
        pytest.param((), "/crash?code=3", id="later"),
    ],
)
def test_one_crashes_on_request(start: Start, arguments: tuple[str, ...], path: str | None) -> None:
    performer = start(*arguments)
    if path:
        assert performer.request(path) == 200
    assert performer.process.wait(5) == 3


def test_one_that_is_stopped_lets_the_call_under_way_end(start: Start) -> None:
    performer = start()
    performer.wait_until_it_listens()
    with grpc.insecure_channel(f"127.0.0.1:{performer.port}") as channel:
        watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
        assert next(watch).status == health_pb2.HealthCheckResponse.SERVING
        performer.process.terminate()
        wait_until("it stops listening", lambda: not performer.listens(performer.port), 5)
        assert performer.process.poll() is None
        watch.cancel()
        assert performer.process.wait(5) == 0


def test_a_wrong_setting_is_named(program: Path) -> None:
    environment = {"CRASH_AFTER": "soon"}
    done = subprocess.run([program], env=environment, capture_output=True, text=True, timeout=10)
    assert done.returncode == 2
    assert 'CRASH_AFTER="soon"' in done.stderr
