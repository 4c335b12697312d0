"""Kubeconfigs with which no connection can be made, and what is said of them."""

import asyncio
import base64
import json
from pathlib import Path

import pytest
from kubernetes.aio.client import Configuration

from hourglass_kube.types import JSON
from hourglass_operator.transport.connection import KubeconfigError, connection

NO_PEM = base64.b64encode(b"hello").decode()


def kubeconfig(
    cluster: JSON | None = None, user: JSON | None = None, top: JSON | None = None
) -> str:
    named_cluster = {"server": "https://127.0.0.1:1"} | (cluster or {})
    named_user: JSON = {"token": "t"} if user is None else user
    config: JSON = {
        "clusters": [{"name": "there", "cluster": named_cluster}],
        "users": [{"name": "me", "user": named_user}],
        "contexts": [{"name": "mine", "context": {"cluster": "there", "user": "me"}}],
        "current-context": "mine",
    }
    return json.dumps(config | (top or {}))


EXEC = "client.authentication.k8s.io/v1"


def shell(script: str) -> JSON:
    return {"exec": {"command": "sh", "args": ["-c", script], "apiVersion": EXEC}}


WRONG = [
    ("it is empty", "", "not a kubeconfig"),
    ("it is a word", "hello", "not a kubeconfig"),
    ("it is a list", "- a", "not a kubeconfig"),
    ("it is no YAML", "{", "not a kubeconfig: while parsing"),
    ("it is nested without end", "[" * 1_000, "not a kubeconfig: maximum recursion depth"),
    ("it is another object", '{"kind": "Pod"}', "Expected key current-context"),
    (
        "its context does not exist",
        kubeconfig(top={"current-context": "yours"}),
        "Expected object with name yours",
    ),
    (
        "the cluster does not exist",
        kubeconfig(top={"clusters": []}),
        "Expected object with name there",
    ),
    (
        "there are no users",
        kubeconfig(top={"users": []}),
        "the user of its context is not in it",
    ),
    (
        "the user does not exist, and no certificate of theirs is looked for",
        kubeconfig({"server": "http://127.0.0.1:1"}, top={"users": [{"name": "you", "user": {}}]}),
        'the user "me" of its context is not in it',
    ),
    (
        "the server is no URL",
        kubeconfig({"server": "not a url"}),
        "the cluster's server: https://HOST:PORT is expected, found 'not a url'",
    ),
    (
        "the server's port is none",
        kubeconfig({"server": "https://127.0.0.1:99999"}),
        "the cluster's server: https://HOST:PORT is expected, found 'https://127.0.0.1:99999'",
    ),
    (
        "the authority's file does not exist",
        kubeconfig({"certificate-authority": "/nowhere/ca.crt"}),
        "/nowhere/ca.crt",
    ),
    (
        "the authority is no certificate",
        kubeconfig({"certificate-authority-data": NO_PEM}),
        "the cluster's certificate-authority is no certificate",
    ),
    (
        "the client's certificate is none",
        kubeconfig(user={"client-certificate-data": NO_PEM, "client-key-data": NO_PEM}),
        "the user's client-certificate and client-key are none",
    ),
    (
        "the user's command does not exist",
        kubeconfig(user={"exec": {"command": "no-such-login", "apiVersion": EXEC}}),
        'no credentials from the exec command no-such-login of user "me": [Errno 2] No such file',
    ),
    (
        "the user's command fails",
        kubeconfig(user=shell("echo log in first >&2; exit 7")),
        "the exec command sh of user \"me\": process returned 7. b'log in first'",
    ),
    (
        "the user's command prints something else",
        kubeconfig(user=shell("echo welcome")),
        'no credentials from the exec command sh of user "me": failed to decode process output',
    ),
    (
        "the user's command is not named",
        kubeconfig(user={"exec": {"apiVersion": EXEC}}),
        'no credentials from the exec of user "me": malformed request. missing key',
    ),
    (
        "the user's exec is a number",
        kubeconfig(user={"exec": 5}),
        'no credentials from the exec of user "me": ',
    ),
    ("the token's file does not exist", kubeconfig(user={"tokenFile": "/nowhere/t"}), "/nowhere/t"),
]


