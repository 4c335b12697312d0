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
from clusters.lock import only_node
from clusters.provider import ImageImportError, Say, Unavailable
from clusters.runs import is_abandoned, kubectl_program, kwok_starter, own_name, run_folder

IMAGE = "rancher/k3s:v1.34.4-k3s1"
LABEL = "hourglass-e2e"
ARCHIVE = "image.tar"


@contextmanager
def k3s(say: Say) -> Iterator[Cluster]:
    """Start k3s in a container, and in the end remove it; see `Provider`."""
    _remove_abandoned()
    with only_node(say), run_folder() as folder, _container(say) as container:
        kubeconfig = folder / "kubeconfig"
        kubeconfig.touch(mode=0o600)
        kubeconfig.write_text(container.config_yaml())
        cluster = Cluster(
            provider="k3s",
            kubeconfig=kubeconfig,
            kubectl_program=kubectl_program(say),
            import_image=lambda archive: _import_image(container, archive),
            start_kwok=kwok_starter(folder, kubeconfig, say),
        )
        cluster.wait_for_node()
        yield cluster


@contextmanager
def _container(say: Say) -> Iterator[K3SContainer]:
    # K3SContainer asks for its address before it exists; other modes have no answer to that.
    testcontainers_config.connection_mode_override = ConnectionMode.docker_host
    # Saves an image: what killed runs left is removed by its label.
    testcontainers_config.ryuk_disabled = True
    container = K3SContainer(IMAGE).with_kwargs(privileged=True, labels={LABEL: own_name()})
    began = time.monotonic()
    say(f"starting {IMAGE} (pulled the first time)")
    try:
        try:
            container.start()
        except (DockerException, OSError, RuntimeError) as error:
            raise Unavailable(f"{IMAGE} does not start: {error}") from error
        say(f"started in {time.monotonic() - began:.0f} s")
        yield container
    finally:
        say("removing the container")
        container.stop()


def _remove_abandoned() -> None:
    """Remove the containers of runs that are dead; `Unavailable` where no engine answers."""
    try:
        engine = docker.from_env()
        for container in engine.containers.list(all=True, filters={"label": LABEL}):
            if is_abandoned(container.labels[LABEL]):
                container.remove(force=True, v=True)
    except DockerException as error:
        raise Unavailable(f"no Docker engine: {error}") from error


def _import_image(container: K3SContainer, archive: Path) -> None:
    wrapped = container.get_wrapped_container()
    with io.BytesIO() as buffer:
        with tarfile.open(fileobj=buffer, mode="w") as tar:
            tar.add(archive, ARCHIVE)
        wrapped.put_archive("/", buffer.getvalue())
    code, output = wrapped.exec_run(["k3s", "ctr", "images", "import", f"/{ARCHIVE}"])
    if code:
        raise ImageImportError(f"{archive}: {output!r}")
