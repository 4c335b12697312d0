"""Programs beside a cluster, as processes of this machine with a log."""

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def process(command: Sequence[str | Path], log: Path, **environment: str) -> Iterator[None]:
    """Run it until the end of the block, then SIGTERM; `log` takes what it prints.

    Errors: `AssertionError` with the end of its log when it has ended by itself.
    """
    with log.open("wb") as output:
        started = subprocess.Popen(
            command,
            env=os.environ | environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield
        assert started.poll() is None, f"{command[0]} has ended:\n{log.read_text()[-4000:]}"
    finally:
        started.terminate()
        try:
            started.wait(20)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()
