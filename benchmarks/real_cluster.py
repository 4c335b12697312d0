"""The operator on a real API server: calls, times and memory, with KWOK nodes.

python benchmarks/real_cluster.py [--performers 300] [--nodes 20] [--idle 300] [--up-to 3000 10000]

Starts the cluster of the end-to-end tests' provider `native` (e2e/README.md says what that needs).
The operator has a ServiceAccount of its own, so that the API server's audit log tells its calls.
Those on its Lease, and its questions about permissions, are counted apart. Figures of a run:
benchmarks/README.md. Exit code 1 if a bound is missed.
"""

import argparse
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from statistics import quantiles

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "e2e"))

from kubernetes import client, watch  # noqa: E402
from urllib3.exceptions import HTTPError  # noqa: E402

from clusters import Cluster, wait_until  # noqa: E402 - found below e2e
from clusters.native import native  # noqa: E402
from hourglass_operator.api import GROUP, PLURAL, VERSION  # noqa: E402
from operators import (  # noqa: E402
    FEWEST_CALLS,
    MOST_CALLS,
    Audit,
    Calls,
    Operator,
    Performers,
    operator_account,
)

NAMESPACE = "load"
MEMORY_BOUND = 128
"""MB at most, with 10,000 Performers."""
PODS_A_NODE = 200
SETTLING = 20.0
"""Seconds after which the last calls of a start or a creation have surely been made."""


