"""Record what a real API server makes of definitions in its OpenAPI documents.

    PYTHONPATH=tests python -m goldens.record_openapi 1.34 KUBE_APISERVER

Two files come out:

- `1.34.custom.json.xz` in simulator/hourglass_simulator/kubernetes: what the documents have of a
  definition that says nothing of its own, namespaced and cluster-wide, with all subresources. Its
  names stand for those of any definition.
- openapi/documents.golden.json, of a newer version documents.1.37.golden.json: what they have of
  those of openapi/definitions.yaml, and digests of the whole document in protocol buffers.
"""

import hashlib
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from ruamel.yaml import YAML

from goldens import newer
from goldens.bare_apiserver import bare_apiserver
from goldens.package_data import write

HERE = Path(__file__).parent / "openapi"
GOLDEN = HERE / "documents.golden.json"
PROTOBUF = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
GROUP = "open.example.com"
TEMPLATE = "group.placeholder.test"
_SUBRESOURCES = {
    "status": {},
    "scale": {"specReplicasPath": ".spec.n", "statusReplicasPath": ".status.n"},
}
_PUBLISHED_WITHIN = 30.0
"""Seconds."""


class RawReply(Protocol):
    """An answer as it came."""

    @property
    def body(self) -> bytes: ...


class RawServer(Protocol):
    """A real API server, or the simulated one."""

    def fetch(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str]
    ) -> RawReply: ...


def main() -> None:
    """Write both files."""
    version, program = sys.argv[1], Path(sys.argv[2])
    found: dict[str, Any] = {"digests": {}}
    with bare_apiserver(program) as server:
        found["digests"]["built-in"] = digest(server)
        templates = {}
        for scope in ("Namespaced", "Cluster"):
            _create(server, template(scope))
            templates[scope] = _published(server, TEMPLATE, "Thekind")
            server.call("DELETE", f"{DEFINITIONS}/theplural.{TEMPLATE}")
            _wait(lambda: TEMPLATE not in _text(server, "/openapi/v2"))
        for definition in definitions():
            _create(server, definition)
            _published(server, GROUP, definition["spec"]["names"]["kind"])
        found["digests"]["with definitions"] = digest(server)
        found["documents"] = documents(server)
    write(version, "custom", templates)
    text = json.dumps(found, indent=1, sort_keys=True) + "\n"
    newer.save(GOLDEN, version, found, text)


def definitions() -> Iterator[dict[str, Any]]:
    """The definitions of definitions.yaml."""
    for kind, written in YAML(typ="safe").load(HERE / "definitions.yaml").items():
        versions = [
            {
                "served": True,
                **each,
                "storage": number == 0,
                "schema": {"openAPIV3Schema": each["schema"]},
            }
            for number, each in enumerate(written["versions"])
        ]
        yield _definition(GROUP, kind, kind.lower() + "-all", written["scope"], versions)


def template(scope: str) -> dict[str, Any]:
    """The definition whose names stand for others."""
    version = {
        "name": "v9876",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": {"type": "object"}},
        "subresources": _SUBRESOURCES,
    }
    return _definition(TEMPLATE, "Thekind", "theplural", scope, [version])


def _definition(
    group: str, kind: str, plural: str, scope: str, versions: list[dict[str, Any]]
) -> dict[str, Any]:
    list_kind = "Thelist" if kind == "Thekind" else f"{kind}List"
    return {
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "scope": scope,
            "names": {
                "kind": kind,
                "plural": plural,
                "listKind": list_kind,
                "singular": kind.lower(),
            },
            "versions": versions,
        },
    }


def documents(server: RawServer) -> dict[str, Any]:
    """What the documents have of the group, those in v3 by their path."""
    index = json.loads(_text(server, "/openapi/v3"))["paths"]
    paths = [path for path in sorted(index) if path.startswith(f"apis/{GROUP}")]
    return {
        "v2": of_group(json.loads(_text(server, "/openapi/v2")), GROUP),
        **{path: _own(json.loads(_text(server, f"/openapi/v3/{path}"))) for path in paths},
    }


def _own(document: dict[str, Any]) -> dict[str, Any]:
    """A document in v3 with no more than the names of the schemas of others."""
    schemas = document["components"]["schemas"]
    own = {name: each if name.startswith("com.example") else {} for name, each in schemas.items()}
    return {**document, "components": {**document["components"], "schemas": own}}


def of_group(document: dict[str, Any], group: str) -> dict[str, Any]:
    """The paths and definitions of a group in OpenAPI v2."""
    package = ".".join(reversed(group.split("."))) + "."
    return {
        "paths": {k: v for k, v in document["paths"].items() if f"/{group}/" in k},
        "definitions": {k: v for k, v in document["definitions"].items() if k.startswith(package)},
    }


def digest(server: RawServer) -> str:
    """Of the whole document in protocol buffers."""
    reply = server.fetch("GET", "/openapi/v2", None, {"Accept": PROTOBUF})
    return hashlib.sha256(reply.body).hexdigest()


def _published(server: RawServer, group: str, kind: str) -> dict[str, Any]:
    """What the documents have of a kind, as soon as both have it."""
    name = ".".join(reversed(group.split("."))) + ".v"
    _wait(lambda: f'"{name}' in _text(server, "/openapi/v2"))
    _wait(
        lambda: f".{kind}" in json.dumps(of_group(json.loads(_text(server, "/openapi/v2")), group))
    )

    def third() -> dict[str, Any]:
        index = json.loads(_text(server, "/openapi/v3"))["paths"]
        found = [path for path in index if path.startswith(f"apis/{group}/v")]
        return {path: json.loads(_text(server, f"/openapi/v3/{path}")) for path in found}

    _wait(lambda: f".{kind}" in json.dumps(third()))
    return {
        "v2": of_group(json.loads(_text(server, "/openapi/v2")), group),
        "v3": next(iter(third().values())),
    }


def _text(server: RawServer, path: str) -> str:
    headers = {"Accept": "application/json"}
    return server.fetch("GET", path, None, headers).body.decode()


def _create(server: Any, definition: dict[str, Any]) -> None:
    reply = server.call("POST", DEFINITIONS, definition)
    assert reply.code == 201, reply


def _wait(condition: Any) -> None:
    end = time.monotonic() + _PUBLISHED_WITHIN
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("the documents do not have the definition")
        time.sleep(0.5)


if __name__ == "__main__":
    main()
