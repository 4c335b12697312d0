"""Record what a real API server answers about the definitions of definitions/cases.yaml.

    PYTHONPATH=tests python -m goldens.record_definitions KUBE_APISERVER [CASE...]

Each case is a CustomResourceDefinition of a group of its own and what is done with it and with its
objects. `spec` is short for the properties of the spec, `schema` is a whole schema, `version` is
merged into the one version, `names` into the names, `definition` into the spec of the definition.
The steps, which act on the object `one`:

    create, put, merge, json, delete, get: the object
    status, scale: a merge patch of the subresource, or null to read it
    list, table: a query
    define: a merge patch of the definition, or a definition beside it if it has `kind`
    definition: reads the definition; whole when it says so
    undefine: deletes the definition, and waits as long as it takes
    wait: the same without any request
    request: [METHOD, PATH, BODY], where {group} is the group and {path} that of the resource

`{repeat: [x], times: n}` is a list of n times x.
The answers are in definitions/answers.golden.json, one a line, with tokens in the place of what
differs between two runs. Of answers with definitions only the status and the generation are kept.
"""

import json
import re
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from goldens import newer
from goldens.record_kinds import JSON_TYPE, MERGE, TABLE, Server, Step, Tokens
from goldens.record_validation import written_out

HERE = Path(__file__).parent / "definitions"
GOLDEN = HERE / "answers.golden.json"
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
GENERATED = re.compile(r"\b(Bad-)[a-z0-9]{5}\b")
JSON_PATCH = "application/json-patch+json"

Settle = Callable[[str], None]
"""Waits until a definition of this name is served, or refused for its names.

Without a name, until controllers have looked at what was deleted.
"""


def load() -> dict[str, dict[str, Any]]:
    """The cases by their names."""
    written = written_out(YAML(typ="safe").load(HERE / "cases.yaml"))
    found: dict[str, dict[str, Any]] = json.loads(json.dumps(written))
    return found


def group(case: str) -> str:
    """The group of a case."""
    return re.sub(r"[^a-z0-9]+", "-", case.lower()).strip("-")[:50].strip("-") + ".example.com"


def definition(name: str, case: dict[str, Any]) -> dict[str, Any]:
    """The definition of a case."""
    short = {"type": "object", "properties": case.get("spec", {"n": {"type": "integer"}})}
    properties = {"spec": short, **case.get("properties", {})}
    schema = case.get("schema", {"type": "object", "properties": properties})
    version: dict[str, Any] = {"name": "v1", "served": True, "storage": True}
    version = merged({**version, "schema": {"openAPIV3Schema": schema}}, case.get("version", {}))
    names = {"plural": "widgets", "kind": "Widget", **case.get("names", {})}
    spec = {
        "group": group(name),
        "names": names,
        "scope": "Namespaced",
        "versions": [version],
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": merged({"name": f"widgets.{group(name)}"}, case.get("metadata", {})),
        "spec": merged(spec, case.get("definition", {})),
    }


def merged(target: Any, patch: Any) -> Any:
    """A JSON merge patch, applied."""
    if not isinstance(patch, dict) or not isinstance(target, dict):
        return patch
    found = {**target}
    for name, value in patch.items():
        if value is None:
            found.pop(name, None)
        else:
            found[name] = merged(found.get(name, {} if isinstance(value, dict) else None), value)
    return found


