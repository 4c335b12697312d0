"""`hourglass-sim serve`."""

import logging
import signal
import sys
import tempfile
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import click
import yaml

from hourglass_kube.loader import SafeLoader
from hourglass_operator.console.terminal import Terminal
from hourglass_simulator import report
from hourglass_simulator.cli import snapshot_file
from hourglass_simulator.cli.input import BAD_INPUT, scenarios
from hourglass_simulator.cli.kubernetes_option import kubernetes_option
from hourglass_simulator.cli.parts import Parts, pass_parts
from hourglass_simulator.cli.served_faults import ServedFaults
from hourglass_simulator.cli.snapshot_file import bad, notices
from hourglass_simulator.cluster import PARTS, Cluster
from hourglass_simulator.harness.paced import PacedBackend
from hourglass_simulator.harness.printed import InvalidObjectError
from hourglass_simulator.harness.setup import set_up
from hourglass_simulator.harness.snapshot import copy_of, version_of
from hourglass_simulator.http.certificates import Authority
from hourglass_simulator.http.pace import Driver
from hourglass_simulator.http.served import CONTEXT, Served, served
from hourglass_simulator.kubernetes.version import NEWEST, version
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

FIRST_SECONDS = 1.0
"""After so long every namespace has what it comes with."""


@click.command("serve")
@click.option(
    "--scenario",
    "file",
    type=click.Path(path_type=Path),
    help="Serve this scenario's cluster and play its steps; without it, three nodes.",
)
@click.option(
    "--cluster",
    "snapshot",
    type=click.Path(path_type=Path),
    help="Serve a copy of this cluster: what kubectl or `snapshot save` printed of it.",
)
@kubernetes_option(f"the scenario's, that of the copy's nodes, or {NEWEST}")
@click.option(
    "--speed",
    type=click.FloatRange(min=0, min_open=True, max=1e6),
    default=1.0,
    show_default=True,
    help="How many times as fast as the wall clock time passes.",
)
@click.option(
    "--paused", is_flag=True, help="Let no time pass until `hourglass-sim clock` says so."
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
@click.option(
    "--without",
    metavar="PART[,PART…]",
    callback=lambda _context, _option, given: _parts(given),
    help=f"Leave parts out, for others to take their place: {', '.join(PARTS)}.",
)
@click.option(
    "--rbac",
    is_flag=True,
    help="Decide by RBAC who may do what, over HTTPS; without it, everybody may everything.",
)
@click.option(
    "--tls", is_flag=True, help="Serve over HTTPS; the kubeconfig has a client certificate."
)
@click.option(
    "--enable-admission-plugins",
    "plugins",
    multiple=True,
    type=click.Choice(["ExtendedResourceToleration"]),
    help="Besides those that every cluster has on.",
)
@click.option(
    "--webhook-service",
    "webhook_services",
    multiple=True,
    metavar="NAMESPACE/NAME=HOST:PORT",
    callback=lambda _context, _option, given: dict(map(_service, given)),
    help="Where the admission webhooks of a Service are; several times for several.",
)
@click.option("-v", "--verbose", is_flag=True, help="Log every request on standard error.")
@pass_parts
def serve(
    parts: Parts,
    file: Path | None,
    snapshot: Path | None,
    kubernetes: str | None,
    speed: float,
    paused: bool,
    port: int,
    kubeconfig: Path | None,
    without: tuple[str, ...],
    rbac: bool,
    tls: bool,
    plugins: tuple[str, ...],
    webhook_services: dict[str, str],
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
      hourglass-sim serve --cluster cluster.yaml
      hourglass-sim serve --without scheduler,controllers
      hourglass-sim serve --paused, then: hourglass-sim clock advance 5m

    \b
    Exit codes:
      0  ended by Ctrl-C or SIGTERM
      2  bad input, or the port is taken
      3  an error of the program itself: a part of the cluster has failed
    """
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    logging.getLogger("hourglass_simulator").setLevel(logging.DEBUG if verbose else logging.WARNING)
    if file is not None and snapshot is not None:
        raise click.UsageError("expected one of --scenario and --cluster, found both")
    if snapshot is not None:
        cluster, play = _copy(snapshot, kubernetes, without)
    else:
        chosen = scenarios(parts, [file])[0] if file is not None else None
        wanted = kubernetes or (chosen.scenario.cluster.kubernetes if chosen else NEWEST)
        backend = PacedBackend(version(wanted), epoch=datetime.now(UTC), without=without)
        cluster, play = backend.cluster, _play(backend, chosen)
    cluster.fill_namespaces()
    if plugins:
        cluster.api.tolerate_extended_resources()
    if rbac:
        cluster.api.enable_rbac()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        with served(
            cluster,
            port=port,
            speed=speed,
            play=partial(_begin, play, paused=paused),
            # Over HTTP, kubectl and whatever else is written in Go sends no credentials.
            authority=Authority() if tls or rbac else None,
            names=not rbac,
            webhook_services=webhook_services,
            failed=stop.set,
        ) as there:
            there.server.control.faults = ServedFaults(there)
            _announce(there, kubeconfig)
            stop.wait()
    except OSError as error:
        click.echo(f"hourglass-sim serve: port {port}: {error.strerror}", err=True)
        sys.exit(BAD_INPUT)
    # A cluster part of which stands still would be no Kubernetes.
    if there.driver.failure is not None:
        raise there.driver.failure


def _parts(text: str | None) -> tuple[str, ...]:
    parts = tuple(part.strip() for part in text.split(",")) if text is not None else ()
    for part in parts:
        if part not in PARTS:
            raise click.BadParameter(f"expected some of {', '.join(PARTS)}, found {part!r}")
    return parts


def _service(text: str) -> tuple[str, str]:
    service, _, address = text.partition("=")
    if service.count("/") != 1 or not address.rpartition(":")[2].isdecimal():
        raise click.BadParameter(f"expected NAMESPACE/NAME=HOST:PORT, found {text}")
    return service, address


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


def _copy(
    file: Path, kubernetes: str | None, without: tuple[str, ...]
) -> tuple[Cluster, Callable[[Driver], None]]:
    """A copy of a cluster, whose time is now, and nothing to play on it."""
    found = snapshot_file.read(file)
    try:
        copy = copy_of(
            found.objects,
            version=version(kubernetes) if kubernetes else version_of(found.objects),
            epoch=datetime.now(UTC),
            managed_fields=True,
            without=without,
        )
    except InvalidObjectError as error:
        bad(f"{file}: {error}")
    for notice in notices(copy, found):
        click.echo(notice, err=True)
    copy.cluster.images.push("*")
    return copy.cluster, lambda _: None


def _begin(play: Callable[[Driver], None], driver: Driver, *, paused: bool) -> None:
    """Play, but first let the controllers make what a cluster starts with where time is paused."""
    if paused:
        driver.pause()
        driver.advance(FIRST_SECONDS)
    play(driver)


def _play(backend: PacedBackend, file: ScenarioFile | None) -> Callable[[Driver], None]:
    def empty(_: Driver) -> None:
        set_up(backend.cluster, Wanted.model_validate(_NODES), "default")
        backend.cluster.images.push("*")

    def scenario(driver: Driver) -> None:
        assert file is not None
        backend.driver = driver
        start = datetime.fromtimestamp(backend.cluster.clock.epoch, UTC)
        report.timeline(play(file, backend), Terminal(), start, verbose=True)

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
