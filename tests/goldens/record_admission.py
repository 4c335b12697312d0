"""Record what a real API server lets in, of whom, and in which words it refuses the rest.

    PYTHONPATH=tests python -m goldens.record_admission KUBE_APISERVER [FILE...]

The cases are in admission/*.yaml, the answers of each file beside it. A case is a list of requests:
`METHOD PATH [CONTENT-TYPE] [@USER[+GROUP...]] [HEADER=VALUE...]` with the body. `@` impersonates,
for the recorder is a member of system:masters; `Authorization=` alone sends no credentials. {ns} is
the namespace of the case, which has a ServiceAccount `default`. `WAIT SECONDS` is no request: a
real server acts upon a policy some time after it was made.
"""

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from ruamel.yaml import YAML

from goldens import newer
from goldens.record_kinds import JSON_TYPE, Reply, Tokens
from goldens.record_requests import namespace

HERE = Path(__file__).parent / "admission"


class Step(NamedTuple):
    """A request; `body` is sent as JSON, `headers` beside the usual ones."""

    method: str
    path: str
    body: Any
    content_type: str
    headers: Mapping[str, list[str]]


class Server(Protocol):
    """A real API server, or the simulated one."""

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        content_type: str,
        accept: str,
        headers: Mapping[str, list[str]],
    ) -> Reply: ...
    def wait(self, seconds: float) -> None: ...


def files() -> list[Path]:
    """The files of cases."""
    return sorted(HERE.glob("*.yaml"))


def golden(file: Path) -> Path:
    """Where the answers to the cases of a file are."""
    return file.with_suffix(".golden.json")


def load(file: Path) -> dict[str, list[Step]]:
    """The requests of each case by its name."""
    cases = YAML(typ="safe").load(file)
    return {name: [step(each, namespace(name)) for each in found] for name, found in cases.items()}


def step(written: dict[str, Any], name: str) -> Step:
    """A request as it is written."""
    [(line, body)] = json.loads(json.dumps(written).replace("{ns}", name)).items()
    method, path, *rest = line.split()
    content_type, headers = JSON_TYPE, dict[str, list[str]]()
    for word in rest:
        if word.startswith("@"):
            user, *groups = word[1:].split("+")
            headers["Impersonate-User"] = [user]
            if groups:
                headers["Impersonate-Group"] = groups
        elif "=" in word:
            header, _, value = word.partition("=")
            text = value.replace("_", " ", 1) if header == "Authorization" else value
            headers.setdefault(header, []).extend([text] if text else [])
        else:
            content_type = word
    return Step(method, path, body, content_type, headers)


def prepare(server: Server, name: str) -> None:
    """Make the namespace of a case."""
    for path, body in (
        ("/api/v1/namespaces", {"metadata": {"name": name}}),
        (f"/api/v1/namespaces/{name}/serviceaccounts", {"metadata": {"name": "default"}}),
    ):
        made = server.call("POST", path, body, content_type=JSON_TYPE, accept=JSON_TYPE, headers={})
        assert made.code in (201, 409), made.body


def play(server: Server, name: str, requests: list[Step]) -> list[dict[str, Any]]:
    """The answers to the requests of a case, in a namespace of its own."""
    prepare(server, namespace(name))
    tokens = Tokens()
    answers: list[dict[str, Any]] = []
    for each in requests:
        if each.method == "WAIT":
            server.wait(float(each.path))
            answers.append({})
            continue
        reply = server.call(
            each.method,
            each.path,
            each.body,
            content_type=each.content_type,
            accept=JSON_TYPE,
            headers=each.headers,
        )
        body = _masked(tokens.replace(reply.body))
        warnings = reply.headers.get("warning", [])
        answers.append({"code": reply.code, "warnings": warnings, "body": body})
    return answers


def _masked(value: Any, field: str = "") -> Any:
    """Without what is signed or unordered, and without managedFields in messages."""
    if isinstance(value, dict):
        if "items" in value and "metadata" in value:
            # A real server writes beside the recorder.
            value = {**value, "metadata": {**value["metadata"], "resourceVersion": "<version>"}}
        return {name: _masked(each, name) for name, each in value.items()}
    if isinstance(value, list):
        found = [_masked(each) for each in value]
        return sorted(found, key=json.dumps) if field in _UNORDERED else found
    if isinstance(value, str):
        value = re.sub(r"\bkube-api-access-[a-z0-9]{5}\b", "kube-api-access-<suffix>", value)
        value = re.sub(r"ey[\w-]+\.ey[\w-]+\.[\w-]+", "<token>", value)
        value = re.sub(r"(?<=is forbidden: )\[(m.*usage per .*)\]$", _in_order, value)
        return re.sub(r',?"managedFields":\[.*?}}\]', "", value)
    return value


def _in_order(found: re.Match[str]) -> str:
    """What exceeds a LimitRange comes in the order of a Go map."""
    return f"[{', '.join(sorted(re.split(_BETWEEN_LIMITS, found[1])))}]"


_BETWEEN_LIMITS = r", (?=minimum |maximum |[a-z]+ max limit)"
_UNORDERED = ("resourceRules", "nonResourceRules")


def main() -> None:
    """Write the goldens."""
    from goldens.bare_apiserver import bare_apiserver

    program, *chosen = sys.argv[1:]
    with bare_apiserver(Path(program)) as server:
        version = newer.version_of(server)
        for file in files():
            if chosen and file.stem not in chosen:
                continue
            recorded = {name: play(server, name, steps) for name, steps in load(file).items()}
            lines = [
                f"{json.dumps(name)}: [\n" + ",\n".join(json.dumps(a) for a in answers) + "\n]"
                for name, answers in recorded.items()
            ]
            text = "{\n" + ",\n".join(lines) + "\n}\n"
            newer.save(golden(file), version, recorded, text)


if __name__ == "__main__":
    main()
