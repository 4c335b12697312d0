"""Stand-ins for programs on the PATH."""

import shutil
from pathlib import Path

TOOLS = ("sh", "cat", "echo", "env", "nice", "sleep")


class Executables:
    """A PATH of its own; each program is a shell script that first notes its command line."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._log = folder.parent / "calls"
        folder.mkdir()
        for tool in TOOLS:
            if found := shutil.which(tool):
                (folder / tool).symlink_to(found)

    def add(self, name: str, script: str) -> None:
        """A program with this script."""
        path = self.folder / name
        path.write_text(f'#!/bin/sh\necho "{name} $*" >> {self._log}\n{script}\n')
        path.chmod(0o755)

    def remove(self, name: str) -> None:
        """The program is not installed."""
        (self.folder / name).unlink()

    def calls(self) -> list[str]:
        """The command lines so far."""
        return self._log.read_text().splitlines() if self._log.exists() else []
