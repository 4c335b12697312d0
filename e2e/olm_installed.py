"""The real OLM on a cluster: its definitions, and its processes in networks of their own.

A catalog is served by `opm serve`. Bundles have no images here: what the pod of an unpack Job does
(`opm alpha bundle extract`) is done on this machine, from the folder that stands for the image.
"""

import json
import os
import socket
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from clusters import Cluster
from clusters.build import module_folder
from operators import Relay, redirect
from private_network import private_network
from processes import process

MODULE = "github.com/operator-framework/operator-lifecycle-manager"
NAMESPACE = "olm"
"""Of OLM, its catalogs and the Jobs that unpack bundles."""
CATALOG = "releases"
_PORT = 50051
_UNPACKS = "operatorframework.io/bundle-unpack-ref"


class Olm:
    """A running OLM; `images` says which folder stands for the image of a bundle."""

    def __init__(
        self,
        cluster: Cluster,
        opm: Path,
        logs: Path,
        in_catalogs_network: Callable[[Callable[[], None]], None],
    ) -> None:
        self.images: dict[str, Path] = {}
        self._cluster, self._opm, self._logs = cluster, opm, logs
        self._in_network = in_catalogs_network
        self._unpacked: set[str] = set()
        self._served: ExitStack | None = None

    def serve(self, catalog: Path) -> None:
        """Serve the catalog of this folder, in the place of the one before."""
        self.stop_serving()
        served = self._served = ExitStack()
        serve: tuple[str | Path, ...] = (self._opm, "serve", catalog, f"--port={_PORT}")
        log = self._logs / f"opm-{len(list(self._logs.glob('opm-*')))}.log"
        ended = f"--termination-log={log.with_suffix('.ended')}"
        self._in_network(lambda: served.enter_context(process([*serve, ended], log)))

    def stop_serving(self) -> None:
        """Serve no catalog any more."""
        if self._served is not None:
            self._served.close()

    def unpack(self) -> None:
        """Do the work of the Jobs that are there to unpack bundles."""
        for job in self._cluster.get("jobs", "-n", NAMESPACE, "-l", _UNPACKS)["items"]:
            name = job["metadata"]["name"]
            if name in self._unpacked:
                continue
            (container,) = job["spec"]["template"]["spec"]["containers"]
            image = {each["name"]: each["value"] for each in container["env"]}["CONTAINER_IMAGE"]
            self._extract(name, image)
            self._unpacked.add(name)

    def _extract(self, name: str, image: str) -> None:
        subprocess.run(
            [
                self._opm,
                "extract",
                f"--manifestsdir={self.images[image]}/",
                f"--kubeconfig={self._cluster.kubeconfig}",
                f"--configmapname={name}",
                f"--namespace={NAMESPACE}",
            ],
            env=os.environ | {"CONTAINER_IMAGE": image},
            check=True,
            capture_output=True,
        )


@contextmanager
def olm_installed(cluster: Cluster, built: Mapping[str, Path], logs: Path) -> Iterator[Olm]:
    """OLM in a cluster without one; `built` has olm, catalog and opm. Needs root."""
    definitions = module_folder("catalog", MODULE) / "deploy" / "chart" / "crds"
    # They are larger than what a client-side apply can remember of them.
    cluster.kubectl("apply", "--server-side", "-f", str(definitions))
    cluster.kubectl("wait", "--for=condition=Established", "-f", str(definitions))
    cluster.apply(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        {
            "apiVersion": "operators.coreos.com/v1alpha1",
            "kind": "CatalogSource",
            "metadata": {"name": CATALOG, "namespace": NAMESPACE},
            "spec": {"sourceType": "grpc", "address": f"127.0.0.1:{_PORT}"},
        },
    )
    with (
        _network(cluster, logs / "catalog.kubeconfig") as in_catalogs_network,
        _network(cluster, logs / "olm.kubeconfig") as in_olms_network,
        ExitStack() as stack,
    ):
        olm = Olm(cluster, built["opm"], logs, in_catalogs_network)
        stack.callback(olm.stop_serving)

        def run(name: str, in_network: Callable[[Callable[[], None]], None]) -> None:
            kubeconfig = str(logs / f"{name}.kubeconfig")
            command: tuple[str | Path, ...] = (built[name], f"--namespace={NAMESPACE}")
            running: AbstractContextManager[None] = process(
                command, logs / f"{name}.log", KUBECONFIG=kubeconfig
            )
            in_network(lambda: stack.enter_context(running))

        run("catalog", in_catalogs_network)
        run("olm", in_olms_network)
        yield olm


@contextmanager
def _network(cluster: Cluster, kubeconfig: Path) -> Iterator[Callable[[Callable[[], None]], None]]:
    """A private network in which the kubeconfig leads to the API server."""
    view = ("config", "view", "--raw", "--flatten", "--minify", "-o", "json")
    kubeconfig.touch(mode=0o600)
    kubeconfig.write_text(json.dumps(json.loads(cluster.kubectl(*view))))
    server = urlsplit(cluster.server)
    host, port = server.hostname or "", server.port or 443
    made: list[Relay] = []
    with private_network() as inside:
        inside(lambda: made.append(Relay(socket.gethostbyname(host), port)))
        with made[0].open() as relay:
            redirect(kubeconfig, relay.server)
            yield inside
