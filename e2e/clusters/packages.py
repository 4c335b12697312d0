"""What clusters take from the distribution."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from clusters.build import cache_folder
from clusters.errors import UnavailableError
from clusters.lock import alone
from clusters.log import Log


def install_missing(packages: Mapping[str, str], log: Log) -> None:
    """Install the Debian packages (command, or path → package) whose command is missing.

    Errors: `UnavailableError` where apt-get is missing or fails.
    """
    if all(map(_found, packages)):
        return
    cache_folder().mkdir(parents=True, exist_ok=True)
    # A run beside this one may want the same.
    with alone(cache_folder() / "packages.lock", "installing packages", log):
        missing = sorted({package for command, package in packages.items() if not _found(command)})
        if missing:
            _install(missing, log)


def _install(packages: Sequence[str], log: Log) -> None:
    if shutil.which("apt-get") is None:
        raise UnavailableError(f"missing, and no apt-get to install it: {', '.join(packages)}")
    log(f"installing {', '.join(packages)} by apt-get")
    for arguments in (["update"], ["install", "-y", "--no-install-recommends", *packages]):
        done = subprocess.run(
            ["apt-get", "-qq", *arguments],
            env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise UnavailableError(f"apt-get {arguments[0]} failed: {done.stderr.strip()[-500:]}")


def _found(command: str) -> bool:
    return shutil.which(command) is not None or Path(command).exists()
