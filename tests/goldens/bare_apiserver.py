"""A real API server with its etcd and nothing else, for recorders; in a temporary folder.

It serves on a port of its own on 127.0.0.1 and leaves nothing behind. etcd must be installed; the
API server of a version is built by `go build k8s.io/kubernetes/cmd/kube-apiserver`.
"""

import http.client
import json
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

TOKEN = "recorder"
_STARTS_WITHIN_SECONDS = 120
_JSON = "application/json"


class Reply(NamedTuple):
    """`body` is parsed JSON, or text where it is none; header names are in lower case."""

    code: int
    headers: Mapping[str, list[str]]
    body: Any


class BareServer:
    """Speaks HTTPS, at `port` of 127.0.0.1, as a member of system:masters."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._tls = ssl.create_default_context()
        self._tls.check_hostname = False
        self._tls.verify_mode = ssl.CERT_NONE

    def fetch(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> "RawReply":
        """What is sent and what comes back, byte for byte."""
        host = http.client.HTTPSConnection("127.0.0.1", self.port, context=self._tls, timeout=60)
        sent = {"Authorization": f"Bearer {TOKEN}", "User-Agent": "recorder", **headers}
        with closing(host):
            host.request(method, path, body, sent)
            answer = host.getresponse()
            content = answer.read()
        found: dict[str, list[str]] = {}
        for name, value in answer.getheaders():
            found.setdefault(name.lower(), []).append(value)
        return RawReply(answer.status, found, content)

    def kubeconfig(self) -> dict[str, Any]:
        """For programs beside it, which may do everything, too."""
        address = f"https://127.0.0.1:{self.port}"
        cluster = {"server": address, "insecure-skip-tls-verify": True}
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "bare", "cluster": cluster}],
            "users": [{"name": "admin", "user": {"token": TOKEN}}],
            "contexts": [{"name": "bare", "context": {"cluster": "bare", "user": "admin"}}],
            "current-context": "bare",
        }

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        content_type: str = _JSON,
        accept: str = _JSON,
        headers: Mapping[str, list[str]] | None = None,
    ) -> Reply:
        """`body` is sent as JSON, or as it is when it is text; `headers` add to the usual ones.

        The header Authorization takes the place of the recorder's own; an empty list leaves it out.
        """
        host = http.client.HTTPSConnection("127.0.0.1", self.port, context=self._tls, timeout=60)
        all_headers = {
            "Authorization": [f"Bearer {TOKEN}"],
            "Content-Type": [content_type],
            "Accept": [accept],
            "User-Agent": ["recorder"],
            **(headers or {}),
        }
        sent = body if body is None or isinstance(body, str) else json.dumps(body)
        with closing(host):
            host.putrequest(method, path)
            for name, values in all_headers.items():
                for value in values:
                    host.putheader(name, value)
            data = b"" if sent is None else sent.encode()
            host.putheader("Content-Length", str(len(data)))
            host.endheaders(data or None)
            answer = host.getresponse()
            text = answer.read().decode()
        found: dict[str, list[str]] = {}
        for name, value in answer.getheaders():
            found.setdefault(name.lower(), []).append(value)
        try:
            return Reply(answer.status, found, json.loads(text))
        except ValueError:
            return Reply(answer.status, found, text)

    def wait(self, seconds: float) -> None:
        """Let the server catch up with what it was sent."""
        time.sleep(seconds)


class RawReply(NamedTuple):
    """`body` as it came; header names are in lower case."""

    code: int
    headers: Mapping[str, list[str]]
    body: bytes


@contextmanager
def bare_apiserver(program: Path, *flags: str) -> Iterator[BareServer]:
    """The server that `program` is, while the `with` block lasts."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        etcd, peer, port = free_ports(3)
        key = folder / "accounts.key"
        made = ["openssl", "genrsa", "-out", str(key), "2048"]
        subprocess.run(made, check=True, capture_output=True)
        (folder / "tokens.csv").write_text(f'{TOKEN},admin,admin,"system:masters"\n')
        client = f"http://127.0.0.1:{etcd}"
        stack.enter_context(
            running(
                folder / "etcd.log",
                "etcd",
                f"--data-dir={folder / 'etcd'}",
                "--unsafe-no-fsync",
                f"--listen-client-urls={client}",
                f"--advertise-client-urls={client}",
                f"--listen-peer-urls=http://127.0.0.1:{peer}",
            )
        )
        stack.enter_context(
            running(
                folder / "apiserver.log",
                str(program),
                f"--etcd-servers={client}",
                "--bind-address=127.0.0.1",
                "--advertise-address=127.0.0.1",
                # Nobody asks for the Service `kubernetes`; 1.37 would refuse a loopback address.
                "--endpoint-reconciler-type=none",
                f"--secure-port={port}",
                f"--cert-dir={folder}",
                "--service-account-issuer=https://kubernetes.default.svc",
                f"--service-account-key-file={key}",
                f"--service-account-signing-key-file={key}",
                "--service-cluster-ip-range=10.96.0.0/16",
                f"--token-auth-file={folder / 'tokens.csv'}",
                "--authorization-mode=Node,RBAC",
                "--allow-privileged=true",
                *flags,
            )
        )
        server = BareServer(port)
        _wait(server)
        yield server


def _wait(server: BareServer) -> None:
    end = time.monotonic() + _STARTS_WITHIN_SECONDS
    while time.monotonic() < end:
        try:
            if server.call("GET", "/readyz").code == 200:
                return
        except OSError:
            pass
        time.sleep(0.5)
    raise TimeoutError(f"the API server is not ready after {_STARTS_WITHIN_SECONDS} s")


@contextmanager
def running(log: Path, *command: str) -> Iterator[None]:
    """A program that runs while the `with` block lasts and writes to `log`."""
    with log.open("w") as file, subprocess.Popen(command, stdout=file, stderr=file) as process:
        try:
            yield
        finally:
            process.terminate()


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody uses now."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
