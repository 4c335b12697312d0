"""The provider `kubeconfig`: the cluster that KUBECONFIG points at."""

import os
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from clusters.cluster import Cluster, KubectlError
from clusters.errors import ImageImportError, UnavailableError
from clusters.log import Log
from clusters.runs import kubectl_program, kwok_starter, run_folder

PERFORMERS = "performers.hourglass.eigenlayer.io"

IMPORT_COMMAND = "E2E_IMPORT_IMAGE"
"""Variable with the command that takes an image archive to a node: `{}` stands for its path."""


@contextmanager
def kubeconfig(log: Log, kubernetes: str = "") -> Iterator[Cluster]:
    """Use a cluster that exists, and in the end delete what the run made; see `Provider`."""
    if not os.environ.get("KUBECONFIG"):
        raise UnavailableError("KUBECONFIG is not set")
    kubectl = kubectl_program(log)
    with run_folder() as folder:
        path = folder / "kubeconfig"
        path.touch(mode=0o600)
        path.write_text(_current_context(kubectl))
        cluster = Cluster(
            provider="kubeconfig",
            kubeconfig=path,
            kubectl_program=kubectl,
            import_image=_import_image,
            start_kwok=kwok_starter(folder, path, log),
            shared=True,
        )
        try:
            cluster.kubectl("auth", "can-i", "*", "*", "--all-namespaces")
            _refuse_one_in_use(cluster)
            cluster.wait_for_node()
            if kubernetes and not cluster.version.startswith(f"v{kubernetes}."):
                raise UnavailableError(f"runs Kubernetes {cluster.version}, not {kubernetes}")
        except (KubectlError, subprocess.TimeoutExpired) as error:
            raise UnavailableError(f"not a cluster with an admin's rights: {error}") from error
        try:
            yield cluster
        finally:
            log("deleting what this run made")
            cluster.delete_what_was_made()


def _refuse_one_in_use(cluster: Cluster) -> None:
    """The run would bring its own resource definition, and its operators their own rules."""
    if cluster.kubectl("get", "crd", PERFORMERS, "--ignore-not-found", "-o", "name"):
        raise UnavailableError(
            f"the cluster has {PERFORMERS} already: use one where nobody needs it"
        )


def _current_context(kubectl: str) -> str:
    """The current context alone, in one file without references to others."""
    command = [kubectl, "config", "view", "--raw", "--flatten", "--minify"]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise UnavailableError(f"KUBECONFIG: {done.stderr.strip()}")
    return done.stdout


def _import_image(archive: Path) -> None:
    template = os.environ.get(IMPORT_COMMAND)
    if not template:
        raise ImageImportError(
            f"{archive}: {IMPORT_COMMAND} is not set; it is the command that takes an archive to"
            " a node of your cluster, such as 'kind load image-archive {}'"
        )
    command = [part.replace("{}", str(archive)) for part in shlex.split(template)]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise ImageImportError(f"{shlex.join(command)}: {done.stderr.strip()}")
