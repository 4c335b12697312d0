"""Record what a real API server says to the objects of rules/*.yaml: what is wrong with them.

    PYTHONPATH=tests python -m goldens.record_rules KUBE_APISERVER [FILE]...

A file is a list of groups. Each has the `path` of a resource, an `object`, and cases, which are
merge patches (RFC 7386) on the object: in `create` of what is created, in `update` and in the name
of a subresource of what has been created. Nothing but the object of a group with other cases than
`create` is stored. `first` are requests that come before. Or a group has `requests` alone, which
are recorded in order. {ns} is the namespace of the group; `{repeat: x, times: n}` is written out.
Answers are in FILE.golden.json, by the name of the case.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from goldens import newer
from goldens.record_kinds import JSON_TYPE, MERGE, Server, Step, Tokens
from goldens.record_requests import step
from goldens.record_validation import patched, written_out

HERE = Path(__file__).parent / "rules"
FILES = sorted(path.stem for path in HERE.glob("*.yaml"))
_SUBRESOURCES = ("status", "scale", "ephemeralcontainers", "resize", "finalize", "approval")


def load(file: str) -> dict[str, list[tuple[str, Step]]]:
    """The requests of each group by its namespace, each with the name of its case, or none."""
    groups = YAML(typ="safe").load(HERE / f"{file}.yaml")
    return {
        namespace: list(_requests(written_out(group), namespace))
        for index, group in enumerate(groups)
        for namespace in [f"{file}-{index}".replace("_", "-")]
    }


def _requests(written: dict[str, Any], namespace: str) -> Iterator[tuple[str, Step]]:
    group = json.loads(json.dumps(written).replace("{ns}", namespace))
    for each in group.get("first", ()):
        yield "", step(each, namespace)
    for number, each in enumerate(group.get("requests", ()), start=1):
        yield f"{number} {next(iter(each))}", step(each, namespace)
    if "path" not in group:
        return
    path, obj = group["path"], group["object"]
    for name, patch in group.get("create", {}).items():
        yield f"create: {name}", Step("POST", f"{path}?dryRun=All", patched(obj, patch))
    one = f"{path}/{obj['metadata']['name']}"
    changes = [kind for kind in ("update", *_SUBRESOURCES) if kind in group]
    if changes:
        yield "", Step("POST", path, obj)
    for kind in changes:
        below = "" if kind == "update" else f"/{kind}"
        for name, patch in group[kind].items():
            body = patched(patch, {}) if isinstance(patch, dict) else patch
            yield f"{kind}: {name}", Step("PATCH", f"{one}{below}?dryRun=All", body, MERGE)


def play(server: Server, namespace: str, requests: list[tuple[str, Step]]) -> dict[str, Any]:
    """The answers by the name of the case, in a namespace of their own; "" has what came before."""
    tokens = Tokens()
    answers: dict[str, Any] = {"": []}
    account = {"metadata": {"name": "default"}}
    for path, body in (
        ("/api/v1/namespaces", {"metadata": {"name": namespace}}),
        (f"/api/v1/namespaces/{namespace}/serviceaccounts", account),
    ):
        server.call("POST", path, body, content_type=JSON_TYPE, accept=JSON_TYPE)
    for name, each in requests:
        reply = server.call(
            each.method, each.path, each.body, content_type=each.content_type, accept=each.accept
        )
        warnings = reply.headers.get("warning", [])
        # Requests in order are of the same objects; cases stand alone.
        tokens = tokens if name[:1].isdigit() else Tokens()
        answer = {"code": reply.code, "warnings": warnings, "body": tokens.replace(reply.body)}
        if name:
            answers[name] = answer
        else:
            answers[""].append(answer["code"])
    return answers


def recorded(file: str) -> list[str]:
    """The versions that have answered the requests of a file."""
    return newer.recorded(HERE / f"{file}.golden.json")


def golden(file: str, version: str) -> dict[str, dict[str, Any]]:
    """What a version answered to the requests of a file, by group."""
    return newer.whole(HERE / f"{file}.golden.json", version)


def main() -> None:
    """Write the goldens."""
    from goldens.bare_apiserver import bare_apiserver

    with bare_apiserver(Path(sys.argv[1])) as server:
        version = newer.version_of(server)
        for file in sys.argv[2:] or FILES:
            text, recorded = [], {}
            for namespace, requests in load(file).items():
                answers = recorded[namespace] = play(server, namespace, requests)
                if any(code >= 400 for code in answers[""]):
                    sys.stderr.write(f"{namespace}: refused beforehand: {answers['']}\n")
                lines = ",\n".join(f"{json.dumps(n)}: {json.dumps(a)}" for n, a in answers.items())
                text.append(f"{json.dumps(namespace)}: {{\n{lines}\n}}")
            whole = "{\n" + ",\n".join(text) + "\n}\n"
            newer.save(HERE / f"{file}.golden.json", version, recorded, whole)


if __name__ == "__main__":
    main()
