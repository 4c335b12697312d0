"""Processes of `hourglass-operator` without the second that each takes to import what it needs.

A process that has imported it is copied: https://docs.python.org/3/library/multiprocessing.html
"""

import multiprocessing
import os
import signal
import sys
from pathlib import Path

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["hourglass_operator.cli", "kopf", "uvloop"])


class Operator:
    """`hourglass-operator ARGUMENTS`; what it prints is added to the log."""

    def __init__(self, arguments: list[str], log: Path) -> None:
        self._process = _FORKS.Process(target=_run, args=(arguments, str(log)))
        self._process.start()

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self._pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def poll(self) -> int | None:
        """The code it ended with; None while it runs."""
        return self._process.exitcode

    def wait(self, seconds: float) -> int:
        """The code it ends with; raises TimeoutError."""
        self._process.join(seconds)
        if (code := self.poll()) is None:
            raise TimeoutError(f"process {self._pid} has not ended")
        return code

    @property
    def _pid(self) -> int:
        pid = self._process.pid
        assert pid is not None
        return pid


def _run(arguments: list[str], log: str) -> None:
    file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    for stream in (1, 2):
        os.dup2(file, stream)
    sys.argv = ["hourglass-operator", *arguments]
    from hourglass_operator.cli import main

    main()
