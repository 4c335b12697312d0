"""Starts etcd and the control plane."""

import json
import subprocess
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from pathlib import Path

from clusters.cluster import Cluster, KubectlError
from clusters.components import Components, StartError
from clusters.control_plane import commands
from clusters.control_plane.commands import Files, Users
from clusters.control_plane.ports import Ports
from clusters.fake_nodes import kwok_command

PROGRAMS = (
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubectl",
    "kwok",
)
PACKAGES = {"etcd": "etcd-server", "openssl": "openssl"}
"""Command → the Debian package that has it."""
START_ERRORS = (StartError, KubectlError, subprocess.SubprocessError, OSError)


def start(
    provider: str,
    built: Mapping[str, Path],
    files: Files,
    ports: Ports,
    *,
    users: Users,
    address: str,
    import_image: Callable[[Path], None],
    gates: Collection[str] = (),
) -> tuple[Cluster, Components]:
    """A cluster without a node, and its processes; its API server serves on this address.

    `built` has `PROGRAMS`; `gates` are feature gates of the API server. Errors: `START_ERRORS`.
    """

    def api_ready() -> bool:
        with suppress(KubectlError, subprocess.TimeoutExpired):
            return cluster.kubectl("get", "--raw", "/readyz", timeout=5) == "ok"
        return False

    def wait() -> None:
        components.wait_until("the API server is ready", api_ready)

    def start_kwok() -> None:
        if not components.runs("kwok"):
            components.run("kwok", kwok_command(built["kwok"], files.kubeconfig("kwok")))

    components = Components(files.folder, wait)
    cluster = Cluster(
        provider=provider,
        kubeconfig=files.kubeconfig("admin"),
        kubectl_program=str(built["kubectl"]),
        import_image=import_image,
        start_kwok=start_kwok,
        audit_log=files.audit_log,
        components=components,
    )
    _write_files(files, users, f"https://{address}:{ports.apiserver}")
    components.run("etcd", commands.etcd(files.folder, ports))
    apiserver = commands.apiserver(built["kube-apiserver"], files, ports, address, gates)
    components.run("kube-apiserver", apiserver)
    wait()
    components.run(
        "kube-controller-manager",
        commands.controller_manager(built["kube-controller-manager"], files, ports),
    )
    components.run("kube-scheduler", commands.scheduler(built["kube-scheduler"], files, ports))
    return cluster, components


def _write_files(files: Files, users: Users, server: str) -> None:
    files.certificates.mkdir()
    subprocess.run(
        ["openssl", "genrsa", "-out", files.account_key, "2048"], check=True, capture_output=True
    )
    tokens = commands.new_tokens(users)
    _write_private(files.tokens, commands.tokens_csv(users, tokens))
    for who, token in tokens.items():
        _write_private(files.kubeconfig(who), commands.kubeconfig(token, files.authority, server))
    files.audit_policy.write_text(json.dumps(commands.AUDIT_POLICY))


def _write_private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text)
