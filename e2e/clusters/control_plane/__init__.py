"""The provider `control-plane`: Kubernetes from its Go modules without a node, on loopback."""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from clusters.build import DEFAULT, cache_folder, programs
from clusters.cluster import Cluster
from clusters.components import Components
from clusters.control_plane.commands import LOOPBACK, USERS, Files
from clusters.control_plane.ports import Ports
from clusters.control_plane.starting import PACKAGES, PROGRAMS, START_ERRORS, start
from clusters.errors import ImageImportError, UnavailableError
from clusters.lock import alone
from clusters.log import Log
from clusters.packages import install_missing

__all__ = ["PACKAGES", "PROGRAMS", "START_ERRORS", "Files", "Ports", "control_plane", "start"]

NAME = "control-plane"
LOG = "log"


@contextmanager
def control_plane(log: Log, kubernetes: str = DEFAULT) -> Iterator[Cluster]:
    """Build, start and in the end take down a control plane; see `Provider`.

    Its nodes are those that KWOK runs, so it needs neither root nor a container runtime, and may
    run beside a cluster that has a node on this machine.
    """
    install_missing(PACKAGES, log)
    built = programs(PROGRAMS, log, kubernetes)
    folder = cache_folder() / NAME
    with alone(folder.with_suffix(".lock"), "running a control plane", log):
        folder.mkdir(parents=True, exist_ok=True)
        take_down(folder)
        shutil.rmtree(folder / LOG)
        try:
            began = time.monotonic()
            log("starting etcd and the control plane")
            try:
                cluster, _ = start(
                    NAME,
                    built,
                    Files(folder),
                    Ports.free(),
                    users=USERS,
                    address=LOOPBACK,
                    import_image=_refuse_image,
                )
                # Pods cannot be made without it.
                cluster.kubectl("wait", "--for=create", "serviceaccount/default", "-n", "default")
            except START_ERRORS as error:
                raise UnavailableError(f"does not start: {error}") from error
            log(f"started in {time.monotonic() - began:.0f} s; logs: {folder / LOG}")
            yield cluster
        finally:
            log("taking the control plane down")
            take_down(folder)


def take_down(folder: Path) -> None:
    """End and remove everything that the folder's cluster made, except its logs."""
    Components(folder).kill_all()
    for entry in folder.iterdir():
        if not entry.is_dir():
            entry.unlink()
        elif entry.name != LOG:
            shutil.rmtree(entry)


def _refuse_image(archive: Path) -> None:
    raise ImageImportError(f"{archive}: {NAME} has no node to take it to")
