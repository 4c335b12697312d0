"""A second real node on the same machine, for a while.

Its kubelet must not take the first one's containers for remains of its own, nor its device
plugins: it has a containerd, a cgroup and a /var/lib/kubelet of its own. Pods of both reach each
other through the machine, and one kube-proxy serves both.
"""

import os
import shutil
import subprocess
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from clusters.cluster import Cluster, KubectlError
from clusters.components import Components
from clusters.control_plane.commands import Files
from clusters.native import containerd, node
from clusters.native.leftovers import SECOND, kill_containers, remove_cgroups
from clusters.native.network import DEVICE, SECOND_ADDRESS, SECOND_POD_RANGE, Ports

NAME = node.SECOND
_CGROUPS = Path("/sys/fs/cgroup")
_CONTAINERD, _KUBELET = "second-containerd", "second-kubelet"


@contextmanager
def second_node(
    cluster: Cluster,
    built: Mapping[str, Path],
    files: Files,
    ports: Ports,
    components: Components,
    images: Collection[Path],
    gates: Collection[str] = (),
) -> Iterator[str]:
    """The name of the node, Ready while inside; it has these images (archives).

    Errors: `StartError`, `ImageImportError`.
    """
    folder = files.folder / SECOND
    try:
        _start(built, files, ports, components, images, gates)
        components.wait_until(f"node {NAME} is Ready", lambda: _is_ready(cluster))
        yield NAME
    finally:
        components.stop(_KUBELET)
        kill_containers(folder)
        components.stop(_CONTAINERD)
        shutil.rmtree(folder)
        remove_cgroups(SECOND)
        cluster.kubectl("delete", "node", NAME, "--ignore-not-found")


def _start(
    built: Mapping[str, Path],
    files: Files,
    ports: Ports,
    components: Components,
    images: Collection[Path],
    gates: Collection[str],
) -> None:
    folder = files.folder / SECOND
    (folder / "cni").mkdir(parents=True)
    (folder / "cni" / "pods.conflist").write_text(node.pod_network(folder, SECOND_POD_RANGE))
    (folder / "containerd.toml").write_text(node.containerd_config(folder))
    config = node.kubelet_config(folder, ports, gates, SECOND_ADDRESS, f"/{SECOND}")
    (folder / "kubelet.json").write_text(config)
    for hierarchy in _hierarchies():
        (hierarchy / SECOND).mkdir(exist_ok=True)
    address = ["ip", "address", "add", f"{SECOND_ADDRESS}/32", "dev", DEVICE]
    subprocess.run(address, capture_output=True)
    # Where every kubelet listens for device plugins is not configurable.
    own = 'mount -t tmpfs tmpfs /var/lib/kubelet && exec "$@"'
    program = ["containerd", f"--config={folder / 'containerd.toml'}"]
    components.run(_CONTAINERD, ["unshare", "--mount", "sh", "-c", own, "sh", *program])
    socket = node.socket(folder)
    components.wait_until("the second containerd answers", lambda: containerd.answers(socket))
    for image in images:
        containerd.import_image(socket, image)
    mounts = f"--mount=/proc/{components.pids()[_CONTAINERD]}/ns/mnt"
    kubeconfig = files.kubeconfig(_KUBELET)
    kubelet = node.kubelet(built["kubelet"], folder, kubeconfig, NAME, SECOND_ADDRESS)
    components.run(_KUBELET, ["nsenter", mounts, *kubelet])


def _hierarchies() -> list[Path]:
    """The roots of cgroup v1, or the one of v2."""
    if (_CGROUPS / "cgroup.controllers").exists():
        return [_CGROUPS]
    return [each for each in sorted(_CGROUPS.iterdir()) if os.path.ismount(each)]


def _is_ready(cluster: Cluster) -> bool:
    with suppress(KubectlError):
        conditions = cluster.get("node", NAME)["status"]["conditions"]
        return any((each["type"], each["status"]) == ("Ready", "True") for each in conditions)
    return False
