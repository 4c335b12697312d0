"""Helm, from the PATH or built, on no cluster or on one."""

import os
import shutil
import subprocess
from pathlib import Path

from clusters.build import program

CHART = str(Path(__file__).parents[1] / "deploy" / "chart")


class Helm:
    """The command, with folders of its own; `kubeconfig` leads to its cluster."""

    def __init__(self, home: Path, kubeconfig: Path | None = None) -> None:
        self._program = shutil.which("helm") or str(program("helm", print))
        self._environment = {"HOME": str(home), "PATH": os.environ["PATH"]}
        if kubeconfig is not None:
            self._environment["KUBECONFIG"] = str(kubeconfig)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run it to its end."""
        return subprocess.run(
            [self._program, *arguments],
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def output(self, *arguments: str) -> str:
        """What it prints. Errors: `AssertionError` when it fails, or warns."""
        done = self.run(*arguments)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout
