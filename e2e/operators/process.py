"""`hourglass-operator run` as a process that can be stopped, paused and killed."""

import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from clusters import wait_until

PROGRAM = Path(sys.executable).with_name("hourglass-operator")

# The probes are on this machine, whatever proxy the environment names.
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Operator:
    """One replica: at most one process at a time, all with the same ports and one log."""

    def __init__(
        self,
        kubeconfig: Path,
        log: Path,
        flags: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """`flags` and `environment` come on top of those that every replica gets."""
        self.log = log
        self._health, self._metrics = (f"127.0.0.1:{port}" for port in _free_ports(2))
        self._command = [
            str(PROGRAM),
            "run",
            f"--kubeconfig={kubeconfig}",
            f"--health-address={self._health}",
            f"--metrics-address={self._metrics}",
            *flags,
        ]
        own = {key: value for key, value in os.environ.items() if "HOURGLASS" not in key}
        self._environment = own | dict(environment or {})
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process; errors: `LookupError` before the first start."""
        return self._started.pid

    @property
    def runs(self) -> bool:
        """Whether the process is there, be it paused."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the process; it works a few seconds later (`wait_leading`)."""
        if self.runs:
            raise RuntimeError(f"the operator runs already, pid {self.pid}")
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def stop(self, seconds: float = 30) -> int:
        """SIGTERM; returns the exit code."""
        self._started.terminate()
        return self._started.wait(seconds)

    def kill(self) -> None:
        """SIGKILL: the process ends between two instructions, paused or not."""
        self._started.kill()
        self._started.wait()

    def pause(self) -> None:
        """SIGSTOP: the process is there and does nothing, but its connections stay open."""
        self._started.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT after `pause`."""
        self._started.send_signal(signal.SIGCONT)

    def wait_leading(self, seconds: float = 60) -> None:
        """Return once it may write and knows the cluster.

        Errors: `TimeoutError`; `RuntimeError` when the process has ended.
        """

        def works() -> bool:
            if not self.runs:
                code = self._started.returncode
                raise RuntimeError(f"the operator ended with {code}: {self.last_logged()}")
            return self.is_ready() and self.leads

        wait_until(f"the operator leads and is ready (log: {self.log})", works, seconds)

    def is_ready(self) -> bool:
        """Whether /readyz says so; False too when nobody answers."""
        return self.readiness() == "ok"

    def readiness(self) -> str:
        """What /readyz says: `ok` or what is missing; empty when nobody answers."""
        try:
            with _direct.open(f"http://{self._health}/readyz", timeout=2) as answer:
                said: bytes = answer.read()
        except urllib.error.HTTPError as refusal:
            said = refusal.read()
        except OSError:
            return ""
        return said.decode().strip()

    def metric(self, name: str, **labels: str) -> float:
        """The sum of `hourglass_performer_{name}` over the series with these labels.

        Errors: `OSError` when nobody answers.
        """
        with _direct.open(f"http://{self._metrics}/metrics", timeout=2) as answer:
            text = answer.read().decode()
        wanted = f"hourglass_performer_{name}"
        return sum(
            sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == wanted and labels.items() <= sample.labels.items()
        )

    @property
    def leads(self) -> bool:
        """Whether it may write. Errors: `OSError` when it does not answer."""
        return self.metric("leader") == 1

    def writes(self) -> float:
        """How many mutating calls it has made, without those on the Lease."""
        calls = "api_calls_total"
        return sum(
            self.metric(calls, verb=verb) - self.metric(calls, verb=verb, resource="leases")
            for verb in ("create", "patch", "delete")
        )

    def missed(self) -> list[str]:
        """The permissions that it misses, as its log names them.

        An API server that was just started knows no roles for a moment.
        """
        text = self.log.read_text(errors="replace").rpartition("nothing is missing any more")[2]
        return [line for line in text.splitlines() if "missing permission" in line]

    def warned(self) -> list[str]:
        """What the API server has warned of, as its log says: deprecated endpoints, for example."""
        lines = self.log.read_text(errors="replace").splitlines()
        return [line for line in lines if "the API server warns" in line]

    def last_logged(self, lines: int = 5) -> str:
        """The end of the log, on one line."""
        return " | ".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    @property
    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise LookupError("the operator has not been started")
        return self._process


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
