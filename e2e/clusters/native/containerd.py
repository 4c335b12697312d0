"""Calls to a node's containerd."""

import subprocess
from pathlib import Path

from clusters.errors import ImageImportError


def import_image(socket: Path, archive: Path) -> None:
    """Take an image archive to where the kubelet looks for images.

    Errors: `ImageImportError`.
    """
    done = _ctr(socket, "--namespace=k8s.io", "images", "import", str(archive))
    if done.returncode:
        raise ImageImportError(f"{archive}: {done.stderr.strip()}")


def answers(socket: Path) -> bool:
    """Whether containerd answers there."""
    return _ctr(socket, "version").returncode == 0


def _ctr(socket: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["ctr", f"--address={socket}", *arguments]
    return subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
