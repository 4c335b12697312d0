"""`hourglass-sim serve` as a process, with a node like that of the native cluster."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from clusters import wait_until

SCENARIO = Path(__file__).with_name("cluster.yaml")
IMAGES = ("localhost/web:1", "localhost/web:2", "localhost/task:1")
"""What the node has before the first command; the last one's containers end at once."""
_PROGRAM = Path(sys.executable).with_name("hourglass-sim")


@contextmanager
def simulated(kubectl: Path, kubernetes: str, folder: Path) -> Iterator[Path]:
    """The kubeconfig of a simulated cluster of this minor version, whose node has the images."""
    kubeconfig = folder / "simulator.kubeconfig"
    scenario = folder / "cluster.yaml"
    text = SCENARIO.read_text("utf-8")
    scenario.write_text(text.replace("cluster:\n", f'cluster:\n  kubernetes: "{kubernetes}"\n', 1))
    command: list[str | Path] = [
        _PROGRAM,
        "serve",
        "--rbac",
        "--tls",
        "--scenario",
        scenario,
        "--kubeconfig",
        kubeconfig,
    ]
    with (folder / "simulator.log").open("w") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        wait_until("the simulator serves", kubeconfig.exists)
        _pull(kubectl, kubeconfig)
        yield kubeconfig
    finally:
        process.terminate()
        process.wait()


def _pull(kubectl: Path, kubeconfig: Path) -> None:
    """Let a container of each image start once, so that the node has it."""

    def run(*arguments: str) -> bool:
        command: list[str | Path] = [kubectl, "--kubeconfig", kubeconfig, *arguments]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    def pulled(name: str) -> bool:
        started = "--for=jsonpath={.status.containerStatuses[0].containerID}"
        return run("wait", "pod", name, "-n", "pulls", started, "--timeout=1s")

    wait_until("a namespace is there", lambda: run("create", "namespace", "pulls"))
    for number, image in enumerate(IMAGES):
        name, image_of = f"pull-{number}", f"--image={image}"
        run("run", name, "-n", "pulls", image_of, "--restart=Never")
        wait_until(f"the node has {image}", partial(pulled, name))
    # Their programs end without the grace that kubectl's default gives them.
    run("delete", "pods", "--all", "-n", "pulls", "--grace-period=1")
    run("delete", "namespace", "pulls")
