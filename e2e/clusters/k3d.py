"""The provider `k3d`: k3s in Docker containers, by k3d through pytest-kubernetes."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pytest_kubernetes.options import ClusterOptions
from pytest_kubernetes.providers.k3d import K3dManagerBase

from clusters.cluster import Cluster
from clusters.errors import ImageImportError, UnavailableError
from clusters.lock import only_node
from clusters.log import Log
from clusters.runs import is_abandoned, kubectl_program, kwok_starter, own_name, run_folder

MINOR = "1.34"
VERSION = f"{MINOR}.4"


@contextmanager
def k3d(log: Log, kubernetes: str = "") -> Iterator[Cluster]:
    """Create a k3d cluster, and in the end delete it; see `Provider`."""
    if kubernetes not in ("", MINOR):
        raise UnavailableError(f"starts Kubernetes {MINOR} only")
    if shutil.which("k3d") is None:
        raise UnavailableError("no `k3d` on the PATH")
    # pytest-kubernetes knows no other place to look for it.
    if shutil.which("kubectl") is None:
        raise UnavailableError("no `kubectl` on the PATH")
    with only_node(log), run_folder() as folder:
        kubeconfig = folder / "kubeconfig"
        kubeconfig.touch(mode=0o600)
        manager = K3dManagerBase(own_name())
        try:
            log(f"creating the k3d cluster {manager.cluster_name} (pulls images the first time)")
            _create(manager, kubeconfig)
            cluster = Cluster(
                provider="k3d",
                kubeconfig=kubeconfig,
                kubectl_program=kubectl_program(log),
                import_image=lambda archive: _import_image(manager, archive),
                start_kwok=kwok_starter(folder, kubeconfig, log),
            )
            cluster.wait_for_node()
            yield cluster
        finally:
            log("deleting the cluster")
            manager.delete()


def _create(manager: K3dManagerBase, kubeconfig: Path) -> None:
    try:
        _delete_abandoned()
        manager.create(ClusterOptions(api_version=VERSION, kubeconfig_path=kubeconfig))
    except subprocess.CalledProcessError as error:
        raise UnavailableError(f"{error}: {_stderr(error)}") from error
    except (subprocess.TimeoutExpired, RuntimeError) as error:
        raise UnavailableError(str(error)) from error


def _delete_abandoned() -> None:
    listed = subprocess.run(
        ["k3d", "cluster", "list", "--output", "json"], capture_output=True, check=True
    )
    for cluster in json.loads(listed.stdout):
        if is_abandoned(cluster["name"]):
            subprocess.run(["k3d", "cluster", "delete", cluster["name"]], check=True)


def _import_image(manager: K3dManagerBase, archive: Path) -> None:
    try:
        manager.load_image(str(archive))
    except subprocess.CalledProcessError as error:
        raise ImageImportError(f"{archive}: {_stderr(error)}") from error


def _stderr(error: subprocess.CalledProcessError) -> str:
    return (error.stderr or b"").decode(errors="replace").strip()[-500:]
