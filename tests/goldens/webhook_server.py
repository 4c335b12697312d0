"""Admission webhooks for the recorder: what each answers is in its path.

They serve over HTTPS on 127.0.0.1 and keep the reviews that they were sent.
"""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from hourglass_simulator.http.certificates import Authority, base64_of

_PATCHES: dict[str, Any] = {
    "/label": [{"op": "add", "path": "/metadata/labels", "value": {"added": "yes"}}],
    "/data": [{"op": "add", "path": "/data", "value": {"from": "webhook"}}],
    "/sidecar": [{"op": "add", "path": "/spec/containers/-", "value": {"name": "s", "image": "s"}}],
    "/bad-patch": [{"op": "remove", "path": "/nothing/here"}],
    "/invalid": [{"op": "add", "path": "/metadata/labels", "value": {"a b": "c"}}],
    "/wrong": [{"op": "add", "path": "/data", "value": 5}],
}


def response(path: str, uid: str) -> dict[str, Any]:
    """The response of a webhook."""
    answer: dict[str, Any] = {"uid": uid, "allowed": True}
    if path in _PATCHES:
        text = json.dumps(_PATCHES[path]).encode()
        answer |= {"patchType": "JSONPatch", "patch": base64.b64encode(text).decode()}
    elif path == "/deny":
        answer |= {"allowed": False}
    elif path == "/deny-message":
        answer |= {"allowed": False, "status": {"message": "not today"}}
    elif path == "/deny-code":
        status = {"message": "go away", "code": 418, "reason": "Teapot"}
        answer |= {"allowed": False, "status": status}
    elif path == "/deny-details":
        cause = {"field": "spec.x", "message": "bad x", "reason": "FieldValueInvalid"}
        status = {
            "message": "bad",
            "code": 422,
            "reason": "Invalid",
            "details": {"causes": [cause]},
        }
        answer |= {"allowed": False, "status": status}
    elif path == "/warn":
        answer |= {"warnings": ["careful", 'say "please"']}
    elif path == "/other-uid":
        answer |= {"uid": "other"}
    elif path == "/patch-type":
        answer |= {"patchType": "Merge", "patch": base64.b64encode(b"{}").decode()}
    elif path == "/no-patch-type":
        answer |= {"patch": base64.b64encode(b"[]").decode()}
    return answer


class WebhookServer:
    """`reviews` are those received so far."""

    def __init__(self, port: int, authority: Authority) -> None:
        self.port = port
        self.ca_bundle = base64_of(authority.certificate)
        self.reviews: list[Any] = []

    def taken(self) -> list[Any]:
        """The reviews since the last time."""
        found, self.reviews = self.reviews, []
        return found


@contextmanager
def webhook_server() -> Iterator[WebhookServer]:
    """A server on a free port, for as long as the `with` block lasts."""
    authority = Authority()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            there.reviews.append({"path": self.path, "review": review})
            path = self.path.partition("?")[0]
            uid = review["request"]["uid"]
            answer: Any = {
                "apiVersion": review["apiVersion"],
                "kind": "AdmissionReview",
                "response": response(path, uid),
            }
            code = 200
            if path == "/error":
                code, answer = 500, {"message": "broken"}
            elif path == "/garbage":
                answer = "garbage"
            elif path == "/no-response":
                del answer["response"]
            elif path == "/other-kind":
                answer["kind"] = "Review"
            elif path == "/slow":
                threading.Event().wait(3)
            data = json.dumps(answer).encode()
            try:
                self.send_response(code)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)
            except OSError:
                pass

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = authority.context(authority.server("127.0.0.1"))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    there = WebhookServer(server.server_address[1], authority)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield there
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
