"""Runs commands at the same time and prints one's output after the other's.

`python e2e/side_by_side.py 'COMMAND' 'COMMAND'`: the first prints as it goes; what the others have
printed meanwhile follows. At the end stands what pytest's summary says of each test that failed,
in any of them. Ctrl-C and SIGTERM go to each, and the run ends when each has ended. The exit code
is that of the first that failed.
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
LINES, WIDTH = 20, 500
"""How much is printed once more of a test that failed; the whole stands further up."""


def run(commands: list[str], folder: Path) -> int:
    """The exit code of the first that failed, or 0; the folder is for what they print."""
    came: list[int] = []
    for number in SIGNALS:
        signal.signal(number, lambda number, _: came.append(number))
    outputs = [folder / str(position) for position in range(len(commands))]
    running = [_start(*each) for each in zip(commands, outputs, strict=True)]

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

    codes = []
    for position, (process, output) in enumerate(zip(running, outputs, strict=True)):
        if position:
            sys.stdout.write(f"\n$ {commands[position]}\n")
        with output.open("rb") as printed:
            codes.append(wait_for(process, partial(_show, printed)))
    for command, output, code in zip(commands, outputs, codes, strict=True):
        if code:
            sys.stdout.write(f"\n{command}\nended with {code}\n")
            sys.stdout.writelines(_failures(output))
    failed = next((code for code in codes if code), 0)
    # As a shell says by which signal.
    return failed if failed >= 0 else 128 - failed


def _start(command: str, output: Path) -> subprocess.Popen[bytes]:
    with output.open("wb") as file:
        return subprocess.Popen(
            shlex.split(command),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            # A session of its own: else Ctrl-C would come twice, and the second cuts the end short.
            start_new_session=True,
        )


def _show(printed: IO[bytes]) -> None:
    """Print what has come since the last time."""
    sys.stdout.flush()
    shutil.copyfileobj(printed, sys.stdout.buffer)
    sys.stdout.buffer.flush()


def _failures(output: Path) -> list[str]:
    """What pytest's summary has of each test that failed: its name and the error's message."""
    found: list[str] = []
    room = 0
    with output.open(errors="replace") as printed:
        for line in printed:
            if line.startswith(("FAILED ", "ERROR ")):
                room = LINES
            elif line.startswith(("SKIPPED ", "=")):
                room = 0
            if room:
                found.append(line[:WIDTH].rstrip("\n") + "\n")
                room -= 1
    return found


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as outputs:
        sys.exit(run(sys.argv[1:], Path(outputs)))
