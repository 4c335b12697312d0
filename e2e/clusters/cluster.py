"""A running Kubernetes, whoever provides it."""

import json
import secrets
import subprocess
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from clusters.components import Components
from clusters.errors import UnavailableError
from clusters.fake_nodes import TAINT, fake_node, is_fake
from clusters.waiting import wait_until

Manifest = dict[str, Any]


class KubectlError(Exception):
    """`kubectl` ended with an error; the message holds the command and what it printed."""

    def __init__(self, arguments: Sequence[str], code: int, stderr: str) -> None:
        super().__init__(f"kubectl {' '.join(arguments)}: exit code {code}: {stderr.strip()}")
        self.code = code
        self.stderr = stderr


@dataclass
class Cluster:
    """A Kubernetes with an admin's kubeconfig and a node that really runs containers.

    `control-plane` has no such node.
    """

    provider: str
    """k3s, k3d, kubeconfig, native or control-plane."""
    kubeconfig: Path
    kubectl_program: str
    import_image: Callable[[Path], None]
    """Takes an image archive (`docker save`, or `write_image`) to the real node.

    Pods find it under the name in the archive with `imagePullPolicy: IfNotPresent` or `Never`.
    """
    start_kwok: Callable[[], None]
    """Starts KWOK unless it runs: nodes made by `fake_node` are then alive."""
    audit_log: Path | None = None
    """The API server's audit log, one JSON event a line: every mutating call.

    Of `native` and `control-plane` only.
    """
    components: Components | None = None
    """The processes of the cluster, to pause and restart (`native` and `control-plane` only)."""
    second_node: Callable[[Collection[Path]], AbstractContextManager[str]] | None = None
    """Adds another real node that has these images (archives), by name, for a while (native only).

    Errors on entering: `StartError`, `ImageImportError`.
    """
    shared: bool = False
    """Whether it is somebody's: what the run did not make stays as it is (kubeconfig only)."""
    _made: list[str] = field(default_factory=list)

    def kubectl(self, *arguments: str, stdin: str | None = None, timeout: float = 60) -> str:
        """What `kubectl` prints for these arguments, as the cluster's admin.

        Errors: `KubectlError` when it fails, `subprocess.TimeoutExpired` after `timeout` seconds.
        """
        done = subprocess.run(
            [self.kubectl_program, "--kubeconfig", str(self.kubeconfig), *arguments],
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        if done.returncode:
            raise KubectlError(arguments, done.returncode, done.stderr)
        return done.stdout

    def get(self, *arguments: str) -> Manifest:
        """The object or list that `kubectl get` gives, parsed."""
        found: Manifest = json.loads(self.kubectl("get", *arguments, "-o", "json"))
        return found

    @property
    def version(self) -> str:
        """The API server's version, such as `v1.34.4`."""
        return str(json.loads(self.kubectl("get", "--raw", "/version"))["gitVersion"])

    @property
    def server(self) -> str:
        """The URL of the API server."""
        view = ("config", "view", "--minify", "-o", "jsonpath={.clusters[0].cluster.server}")
        return self.kubectl(*view)

    @property
    def real_node(self) -> str:
        """The name of a node that runs containers and takes pods.

        Errors: `LookupError` where there is none.
        """
        for node in self.get("nodes")["items"]:
            ready = any(
                condition["type"] == "Ready" and condition["status"] == "True"
                for condition in node["status"].get("conditions", ())
            )
            if ready and not is_fake(node) and not node["spec"].get("taints"):
                return str(node["metadata"]["name"])
        raise LookupError("no node of the cluster is Ready, real and without taints")

    def has_root_certificate(self) -> bool:
        """Whether pods are given a certificate by which they know the API server."""
        found = self.get("configmap", "kube-root-ca.crt", "-n", "default")
        return bool(found.get("data", {}).get("ca.crt"))

    def has_dns(self) -> bool:
        """Whether names of Services can be looked up in pods."""
        only = "--field-selector=metadata.name=kube-dns"
        return bool(self.get("services", "-n", "kube-system", only)["items"])

    def wait_for_node(self, seconds: float = 120) -> None:
        """Return once there is a `real_node` and the default ServiceAccount of pods.

        Errors: `UnavailableError` after this time.
        """

        def there() -> bool:
            try:
                self.kubectl("get", "serviceaccount", "default", "-n", "default")
                return bool(self.real_node)
            except (KubectlError, LookupError, subprocess.TimeoutExpired):
                return False

        try:
            wait_until("a node that is Ready and takes pods", there, seconds)
        except TimeoutError as error:
            raise UnavailableError(str(error)) from error

    def apply(self, *manifests: Manifest | Path) -> None:
        """Apply objects or files of objects, in this order, as the field manager `e2e`."""
        for manifest in manifests:
            text = manifest.read_text() if isinstance(manifest, Path) else json.dumps(manifest)
            if not self._exists(text):
                self._made.append(text)
            self.kubectl("apply", "--server-side", "--field-manager=e2e", "-f", "-", stdin=text)

    def _exists(self, text: str) -> bool:
        try:
            return (
                self.kubectl("get", "-f", "-", "--ignore-not-found", "-o", "name", stdin=text) != ""
            )
        except KubectlError as error:
            if "no matches for kind" in error.stderr:
                return False
            raise

    def add_fake_nodes(
        self,
        count: int,
        *,
        prefix: str = "fake",
        labels: Mapping[str, str] | None = None,
        capacity: Mapping[str, str] | None = None,
    ) -> list[str]:
        """Nodes PREFIX-0, PREFIX-1, … that KWOK runs: their pods become Ready, nothing runs.

        `capacity` adds to or replaces the usual 64 CPUs, 512 GiB and 250 pods. In a shared cluster
        they take only pods that tolerate `fake_nodes.TOLERATION`.
        """
        names = [f"{prefix}-{number}" for number in range(count)]
        self.start_kwok()
        taints = (TAINT,) if self.shared else ()
        nodes = [fake_node(name, labels=labels, capacity=capacity, taints=taints) for name in names]
        self.apply({"apiVersion": "v1", "kind": "List", "items": nodes})
        return names

    def remove_fake_nodes(self) -> None:
        """Take away the nodes that KWOK runs, whoever has made them: pods come to real ones."""
        self.kubectl("delete", "nodes", "--selector=type=kwok")

    @contextmanager
    def namespace(self, prefix: str = "e2e") -> Iterator[str]:
        """A namespace of a new name; it and what is in it is deleted at the end."""
        name = f"{prefix}-{secrets.token_hex(4)}"
        self.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        try:
            yield name
        finally:
            self.kubectl("delete", "namespace", name, "--wait=false")

    def delete_what_was_made(self) -> None:
        """Delete what `apply` made, the youngest first, and wait until it is gone.

        A manifest any object of which existed before it was applied stays.
        """
        for text in reversed(self._made):
            self.kubectl("delete", "-f", "-", "--ignore-not-found", stdin=text, timeout=300)
        self._made.clear()
