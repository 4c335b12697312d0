"""Records how a real API server refuses an executor: answers.golden.json.

On a cluster without Performers, as its administrator:
    KUBECONFIG=… python tests/operator/client/record_answers.py
"""

import asyncio
import json
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from unittest import mock

import click
from kubernetes.aio.client import Configuration

from hourglass_kube.types import JSON
from hourglass_operator.client import transport
from hourglass_operator.client.errors import RequestError, refusal
from hourglass_operator.client.transport import Transport
from hourglass_operator.transport.connection import connection

ROOT = Path(__file__).parents[3]
GOLDEN = Path(__file__).with_name("answers.golden.json")
NAMESPACE = "my-avs-project"
CRD = ROOT / "crds/performers.hourglass.eigenlayer.io.yaml"
RBAC = ROOT / "examples/executor/rbac.yaml"
SPEC = {"avsAddress": "0x" + "1" * 40, "image": "avs/worker:v1"}


def body(name: str, **spec: Any) -> JSON:
    return {
        "apiVersion": "hourglass.eigenlayer.io/v1alpha1",
        "kind": "Performer",
        "metadata": {"name": name},
        "spec": SPEC | spec,
    }


def kubectl(*args: str) -> str:
    done = subprocess.run(["kubectl", *args], check=True, capture_output=True, text=True)
    return done.stdout.strip()


async def _as(account: str) -> Configuration:
    configuration = await connection(None, None)
    configuration.cert_file = configuration.key_file = None
    token = kubectl("create", "token", account, "-n", NAMESPACE) if account != "?" else "wrong"
    configuration.api_key = {"BearerToken": f"Bearer {token}"}
    return configuration


async def record() -> JSON:
    found: JSON = {}
    seen: list[JSON] = []

    def remember(verb: str, namespace: str, name: str, code: int, body: JSON) -> RequestError:
        seen.append(
            {"verb": verb, "namespace": namespace, "name": name, "code": code} | {"body": body}
        )
        return refusal(verb, namespace, name, code, body)

    mock.patch.object(transport, "refusal", remember).start()

    async def case(
        what: str, account: str, namespace: str, do: Callable[[Transport], Awaitable[object]]
    ) -> None:
        api = Transport(await _as(account), namespace)
        seen.clear()
        try:
            await do(api)
        except RequestError as error:
            click.echo(f"{what}: {type(error).__name__}: {error}")
        found[what] = seen[-1]
        await api.close()

    async def watch(api: Transport, version: str) -> None:
        async for _ in api.watch({"resourceVersion": version}):
            break

    def create(name: str, **spec: Any) -> Callable[[Transport], Awaitable[object]]:
        return lambda api: api.call("create", name, body=body(name, **spec))

    mine = NAMESPACE
    await case("no definition", "executor", mine, create("worker"))
    kubectl("apply", "--server-side", "-f", str(CRD))
    kubectl("wait", "--for=condition=Established", "crd/performers.hourglass.eigenlayer.io")
    await asyncio.sleep(2)
    await case("no permission to create", "default", mine, create("worker"))
    await case("no permission to get", "default", mine, lambda api: api.call("get", "worker"))
    await case("no permission to list", "default", mine, lambda api: api.list({}))
    await case("no permission to watch", "default", mine, lambda api: watch(api, "0"))
    patch = {"spec": {"version": "v2"}}
    await case(
        "no permission to patch",
        "default",
        mine,
        lambda api: api.call("patch", "worker", patch),
    )
    await case("no permission to delete", "default", mine, lambda api: api.call("delete", "worker"))
    await case("wrong credentials", "?", mine, lambda api: api.list({}))
    await case("no such performer", "executor", mine, lambda api: api.call("get", "worker"))
    await case(
        "bad values", "executor", mine, create("worker", avsAddress="0x12", config={"grpcPort": 0})
    )
    await case("a value of another type", "executor", mine, create("worker", image=7))
    await case("a bad name", "executor", mine, create("Worker"))
    api = Transport(await _as("executor"), mine)
    await api.call("create", "worker", body=body("worker"))
    await case("a name that is taken", "executor", mine, create("worker"))
    changed = {"metadata": {"resourceVersion": "1"}, **patch}
    await case(
        "an outdated change",
        "executor",
        mine,
        lambda api: api.call("patch", "worker", body=changed),
    )
    quota = ["quota", "few", "-n", mine, "--hard=count/performers.hourglass.eigenlayer.io=1"]
    kubectl("create", *quota)
    await asyncio.sleep(5)
    await case("a quota that is used up", "executor", mine, create("another"))
    kubectl("delete", *quota[:4])
    await case("a history that is gone", "executor", mine, lambda api: watch(api, "1"))
    found["the answer to a deletion"] = {"body": await api.call("delete", "worker")}
    await api.close()
    return found


if __name__ == "__main__":
    kubectl("create", "namespace", NAMESPACE)
    kubectl("apply", "-f", str(RBAC))
    GOLDEN.write_text(json.dumps(asyncio.run(record()), indent=1) + "\n", encoding="utf-8")
