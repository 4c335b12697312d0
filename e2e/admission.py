"""A mutating admission webhook: a small HTTPS server in the test's process."""

import base64
import json
import ssl
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from clusters import Cluster
from hourglass_kube.types import JSON

HOST = "127.0.0.1"
"""Where the API server of the native cluster reaches this process."""


class _Server(ThreadingHTTPServer):
    patch: Sequence[JSON]


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        """Answer an AdmissionReview."""
        review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        patch = base64.b64encode(json.dumps(self.server.patch).encode()).decode()
        answer = {"uid": review["request"]["uid"], "allowed": True}
        answer |= {"patchType": "JSONPatch", "patch": patch}
        body = json.dumps({**review, "response": answer}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def patching_pods(
    cluster: Cluster, namespace: str, directory: Path, patch: Sequence[JSON]
) -> Iterator[None]:
    """Within the block every new pod of the namespace is changed by this JSON patch."""
    key, certificate = directory / "webhook.key", directory / "webhook.crt"
    _make_certificate(key, certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with _Server((HOST, 0), _Handler) as server:
        server.patch = patch
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"https://{HOST}:{server.server_address[1]}/"
        name = f"{namespace}-pods"
        cluster.apply(_configuration(name, namespace, url, certificate.read_bytes()))
        try:
            yield
        finally:
            cluster.kubectl("delete", "mutatingwebhookconfiguration", name)
            server.shutdown()


def _make_certificate(key: Path, certificate: Path) -> None:
    """One that signs itself: it is its own certificate authority."""
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"]
    command += ["-subj", "/CN=webhook", "-addext", f"subjectAltName=IP:{HOST}"]
    command += ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)


def _configuration(name: str, namespace: str, url: str, authority: bytes) -> JSON:
    pods = {"apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"]}
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": name},
        "webhooks": [
            {
                "name": "sidecars.example.com",
                "admissionReviewVersions": ["v1"],
                "sideEffects": "None",
                "clientConfig": {"url": url, "caBundle": base64.b64encode(authority).decode()},
                "rules": [{**pods, "operations": ["CREATE"]}],
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
            }
        ],
    }
