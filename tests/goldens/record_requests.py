"""Record what a real API server answers to the requests of requests/requests.yaml.

    PYTHONPATH=tests python -m goldens.record_requests KUBE_APISERVER [VERSION]

Each case is a list of requests: `METHOD PATH` or `METHOD PATH CONTENT-TYPE`, with the body. A body
that is text is sent as it is, so that it may be no JSON. {ns} is the namespace of the case.
VERSION is that of a server which is newer than 1.34 (see `newer`).
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from goldens import newer
from goldens.record_kinds import JSON_TYPE, Server, Step, Tokens

HERE = Path(__file__).parent / "requests"
GOLDEN = HERE / "answers.golden.json"


def load() -> dict[str, list[Step]]:
    """The requests of each case by its name."""
    cases = YAML(typ="safe").load(HERE / "requests.yaml")
    return {name: [step(each, namespace(name)) for each in found] for name, found in cases.items()}


def namespace(case: str) -> str:
    """The namespace of a case."""
    return "case-" + re.sub(r"[^a-z0-9]+", "-", case.lower()).strip("-")[:50].strip("-")


def step(written: dict[str, Any], name: str) -> Step:
    """A request as it is written."""
    [(line, body)] = json.loads(json.dumps(written).replace("{ns}", name)).items()
    method, path, *content_type = line.split()
    return Step(method, path, body, *content_type or [JSON_TYPE])


def play(server: Server, name: str, requests: list[Step]) -> list[dict[str, Any]]:
    """The answers to the requests of a case, in a namespace of its own."""
    made = {"metadata": {"name": namespace(name)}}
    created = server.call(
        "POST", "/api/v1/namespaces", made, content_type=JSON_TYPE, accept=JSON_TYPE
    )
    assert created.code == 201, created.body
    tokens = Tokens()
    answers = []
    for each in requests:
        reply = server.call(
            each.method,
            each.path,
            each.body,
            content_type=each.content_type,
            accept=each.accept,
        )
        body = tokens.replace(reply.body)
        warnings = reply.headers.get("warning", [])
        answers.append({"code": reply.code, "warnings": warnings, "body": body})
    return answers


def main() -> None:
    """Write the golden."""
    from goldens.bare_apiserver import bare_apiserver

    with bare_apiserver(Path(sys.argv[1])) as server:
        recorded = {name: play(server, name, requests) for name, requests in load().items()}
    if sys.argv[2:]:
        newer.write(GOLDEN, sys.argv[2], recorded)
        return
    lines = []
    for name, found in recorded.items():
        answers = ",\n".join(json.dumps(answer) for answer in found)
        lines.append(f"{json.dumps(name)}: [\n{answers}\n]")
    GOLDEN.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
