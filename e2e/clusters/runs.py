"""What belongs to which run: names carry the pid, so that a later run knows whose owner is dead."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from clusters.build import program
from clusters.components import Components
from clusters.fake_nodes import kwok_command
from clusters.log import Log

PREFIX = "hourglass-e2e-"


def own_name() -> str:
    """`hourglass-e2e-PID` of this process."""
    return f"{PREFIX}{os.getpid()}"


def is_abandoned(name: str) -> bool:
    """Whether a name like `own_name` is that of a process which is no more."""
    _, found, pid = name.rpartition(PREFIX)
    return bool(found) and pid.isdecimal() and not psutil.pid_exists(int(pid))


@contextmanager
def run_folder() -> Iterator[Path]:
    """A folder for this run's processes and files; both are gone at the end.

    What killed runs left of theirs goes first.
    """
    parent = Path(tempfile.gettempdir())
    for folder in parent.glob(f"{PREFIX}*"):
        if is_abandoned(folder.name):
            _remove(folder)
    folder = parent / own_name()
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        _remove(folder)


def kwok_starter(folder: Path, kubeconfig: Path, log: Log) -> Callable[[], None]:
    """Starts KWOK on this machine, for a cluster elsewhere, unless it runs."""
    components = Components(folder)

    def start() -> None:
        if not components.runs("kwok"):
            # The one on the PATH, if any, saves who has no Go.
            found = shutil.which("kwok")
            kwok = Path(found) if found else program("kwok", log)
            components.run("kwok", kwok_command(kwok, kubeconfig))

    return start


def kubectl_program(log: Log) -> str:
    """The `kubectl` on the PATH, or else one that is built."""
    return shutil.which("kubectl") or str(program("kubectl", log))


def _remove(folder: Path) -> None:
    Components(folder).kill_all()
    shutil.rmtree(folder)
