"""kopf as the watcher: what it tells, and that it does not stay blind."""

import asyncio
import queue
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hourglass_operator.runtime.watch import SELECTORS, Watches
from kubernetes.aio.client import Configuration

from hourglass_kube.types import JSON
from hourglass_operator.api.crd import generate
from hourglass_operator.transport.connection import connection
from hourglass_simulator.cluster import Cluster
from hourglass_simulator.http.served import served


@pytest.mark.parametrize("missing", [True, False], ids=["without the CRD", "with the CRD"])
def test_a_resource_that_is_not_served_ends_the_watches(missing: bool, tmp_path: Path) -> None:
    cluster = Cluster(crd=None if missing else generate())
    cluster.add_node("plain")
    told: queue.Queue[str] = queue.Queue()
    with served(cluster) as there:
        there.write_kubeconfig(tmp_path / "kubeconfig")
        configuration = asyncio.run(connection(tmp_path / "kubeconfig", None))

        def deliver(resource: str, event: str | None, obj: JSON) -> None:
            assert resource in SELECTORS
            told.put(f"{resource} {obj['metadata']['name']}")

        watches = Watches(configuration, (), deliver)
        watches.start(told.put)
        if missing:
            heard = [told.get(timeout=20)]
            while not heard[-1].startswith("the API server"):
                heard.append(told.get(timeout=20))
            assert heard[-1] == "the API server does not serve performers yet"
        else:
            assert told.get(timeout=20) == "nodes plain"
        watches.stop(10)


class Refuses(BaseHTTPRequestHandler):
    """An API server that knows nobody."""

    def do_GET(self) -> None:
        body = b'{"kind": "Status", "code": 401, "reason": "Unauthorized"}'
        self.send_response(401)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Not here."""


def test_credentials_that_are_refused_end_the_watches() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Refuses) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        configuration = Configuration(host=f"http://127.0.0.1:{server.server_port}")
        configuration.api_key = {"BearerToken": "Bearer nobody"}
        told: queue.Queue[str] = queue.Queue()
        watches = Watches(configuration, (), lambda *_: None)
        watches.start(told.put)
        assert "credentials" in told.get(timeout=20)
        watches.stop(10)
        server.shutdown()
