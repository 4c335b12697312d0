"""The provider `k3s`: k3s in one Docker container, by testcontainers."""

import io
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import docker
from docker.errors import DockerException
from testcontainers.community.k3s import K3SContainer
from testcontainers.core.config import ConnectionMode, testcontainers_config

from clusters.cluster import Cluster
from clusters.errors import ImageImportError, UnavailableError
from clusters.lock import only_node
from clusters.log import Log
from clusters.runs import is_abandoned, kubectl_program, kwok_starter, own_name, run_folder

MINOR = "1.34"
IMAGE = f"rancher/k3s:v{MINOR}.4-k3s1"
LABEL = "hourglass-e2e"
ARCHIVE = "image.tar"


@contextmanager
def k3s(log: Log, kubernetes: str = "") -> Iterator[Cluster]:
    """Start k3s in a container, and in the end remove it; see `Provider`."""
    if kubernetes not in ("", MINOR):
        raise UnavailableError(f"starts Kubernetes {MINOR} only")
    _remove_abandoned()
    with only_node(log), run_folder() as folder, _container(log) as container:
        kubeconfig = folder / "kubeconfig"
        kubeconfig.touch(mode=0o600)
        kubeconfig.write_text(container.config_yaml())
        cluster = Cluster(
            provider="k3s",
            kubeconfig=kubeconfig,
            kubectl_program=kubectl_program(log),
            import_image=lambda archive: _import_image(container, archive),
            start_kwok=kwok_starter(folder, kubeconfig, log),
        )
        cluster.wait_for_node()
        yield cluster


@contextmanager
def _container(log: Log) -> Iterator[K3SContainer]:
    # K3SContainer asks for its address before it exists; other modes have no answer to that.
    testcontainers_config.connection_mode_override = ConnectionMode.docker_host
    # Saves an image: what killed runs left is removed by its label.
    testcontainers_config.ryuk_disabled = True
    container = K3SContainer(IMAGE).with_kwargs(privileged=True, labels={LABEL: own_name()})
    began = time.monotonic()
    log(f"starting {IMAGE} (pulled the first time)")
    try:
        try:
            container.start()
        except (DockerException, OSError, RuntimeError) as error:
            raise UnavailableError(f"{IMAGE} does not start: {error}") from error
        log(f"started in {time.monotonic() - began:.0f} s")
        yield container
    finally:
        log("removing the container")
        container.stop()


def _remove_abandoned() -> None:
    """Remove the containers of runs that are dead; `UnavailableError` where no engine answers."""
    try:
        engine = docker.from_env()
        for container in engine.containers.list(all=True, filters={"label": LABEL}):
            if is_abandoned(container.labels[LABEL]):
                container.remove(force=True, v=True)
    except DockerException as error:
        raise UnavailableError(f"no Docker engine: {error}") from error


def _import_image(container: K3SContainer, archive: Path) -> None:
    wrapped = container.get_wrapped_container()
    with io.BytesIO() as buffer:
        with tarfile.open(fileobj=buffer, mode="w") as tar:
            tar.add(archive, ARCHIVE)
        wrapped.put_archive("/", buffer.getvalue())
    code, output = wrapped.exec_run(["k3s", "ctr", "images", "import", f"/{ARCHIVE}"])
    if code:
        raise ImageImportError(f"{archive}: {output!r}")
