"""Runs commands at the same time and prints one's output after the other's.

`python e2e/side_by_side.py 'COMMAND' 'COMMAND'`: the first prints as it goes; what the others have
printed meanwhile follows. Ctrl-C and SIGTERM go to each, and the run ends when each has ended. The
exit code is that of the first that failed.
"""

import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import IO

SIGNALS = {
    signal.SIGINT: signal.SIGINT,
    signal.SIGTERM: signal.SIGTERM,
    # The terminal is gone; a command that does not handle that would leave things behind.
    signal.SIGHUP: signal.SIGTERM,
}
"""What comes → what each command gets of it."""


def run(commands: list[str], folder: Path) -> int:
    """The exit code of the first that failed, or 0; the folder is for what they print."""
    came: list[int] = []
    for number in SIGNALS:
        signal.signal(number, lambda number, _: came.append(number))
    first, *others = commands
    outputs = [folder / str(position) for position in range(len(others))]
    running = [_start(first), *(_start(*each) for each in zip(others, outputs, strict=True))]

    def wait_for(process: subprocess.Popen[bytes], show: Callable[[], object]) -> int:
        while (code := process.poll()) is None:
            show()
            # Not where they come: there may be a process then that is not in the list yet.
            while came:
                number = SIGNALS[signal.Signals(came.pop(0))]
                for each in running:
                    # Does nothing to one that has ended.
                    each.send_signal(number)
            time.sleep(0.1)
        show()
        return code

    codes = [wait_for(running[0], lambda: None)]
    for command, process, output in zip(others, running[1:], outputs, strict=True):
        sys.stdout.write(f"\n$ {command}\n")
        with output.open("rb") as printed:
            codes.append(wait_for(process, partial(_show, printed)))
    failed = next((code for code in codes if code), 0)
    # As a shell says by which signal.
    return failed if failed >= 0 else 128 - failed


def _start(command: str, output: Path | None = None) -> subprocess.Popen[bytes]:
    # A session of its own: else Ctrl-C would come twice, and the second cuts the end short.
    arguments = shlex.split(command)
    if output is None:
        return subprocess.Popen(arguments, stdin=subprocess.DEVNULL, start_new_session=True)
    with output.open("wb") as file:
        return subprocess.Popen(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _show(printed: IO[bytes]) -> None:
    """Print what has come since the last time."""
    sys.stdout.flush()
    shutil.copyfileobj(printed, sys.stdout.buffer)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as outputs:
        sys.exit(run(sys.argv[1:], Path(outputs)))
