"""Record what a real API server answers to the calls of tests/goldens/apiserver/calls.yaml.

    KUBECONFIG=... PYTHONPATH=tests python -m goldens.record_apiserver [VERSION]

The server must be fresh: what the calls create is left behind. Uids, versions, times, addresses and
generated names become tokens, numbered by their appearance within a case, so that equal tokens mean
equal values. The Performer CRD is created from crds/. VERSION is that of a server which is newer
than 1.34 (see `newer`).
"""

import json
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from ruamel.yaml import YAML

from goldens import newer

HERE = Path(__file__).parent / "apiserver"
GOLDEN = HERE / "calls.golden.json"
CRD = Path(__file__).parents[2] / "crds/performers.hourglass.eigenlayer.io.yaml"
JSON_TYPE = "application/json"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
ADDRESS = re.compile(r"10\.96\.(?!200\.)\d+\.\d+")
GENERATED = re.compile(r"(some|kube-api-access)-[a-z0-9]{5}\b")
CALL = re.compile(r'^(?P<method>[A-Z]+) ("(?P<quoted>.*)"|(?P<path>\S+))( (?P<type>\S+))?$')
REFERENCE = re.compile(r"\{(\d+)\.([\w.]+)\}")


class Call(NamedTuple):
    """One call; `method` WATCH asks for the events since the case began."""

    method: str
    path: str
    content_type: str
    body: Any


class Answer(NamedTuple):
    """HTTP status and body; for a WATCH the events."""

    code: int
    body: Any


class Server(Protocol):
    """A real API server, or the simulated one."""

    def call(self, call: Call) -> Answer: ...


def calls(steps: list[dict[str, Any]]) -> Iterator[Call]:
    """The calls of a case as they are written."""
    for step in steps:
        [(text, body)] = step.items()
        found = CALL.match(text)
        assert found, text
        path = found["quoted"] or found["path"]
        yield Call(found["method"], path, found["type"] or JSON_TYPE, body)


def load() -> tuple[list[Call], dict[str, list[Call]]]:
    """(what is set up, cases by their name)."""
    document = YAML(typ="safe").load(HERE / "calls.yaml")
    cases = {name: list(calls(steps)) for name, steps in document["cases"].items()}
    return list(calls(document["setup"])), cases


def play(server: Server, case: list[Call], namespace: str) -> list[dict[str, Any]]:
    """Make the calls of a case; the answers with tokens."""
    start = server.call(Call("GET", "/api/v1/namespaces", JSON_TYPE, None))
    values = {"ns": namespace, "start": start.body["metadata"]["resourceVersion"]}
    answers: list[Any] = []
    tokens = Tokens()
    shown = []
    for call in case:
        sent = Call(*(filled(part, values, answers) for part in call))
        if sent.method == "WATCH":
            joint = "&" if "?" in sent.path else "?"
            path = f"{sent.path}{joint}watch=true&resourceVersion={values['start']}"
            sent = Call("WATCH", f"{path}&timeoutSeconds=1", sent.content_type, None)
        answer = server.call(sent)
        answers.append(answer.body)
        shown.append({"code": answer.code, "body": tokens.replace(answer.body)})
    return shown


def filled(value: Any, values: dict[str, str], answers: list[Any]) -> Any:
    """With the placeholders replaced."""
    if isinstance(value, dict):
        return {filled(k, values, answers): filled(v, values, answers) for k, v in value.items()}
    if isinstance(value, list):
        return [filled(item, values, answers) for item in value]
    if not isinstance(value, str):
        return value
    for name, text in values.items():
        value = value.replace("{" + name + "}", text)

    def answered(found: re.Match[str]) -> str:
        part = answers[int(found[1]) - 1]
        for field in found[2].split("."):
            part = part[field]
        return str(part)

    return REFERENCE.sub(answered, value)


class Tokens:
    """Replaces what differs between two runs."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}

    def replace(self, value: Any, field: str = "") -> Any:
        """The value with tokens, without managedFields."""
        if isinstance(value, dict):
            return {
                name: self.replace(value[name], name)
                for name in sorted(value)
                if name != "managedFields"
            }
        if isinstance(value, list):
            return [self.replace(item, field) for item in value]
        if not isinstance(value, str):
            return value
        if field == "uid" and len(value) == 36 and not value.startswith("11111111"):
            self._texts.setdefault(value, f"<uid {self._count('uid')}>")
        if field == "resourceVersion" and value and int(value) > 1:
            self._texts.setdefault(value, f"<version {self._count('version')}>")
        if value in self._texts:
            return self._texts[value]
        # What follows is the difference of two Go structs, which is not simulated.
        value = value.partition("\n@@")[0]
        for text, token in self._texts.items():
            value = re.sub(rf"\b{text}\b", token, value)
        value = GENERATED.sub(lambda found: f"{found[1]}-<suffix>", value)
        return ADDRESS.sub("<address>", TIME.sub("<time>", value))

    def _count(self, kind: str) -> int:
        return 1 + sum(token.startswith(f"<{kind} ") for token in self._texts.values())


class RealServer:
    """Speaks HTTP."""

    def __init__(self) -> None:
        from kubernetes import client, config

        config.load_kube_config()
        self._client = client.ApiClient()
        self._host = self._client.configuration.host

    def call(self, call: Call) -> Answer:
        answer = self._send(call)
        if call.method == "POST" and call.path.endswith("/resourcequotas"):
            # Admission counts with a cache that learns of a quota a moment later.
            time.sleep(2)
        return answer

    def _send(self, call: Call) -> Answer:
        pool = self._client.rest_client.pool_manager
        headers = {"Content-Type": call.content_type}
        self._client.update_params_for_auth(
            headers, [], ["BearerToken"], call.path, call.method, None
        )
        body = None if call.body is None else json.dumps(call.body)
        method = "GET" if call.method == "WATCH" else call.method
        answer = pool.request(method, self._host + call.path, body=body, headers=headers)
        text = answer.data.decode()
        if "watch=true" in call.path and answer.status == 200:
            return Answer(200, [json.loads(line) for line in text.splitlines()])
        try:
            return Answer(answer.status, json.loads(text))
        except ValueError:
            return Answer(answer.status, text)


def main() -> None:
    server = RealServer()
    setup, cases = load()
    crd = YAML(typ="safe").load(CRD)
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    assert server.call(Call("POST", path, JSON_TYPE, crd)).code in (201, 409)
    for call in setup:
        assert server.call(call).code in (201, 409), call
    goldens = {}
    names = {name: namespace_of(name) for name in cases}
    for namespace in names.values():
        made = Call("POST", "/api/v1/namespaces", JSON_TYPE, {"metadata": {"name": namespace}})
        assert server.call(made).code == 201, namespace
    for name, case in cases.items():
        account = f"/api/v1/namespaces/{names[name]}/serviceaccounts/default"
        while server.call(Call("GET", account, JSON_TYPE, None)).code != 200:
            time.sleep(0.2)
        goldens[name] = play(server, case, names[name])
        sys.stderr.write(f"{name}\n")
    if sys.argv[1:]:
        newer.write(GOLDEN, sys.argv[1], goldens)
        return
    GOLDEN.write_text(json.dumps(goldens, indent=1, sort_keys=False) + "\n")


def namespace_of(name: str) -> str:
    """The namespace of a case."""
    return "recorded-" + re.sub(r"[^a-z0-9]+", "-", name.lower())[:50].strip("-")


if __name__ == "__main__":
    main()
