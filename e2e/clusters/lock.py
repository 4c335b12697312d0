"""One run at a time."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO

from clusters.errors import UnavailableError
from clusters.log import Log

NODE = Path("/tmp/hourglass-e2e.lock")
"""The same for every user of this machine, whatever their TMPDIR."""


def only_node(log: Log) -> AbstractContextManager[None]:
    """Be the only run with a node on this machine; see `alone`.

    Two kubelets on one machine kill each other's containers, also if one of them is in Docker: with
    cgroup v1 each takes the other's for remains of its own.
    """
    return alone(NODE, "running a node on this machine", log)


@contextmanager
def alone(lock: Path, what: str, log: Log, seconds: float = 3600) -> Iterator[None]:
    """Hold a lock file, which another run on this machine may hold; ends with the process.

    Errors: `UnavailableError` when the other run is not done after `seconds`, or without such a
    file.
    """
    with _opened(lock) as file:
        deadline = time.monotonic() + seconds
        waiting = False
        while not _taken(file.fileno()):
            if time.monotonic() > deadline:
                raise UnavailableError(f"another run has been {what} for {seconds:.0f} s")
            if not waiting:
                log(f"waiting for another run that is {what}")
                waiting = True
            time.sleep(0.5)
        yield


def _opened(lock: Path) -> IO[str]:
    try:
        # It may be another user's, who lets everybody read it.
        if not lock.exists():
            lock.touch()
            lock.chmod(0o644)
        return lock.open()
    except OSError as error:
        raise UnavailableError(f"{lock}: {error.strerror}") from error


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
