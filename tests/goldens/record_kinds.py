"""Record what a real API server answers about an object of each kind of kinds/objects.yaml.

    PYTHONPATH=tests python -m goldens.record_kinds KUBE_APISERVER [VERSION]

Every object is created, read, listed, changed and deleted in the ways of `steps`. The answers are
in kinds/answers.golden.json, one a line, with tokens in the place of what differs between two runs.
VERSION is that of a server which is newer than 1.34 (see `newer`).
"""

import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from ruamel.yaml import YAML

from goldens import newer

HERE = Path(__file__).parent / "kinds"
GOLDEN = HERE / "answers.golden.json"
NAMESPACE = "recorded"
JSON_TYPE = "application/json"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
UUID = re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
TIME = re.compile(r"\b20(2[5-9]|3\d)-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
GENERATED = re.compile(r"\b(some-)[a-z0-9]{5}\b")


class Step(NamedTuple):
    """A request; `body` is sent as JSON."""

    method: str
    path: str
    body: Any = None
    content_type: str = JSON_TYPE
    accept: str = JSON_TYPE


class Reply(Protocol):
    """An answer."""

    @property
    def code(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, list[str]]: ...
    @property
    def body(self) -> Any: ...


class Server(Protocol):
    """A real API server, or the simulated one."""

    def call(
        self, method: str, path: str, body: Any = None, *, content_type: str, accept: str
    ) -> Reply: ...


def load() -> dict[str, Any]:
    """The objects by the path of their resource."""
    text = (HERE / "objects.yaml").read_text().replace("{ns}", NAMESPACE)
    objects: dict[str, Any] = YAML(typ="safe").load(text)
    return objects


def steps(path: str, written: Any) -> Iterator[tuple[str, Step]]:
    """What is done with an object, each step with its name."""
    meta = {"name": "one", **written.get("metadata", {})}
    obj = {**written, "metadata": meta}
    name, one = meta["name"], f"{path}/{meta['name']}"
    labelled = {**written, "metadata": {**meta, "labels": {"changed": "by-update"}}}
    other = {**written, "metadata": {**meta, "name": f"{name}-other"}}
    yield "create", Step("POST", path, obj)
    yield "create again", Step("POST", path, obj)
    yield "get", Step("GET", one)
    yield "list", Step("GET", f"{path}?fieldSelector=metadata.name%3D{name}")
    yield "table", Step("GET", one, accept=TABLE)
    yield "update without a version", Step("PUT", one, labelled)
    labels = {"metadata": {"labels": {"changed": "by-patch"}}}
    yield "merge patch", Step("PATCH", one, labels, MERGE)
    yield "patch that changes nothing", Step("PATCH", one, labels, MERGE)
    notes = {"metadata": {"annotations": {"example.com/a": "b"}}}
    yield "strategic merge patch", Step("PATCH", one, notes, STRATEGIC)
    selected = f"{path}?labelSelector=changed%3Dby-patch&fieldSelector=metadata.name%3D{name}"
    yield "list by label", Step("GET", selected)
    strange = {"strange": {"a": 1}, "metadata": {"strange": 1}}
    yield "patch with unknown fields", Step("PATCH", one, strange, MERGE)
    yield "strict patch", Step("PATCH", f"{one}?fieldValidation=Strict", strange, MERGE)
    unknown = {**other, "strange": 1, "spec": {**written.get("spec", {}), "odd": 2}}
    yield "strict create", Step("POST", f"{path}?fieldValidation=Strict&dryRun=All", unknown)
    yield "create with unknown fields", Step("POST", f"{path}?dryRun=All", unknown)
    ignored = f"{path}?fieldValidation=Ignore&dryRun=All"
    yield "create that ignores unknown fields", Step("POST", ignored, unknown)
    yield "wrong type of metadata", Step("POST", path, {**obj, "metadata": {"labels": [1]}})
    yield "wrong type of spec", Step("POST", path, {**other, "spec": 5})
    yield "wrong kind", Step("POST", path, {**obj, "kind": "Thing"})
    yield "create without a name", Step("POST", path, {**written, "metadata": {}})
    bad = {**obj, "metadata": {"name": "Bad_Name"}}
    yield "create with a bad name", Step("POST", path, bad)
    yield "update of what is not there", Step("PUT", f"{path}/{name}-other?dryRun=All", other)
    yield "unsupported media type", Step("PATCH", one, labels, "text/plain")
    yield "delete what is not there", Step("DELETE", f"{path}/none")
    yield "delete in a dry run", Step("DELETE", f"{one}?dryRun=All")
    yield "delete", Step("DELETE", one)
    yield "get after that", Step("GET", one)


def play(server: Server, path: str, written: Any) -> dict[str, Any]:
    """The answers to all steps of an object, by their names."""
    tokens = Tokens()
    answers = {}
    for name, step in steps(path, written):
        reply = server.call(
            step.method,
            step.path,
            step.body,
            content_type=step.content_type,
            accept=step.accept,
        )
        answers[name] = {
            "code": reply.code,
            "warnings": reply.headers.get("warning", []),
            "body": tokens.replace(reply.body),
        }
    return answers


class Tokens:
    """Replaces what differs between two runs; equal tokens mean equal values."""

    left_out: tuple[str, ...] = ("columnDefinitions", "managedFields")

    def __init__(self) -> None:
        self._seen: dict[str, str] = {}

    def replace(self, value: Any, field: str = "") -> Any:
        """The value with tokens, without managedFields, ages, and the columns of tables.

        The columns are in the data that record_kubernetes.py writes.
        """
        if isinstance(value, dict):
            kept = {k: v for k, v in value.items() if k not in self.left_out}
            return {name: self.replace(kept[name], name) for name in sorted(kept)}
        if isinstance(value, list):
            return [self.replace(item, field) for item in value]
        if field == "resourceVersion" and value:
            return self._token("version", value)
        if not isinstance(value, str):
            return value
        if field == "cells":
            value = re.sub(r"^\d+[smhdy].*", "<age>", value)
        # What is shown has managedFields, which are not simulated.
        value = re.sub(r'Invalid value: "\{.*\}": strict', "Invalid value: <object>: strict", value)
        value = UUID.sub(lambda found: self._token("uid", found[0]), value)
        value = re.sub(r'"resourceVersion":"\d+"', '"resourceVersion":"<version>"', value)
        return GENERATED.sub(r"\1<suffix>", TIME.sub("<time>", value))

    def _token(self, kind: str, value: str) -> str:
        if value not in self._seen:
            number = sum(token.startswith(f"<{kind} ") for token in self._seen.values())
            self._seen[value] = f"<{kind} {number + 1}>"
        return self._seen[value]


def main() -> None:
    """Write the golden."""
    from goldens.bare_apiserver import bare_apiserver

    answers = {}
    with bare_apiserver(Path(sys.argv[1])) as server:
        meta = {"metadata": {"name": NAMESPACE}}
        assert server.call("POST", "/api/v1/namespaces", meta).code == 201
        for path, written in load().items():
            answers[path] = play(server, path, written)
            created = answers[path]["create"]
            if created["code"] != 201:
                sys.stderr.write(f"not created: {path}: {created['body']}\n")
    if sys.argv[2:]:
        newer.write(GOLDEN, sys.argv[2], answers)
        return
    lines = [
        f"{json.dumps(path)}: {{\n"
        + ",\n".join(f"{json.dumps(n)}: {json.dumps(a)}" for n, a in found.items())
        + "\n}"
        for path, found in answers.items()
    ]
    GOLDEN.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
