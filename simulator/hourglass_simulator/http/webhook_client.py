"""Calls admission webhooks over HTTPS, in the words of Go's client when that fails."""

import http.client
import json
import socket
import ssl
import threading
from base64 import b64decode
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.admission_webhooks import CallError

_HTTPS = 443


class WebhookClient:
    """Gives the lock away while it waits, so that a webhook may ask the API server.

    `services` says where webhooks are that a Service stands for (NAMESPACE/NAME to HOST:PORT): no
    pod of a simulated cluster answers.
    """

    def __init__(self, lock: threading.RLock, services: Mapping[str, str]) -> None:
        self._turn = threading.Condition(lock)
        self._services = services
        self._pool = ThreadPoolExecutor(thread_name_prefix="webhook")

    def __call__(self, client: JSON, service: JSON | None, seconds: int, review: JSON) -> Any:
        """The answer to a review; raises CallError."""
        url, host, port, name = self._address(client, service, seconds)
        context = _context(client)
        calling = self._pool.submit(_post, url, host, port, name, context, seconds, review)
        calling.add_done_callback(self._done)
        with self._turn:
            self._turn.wait_for(calling.done)
        return calling.result()

    def _done(self, _: "Future[Any]") -> None:
        with self._turn:
            self._turn.notify_all()

    def _address(
        self, client: JSON, service: JSON | None, seconds: int
    ) -> tuple[str, str, int, str]:
        """(URL as errors name it, host and port to connect to, name of the server)."""
        if url := client.get("url"):
            parts = urlsplit(url)
            query = f"{parts.query}&" if parts.query else ""
            whole = f"{url.partition('?')[0]}?{query}timeout={seconds}s"
            host = parts.hostname or ""
            return whole, host, parts.port or _HTTPS, host
        reference = client["service"]
        key = f"{reference['namespace']}/{reference['name']}"
        name = f"{reference['name']}.{reference['namespace']}.svc"
        port = reference.get("port") or _HTTPS
        path = (reference.get("path") or "").lstrip("/")
        url = f"https://{name}:{port}/{path}?timeout={seconds}s"
        if key in self._services:
            host, _, there = self._services[key].rpartition(":")
            return url, host, int(there), name
        if service is None:
            why = f'service "{reference["name"]}" not found'
        elif service["spec"].get("type") == "ExternalName":
            return url, service["spec"]["externalName"], port, name
        else:
            why = f'no endpoints available for service "{reference["name"]}"'
        raise CallError(f'failed to call webhook: Post "{url}": {why}')


def _context(client: JSON) -> ssl.SSLContext:
    bundle = client.get("caBundle")
    try:
        text = b64decode(bundle).decode() if bundle else None
        return ssl.create_default_context(cadata=text)
    except (ValueError, ssl.SSLError) as error:
        raise CallError(
            f"failed to call webhook: unable to load root certificates: {error}"
        ) from None


def _post(
    url: str, host: str, port: int, name: str, context: ssl.SSLContext, seconds: int, review: JSON
) -> Any:
    begins = f'failed to call webhook: Post "{url}":'
    target = url.partition("://")[2]
    path = "/" + target.partition("/")[2]
    connection = _Connection(host, port, name, context, seconds)
    with closing(connection):
        try:
            body = json.dumps(review)
            headers = {
                "Content-Type": "application/json",
                "Accept": "application/json, */*",
                "User-Agent": "kube-apiserver-admission",
            }
            connection.request("POST", path, body, headers)
            answer = connection.getresponse()
            text = answer.read()
        except TimeoutError:
            raise CallError(f"{begins} context deadline exceeded") from None
        except ConnectionRefusedError:
            why = f"dial tcp {host}:{port}: connect: connection refused"
            raise CallError(f"{begins} {why}") from None
        except socket.gaierror:
            raise CallError(f"{begins} dial tcp: lookup {host}: no such host") from None
        except ssl.SSLCertVerificationError as error:
            why = f"tls: failed to verify certificate: x509: {error.verify_message}"
            raise CallError(f"{begins} {why}") from None
        except (OSError, http.client.HTTPException) as error:
            raise CallError(f"{begins} {error or 'EOF'}") from None
    if answer.status >= 400:
        why = 'an error on the server ("unknown") has prevented the request from succeeding'
        if answer.status == 404:
            why = "the server could not find the requested resource"
        raise CallError(f"failed to call webhook: {why}")
    try:
        return json.loads(text)
    except ValueError as error:
        raise CallError(f"failed to call webhook: couldn't get version/kind: {error}") from None


class _Connection(http.client.HTTPConnection):
    """HTTPS to an address where a server of another name is."""

    def __init__(
        self, host: str, port: int, name: str, context: ssl.SSLContext, seconds: float
    ) -> None:
        super().__init__(host, port, timeout=seconds)
        self._name = name
        self._tls = context

    def connect(self) -> None:
        """Connect, and verify that it is the server of that name."""
        super().connect()
        self.sock = self._tls.wrap_socket(self.sock, server_hostname=self._name)
