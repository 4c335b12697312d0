"""Every command of the API reference's section "kubectl Commands" prints what it promises.

The commands are read from the document: one that has no expectation here fails.
"""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from clusters import Cluster, wait_until, write_image
from clusters.build import program
from conftest import ClusterReport
from images import performer_image
from operators import Performers, running

ROOT = Path(__file__).parents[1]
NAMESPACE, NAME = "my-avs-project", "my-performer"
BEFORE, AFTER = "myavs/performer:v2.0.0", "myavs/performer:v2.1.0"
SERVICE = f"performer-{NAME}"
ENDPOINT = f"{SERVICE}.{NAMESPACE}.svc.cluster.local"
AVS = "0x1234567890abcdef1234567890abcdef12345678"
EXECUTOR = "executor"
ENDLESS_SECONDS = 8
"""What follows or watches is ended after this time."""


def documented() -> list[str]:
    """The commands, in their order; lines that go on are joined."""
    text = (ROOT / "docs" / "api-reference.md").read_text(encoding="utf-8")
    section = re.split(r"^## kubectl Commands$", text, flags=re.MULTILINE)[1]
    section = re.split(r"^## ", section, flags=re.MULTILINE)[0]
    commands = []
    for block in re.findall(r"```bash\n(.*?)```", section, flags=re.DOTALL):
        lines = [line for line in block.splitlines() if not line.startswith("#")]
        joined = "\n".join(lines)
        commands += [part.strip() for part in re.split(r"\n(?=kubectl )", joined) if part.strip()]
    return commands


@dataclass(frozen=True)
class Promise:
    """What a command that contains `part` prints; `endless`: it has to be ended."""

    part: str
    prints: str
    endless: bool = False


PHASE = r"Phase:\s+(Running|Upgrading)"
ROW = rf"{NAME}\s+(Running|Upgrading)\s"
PROMISES = (
    Promise("kubectl get performers --all-namespaces --watch", rf"{NAMESPACE}\s+{ROW}", True),
    Promise("kubectl get performers --all-namespaces --no-headers", rf"^\s*1 {NAMESPACE}$"),
    Promise("kubectl get performers --all-namespaces -o json", rf"^{NAMESPACE}/{NAME}$"),
    Promise("kubectl get performers --all-namespaces -o wide", rf"{ROW}.*\s{ENDPOINT}:9090\s"),
    Promise("kubectl get performers --all-namespaces", rf"{NAMESPACE}\s+{ROW}"),
    Promise("kubectl get performers -n", ROW),
    Promise("custom-columns", r"NAME\s+NAMESPACE\s+AVS\s+PHASE\s+ENDPOINT\s+AGE"),
    Promise("kubectl describe performer", rf"{PHASE}[\s\S]*Events:[\s\S]*Running"),
    Promise("kubectl edit performer", rf"performer.hourglass.eigenlayer.io/{NAME} edited"),
    Promise('"image":', rf"performer.hourglass.eigenlayer.io/{NAME} patched$"),
    Promise('"resources":', rf"performer.hourglass.eigenlayer.io/{NAME} patched$"),
    Promise("kubectl get performer my-performer", r"status:[\s\S]*phase: (Running|Upgrading)"),
    Promise("kubectl logs -l", r"\S"),
    Promise("kubectl logs -f", r"\S", True),
    Promise("kubectl get endpoints", rf"{SERVICE}\s+[\d.]+:9090"),
    Promise("nslookup", rf"{ENDPOINT} 10\.", True),
)


def promise(command: str) -> Promise:
    return next(found for found in PROMISES if found.part in command)


@dataclass(frozen=True)
class Shell:
    """Runs commands as the document has them, with the cluster's kubectl."""

    cluster: Cluster
    folder: Path

    def run(self, command: str, *, endless: bool = False) -> tuple[bool, str]:
        """Whether it succeeds, and what it prints; one that is endless is ended after a while."""
        words = command.replace("<executor-pod>", EXECUTOR).replace("0x1234...", AVS)
        limit = f"timeout {ENDLESS_SECONDS} " if endless else ""
        environment = {
            "PATH": f"{self.folder}:/usr/local/bin:/usr/bin:/bin",
            "KUBECONFIG": str(self.cluster.kubeconfig),
            "KUBE_EDITOR": str(self.folder / "editor"),
            "HOME": str(self.folder),
        }
        done = subprocess.run(
            ["bash", "-c", f"{limit}{words}" if limit else words],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            timeout=90,
            check=False,
        )
        return done.returncode in ((0, 124) if endless else (0,)), done.stdout


