"""Takes the native cluster down to the last mount; also what a killed run left behind."""

import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

import psutil

from clusters.components import Components
from clusters.native.network import DEVICE
from clusters.native.node import socket

LOG = "log"
SECOND = "second-node"
"""The folder of the second node, below that of the cluster, and the cgroup of its kubelet."""
_DEVICES = Path("/var/lib/kubelet/device-plugins/kubelet_internal_checkpoint")
"""What the kubelet remembers of device plugins, wherever the rest of its files is."""


def take_down(folder: Path) -> None:
    """End and remove everything that the folder's cluster made, except its logs."""
    Components(folder).kill_all()
    for node in (folder / SECOND, folder):
        kill_containers(node)
    _unmount(folder)
    _remove_files(folder)
    remove_cgroups("kubepods")
    remove_cgroups(SECOND)
    for family in ("iptables", "ip6tables"):
        _remove_rules(family)
    subprocess.run(["ip", "link", "delete", DEVICE], capture_output=True)


def without_kubernetes(rules: str) -> str:
    """The text of iptables-save without the chains and rules of kubelet and kube-proxy."""
    return "".join(line for line in rules.splitlines(keepends=True) if "KUBE-" not in line)


def mounts_below(folder: Path, mounts: str) -> list[str]:
    """The mount points below a folder in the text of /proc/mounts, the innermost first."""
    points = [line.split()[1] for line in mounts.splitlines()]
    return sorted((point for point in points if point.startswith(f"{folder}/")), reverse=True)


def kill_containers(folder: Path) -> None:
    """End the containers of the node with this folder, and what containerd left of them."""
    for shim in psutil.process_iter(["cmdline"]):
        command = shim.info["cmdline"] or [""]
        if Path(command[0]).name == "containerd-shim-runc-v2" and str(socket(folder)) in command:
            processes = [*shim.children(recursive=True), shim]
            for process in processes:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
            psutil.wait_procs(processes, timeout=10)
    for address in folder.glob("containerd/state/io.containerd.runtime.v2.task/*/*/address"):
        Path(address.read_text().removeprefix("unix://")).unlink(missing_ok=True)


def _unmount(folder: Path) -> None:
    for point in mounts_below(folder, Path("/proc/mounts").read_text()):
        subprocess.run(["umount", "--lazy", point], capture_output=True)


def _remove_files(folder: Path) -> None:
    _DEVICES.unlink(missing_ok=True)
    for result in Path("/var/lib/cni/results").glob("*"):
        if f'"{folder}/' in result.read_text():
            result.unlink()
    for link in Path("/var/log/containers").glob("*.log"):
        if link.is_symlink() and str(link.readlink()).startswith(f"{folder}/"):
            link.unlink()
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            if entry.name != LOG:
                shutil.rmtree(entry)
        else:
            entry.unlink()


def remove_cgroups(name: str) -> None:
    """Remove a kubelet's cgroups below this one; those that hold a process stay."""
    root = Path("/sys/fs/cgroup")
    for tree in [*root.glob(name), *root.glob(f"*/{name}")]:
        for group in sorted((path for path in tree.rglob("*") if path.is_dir()), reverse=True):
            with suppress(OSError):
                group.rmdir()
        with suppress(OSError):
            tree.rmdir()


def _remove_rules(family: str) -> None:
    saved = subprocess.run([f"{family}-save"], capture_output=True, text=True)
    if "KUBE-" in saved.stdout:
        cleaned = without_kubernetes(saved.stdout)
        subprocess.run([f"{family}-restore"], input=cleaned, capture_output=True, text=True)
