"""Peak memory of the operator process that starts beside 10,000 Performers which serve.

python benchmarks/memory.py [PERFORMERS]

The API server is the simulated one, over HTTP, in another process than the operator; TLS to a real
one adds about 9 MB. Exit code 1 if the bound is missed.
"""

import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from controller import performer

from hourglass_simulator.cluster import Cluster, collect_seldom
from hourglass_simulator.harness.backend import SimulatedBackend
from hourglass_simulator.http.served import served

BOUND_MEGABYTES = 128
PERFORMERS_A_NODE = 100
START_SECONDS = 300
SETTLING_SECONDS = 15
OPERATOR = Path(sys.executable).with_name("hourglass-operator")

_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def cluster_with(performers: int) -> Cluster:
    """A cluster in which so many Performers run; its operator has gone."""
    backend = SimulatedBackend()
    for number in range(performers // PERFORMERS_A_NODE + 1):
        backend.cluster.add_node(f"node-{number}", cpu="256", memory="512Gi", pods=200)
    backend.target.operator.start()
    for number in range(performers):
        backend.apply(performer(f"worker-{number}"))
    backend.cluster.run_until(backend.cluster.clock.now + 120)
    phases = [each["status"]["phase"] for each in backend.cluster.api.list("performers").items]
    if phases.count("Running") != performers:
        raise RuntimeError(f"{phases.count('Running')} of {performers} Performers are Running")
    backend.target.operator.crash()
    return backend.cluster


def peak_megabytes(kubeconfig: Path) -> tuple[float, float]:
    """Peak resident memory of an operator, and the seconds until it was ready."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        health = f"127.0.0.1:{free.getsockname()[1]}"
    flags = (f"--kubeconfig={kubeconfig}", f"--health-address={health}", "--metrics-address=")
    began = time.monotonic()
    operator = subprocess.Popen([OPERATOR, "run", *flags, "--lease-namespace=default"])
    try:
        while not is_ready(health):
            if time.monotonic() - began > START_SECONDS or operator.poll() is not None:
                raise RuntimeError("the operator does not get ready")
            time.sleep(0.5)
        ready = time.monotonic() - began
        time.sleep(SETTLING_SECONDS)
        status = Path(f"/proc/{operator.pid}/status").read_text(encoding="ascii")
        peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        return int(peak.split()[1]) / 1024, ready
    finally:
        operator.terminate()
        operator.wait()


def is_ready(address: str) -> bool:
    try:
        with _direct.open(f"http://{address}/readyz", timeout=2):
            return True
    except urllib.error.URLError:
        return False


def main(performers: int = 10_000) -> None:
    collect_seldom()
    cluster = cluster_with(performers)
    with served(cluster) as place, tempfile.TemporaryDirectory() as folder:
        kubeconfig = Path(folder) / "kubeconfig"
        place.write_kubeconfig(kubeconfig)
        peak, seconds = peak_megabytes(kubeconfig)
    print(
        f"{peak:.0f} MB at most with {performers:,} Performers (bound {BOUND_MEGABYTES});"
        f" ready after {seconds:.0f} s"
    )
    if performers >= 10_000 and peak > BOUND_MEGABYTES:
        sys.exit(1)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
