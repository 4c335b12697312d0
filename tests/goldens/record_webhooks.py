"""Record what a real API server sends to admission webhooks, and what it makes of their answers.

    PYTHONPATH=tests python -m goldens.record_webhooks KUBE_APISERVER

The cases are in webhooks/webhooks.yaml, written like those of record_admission.py; beside them
`VALIDATE WORDS` and `MUTATE WORDS` are a configuration with a webhook for each body: what it has
beside its name, its rules for configmaps of the namespace, and its URL. Answers to a step come with
the reviews that it led to.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from goldens import newer
from goldens.record_admission import Server, prepare, step
from goldens.record_kinds import JSON_TYPE, Tokens
from goldens.record_requests import namespace
from goldens.webhook_server import WebhookServer, webhook_server

HERE = Path(__file__).parent / "webhooks"
GOLDEN = HERE / "webhooks.golden.json"
_BASE = "/apis/admissionregistration.k8s.io/v1"
_KINDS = {"VALIDATE": "validatingwebhookconfigurations", "MUTATE": "mutatingwebhookconfigurations"}
_ANYTHING = {"operations": ["*"], "apiGroups": [""], "apiVersions": ["v1"]}


def load() -> dict[str, list[dict[str, Any]]]:
    """The steps of each case as they are written."""
    cases: dict[str, list[dict[str, Any]]] = YAML(typ="safe").load(HERE / "webhooks.yaml")
    return json.loads(json.dumps(cases))  # type: ignore[no-any-return]


def _configuration(name: str, webhooks: list[Any], server: WebhookServer) -> dict[str, Any]:
    made = []
    for index, each in enumerate(webhooks):
        path = each.pop("path", "/allow")
        port = each.pop("port", server.port)
        client = {"url": f"https://127.0.0.1:{port}{path}", "caBundle": server.ca_bundle}
        made.append(
            {
                "name": f"hook-{index}.example.com",
                "clientConfig": client,
                "rules": [{**_ANYTHING, "resources": ["configmaps"]}],
                "sideEffects": "None",
                "admissionReviewVersions": ["v1"],
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}},
                **each,
            }
        )
    return {"metadata": {"name": name}, "webhooks": made}


def play(server: Server, hooks: WebhookServer, case: str, steps: list[Any]) -> list[Any]:
    """The answers to the steps of a case, in a namespace of its own."""
    name = namespace(case)
    prepare(server, name)
    tokens, answers, made = Tokens(), list[Any](), list[str]()
    for written in steps:
        [(line, body)] = json.loads(json.dumps(written).replace("{ns}", name)).items()
        kind, _, _ = line.partition(" ")
        if kind in _KINDS:
            path = f"{_BASE}/{_KINDS[kind]}"
            sent = _configuration(name, body, hooks)
            reply = server.call(
                "POST", path, sent, content_type=JSON_TYPE, accept=JSON_TYPE, headers={}
            )
            assert reply.code == 201, reply.body
            made.append(f"{path}/{name}")
            answers.append({})
            server.wait(2)
            continue
        one = step({line: body}, name)
        hooks.taken()
        reply = server.call(
            one.method,
            one.path,
            one.body,
            content_type=one.content_type,
            accept=JSON_TYPE,
            headers=one.headers,
        )
        answer = {
            "code": reply.code,
            "warnings": reply.headers.get("warning", []),
            "body": _masked(tokens.replace(reply.body), hooks),
            "reviews": _masked(tokens.replace(hooks.taken()), hooks),
        }
        answers.append(answer)
    for path in made:
        server.call("DELETE", path, None, content_type=JSON_TYPE, accept=JSON_TYPE, headers={})
    return answers


def _masked(value: Any, hooks: WebhookServer) -> Any:
    if isinstance(value, dict):
        return {name: _masked(each, hooks) for name, each in value.items()}
    if isinstance(value, list):
        return [_masked(each, hooks) for each in value]
    if isinstance(value, str):
        return re.sub(rf":{hooks.port}\b", ":<port>", value)
    return value


def main() -> None:
    """Write the golden."""
    from goldens.bare_apiserver import bare_apiserver

    recorded, lines = {}, []
    with bare_apiserver(Path(sys.argv[1])) as server, webhook_server() as hooks:
        version = newer.version_of(server)
        for name, steps in load().items():
            found = recorded[name] = play(server, hooks, name, steps)
            answers = ",\n".join(json.dumps(each) for each in found)
            lines.append(f"{json.dumps(name)}: [\n{answers}\n]")
    newer.save(GOLDEN, version, recorded, "{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
