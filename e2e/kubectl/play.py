"""Plays a sequence of kubectl commands against a cluster."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from kubectl.masks import masked
from kubectl.sequences import Command, Sequence

MANIFESTS = Path(__file__).with_name("manifests")
PATIENCE = 150.0
"""Seconds within which a command that is repeated must succeed. The quota controller, for one,
counts nothing for up to a minute after a definition has come or gone."""
_ONE_COMMAND = 90.0


@dataclass
class Shell:
    """Runs commands in the folder of the manifests, with one kubectl and one kubeconfig.

    `folder` is the shell's own: its home, with the kubeconfig in it.
    """

    kubectl: Path
    folder: Path
    known: dict[str, str] = field(default_factory=dict)

    def run(self, text: str, editor: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command as bash does."""
        return subprocess.run(
            ["bash", "-o", "pipefail", "-c", text],
            cwd=MANIFESTS,
            env=self._environment(editor),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_ONE_COMMAND,
            check=False,
        )

    def until(self, text: str) -> None:
        """Run a command until it succeeds. Errors: `TimeoutError` with what it said at last."""
        deadline = time.monotonic() + PATIENCE
        while (done := self.run(text)).returncode:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{text}: {done.stdout}{done.stderr}")
            time.sleep(0.2)

    def printed(self, command: Command) -> str:
        """What a command prints, masked: standard output, standard error, the exit code."""
        done = self.run(command.text, command.editor)
        lines = masked(done.stdout, self.known).splitlines()
        if command.lines:
            lines = [
                lines[number] for number in command.lines if -len(lines) <= number < len(lines)
            ]
        lines += [f"error: {line}" for line in masked(done.stderr, self.known).splitlines()]
        if done.returncode:
            lines.append(f"exit code {done.returncode}")
        return "".join(f"{line}\n" for line in lines)

    def _environment(self, editor: str) -> dict[str, str]:
        # An editor that changes nothing prints nothing either.
        return {
            "PATH": f"{self.folder}:{os.environ['PATH']}",
            "HOME": str(self.folder),
            "KUBECONFIG": str(self.folder / "kubeconfig"),
            "KUBE_EDITOR": f"sed -i '{editor}'" if editor else "true",
            "KUBECTL_KUBERC": "false",
            "LC_ALL": "C.UTF-8",
            "TZ": "UTC",
        }


def shell(kubectl: Path, kubeconfig: Path, namespace: str, folder: Path) -> Shell:
    """A shell whose kubectl works in this namespace."""
    (folder / "kubectl").symlink_to(kubectl)
    (folder / "kubeconfig").write_text(kubeconfig.read_text())
    opened = Shell(kubectl, folder)
    opened.until(f"kubectl config set-context --current --namespace={namespace}")
    return opened


def play(sequence: Sequence, opened: Shell, *, simulated: bool = False) -> list[str]:
    """What each command of a sequence that counts prints.

    What does not come on the simulator is not waited for there.

    Errors: `TimeoutError` when one that is repeated never succeeds.
    """
    printed = []
    with _namespace(sequence, opened):
        for command in sequence.commands:
            if command.repeated and not (simulated and command.differs):
                opened.until(command.text)
            elif not command.repeated:
                printed.append(opened.printed(command))
    return printed


@contextmanager
def _namespace(sequence: Sequence, opened: Shell) -> Iterator[None]:
    opened.until(f"kubectl create namespace {sequence.namespace}")
    opened.until("kubectl get serviceaccount default && kubectl get configmap kube-root-ca.crt")
    try:
        yield
    finally:
        for text in (
            *sequence.always,
            f"kubectl delete namespace {sequence.namespace} --wait=false",
        ):
            opened.run(text)
