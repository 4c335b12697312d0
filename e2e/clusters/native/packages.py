"""What the native cluster takes from the distribution."""

import os
import shutil
import subprocess
from pathlib import Path

from clusters.errors import UnavailableError
from clusters.log import Log
from clusters.native.node import PLUGINS

COMMANDS = {
    "etcd": "etcd-server",
    "containerd": "containerd",
    "ctr": "containerd",
    "runc": "runc",
    "iptables": "iptables",
    "conntrack": "conntrack",
    "ip": "iproute2",
    "openssl": "openssl",
    "faketime": "faketime",
    str(PLUGINS / "ptp"): "containernetworking-plugins",
}
"""Command, or path, → the Debian package that has it."""


def install_missing(log: Log) -> None:
    """Install what is missing. Errors: `UnavailableError` where apt-get is missing or fails."""
    missing = sorted({package for command, package in COMMANDS.items() if not _found(command)})
    if not missing:
        return
    if shutil.which("apt-get") is None:
        raise UnavailableError(f"missing, and no apt-get to install it: {', '.join(missing)}")
    log(f"installing {', '.join(missing)} by apt-get")
    for arguments in (["update"], ["install", "-y", "--no-install-recommends", *missing]):
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