@pytest.mark.parametrize(("text", "said"), [w[1:] for w in WRONG], ids=[w[0] for w in WRONG])
def test_what_is_wrong_is_said(text: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "kubeconfig"
    file.write_text(text)
    with pytest.raises(KubeconfigError) as raised:
        asyncio.run(connection(file, None))
    message = str(raised.value)
    assert message.startswith(f"kubeconfig {file}: ")
    assert said in message
    assert "\n" not in message


def test_a_cluster_without_a_server_is_none(tmp_path: Path) -> None:
    file = tmp_path / "kubeconfig"
    file.write_text(kubeconfig().replace('"server": "https://127.0.0.1:1"', ""))
    with pytest.raises(KubeconfigError, match="the cluster's server"):
        asyncio.run(connection(file, None))


def test_what_is_right_is_taken(tmp_path: Path) -> None:
    file = tmp_path / "kubeconfig"
    file.write_text(kubeconfig())
    configuration = asyncio.run(connection(file, None))
    assert configuration.host == "https://127.0.0.1:1"


FIRST, SECOND = "Bearer first", "Bearer second"
FAILURES = [
    ("fails", "exit 1"),
    ("is not answered in time", "touch {folder}/begun; exec sleep 300"),
    ("gives no credentials", "echo nothing"),
]


@pytest.mark.parametrize("script", [f[1] for f in FAILURES], ids=[f[0] for f in FAILURES])
def test_after_ten_seconds_another_try_is_made_of_a_command_that(
    script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, command = tmp_path / "config", tmp_path / "command"
    now = 1000.0

    def gives(token: str) -> None:
        status = {"token": token, "expirationTimestamp": "2020-01-01T00:00:00Z"}
        answer = json.dumps({"apiVersion": EXEC, "kind": "ExecCredential", "status": status})
        command.write_text(f"echo '{answer}'")

    async def token(configuration: Configuration) -> str | None:
        asking = asyncio.create_task(configuration.get_api_key_with_prefix("BearerToken"))
        while not asking.done():
            if (tmp_path / "begun").exists():
                (tmp_path / "begun").unlink()
                asking.cancel()
            await asyncio.sleep(0)
        return None if asking.cancelled() else asking.result()

    async def tokens() -> list[str | None]:
        nonlocal now
        gives("first")
        file.write_text(kubeconfig(user=shell(f". {command}")))
        configuration = await connection(file, None)
        command.write_text(script.format(folder=tmp_path))
        found = []
        for pause in (61.0, 9.0, 1.0):
            now += pause
            found.append(await token(configuration))
            gives("second")
        return found

    monkeypatch.setattr("hourglass_operator.transport.connection.time.monotonic", lambda: now)
    assert asyncio.run(tokens())[1:] == [FIRST, SECOND]


def test_a_command_that_fails_later_is_reported_and_its_token_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    file, answer = tmp_path / "config", tmp_path / "answer"
    expired = {"token": "first", "expirationTimestamp": "2020-01-01T00:00:00Z"}
    answer.write_text(json.dumps({"apiVersion": EXEC, "kind": "ExecCredential", "status": expired}))
    file.write_text(kubeconfig(user=shell(f"cat {answer}")))
    now = 1000.0
    monkeypatch.setattr("hourglass_operator.transport.connection.time.monotonic", lambda: now)

    async def token_afterwards() -> str | None:
        nonlocal now
        configuration = await connection(file, None)
        answer.unlink()
        now += 61.0
        return await configuration.get_api_key_with_prefix("BearerToken")

    assert asyncio.run(token_afterwards()) == "Bearer first"
    (record,) = caplog.records
    assert (
        'no new credentials from the exec command sh of user "me": process' in record.getMessage()
    )


def test_a_token_in_a_file_is_read_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    token, file = tmp_path / "token", tmp_path / "config"
    token.write_text("first")
    file.write_text(kubeconfig(user={"tokenFile": str(token)}))
    now = 1000.0
    monkeypatch.setattr("hourglass_operator.transport.connection.time.monotonic", lambda: now)

    async def tokens() -> list[str | None]:
        nonlocal now
        configuration = await connection(file, None)
        found = [await configuration.get_api_key_with_prefix("BearerToken")]
        token.write_text("second")
        found.append(await configuration.get_api_key_with_prefix("BearerToken"))
        now += 61.0
        found.append(await configuration.get_api_key_with_prefix("BearerToken"))
        token.unlink()
        now += 61.0
        return [*found, await configuration.get_api_key_with_prefix("BearerToken")]

    # One that cannot be read any more stays what it was.
    assert asyncio.run(tokens()) == ["Bearer first", "Bearer first", *["Bearer second"] * 2]
