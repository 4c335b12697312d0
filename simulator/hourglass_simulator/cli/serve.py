"""`hourglass-sim serve`."""

import logging
import signal
import sys
import tempfile
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import click
import yaml

from hourglass_kube.loader import SafeLoader
from hourglass_simulator import report
from hourglass_simulator.cli.console import console
from hourglass_simulator.cli.input import BAD_INPUT, scenarios
from hourglass_simulator.cli.parts import Parts
from hourglass_simulator.harness.paced import PacedBackend
from hourglass_simulator.harness.setup import set_up
from hourglass_simulator.http.pace import Driver
from hourglass_simulator.http.served import CONTEXT, Served, served
from hourglass_simulator.scenario import ScenarioFile
from hourglass_simulator.scenario import run as play
from hourglass_simulator.scenario.cluster import Cluster as Wanted

_NODES = {
    "nodes": [
        {"name": "plain", "count": 2},
        {
            "name": "gpu-1",
            "labels": {"nvidia.com/gpu.product": "NVIDIA-A100-SXM4-40GB"},
            "devices": {"nvidia.com/gpu": 4},
        },
    ]
}
"""What there is without a scenario."""


@click.command("serve")
@click.option(
    "--scenario",
    "file",
    type=click.Path(path_type=Path),
    help="Serve this scenario's cluster and play its steps; without it, three nodes.",
)
@click.option(
    "--speed",
    type=click.FloatRange(min=0, min_open=True, max=1e6),
    default=1.0,
    show_default=True,
    help="How many times as fast as the wall clock time passes.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    show_default=True,
    help="Port on 127.0.0.1; 0: any that is free.",
)
@click.option(
    "--kubeconfig",
    type=click.Path(path_type=Path),
    callback=lambda _context, _option, path: path and writable(path),
    help="Where to write it; else a new file.",
)
@click.option("-v", "--verbose", is_flag=True, help="Log every request on standard error.")
@click.pass_obj
def serve(
    parts: Parts,
    file: Path | None,
    speed: float,
    port: int,
    kubeconfig: Path | None,
    verbose: bool,
) -> None:
    """Serve a simulated cluster to kubectl and to an operator, until Ctrl-C.

    The operator is not in it: run `hourglass-operator run` beside it, and your Performers come to
    life on nodes that do not exist. Operators compare the cluster's times with their own clock: for
    them use speed 1.

    \b
    Examples:
      hourglass-sim serve --kubeconfig sim.kubeconfig
      KUBECONFIG=sim.kubeconfig hourglass-operator run
      KUBECONFIG=sim.kubeconfig kubectl apply -f performer.yaml
      hourglass-sim serve --scenario scenarios/rolling-upgrade.yaml
    """
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    logging.getLogger("hourglass_simulator").setLevel(logging.DEBUG if verbose else logging.WARNING)
    chosen = scenarios(parts, [file])[0] if file is not None else None
    backend = PacedBackend(epoch=datetime.now(UTC))
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        with served(backend.cluster, port=port, speed=speed, play=_play(backend, chosen)) as there:
            _announce(there, kubeconfig)
            stop.wait()
    except OSError as error:
        click.echo(f"hourglass-sim serve: port {port}: {error.strerror}", err=True)
        sys.exit(BAD_INPUT)


def writable(kubeconfig: Path) -> Path:
    """The path, if nothing is lost by writing there; raises click.BadParameter otherwise."""
    if kubeconfig.is_dir() or not kubeconfig.parent.is_dir():
        raise click.BadParameter(f"{kubeconfig}: expected a file in a directory that exists")
    if not kubeconfig.exists():
        return kubeconfig
    try:
        config = yaml.load(kubeconfig.read_text(encoding="utf-8"), Loader=SafeLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError):
        config = None
    contexts = config.get("contexts") if isinstance(config, dict) else None
    listed = contexts if isinstance(contexts, list) else []
    names = [each.get("name") for each in listed if isinstance(each, dict)]
    if names != [CONTEXT]:
        raise click.BadParameter(
            f"{kubeconfig}: expected a new file or one that this command wrote before, found a file"
            " of somebody else's"
        )
    return kubeconfig


def _play(backend: PacedBackend, file: ScenarioFile | None) -> Callable[[Driver], None]:
    def empty(_: Driver) -> None:
        set_up(backend.cluster, Wanted.model_validate(_NODES), "default")
        backend.cluster.images.push("*")

    def scenario(driver: Driver) -> None:
        assert file is not None
        backend.driver = driver
        start = datetime.fromtimestamp(backend.cluster.clock.epoch, UTC)
        report.timeline(play(file, backend), console(), start)

    return empty if file is None else scenario


def _announce(there: Served, kubeconfig: Path | None) -> None:
    if kubeconfig is None:
        with tempfile.NamedTemporaryFile(suffix=".kubeconfig", delete=False) as made:
            kubeconfig = Path(made.name)
    there.write_kubeconfig(kubeconfig)
    click.echo(f"serving Kubernetes at {there.url} until Ctrl-C; in other terminals:\n")
    click.echo(f"  export KUBECONFIG={kubeconfig}")
    click.echo("  hourglass-operator run")
    click.echo("  kubectl get nodes\n")
