"""Record what a real API server sends and takes in JSON, YAML and protobuf, and what it refuses.

    PYTHONPATH=tests python -m goldens.record_wire KUBE_APISERVER MODULES

MODULES is the folder that has `k8s.io/api@v0.34.4`, `$(go env GOMODCACHE)`, or that of the server's
version. Two files come out:

- wire/answers.golden.json: the answers to the requests of wire/cases.yaml, where a request is
  `METHOD PATH` with `type`, `accept` and other headers, and a body: `json` (any value), `text`,
  `nested` (text, ten thousand times), `hex` (bytes) or `protobuf` (an object that is sent as such).
  {ns} is the case's namespace.
- wire/objects.golden.json.xz: objects in JSON and the same ones in protobuf, byte for byte. They
  are those of kinds/objects.yaml, read back, and the ones of Kubernetes' own round-trip tests,
  which have every field: https://github.com/kubernetes/api/tree/v0.34.4/testdata/HEAD. Of a newer
  version, objects.1.37.golden.json.xz has those that the oldest does not have alike.
"""

import base64
import json
import lzma
import re
import struct
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from ruamel.yaml import YAML

from goldens import newer, record_kinds
from goldens.record_kinds import Tokens
from hourglass_simulator.kubernetes.version import DEFAULT, Version, version
from hourglass_simulator.protobuf import envelope
from hourglass_simulator.protobuf.descriptors import descriptors

HERE = Path(__file__).parent / "wire"
GOLDEN = HERE / "answers.golden.json"
OBJECTS = HERE / "objects.golden.json.xz"
PROTOBUF = "application/vnd.kubernetes.protobuf"
DEFINITION = {
    "metadata": {"name": "things.example.com"},
    "spec": {
        "group": "example.com",
        "names": {"plural": "things", "kind": "Thing"},
        "scope": "Namespaced",
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "n": {"type": "number"},
                            "spec": {"type": "object"},
                            "status": {"type": "object"},
                        },
                    }
                },
            }
        ],
    },
}
"""Of the custom resource that the cases use."""
_KEPT = ("content-type", "retry-after", "warning")


