"""The provider `native`: Kubernetes from its Go modules, with one real node on this machine."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from clusters import control_plane
from clusters.build import DEFAULT, programs
from clusters.cluster import Cluster
from clusters.components import Components
from clusters.control_plane.commands import USERS, Files
from clusters.errors import ImageImportError, UnavailableError
from clusters.image import write_image
from clusters.lock import only_node
from clusters.log import Log
from clusters.native import containerd, node
from clusters.native.leftovers import take_down
from clusters.native.network import API_ADDRESS, DEVICE, Ports
from clusters.native.second_node import second_node
from clusters.packages import install_missing

FOLDER = Path("/var/lib/hourglass-e2e")
"""One a machine, as there can be one real node a machine."""
PROGRAMS = (*control_plane.PROGRAMS, "kubelet", "kube-proxy", "coredns", "pause")
PACKAGES = {
    **control_plane.PACKAGES,
    "containerd": "containerd",
    "ctr": "containerd",
    "runc": "runc",
    "iptables": "iptables",
    "conntrack": "conntrack",
    "ip": "iproute2",
    "faketime": "faketime",
    str(node.PLUGINS / "ptp"): "containernetworking-plugins",
}
"""Command, or path, → the Debian package that has it."""
START_ERRORS = (*control_plane.START_ERRORS, ImageImportError)


@contextmanager
def native(log: Log, kubernetes: str = DEFAULT, gates: Collection[str] = ()) -> Iterator[Cluster]:
    """Build, start and in the end take down a cluster on this machine; see `Provider`.

    `gates` are feature gates of the API server and the kubelet that are on.
    """
    if sys.platform != "linux":
        raise UnavailableError("needs Linux")
    if os.geteuid() != 0:
        raise UnavailableError("needs root, for containerd and the kubelet")
    install_missing(PACKAGES, log)
    built = programs(PROGRAMS, log, kubernetes)
    FOLDER.mkdir(parents=True, exist_ok=True)
    with only_node(log):
        Components(FOLDER).kill_all()
        _check_no_other_kubelet()
        take_down(FOLDER)
        shutil.rmtree(FOLDER / "log")
        try:
            began = time.monotonic()
            log("starting etcd, the control plane and a node")
            try:
                cluster = _start(built, Ports.free(), gates)
            except START_ERRORS as error:
                raise UnavailableError(f"does not start: {error}") from error
            log(f"started in {time.monotonic() - began:.0f} s; logs: {FOLDER / 'log'}")
            yield cluster
        finally:
            log("taking the cluster down")
            take_down(FOLDER)


def _check_no_other_kubelet() -> None:
    ours = Path("/proc/self/ns/net").readlink()
    for process in psutil.process_iter(["name"]):
        if process.info["name"] in ("kubelet", "kube-proxy", "k3s", "k3s-server"):
            try:
                theirs = Path(f"/proc/{process.pid}/ns/net").readlink()
            except FileNotFoundError:
                continue
            if theirs == ours:
                name = process.info["name"]
                raise UnavailableError(f"this machine is a node already: {name}, pid {process.pid}")


def _start(built: Mapping[str, Path], ports: Ports, gates: Collection[str]) -> Cluster:
    files = Files(FOLDER)
    subprocess.run(["ip", "link", "add", DEVICE, "type", "bridge"], check=True)
    subprocess.run(["ip", "address", "add", f"{API_ADDRESS}/32", "dev", DEVICE], check=True)
    subprocess.run(["ip", "link", "set", DEVICE, "up"], check=True)
    cluster, components = control_plane.start(
        "native",
        built,
        files,
        ports,
        users={**USERS, **node.USERS},
        address=API_ADDRESS,
        import_image=_import_image,
        gates=gates,
    )
    _start_node(built, files, ports, components, cluster, gates)
    return cluster


def _start_node(
    built: Mapping[str, Path],
    files: Files,
    ports: Ports,
    components: Components,
    cluster: Cluster,
    gates: Collection[str],
) -> None:
    folder = files.folder
    (folder / "cni").mkdir()
    (folder / "cni" / "pods.conflist").write_text(node.pod_network(folder))
    (folder / "containerd.toml").write_text(node.containerd_config(folder))
    (folder / "kubelet.json").write_text(node.kubelet_config(folder, ports, gates))
    (folder / "Corefile").write_text(node.corefile(files.kubeconfig("coredns"), ports))
    # Pods reach each other and Services through this machine.
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
    components.run("containerd", ["containerd", f"--config={folder / 'containerd.toml'}"])
    components.wait_until("containerd answers", lambda: containerd.answers(node.socket(folder)))
    pause = folder / "pause.tar"
    files_in_image = {"/pause": built["pause"]}
    _import_image(write_image(pause, node.PAUSE_IMAGE, files_in_image, entrypoint=["/pause"]))
    cluster.second_node = lambda images: second_node(
        cluster, built, files, ports, components, (pause, *images), gates
    )
    components.run("kubelet", node.kubelet(built["kubelet"], folder, files.kubeconfig("kubelet")))
    components.run("kube-proxy", node.kube_proxy(built["kube-proxy"], files, ports))
    components.run("coredns", [str(built["coredns"]), "-conf", str(folder / "Corefile")])
    cluster.apply(node.dns_service(ports))
    components.wait_until("the node is Ready", lambda: _has_ready_node(cluster))


def _has_ready_node(cluster: Cluster) -> bool:
    with suppress(LookupError):
        return cluster.real_node == node.NODE
    return False


def _import_image(archive: Path) -> None:
    containerd.import_image(node.socket(FOLDER), archive)
