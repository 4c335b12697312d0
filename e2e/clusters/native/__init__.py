"""The provider `native`: Kubernetes from its Go modules, with one real node on this machine."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from clusters.build import OLDEST, programs
from clusters.cluster import Cluster, KubectlError
from clusters.components import Components, StartError
from clusters.errors import ImageImportError, UnavailableError
from clusters.fake_nodes import kwok_command
from clusters.image import write_image
from clusters.lock import only_node
from clusters.log import Log
from clusters.native import control_plane, node
from clusters.native.control_plane import NODE, Files
from clusters.native.leftovers import take_down
from clusters.native.network import API_ADDRESS, DEVICE, Ports, free_ports
from clusters.native.packages import install_missing

FOLDER = Path("/var/lib/hourglass-e2e")
"""One a machine, as there can be one real node a machine."""
PROGRAMS = (
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubelet",
    "kube-proxy",
    "kubectl",
    "coredns",
    "kwok",
    "pause",
)
START_ERRORS = (
    StartError,
    KubectlError,
    ImageImportError,
    subprocess.SubprocessError,
    OSError,
)


@contextmanager
def native(log: Log, kubernetes: str = OLDEST, gates: Collection[str] = ()) -> Iterator[Cluster]:
    """Build, start and in the end take down a cluster on this machine; see `Provider`.

    `gates` are feature gates of the API server and the kubelet that are on.
    """
    if sys.platform != "linux":
        raise UnavailableError("needs Linux")
    if os.geteuid() != 0:
        raise UnavailableError("needs root, for containerd and the kubelet")
    install_missing(log)
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
                cluster = _start(built, free_ports(), gates)
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

    def api_ready() -> bool:
        with suppress(KubectlError, subprocess.TimeoutExpired):
            return cluster.kubectl("get", "--raw", "/readyz", timeout=5) == "ok"
        return False

    components = Components(
        FOLDER, lambda: components.wait_until("the API server is ready", api_ready)
    )

    def start_kwok() -> None:
        if not components.runs("kwok"):
            components.run("kwok", kwok_command(built["kwok"], files.kubeconfig("kwok")))

    cluster = Cluster(
        provider="native",
        kubeconfig=files.kubeconfig("admin"),
        kubectl_program=str(built["kubectl"]),
        import_image=_import_image,
        start_kwok=start_kwok,
        audit_log=files.audit_log,
        components=components,
    )
    _start_control_plane(built, files, ports, components, gates)
    components.wait_until("the API server is ready", api_ready)
    components.run(
        "kube-controller-manager",
        control_plane.controller_manager(built["kube-controller-manager"], files, ports),
    )
    components.run("kube-scheduler", control_plane.scheduler(built["kube-scheduler"], files, ports))
    _start_node(built, files, ports, components, cluster, gates)
    return cluster


def _start_control_plane(
    built: Mapping[str, Path],
    files: Files,
    ports: Ports,
    components: Components,
    gates: Collection[str],
) -> None:
    """etcd and the API server, and the kubeconfigs."""
    subprocess.run(["ip", "link", "add", DEVICE, "type", "bridge"], check=True)
    subprocess.run(["ip", "address", "add", f"{API_ADDRESS}/32", "dev", DEVICE], check=True)
    subprocess.run(["ip", "link", "set", DEVICE, "up"], check=True)
    files.certificates.mkdir()
    subprocess.run(
        ["openssl", "genrsa", "-out", files.account_key, "2048"], check=True, capture_output=True
    )
    tokens = control_plane.new_tokens()
    _write_private(files.tokens, control_plane.tokens_csv(tokens))
    for who, token in tokens.items():
        text = control_plane.kubeconfig(token, files.authority, ports.apiserver)
        _write_private(files.kubeconfig(who), text)
    files.audit_policy.write_text(json.dumps(control_plane.AUDIT_POLICY))
    components.run("etcd", control_plane.etcd(files.folder, ports))
    command = control_plane.apiserver(built["kube-apiserver"], files, ports, gates)
    components.run("kube-apiserver", command)


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
    components.wait_until("containerd answers", lambda: _ctr("version").returncode == 0)
    pause = folder / "pause.tar"
    files_in_image = {"/pause": built["pause"]}
    _import_image(write_image(pause, node.PAUSE_IMAGE, files_in_image, entrypoint=["/pause"]))
    components.run("kubelet", node.kubelet(built["kubelet"], files))
    components.run("kube-proxy", node.kube_proxy(built["kube-proxy"], files, ports))
    components.run("coredns", [str(built["coredns"]), "-conf", str(folder / "Corefile")])
    cluster.apply(node.dns_service(ports))
    components.wait_until("the node is Ready", lambda: _has_ready_node(cluster))


def _has_ready_node(cluster: Cluster) -> bool:
    with suppress(LookupError):
        return cluster.real_node == NODE
    return False


def _import_image(archive: Path) -> None:
    done = _ctr("--namespace=k8s.io", "images", "import", str(archive))
    if done.returncode:
        raise ImageImportError(f"{archive}: {done.stderr.strip()}")


def _ctr(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["ctr", f"--address={node.socket(FOLDER)}", *arguments]
    return subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)


def _write_private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text)