def steps(name: str, case: dict[str, Any]) -> Iterator[tuple[str, Step]]:
    """The requests, each with what it is called."""
    crd = definition(name, case)
    yield "define", Step("POST", DEFINITIONS, crd)
    names = crd["spec"].get("names", {})
    here, plural = f"/apis/{group(name)}", names.get("plural", "widgets")
    where = "" if crd["spec"].get("scope") == "Cluster" else "namespaces/default/"
    path = f"{here}/{case.get('use', 'v1')}/{where}{plural}"
    typed = {"apiVersion": f"{group(name)}/{case.get('use', 'v1')}"}
    typed["kind"] = names.get("kind", "Widget")
    for written in case.get("steps", []):
        [(verb, body)] = json.loads(
            json.dumps(written).replace("{group}", group(name)).replace("{path}", path)
        ).items()
        one = f"{path}/one"
        if verb == "create":
            obj = {**typed, **body, "metadata": {"name": "one", **body.get("metadata", {})}}
            yield verb, Step("POST", path, obj)
        elif verb == "strict":
            obj = {**typed, **body, "metadata": {"name": "one", **body.get("metadata", {})}}
            yield verb, Step("POST", f"{path}?fieldValidation=Strict", obj)
        elif verb == "put":
            obj = {**typed, **body, "metadata": {"name": "one", **body.get("metadata", {})}}
            yield verb, Step("PUT", one, obj)
        elif verb in ("merge", "status", "scale"):
            at = one if verb == "merge" else f"{one}/{verb}"
            yield verb, Step("GET", at) if body is None else Step("PATCH", at, body, MERGE)
        elif verb == "json":
            yield verb, Step("PATCH", one, body, JSON_PATCH)
        elif verb in ("delete", "get"):
            yield verb, Step(verb.upper(), one)
        elif verb in ("list", "table"):
            query = f"{path}?{body}" if body else path
            yield verb, Step("GET", query, accept=TABLE if verb == "table" else JSON_TYPE)
        elif verb == "define":
            beside = "kind" in body
            at = DEFINITIONS if beside else f"{DEFINITIONS}/{crd['metadata']['name']}"
            yield (
                verb,
                Step("POST" if beside else "PATCH", at, body, JSON_TYPE if beside else MERGE),
            )
        elif verb == "definition":
            named = crd["metadata"]["name"] if body in (None, "whole") else body
            yield body if body == "whole" else verb, Step("GET", f"{DEFINITIONS}/{named}")
        elif verb == "undefine":
            yield verb, Step("DELETE", f"{DEFINITIONS}/{crd['metadata']['name']}")
        elif verb == "wait":
            yield verb, Step("", "")
        elif verb == "request":
            method, at, *more = body
            yield verb, Step(method, at, *more)
        else:
            raise ValueError(f"unknown step: {verb}")


def play(server: Server, name: str, case: dict[str, Any], settle: Settle) -> list[dict[str, Any]]:
    """The answers to the requests of a case."""
    tokens = Tokens()
    answers = []
    for verb, step in steps(name, case):
        body = step.body
        if verb == "wait":
            settle("")
            continue
        if verb == "put":
            known = server.call("GET", step.path, content_type=JSON_TYPE, accept=JSON_TYPE).body
            version = known["metadata"]["resourceVersion"]
            body = {**body, "metadata": {**body["metadata"], "resourceVersion": version}}
        reply = server.call(
            step.method, step.path, body, content_type=step.content_type, accept=step.accept
        )
        found = reply.body
        if verb in ("define", "undefine", "definition") and reply.code < 300:
            if verb != "definition":
                settle(found["metadata"]["name"] if verb == "define" else "")
            found = {"status": found["status"], "generation": found["metadata"]["generation"]}
        if isinstance(found, dict) and found.keys() & {"items", "rows"}:
            # The version of a list is that of the latest change of anything.
            found = {**found, "metadata": {**found.get("metadata", {}), "resourceVersion": ""}}
        if step.accept == TABLE and isinstance(found, dict) and "columnDefinitions" in found:
            # Descriptions are long, and all but the first are of the definition.
            columns = [{**c, "description": ""} for c in found["columnDefinitions"]]
            found = {**found, "columns": columns}
        answers.append(
            {
                "code": reply.code,
                "warnings": reply.headers.get("warning", []),
                "body": json.loads(GENERATED.sub(r"\1<suffix>", json.dumps(tokens.replace(found)))),
            }
        )
    return answers


def main() -> None:
    """Write the golden: of all cases, or of those that are named."""
    from goldens.bare_apiserver import BareServer, bare_apiserver

    cases = load()
    wanted = sys.argv[2:] or list(cases)

    def record(server: BareServer, name: str) -> list[dict[str, Any]]:
        def settle(crd: str) -> None:
            if not crd:
                # The controller looks every five seconds.
                time.sleep(8)
                return
            for _ in range(300):
                time.sleep(0.2)
                found = server.call("GET", f"{DEFINITIONS}/{crd}").body
                states = {
                    (c["type"], c["status"])
                    for c in found.get("status", {}).get("conditions") or ()
                }
                if {("Established", "True"), ("NamesAccepted", "False")} & states:
                    break
            # The handler of the resource looks at its definitions a little later.
            time.sleep(1.5)

        found = play(server, name, cases[name], settle)
        server.call("DELETE", f"{DEFINITIONS}/widgets.{group(name)}")
        return found

    with bare_apiserver(Path(sys.argv[1])) as server, ThreadPoolExecutor(6) as pool:
        version = newer.version_of(server)
        answers = newer.whole(GOLDEN, version) if sys.argv[2:] else {}
        answers |= zip(wanted, pool.map(lambda name: record(server, name), wanted), strict=True)
    lines = [
        f"{json.dumps(name)}: [\n" + ",\n".join(json.dumps(a) for a in answers[name]) + "\n]"
        for name in cases
    ]
    newer.save(GOLDEN, version, answers, "{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
