"""Admission webhooks of a served cluster."""

import json
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from hourglass_simulator.cluster import Cluster
from hourglass_simulator.http.certificates import Authority, base64_of
from hourglass_simulator.http.served import Served, served

MAPS = "/api/v1/namespaces/default/configmaps"
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
SERVICE = "default/hook"
NAMES = ("hook.default.svc",)


def get(url: str) -> Any:
    with DIRECT.open(url, timeout=300) as answer:
        return json.loads(answer.read())


@contextmanager
def inquisitive(asked: dict[str, str]) -> Iterator[tuple[int, str]]:
    """A webhook that lists configmaps of the server before it answers; its port and its CA."""
    authority = Authority()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["request"]
            seen = len(get(asked["url"] + MAPS)["items"])
            response = {"uid": request["uid"], "allowed": True, "warnings": [f"there are {seen}"]}
            version = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview"}
            data = json.dumps({**version, "response": response}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = authority.context(authority.server("127.0.0.1", NAMES))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_address[1], base64_of(authority.certificate)
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def there() -> Iterator[Served]:
    asked: dict[str, str] = {}
    with inquisitive(asked) as (port, bundle):
        cluster = Cluster()
        hook = {
            "name": "hook.example.com",
            "clientConfig": {
                "service": {"namespace": "default", "name": "hook"},
                "caBundle": bundle,
            },
            "rules": [
                {
                    "operations": ["CREATE"],
                    "apiGroups": [""],
                    "apiVersions": ["v1"],
                    "resources": ["configmaps"],
                }
            ],
            "sideEffects": "None",
            "admissionReviewVersions": ["v1"],
        }
        configuration = {"metadata": {"name": "a"}, "webhooks": [hook]}
        cluster.api.create("validatingwebhookconfigurations", configuration)
        with served(cluster, webhook_services={SERVICE: f"127.0.0.1:{port}"}) as found:
            asked["url"] = found.url
            yield found


def test_a_webhook_may_ask_the_server_that_waits_for_it(there: Served) -> None:
    for count in range(2):
        body = json.dumps({"metadata": {"name": f"a{count}"}}).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(there.url + MAPS, body, headers, method="POST")
        with DIRECT.open(request, timeout=300) as answer:
            assert answer.status == 201
            assert answer.headers["Warning"] == f'299 - "there are {count}"'


def test_what_happens_in_the_cluster_is_asked_about_too(there: Served) -> None:
    with there.lock:
        there.cluster.api.create("configmaps", {"metadata": {"name": "own"}}, namespace="default")
    assert [each["metadata"]["name"] for each in get(there.url + MAPS)["items"]] == ["own"]
