"""Runs commands of pytest at the same time and prints one's output after the other's.

`python e2e/side_by_side.py 'COMMAND' 'COMMAND'`: the first prints as it goes; what the others have
printed meanwhile follows. At the end stands what pytest's summary says of each test that failed,
in any of them. Up to `ALONE` of a command's tests are then run once more with nothing beside them
(`--last-failed`: each command needs a cache of its own), and counted: a test that fails alone too
fails the run. Ctrl-C and SIGTERM go to each, and the run ends when each has ended. The exit code
is that of the first that failed.
"""

import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
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
ALONE = 5
"""As many tests of a command may fail beside the others and pass alone."""
TESTS_FAILED = 1
"""The exit code of pytest whose run came to its end."""


def run(commands: list[str], folder: Path) -> int:
    """The exit code of the first that failed, or 0; the folder is for what they print."""
    came: list[int] = []
    for number in SIGNALS:
        signal.signal(number, lambda number, _: came.append(number))
    outputs = [folder / str(position) for position in range(len(commands))]
    running = [_start(*each) for each in zip(commands, outputs, strict=True)]
    stopped = False

    def wait_for(process: subprocess.Popen[bytes], output: Path) -> int:
        nonlocal stopped
        with output.open("rb") as printed:
            while (code := process.poll()) is None:
                _show(printed)
                # Not where they come: there may be a process then that is not in the list yet.
                while came:
                    stopped = True
                    number = SIGNALS[signal.Signals(came.pop(0))]
                    for each in running:
                        # Does nothing to one that has ended.
                        each.send_signal(number)
                time.sleep(0.1)
            _show(printed)
        return code

    codes = []
    for position, (process, output) in enumerate(zip(running, outputs, strict=True)):
        if position:
            sys.stdout.write(f"\n$ {commands[position]}\n")
        codes.append(wait_for(process, output))
    for position, (command, code) in enumerate(zip(commands, codes, strict=True)):
        if not code:
            continue
        failures = _failures(outputs[position])
        sys.stdout.write(f"\n{command}\nended with {code}\n")
        sys.stdout.writelines(failures)
        count = sum(map(_names_a_test, failures))
        if stopped or code != TESTS_FAILED or not 0 < count <= ALONE:
            continue
        again = f"{command} --last-failed --last-failed-no-failures=none"
        sys.stdout.write(f"\n$ {again}\n")
        output = folder / f"{position}-alone"
        running.append(_start(again, output))
        codes[position] = wait_for(running[-1], output)
        sys.stdout.write(f"\nfailed beside the others: {count}; alone: ")
        if codes[position]:
            sys.stdout.write(f"ended with {codes[position]}\n")
            sys.stdout.writelines(_failures(output))
        else:
            sys.stdout.write("passed\n")
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
    """The lines of pytest's summary about tests that failed: names and messages."""
    found: list[str] = []
    room = 0
    with output.open(errors="replace") as printed:
        for line in printed:
            if _names_a_test(line):
                room = LINES
            elif line.startswith(("SKIPPED ", "=")):
                room = 0
            if room:
                found.append(line[:WIDTH].rstrip("\n") + "\n")
                room -= 1
    return found


def _names_a_test(line: str) -> bool:
    return line.startswith(("FAILED ", "ERROR "))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as outputs:
        sys.exit(run(sys.argv[1:], Path(outputs)))
