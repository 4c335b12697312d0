"""The processes of a cluster: start, stop, pause, restart; found again by their pid files."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path


class StartFailed(Exception):
    """A process ended at once or did not become ready; the message tells what it last logged."""


class Components:
    """Processes by name, each with `NAME.pid` and `log/NAME.log` below a folder."""

    def __init__(self, folder: Path, ready: Callable[[], bool]) -> None:
        self._folder = folder
        self._ready = ready
        self._commands: dict[str, Sequence[str]] = {}
        (folder / "log").mkdir(parents=True, exist_ok=True)

    @property
    def names(self) -> list[str]:
        """The components in the order in which they were first started."""
        return list(self._commands)

    def run(self, name: str, command: Sequence[str], environment: Mapping[str, str] = {}) -> None:  # noqa: B006
        """Start a component for the first time."""
        self._commands[name] = command
        self.start(name)

    def start(self, name: str) -> None:
        """Start a component that was stopped."""

    def stop(self, name: str) -> None:
        """End a component: by SIGTERM, after ten seconds by SIGKILL."""

    def restart(self, name: str) -> None:
        """Stop and start a component, and wait until the API server is ready."""

    @contextmanager
    def paused(self, name: str) -> Iterator[None]:
        """While inside, the component is alive and does nothing (SIGSTOP, then SIGCONT)."""
        yield