@pytest.fixture(scope="module")
def shell(
    own_cluster: Cluster, custom_resource: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shell]:
    """The Performer of the document on the real node, an executor beside it, the operator."""
    cluster = own_cluster
    folder = tmp_path_factory.mktemp("shell")
    (folder / "kubectl").symlink_to(shutil.which(cluster.kubectl_program) or "kubectl")
    editor = folder / "editor"
    edit = rf"s/^  name: {NAME}$/&\n  labels: {{edited: x}}/"
    editor.write_text(f"#!/bin/sh\nsed -i '{edit}' $1\n")
    editor.chmod(0o755)
    for image in (BEFORE, AFTER):
        archive = performer_image(folder / "performer.tar", image, print)
        cluster.import_image(archive)
    files = {"/bin/nslookup": program("lookup", print)}
    tools = "localhost/e2e-executor:1"
    cluster.import_image(
        write_image(
            folder / "tools.tar",
            tools,
            files,
            entrypoint=["/bin/nslookup"],
            environment={"PATH": "/bin"},
        )
    )
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    performers = Performers.of(cluster, NAMESPACE)
    try:
        with running(cluster, NAMESPACE, folder):
            there = {"kubernetes.io/hostname": cluster.real_node}
            performers.create(NAME, BEFORE, {"nodeSelector": there})
            performers.wait_settled({NAME: BEFORE}, 90)
            _create_executor(cluster, tools)
            yield Shell(cluster, folder)
    finally:
        performers.delete_all()
        cluster.kubectl("delete", "namespace", NAMESPACE, timeout=120)


def _create_executor(cluster: Cluster, image: str) -> None:
    container = {"name": "main", "image": image, "imagePullPolicy": "Never"}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": EXECUTOR},
        "spec": {
            "nodeSelector": {"kubernetes.io/hostname": cluster.real_node},
            "terminationGracePeriodSeconds": 0,
            "containers": [container],
        },
    }
    cluster.kubectl("create", "-n", NAMESPACE, "-f", "-", stdin=json.dumps(pod))
    ready = ("--for=condition=Ready", f"pod/{EXECUTOR}", "--timeout=60s")
    cluster.kubectl("wait", "-n", NAMESPACE, *ready, timeout=70)


def test_the_document_has_its_commands() -> None:
    commands = documented()
    assert len(commands) == len(PROMISES)
    assert sorted(promise(command).part for command in commands) == sorted(
        found.part for found in PROMISES
    )


def test_every_command_prints_what_the_document_promises(
    shell: Shell, cluster_report: ClusterReport
) -> None:
    for command in documented():
        wanted = promise(command)
        words = command
        if "custom-columns" in command:
            # The document leaves the namespace to the kubeconfig.
            words = f"{command} -n {NAMESPACE}"

        def prints(words: str = words, wanted: Promise = wanted) -> bool:
            succeeds, printed = shell.run(words, endless=wanted.endless)
            return succeeds and re.search(wanted.prints, printed, re.MULTILINE) is not None

        if "nslookup" in command and not shell.cluster.has_dns():
            cluster_report.add("left out, for this cluster has no DNS: nslookup")
        elif '"image":' in command or '"resources":' in command or "edit" in command:
            assert prints(), words
        else:
            wait_until(f"{words} prints {wanted.prints}", prints, 60)
    cluster_report.add(f"{len(documented())} documented kubectl commands, each as promised")


def test_the_upgrade_of_the_document_came_to_serve(shell: Shell) -> None:
    def upgraded() -> bool:
        found = shell.cluster.get("performer", NAME, "-n", NAMESPACE)
        status = found["status"]
        return (
            found["spec"]["image"] == AFTER
            and status["phase"] == "Running"
            and "lastUpgrade" in status
        )

    wait_until("the upgrade serves", upgraded, 120)
