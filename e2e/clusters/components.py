"""The processes of a cluster: start, stop, pause, restart; found again by their pid files."""

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from clusters.waiting import wait_until


class StartError(Exception):
    """A component ended by itself or did not become ready in time."""


class Components:
    """Processes by name, each with `NAME.pid` and `log/NAME.log` below a folder.

    Another process finds them by the same folder. A pid file also holds when its process started,
    so that a pid which was used again is not mistaken for the component.
    """

    def __init__(self, folder: Path, ready: Callable[[], None] = lambda: None) -> None:
        """`ready` returns once the cluster answers again after a restart."""
        self._folder = folder
        self._ready = ready
        self._commands: dict[str, Sequence[str]] = {}
        self._children: dict[str, psutil.Popen] = {}
        (folder / "log").mkdir(parents=True, exist_ok=True)

    @property
    def names(self) -> list[str]:
        """The components in the order in which they were started for the first time."""
        return list(self._commands)

    def run(self, name: str, command: Sequence[str]) -> None:
        """Start a component for the first time."""
        self._commands[name] = command
        self.start(name)

    def start(self, name: str) -> None:
        """Start a component as it was started before."""
        command = self._commands[name]
        with self.log(name).open("ab") as log:
            # A session of its own: Ctrl-C is for the tests, which then take the cluster down.
            child = psutil.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._children[name] = child
        self._pid_file(name).write_text(f"{child.pid} {_started(child.pid)}")

    def stop(self, name: str, seconds: float = 10) -> None:
        """End a component by SIGTERM, or by SIGKILL after this time."""
        if process := self._process(name):
            process.terminate()
            # One that is paused takes the signal once it goes on.
            process.resume()
            try:
                process.wait(seconds)
            except psutil.TimeoutExpired:
                process.kill()
                process.wait()
        self._pid_file(name).unlink(missing_ok=True)

    def restart(self, name: str, seconds: float = 10) -> None:
        """Stop (see `stop`) and start a component, and wait until the cluster answers again."""
        self.stop(name, seconds)
        self.start(name)
        self._ready()

    @contextmanager
    def paused(self, name: str) -> Iterator[None]:
        """While inside, the component is alive and does nothing (SIGSTOP, then SIGCONT).

        Errors: `LookupError` for a component that does not run.
        """
        process = self._process(name)
        if process is None:
            raise LookupError(f"{name} does not run")
        process.suspend()
        try:
            yield
        finally:
            # It may have been stopped in the meantime.
            with suppress(psutil.NoSuchProcess):
                process.resume()

    def runs(self, name: str) -> bool:
        """Whether the component is alive."""
        return self._process(name) is not None

    def pids(self) -> dict[str, int]:
        """The processes of the components that are alive."""
        found = {name: self._process(name) for name in self.names}
        return {name: process.pid for name, process in found.items() if process}

    def log(self, name: str) -> Path:
        """What the component printed, over all its starts."""
        return self._folder / "log" / f"{name}.log"

    def kill_all(self) -> None:
        """End every component at once, also those that another process started."""
        names = [file.stem for file in self._folder.glob("*.pid")]
        processes = [process for name in names if (process := self._process(name))]
        for process in processes:
            process.kill()
        psutil.wait_procs(processes)
        for name in names:
            self._pid_file(name).unlink(missing_ok=True)

    def wait_until(self, what: str, holds: Callable[[], bool], seconds: float = 60) -> None:
        """Return once `holds` does.

        Errors: `StartError` after `seconds`, or at once when a component that should run ended.
        """

        def checked() -> bool:
            for name in self._children:
                if self._pid_file(name).exists() and not self.runs(name):
                    raise StartError(f"{name} ended; {self._last_logged(name)}")
            return holds()

        try:
            wait_until(what, checked, seconds)
        except TimeoutError as error:
            raise StartError(f"{error}; see {self._folder / 'log'}") from error

    def _process(self, name: str) -> psutil.Process | None:
        if child := self._children.get(name):
            return child if child.poll() is None else None
        try:
            pid, started = self._pid_file(name).read_text().split()
            return psutil.Process(int(pid)) if _started(int(pid)) == started else None
        except (FileNotFoundError, ValueError, psutil.NoSuchProcess):
            return None

    def _pid_file(self, name: str) -> Path:
        return self._folder / f"{name}.pid"

    def _last_logged(self, name: str) -> str:
        lines = self.log(name).read_text(errors="replace").splitlines()[-5:]
        return f"{self.log(name)} ends: " + " | ".join(lines)


def _started(pid: int) -> str:
    """When a process started. On Linux in ticks since boot, which a change of clock leaves alone.

    https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html, field 22
    """
    if sys.platform == "linux":
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    return str(psutil.Process(pid).create_time())
