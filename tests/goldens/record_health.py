"""Record how a real API server says that it is well, and how it sorts requests into flows.

    PYTHONPATH=tests python -m goldens.record_health 1.34 KUBE_APISERVER

Two files come out:

- `1.34.health.json.xz` in simulator/hourglass_simulator/kubernetes: what is checked, and the
  FlowSchemas and PriorityLevelConfigurations that every cluster has;
- health/answers.golden.json, of a newer version answers.1.37.golden.json: the answers to REQUESTS,
  and the FlowSchema and the priority level that the headers say of ASKED.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from goldens import newer
from goldens.bare_apiserver import bare_apiserver
from goldens.package_data import write

GOLDEN = Path(__file__).parent / "health" / "answers.golden.json"
FLOW_CONTROL = ("flowschemas", "prioritylevelconfigurations")
REQUESTS = (
    *("GET /livez", "GET /readyz", "GET /healthz", "HEAD /livez", "POST /livez", "GET /livez/"),
    *("GET /livez?verbose", "GET /readyz?verbose", "GET /healthz?verbose=false"),
    *("GET /livez?verbose&exclude=etcd&exclude=ping", "GET /livez?exclude=etcd"),
    *("GET /readyz?verbose&exclude=nothing&exclude=etcd&exclude=a", "GET /readyz?exclude=nothing"),
    *(
        "GET /livez/ping",
        "GET /livez/ping?verbose",
        "GET /livez/poststarthook/rbac/bootstrap-roles",
    ),
    *(
        "GET /livez/nothing",
        "GET /livez/poststarthook",
        "GET /livez/shutdown",
        "GET /readyz/shutdown",
    ),
    *("GET /readyz/informer-sync", "GET /livez/informer-sync", "GET /healthz/ping/", "GET /livezz"),
)
_MASTER, _NODE = ("admin", "system:masters"), ("system:node:a", "system:nodes")
_LEASES, _NODES = "/apis/coordination.k8s.io/v1/namespaces/{}/leases/a", "/api/v1/nodes/a/status"
_SCHEDULER, _MANAGER = ("system:kube-scheduler",), ("system:kube-controller-manager",)
_ACCOUNT = ("system:serviceaccount:web:one", "system:serviceaccounts")
_CONTROLLER = ("system:serviceaccount:kube-system:one", "system:serviceaccounts")
ASKED: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    *(("GET", path, ("ann",)) for path in ("/api/v1/pods", "/healthz", "/livez", "/version", "/x")),
    *(("GET", path, _MASTER) for path in ("/api/v1/pods", "/healthz", "/openapi/v2")),
    *(("PUT", path, _NODE) for path in (_NODES, _LEASES.format("kube-node-lease"))),
    *(("GET", path, _NODE) for path in ("/api/v1/pods", _NODES, "/api/v1/nodes/a", "/version")),
    *(("PUT", _LEASES.format("kube-system"), who) for who in (_SCHEDULER, _MANAGER, _CONTROLLER)),
    *(("PUT", _LEASES.format("default"), who) for who in (_SCHEDULER, _MANAGER, _ACCOUNT)),
    *(("GET", "/api/v1/pods", who) for who in (_SCHEDULER, _MANAGER, _CONTROLLER, _ACCOUNT)),
    *(("GET", path, _ACCOUNT) for path in ("/api", "/apis/apps/v1", "/metrics", "/readyz")),
    ("GET", "/api/v1/namespaces/kube-system", _CONTROLLER),
    ("GET", "/openapi/v3", ("ann",)),
)
"""Method, path, and a user with his groups."""


class Reply(Protocol):
    """An answer; header names are in lower case."""

    @property
    def code(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, list[str]]: ...
    @property
    def body(self) -> bytes: ...


class Server(Protocol):
    """A real API server, or the simulated one."""

    def fetch(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> Reply: ...


class Flow(NamedTuple):
    """The names of what the headers say; empty where they say nothing."""

    schema: str
    level: str


def main() -> None:
    """Write both files."""
    version, program = sys.argv[1], Path(sys.argv[2])
    with bare_apiserver(program) as server:
        found = answers(server)
        checks = {
            endpoint: checks_of(server.fetch("GET", f"/{endpoint}?verbose", None, {}).body)
            for endpoint in ("livez", "readyz", "healthz")
        }
        objects = {
            resource: [_lasting(each) for each in _items(server, resource)]
            for resource in FLOW_CONTROL
        }
    write(version, "health", {"checks": checks, "flow control": objects})
    newer.save(GOLDEN, version, found, json.dumps(found, indent=1) + "\n")


def answers(server: Server) -> dict[str, Any]:
    """What is answered to each request."""
    names = {
        each["metadata"]["uid"]: each["metadata"]["name"]
        for resource in FLOW_CONTROL
        for each in _items(server, resource)
    }
    found: dict[str, Any] = {}
    for line in REQUESTS:
        method, path = line.split(" ")
        reply = server.fetch(method, path, None, {})
        kept = ("content-type", "x-content-type-options", "cache-control")
        headers = {name: reply.headers[name] for name in kept if name in reply.headers}
        found[line] = {"code": reply.code, "headers": headers, "body": reply.body.decode()}
    for method, path, who in ASKED:
        found[f"{method} {path} {' '.join(who)}"] = _flow(
            server, names, method, path, who
        )._asdict()
    return found


def _flow(
    server: Server, names: Mapping[str, str], method: str, path: str, who: tuple[str, ...]
) -> Flow:
    headers = {"Impersonate-User": who[0]}
    if who[1:]:
        headers["Impersonate-Group"] = who[1]
    reply = server.fetch(method, path, b"{}" if method == "PUT" else None, headers)
    uids = [
        reply.headers.get(f"x-kubernetes-pf-{kind}-uid", [""])[0]
        for kind in ("flowschema", "prioritylevel")
    ]
    return Flow(*(names.get(uid, "") for uid in uids))


def checks_of(body: bytes) -> list[str]:
    """The names of the checks that are listed."""
    lines = body.decode().splitlines()
    return [line.removeprefix("[+]").removesuffix(" ok") for line in lines if line[:3] == "[+]"]


def _items(server: Server, resource: str) -> list[dict[str, Any]]:
    path = f"/apis/flowcontrol.apiserver.k8s.io/v1/{resource}"
    reply = server.fetch("GET", path, None, {"Accept": "application/json"})
    items: list[dict[str, Any]] = json.loads(reply.body)["items"]
    return items


def _lasting(obj: dict[str, Any]) -> dict[str, Any]:
    """What of an object is the same on every server; conditions are written as it is made."""
    metadata = {name: obj["metadata"][name] for name in ("name", "annotations")}
    return {"metadata": metadata, "spec": obj["spec"], "status": obj["status"]}


if __name__ == "__main__":
    main()