class Step(NamedTuple):
    """A request; header names are as they are sent."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes | None


class RawReply(Protocol):
    """An answer as it came; header names are in lower case."""

    @property
    def code(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, list[str]]: ...
    @property
    def body(self) -> bytes: ...


class RawServer(Protocol):
    """A real API server, or the simulated one."""

    def fetch(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> RawReply: ...


def load() -> dict[str, list[Step]]:
    """The requests of each case by its name."""
    cases = YAML(typ="safe").load(HERE / "cases.yaml")
    return {name: [step(each, namespace(name)) for each in found] for name, found in cases.items()}


def namespace(case: str) -> str:
    """The namespace of a case."""
    return "wire-" + re.sub(r"[^a-z0-9]+", "-", case.lower()).strip("-")[:50].strip("-")


def step(written: dict[str, Any], name: str) -> Step:
    """A request as it is written."""
    [(line, parts)] = json.loads(json.dumps(written).replace("{ns}", name)).items()
    method, path = line.split(" ", 1)
    headers, body = {}, None
    for key, value in (parts or {}).items():
        if key == "json":
            body = json.dumps(value, ensure_ascii=False).encode()
            headers.setdefault("Content-Type", "application/json")
        elif key == "nested":
            body = value.encode() * 10_001
        elif key == "text":
            body = value.encode()
        elif key == "hex":
            body = bytes.fromhex(value.replace(" ", ""))
        elif key == "protobuf":
            body = envelope.encode(DEFAULT, value)
            headers["Content-Type"] = PROTOBUF
        else:
            headers[{"type": "Content-Type", "accept": "Accept"}.get(key, key)] = value
    return Step(method, path, headers, body)


def prepare(server: RawServer) -> None:
    """Create what the cases need."""
    for path, obj in (
        ("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", DEFINITION),
        *(("/api/v1/namespaces", {"metadata": {"name": namespace(case)}}) for case in load()),
    ):
        _create(server, path, obj)


def play(server: RawServer, spoken: Version, requests: list[Step]) -> list[dict[str, Any]]:
    """The answers to the requests of a case, of a server of this version."""
    tokens = Tokens()
    answers = []
    for each in requests:
        try:
            reply = server.fetch(each.method, each.path, each.body, each.headers)
        except OSError as error:
            raise ValueError(f"{each}: {error!r}") from error
        headers = {name: reply.headers[name] for name in _KEPT if name in reply.headers}
        body = _masked(tokens.replace(shown(reply, spoken)))
        answers.append({"code": reply.code, "headers": headers, "body": body})
    return answers


def _masked(value: Any) -> Any:
    """Without the versions that depend on what else a server does."""
    if isinstance(value, list):
        return [_masked(each) for each in value]
    if isinstance(value, str):
        return re.sub(r"(current: |version: \d+ \(|in record \()\d+", r"\1<version>", value)
    if not isinstance(value, dict):
        return value
    value = {name: _masked(each) for name, each in value.items() if name not in _LEFT_OUT}
    if str(value.get("kind", "")).endswith(("List", "Table")) and "metadata" in value:
        value["metadata"] = {**value["metadata"], "resourceVersion": "<version>"}
    if token := value.get("continue"):
        found = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        value["continue"] = {**found, "rv": "<version>"}
    return value


_LEFT_OUT = ("serverAddressByClientCIDRs",)


def shown(reply: RawReply, spoken: Version = DEFAULT) -> Any:
    """The body as it can be compared: objects as JSON has them."""
    media_type = reply.headers.get("content-type", [""])[0]
    if media_type == f"{PROTOBUF};stream=watch":
        return {"events": list(_frames(reply.body, spoken))}
    if media_type == PROTOBUF:
        return _decoded(reply.body, spoken)
    if media_type == "application/yaml":
        return {"yaml": json.loads(json.dumps(YAML(typ="safe").load(reply.body), default=str))}
    text = reply.body.decode()
    if media_type != "application/json":
        return text
    if text.startswith('{"type":'):
        return {"events": [json.loads(line) for line in text.splitlines()]}
    body = json.loads(text)
    return {"indented": body} if "\n  " in text else body


def _frames(data: bytes, spoken: Version) -> Iterator[Any]:
    while data:
        (length,) = struct.unpack(">I", data[:4])
        event = descriptors(spoken).message(envelope.WATCH_EVENT)
        event.MergeFromString(data[4 : 4 + length])
        data = data[4 + length :]
        yield {"type": event.type, "object": _decoded(event.object.raw, spoken)}


def _decoded(data: bytes, spoken: Version) -> Any:
    return {"protobuf": envelope.decode(spoken, envelope.opened(data))}


_NOT_SENT = re.compile(
    r"\.v\d+(alpha|beta)|(Proxy|Exec|Attach|Log|PortForward)Options|AdmissionReview"
    r"|PodStatusResult|RangeAllocation|SerializedReference|WatchEvent|APIVersions|APIGroup"
)


def objects(server: RawServer, modules: Path, spoken: Version) -> Iterator[list[Any]]:
    """[JSON, protobuf in base64] of each object."""
    _create(server, "/api/v1/namespaces", {"metadata": {"name": record_kinds.NAMESPACE}})
    for path, written in record_kinds.load().items():
        name = written.get("metadata", {}).get("name", "one")
        meta = {**written.get("metadata", {}), "name": name}
        created = _create(server, path, {**written, "metadata": meta})
        version = created["metadata"]["resourceVersion"]
        exact = f"resourceVersion={version}&resourceVersionMatch=Exact"
        for url in (f"{path}/{name}", f"{path}?fieldSelector=metadata.name%3D{name}&{exact}"):
            text, binary = _both(server, url)
            yield [json.loads(text), _encoded(binary)]
    module = f"k8s.io/api@{spoken.git_version.replace('v1.', 'v0.')}"
    for file in sorted((modules / module / "testdata/HEAD").glob("*.pb")):
        if not _NOT_SENT.search(file.name):
            obj = json.loads(file.with_suffix(".json").read_text())
            yield [obj, _encoded(file.read_bytes())]


def _both(server: RawServer, url: str) -> tuple[bytes, bytes]:
    """An object in JSON and in protobuf, between which nobody has changed it."""
    while True:
        text, binary, again = (
            server.fetch("GET", url, None, {"Accept": accept}).body
            for accept in ("application/json", PROTOBUF, "application/json")
        )
        if text == again:
            return text, binary


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _create(server: RawServer, path: str, obj: Any) -> Any:
    headers = {"Content-Type": "application/json"}
    reply = server.fetch("POST", path, json.dumps(obj, separators=(",", ":")).encode(), headers)
    assert reply.code == 201, reply.body
    return json.loads(reply.body)


def main() -> None:
    """Write the goldens."""
    from goldens.bare_apiserver import bare_apiserver

    recorded, lines = {}, []
    with bare_apiserver(Path(sys.argv[1])) as server:
        kubernetes = newer.version_of(server)
        spoken = version(kubernetes)
        prepare(server)
        for name, requests in load().items():
            answers = recorded[name] = play(server, spoken, requests)
            text = ",\n".join(json.dumps(each) for each in answers)
            lines.append(f"{json.dumps(name)}: [\n{text}\n]")
        found = list(objects(server, Path(sys.argv[2]), spoken))
    newer.save(GOLDEN, kubernetes, recorded, "{\n" + ",\n".join(lines) + "\n}\n")
    if kubernetes != newer.OLDEST:
        known = json.loads(lzma.decompress(OBJECTS.read_bytes()))
        found = [each for each in found if each not in known]
    text = json.dumps(found).encode()
    newer.file_of(OBJECTS, kubernetes).write_bytes(lzma.compress(text, preset=9))


if __name__ == "__main__":
    main()
