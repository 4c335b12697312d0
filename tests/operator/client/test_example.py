"""examples/executor: the program as a process, and its manifests."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import yaml
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from executor_world import NAMESPACE, World

EXAMPLE = Path(__file__).parents[3] / "examples/executor"
REFERENCE = Path(__file__).parents[3] / "docs/api-reference.md"


def manifests(file: str) -> dict[str, Any]:
    documents = yaml.safe_load_all((EXAMPLE / file).read_text(encoding="utf-8"))
    return {document["kind"]: document for document in documents}


@contextmanager
def health_service(address: str) -> Iterator[None]:
    """What a Performer's pod would answer; no containers run in the simulator."""
    server = grpc.server(futures.ThreadPoolExecutor(2))
    servicer = health.HealthServicer()
    servicer.set("", health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    server.add_insecure_port(address)
    server.start()
    try:
        yield
    finally:
        server.stop(None)


@contextmanager
def executor(world: World, folder: Path, **variables: str) -> Iterator[tuple[Any, Path]]:
    log = folder / "log"
    environment = os.environ | {
        "KUBECONFIG": str(world.kubeconfig),
        "KUBERNETES_NAMESPACE": NAMESPACE,
        "PERFORMER_SERVICE_PATTERN": f"unix:{folder}/{{name}}.sock",
        "EXECUTOR_NAME": "executor-0",
        "AVS_ADDRESS": "0x" + "1" * 40,
        "PERFORMER_IMAGE": "avs/performer:v1",
        "CALL_SECONDS": "0.05",
    }
    with log.open("wb") as output:
        command = [sys.executable, str(EXAMPLE / "executor.py")]
        process = subprocess.Popen(command, env=environment | variables, stderr=output)
        try:
            yield process, log
        finally:
            process.kill()
            process.wait()


def wait_for(log: Path, text: str, *, after: str = "", seconds: float = 300) -> None:
    """Until the text stands in the log, behind another one if there is one to be `after`."""
    deadline = time.monotonic() + seconds
    while text not in (logged := log.read_text())[logged.find(after) :]:
        assert time.monotonic() < deadline, f"not logged: {text}\n{logged}"
        time.sleep(0.02)


def test_it_creates_calls_replaces_and_deletes(world: World, tmp_path: Path) -> None:
    with (
        health_service(f"unix:{tmp_path}/executor-0.sock"),
        executor(world, tmp_path, UPGRADE_IMAGE="avs/performer:v2") as (process, log),
    ):
        wait_for(log, "avs/performer:v2 serves, on node plain")
        wait_for(log, "executor-0: SERVING", after="avs/performer:v2 serves")
        process.send_signal(signal.SIGTERM)
        assert process.wait(300) == 0
        logged = log.read_text()
    assert "executor-0: created with avs/performer:v1" in logged
    assert logged.rstrip().endswith("executor-0: gone")
    with world.client() as performers:
        assert performers.list() == []


def test_it_goes_back_when_the_new_image_fails(world: World, tmp_path: Path) -> None:
    with world.lock:
        world.there.cluster.images.remove("avs/performer:v2")
    with (
        health_service(f"unix:{tmp_path}/executor-0.sock"),
        executor(world, tmp_path, UPGRADE_IMAGE="avs/performer:v2") as (_, log),
        world.client() as performers,
    ):
        wait_for(log, "is not upgraded: ImagePullFailed")
        # It has called before, too.
        wait_for(log, "executor-0: SERVING", after="is not upgraded")
        back = performers.wait_until_ready("executor-0")
        assert back.spec.image == "avs/performer:v1"


def test_it_says_why_there_is_no_performer(world: World, tmp_path: Path) -> None:
    with world.lock:
        world.there.cluster.images.remove("avs/performer:v1")
    with executor(world, tmp_path) as (process, log):
        assert process.wait(300) == 1
        assert "executor-0 is not ready: ImagePullFailed" in log.read_text()
        assert "Traceback" not in log.read_text()


def test_the_role_is_that_of_the_reference() -> None:
    blocks = REFERENCE.read_text(encoding="utf-8").split("```yaml\n")
    (text,) = (block.partition("```")[0] for block in blocks if "kind: Role\n" in block)
    assert manifests("rbac.yaml")["Role"] == yaml.safe_load(text)


def test_the_variables_are_those_of_the_reference() -> None:
    blocks = REFERENCE.read_text(encoding="utf-8").split("```yaml\n")
    (text,) = (block.partition("```")[0] for block in blocks if "DEPLOYMENT_MODE" in block)
    (container,) = manifests("executor.yaml")["StatefulSet"]["spec"]["template"]["spec"][
        "containers"
    ]
    for variable in yaml.safe_load(text)["env"]:
        assert variable in container["env"]


def test_the_account_has_the_role() -> None:
    rbac, executor = manifests("rbac.yaml"), manifests("executor.yaml")
    account = rbac["ServiceAccount"]["metadata"]
    assert rbac["RoleBinding"]["subjects"] == [{"kind": "ServiceAccount", **account}]
    assert rbac["RoleBinding"]["roleRef"]["name"] == rbac["Role"]["metadata"]["name"]
    pod = executor["StatefulSet"]["spec"]["template"]["spec"]
    assert pod["serviceAccountName"] == account["name"]
    assert executor["StatefulSet"]["spec"]["serviceName"] == executor["Service"]["metadata"]["name"]