class Load:
    """Performers of one namespace: when each was asked for, and when it was first seen Running."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self.asked: dict[str, float] = {}
        self.running: dict[str, float] = {}
        threading.Thread(target=self._watch, daemon=True).start()

    def create(self, names: Iterable[str]) -> None:
        """Eight clients at a time."""
        clients = threading.local()

        def create(name: str) -> None:
            if not hasattr(clients, "performers"):
                clients.performers = Performers.of(self._cluster, NAMESPACE)
            self.asked[name] = time.monotonic()
            clients.performers.create(name, "x:v1")

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(create, names))

    def wait(self, count: int, seconds: float) -> None:
        """Until so many are Running."""
        wait_until(f"{count} are Running", lambda: len(self.running) >= count, seconds)

    def _watch(self) -> None:
        api = client.CustomObjectsApi(Performers.of(self._cluster, NAMESPACE).api)
        resource = (GROUP, VERSION, NAMESPACE, PLURAL)
        while True:
            stream = watch.Watch().stream(api.list_namespaced_custom_object, *resource)
            # A watch that breaks off is begun anew; at the end of the run the server is gone.
            with suppress(HTTPError):
                for event in stream:
                    performer = event["object"]
                    if performer.get("status", {}).get("phase") == "Running":
                        self.running.setdefault(performer["metadata"]["name"], time.monotonic())
            time.sleep(0.1)


class Bounds:
    """What was measured against a bound."""

    def __init__(self) -> None:
        self.missed = False

    def told(self, value: float, bound: float) -> str:
        """The verdict, in words."""
        holds = value <= bound
        self.missed |= not holds
        return f"bound {bound:g}: {'holds' if holds else 'MISSED'}"

    def calls(self, counted: Calls, performers: int = 1, most: int = 0, fewest: int = 0) -> str:
        """The verdict on calls a Performer, with what they were.

        Too few, and none on the Lease, count as missed: then it was somebody else's log.
        """
        each = counted.made.total() / performers
        verdict = self.told(each, most)
        if each < fewest or not counted.apart:
            self.missed, verdict = True, "TOO FEW: the audit log does not tell them"
        return f"{each:.4g} mutating calls, {verdict} ({counted})"


def peak(operator: Operator) -> float:
    """The most memory that the process has had, in MB (VmHWM of proc_pid_status(5))."""
    return _memory(operator, "VmHWM")


def memory(operator: Operator) -> str:
    """Resident memory in words."""
    return f"{_memory(operator, 'VmRSS'):.0f} MB, at most {peak(operator):.0f} MB"


def _memory(operator: Operator, field: str) -> float:
    status = Path(f"/proc/{operator.pid}/status").read_text()
    return int(dict(line.split(":", 1) for line in status.splitlines())[field].split()[0]) / 1024


def times(load: Load, names: list[str]) -> str:
    """From the call that creates a Performer until it is seen Running."""
    cuts = quantiles((load.running[name] - load.asked[name] for name in names), n=100)
    return f"create to Running p50 {cuts[49]:.2f} s, p99 {cuts[98]:.2f} s"


def say(line: str) -> None:
    """With the time: a run takes many minutes."""
    print(time.strftime("%H:%M:%S"), line, flush=True)


def restart(operator: Operator) -> None:
    """Stop and start it, and let it look at everything."""
    operator.stop()
    operator.start()
    operator.wait_leading(120)
    time.sleep(SETTLING)


def measure(cluster: Cluster, folder: Path, options: argparse.Namespace) -> bool:
    """Print the figures as they come; whether all bounds hold."""
    bounds = Bounds()
    cluster.apply(ROOT / "crds" / f"{PLURAL}.{GROUP}.yaml")
    cluster.kubectl("create", "namespace", NAMESPACE)
    cluster.kubectl("wait", "--for=condition=Established", f"crd/{PLURAL}.{GROUP}")
    cluster.add_fake_nodes(options.nodes)
    user = operator_account(cluster, NAMESPACE, "operator", folder / "kubeconfig")
    operator = Operator(folder / "kubeconfig", folder / "log", (f"--lease-namespace={NAMESPACE}",))
    assert cluster.audit_log is not None
    audit = Audit(cluster.audit_log, user)
    operator.start()
    try:
        operator.wait_leading()
        load = Load(cluster)
        say(f"Kubernetes {cluster.version}, {options.nodes} KWOK nodes, no Performer")
        say(f"memory: {memory(operator)}")
        audit.count()
        create(load, operator, [f"p{number}" for number in range(options.performers)])
        verdict = bounds.calls(audit.count(), options.performers, MOST_CALLS, FEWEST_CALLS)
        say(f"a Performer: {verdict}")

        time.sleep(options.idle)
        say(f"{options.idle:.0f} idle seconds: {bounds.calls(audit.count())}")

        for total in (options.performers, *options.up_to):
            if missing := total - len(load.asked):
                cluster.add_fake_nodes(missing // PODS_A_NODE + 1, prefix=f"for-{total}")
                create(load, operator, [f"p{total}-{number}" for number in range(missing)])
            before = peak(operator)
            audit.count()
            restart(operator)
            say(f"restart with {total}: {bounds.calls(audit.count())}")
            say(f"memory after the restart: {memory(operator)}")
            verdict = bounds.told(max(before, peak(operator)), MEMORY_BOUND)
            say(f"peak memory in MB with {total} Performers: {verdict}")
    finally:
        if operator.runs:
            operator.stop()
    return not bounds.missed


def create(load: Load, operator: Operator, names: list[str]) -> None:
    """Create them at once, wait until all are Running, and tell the times."""
    began, total = time.monotonic(), len(load.asked) + len(names)
    load.create(names)
    asked = time.monotonic() - began
    load.wait(total, 1800)
    took = time.monotonic() - began
    time.sleep(SETTLING)
    say(f"{len(names)} Performers created in {asked:.1f} s; all Running after {took:.1f} s")
    say(f"{times(load, names)}; memory with {total}: {memory(operator)}")


def main() -> int:
    """Exit code 1 if a bound is missed."""
    parser = argparse.ArgumentParser(description="The operator under load on a real API server.")
    parser.add_argument("--performers", type=int, default=300)
    parser.add_argument("--nodes", type=int, default=20)
    parser.add_argument("--idle", type=float, default=300.0, help="seconds")
    parser.add_argument(
        "--up-to", type=int, nargs="*", default=[3000], help="more Performers, for the memory"
    )
    options = parser.parse_args()
    # Whoever ends the run by SIGTERM gets the same clean end as with Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with native(say) as cluster, tempfile.TemporaryDirectory() as folder:
        return 0 if measure(cluster, Path(folder), options) else 1


if __name__ == "__main__":
    sys.exit(main())
