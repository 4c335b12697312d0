"""Requests a second of `hourglass-sim serve` on one core: get, list and patch of ConfigMaps.

    python benchmarks/serve.py [REQUESTS [CONNECTIONS]]

Counted is the CPU time of the process that serves; the client is another one, with connections that
are kept alive. The cluster is that of `serve`: with owners of fields, nodes, and a clock that runs.
"""

import http.client
import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import yaml

from hourglass_simulator.cluster import Cluster
from hourglass_simulator.http.served import served
from hourglass_simulator.kubernetes.version import NEWEST, version

BOUND = 2_000
CONFIG_MAPS = 20
KINDS = ("get", "list", "patch")
PATH = "/api/v1/namespaces/default/configmaps"
HEADERS = {"Accept": "application/json", "User-Agent": "benchmark/1"}


def request(
    connection: http.client.HTTPConnection, token: dict[str, str], kind: str, number: int
) -> None:
    """Make one request and read its answer."""
    headers = {**HEADERS, **token}
    one = f"{PATH}/settings-{number % CONFIG_MAPS}"
    if kind == "get":
        connection.request("GET", one, headers=headers)
    elif kind == "list":
        connection.request("GET", f"{PATH}?limit=500", headers=headers)
    else:
        body = json.dumps({"data": {"seen": str(number)}})
        headers["Content-Type"] = "application/merge-patch+json"
        connection.request("PATCH", one, body=body, headers=headers)
    answer = connection.getresponse()
    found = answer.read()
    assert answer.status == 200, found


def client(file: Path, connected: int) -> None:
    """For every line that names a kind and a count: make so many requests, and say so."""
    config = yaml.safe_load(file.read_text())
    address = urlsplit(config["clusters"][0]["cluster"]["server"])
    token = {"Authorization": f"Bearer {config['users'][0]['user']['token']}"}
    connections = [
        http.client.HTTPConnection(address.hostname or "", address.port) for _ in range(connected)
    ]

    def share(connection: http.client.HTTPConnection, kind: str, numbers: range) -> None:
        for number in numbers:
            request(connection, token, kind, number)

    for line in sys.stdin:
        kind, count = line.split()
        threads = [
            threading.Thread(target=share, args=(each, kind, range(i, int(count), connected)))
            for i, each in enumerate(connections)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        print("done", flush=True)


def main(requests: int = 4_000, connections: int = 8) -> None:
    cluster = Cluster(version=version(NEWEST), managed_fields=True)
    cluster.fill_namespaces()
    for number in range(3):
        cluster.add_node(f"node-{number}")
    for number in range(CONFIG_MAPS):
        body = {"metadata": {"name": f"settings-{number}"}, "data": {"level": "info", "port": "80"}}
        cluster.api.create("configmaps", body, namespace="default")
    with tempfile.TemporaryDirectory() as folder, served(cluster) as there:
        file = Path(folder) / "kubeconfig"
        there.write_kubeconfig(file)
        measure(file, requests, connections)


def measure(kubeconfig: Path, requests: int, connections: int) -> None:
    """Have the client make its requests, and print what they took here."""
    pipe = subprocess.PIPE
    command = [sys.executable, __file__, "--client", str(kubeconfig), str(connections)]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        took = {}
        for kind in KINDS:
            for count in (200, requests):
                began = time.process_time()
                print(kind, count, file=other.stdin, flush=True)
                assert other.stdout.readline() == "done\n"
                took[kind] = time.process_time() - began
            print(f"{kind:6} {requests / took[kind]:8,.0f} a second of CPU")
        other.stdin.close()
    rate = len(KINDS) * requests / sum(took.values())
    verdict = "met" if rate >= BOUND else "NOT MET"
    print(f"all    {rate:8,.0f} a second of CPU (bound: at least {BOUND:,}: {verdict})")


if __name__ == "__main__":
    if "--client" in sys.argv:
        client(Path(sys.argv[-2]), int(sys.argv[-1]))
    else:
        main(*map(int, sys.argv[1:]))
