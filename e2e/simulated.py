"""`hourglass-sim serve` as a process: a cluster for programs that know nothing of the simulator."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from clusters import Cluster, wait_until
from processes import process

_PROGRAM = Path(sys.executable).with_name("hourglass-sim")


@contextmanager
def simulated(kubernetes: str, folder: Path, kubectl: Path, *options: str) -> Iterator[Cluster]:
    """A simulated cluster of this minor version, with the nodes that `serve` has by itself.

    `options` are more of `hourglass-sim serve`. Its log is `folder/serve.log`.
    """
    kubeconfig, log = folder / "kubeconfig", folder / "serve.log"
    own = ("--kubernetes", kubernetes, "--kubeconfig", str(kubeconfig))
    command = (str(_PROGRAM), "serve", *own, *options)
    with process(command, log):
        wait_until("hourglass-sim serves", lambda: "serving Kubernetes" in log.read_text())
        yield Cluster(
            provider="simulator",
            kubeconfig=kubeconfig,
            kubectl_program=str(kubectl),
            import_image=lambda _: None,
            start_kwok=lambda: None,
        )
