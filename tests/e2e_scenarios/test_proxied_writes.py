"""The proxy passes everything on; it reports the mutating calls."""

import json
import threading
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

from hourglass_simulator.scenario.backend import Write
from scenarios.proxy import Proxy, parsed

POD = "/api/v1/namespaces/avs/pods/worker-0"
PERFORMER = "/apis/hourglass.eigenlayer.io/v1alpha1/namespaces/avs/performers/worker"

CALLS = {
    "an object is created": (
        ("POST", "/api/v1/namespaces/avs/pods"),
        ("create", "pods", "avs", "", ""),
    ),
    "an object is deleted": (("DELETE", POD), ("delete", "pods", "avs", "worker-0", "")),
    "a status is patched": (
        ("PATCH", f"{PERFORMER}/status"),
        ("patch", "performers", "avs", "worker", "status"),
    ),
    "an object without a namespace": (
        ("PUT", "/api/v1/nodes/node-1"),
        ("update", "nodes", "", "node-1", ""),
    ),
    "a namespace itself": (
        ("DELETE", "/api/v1/namespaces/avs"),
        ("delete", "namespaces", "", "avs", ""),
    ),
}


@pytest.mark.parametrize(("call", "expected"), CALLS.values(), ids=CALLS)
def test_a_call_as_a_write(call: tuple[str, str], expected: tuple[str, str, str, str, str]) -> None:
    assert parsed(*call, 200, 1.5) == Write(1.5, *expected, 200)


class Upstream(BaseHTTPRequestHandler):
    """Answers with what it was asked."""

    def answer(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        body = json.dumps(
            {
                "method": self.command,
                "path": self.path,
                "token": self.headers["Authorization"],
                "type": self.headers["Content-Type"],
                "body": self.rfile.read(length).decode(),
            }
        ).encode()
        self.send_response(409 if "refuse" in self.path else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_PATCH = answer  # noqa: N815 - the names that http.server looks for

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@pytest.fixture
def upstream(tmp_path: Path) -> Iterator[Path]:
    """The kubeconfig of a server that answers with what it was asked."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = {"server": f"http://127.0.0.1:{server.server_address[1]}"}
    path = tmp_path / "upstream"
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "a", "cluster": address}],
        "users": [{"name": "a", "user": {"token": "secret"}}],
        "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}],
        "current-context": "a",
    }
    path.write_text(yaml.safe_dump(content))
    yield path
    server.shutdown()
    server.server_close()


def ask(address: str, method: str, body: bytes | None = None) -> dict[str, str | None]:
    headers = {"Content-Type": "application/merge-patch+json"} if body else {}
    request = urllib.request.Request(address, body, headers, method=method)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=300) as answer:
        found: dict[str, str | None] = json.loads(answer.read())
        return found


def test_calls_are_passed_on_and_writes_are_reported(upstream: Path, tmp_path: Path) -> None:
    met: list[Write] = []
    reported: list[Write] = []
    proxied = tmp_path / "proxied"
    with Proxy(upstream, reported.append, met.append) as proxy:
        proxy.write_kubeconfig(proxied)
        server = yaml.safe_load(proxied.read_text())["clusters"][0]["cluster"]["server"]
        read = ask(f"{server}{POD}?watch=1&labelSelector=app%3Dperformer", "GET")
        written = ask(f"{server}{POD}", "PATCH", b"{}")
        with pytest.raises(urllib.error.HTTPError, match="409"):
            ask(f"{server}{POD}-refuse", "PATCH", b"{}")
        assert not proxy.writing()
    assert read["path"] == f"{POD}?watch=1&labelSelector=app%3Dperformer"
    assert (read["token"], read["type"]) == ("Bearer secret", None)
    assert (written["body"], written["type"]) == ("{}", "application/merge-patch+json")
    assert [(write.verb, write.name, write.code) for write in reported] == [
        ("patch", "worker-0", 200),
        ("patch", "worker-0-refuse", 409),
    ]
    assert [(write.name, write.code) for write in met] == [("worker-0", 0), ("worker-0-refuse", 0)]
    assert all(before.time < after.time for before, after in zip(met, reported, strict=True))
