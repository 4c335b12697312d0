"""Peak memory of the operator process that starts beside 10,000 Performers which serve.

python benchmarks/memory.py [PERFORMERS]

The API server is the simulated one, in another process than the operator. It is as costly as a real
one: it speaks TLS (with a certificate that `openssl` makes), and its objects carry `managedFields`
and the annotations that others write. Exit code 1 if the bound is missed.
"""

import json
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from controller import performer
from hourglass_kube.types import JSON
from hourglass_simulator.cluster import Cluster
from hourglass_simulator.garbage_collector import raise_gc_thresholds
from hourglass_simulator.harness.backend import SimulatedBackend
from hourglass_simulator.http.served import served

BOUND_MEGABYTES = 128
PERFORMERS_A_NODE = 100
START_SECONDS = 300
SETTLING_SECONDS = 15
OPERATOR = Path(sys.executable).with_name("hourglass-operator")

SPEC_AND_STATUS = {
    "nodes": ("kubectl-label", "kubelet"),
    "services": ("hourglass-performer-operator", ""),
    "endpointslices": ("kube-controller-manager", ""),
    "pods": ("hourglass-performer-operator", "kubelet"),
    "performers": ("hourglass-executor", "hourglass-performer-operator"),
}
"""Who writes the objects of a resource, and who their status."""
ANNOTATIONS = {
    "nodes": {
        "node.alpha.kubernetes.io/ttl": "0",
        "volumes.kubernetes.io/controller-managed-attach-detach": "true",
    },
    "endpointslices": {
        "endpoints.kubernetes.io/last-change-trigger-time": "2026-01-01T00:00:02Z",
    },
    "pods": {
        "cni.projectcalico.org/containerID": "0" * 64,
        "cni.projectcalico.org/podIP": "10.128.0.1/32",
        "cni.projectcalico.org/podIPs": "10.128.0.1/32",
    },
}
"""What kubelets, controllers and the network write on objects of a resource."""
NOT_MANAGED = ("name", "namespace", "uid", "creationTimestamp", "generation", "resourceVersion")

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
    for resource in SPEC_AND_STATUS:
        for obj in backend.cluster.api.list(resource).items:
            obj["metadata"].update(added_metadata(resource, obj))
    return backend.cluster


def added_metadata(resource: str, obj: JSON) -> JSON:
    """The metadata that a real API server has and the simulated one has not."""
    annotations = (obj["metadata"].get("annotations") or {}) | ANNOTATIONS.get(resource, {})
    meta = {k: v for k, v in obj["metadata"].items() if k not in NOT_MANAGED}
    parts = {k: v for k, v in obj.items() if k not in ("apiVersion", "kind", "metadata", "status")}
    writer, status_writer = SPEC_AND_STATUS[resource]
    managed = [managed_by(writer, obj, parts | {"metadata": meta | {"annotations": annotations}})]
    if status_writer:
        status = managed_by(status_writer, obj, {"status": obj["status"]})
        managed.append(status | {"subresource": "status"})
    return {"managedFields": managed} | ({"annotations": annotations} if annotations else {})


def managed_by(manager: str, obj: JSON, parts: JSON) -> JSON:
    """https://kubernetes.io/docs/reference/using-api/server-side-apply/#managing-field-sets"""
    return {
        "manager": manager,
        "operation": "Update",
        "apiVersion": obj["apiVersion"],
        "time": obj["metadata"]["creationTimestamp"],
        "fieldsType": "FieldsV1",
        "fieldsV1": fields(parts),
    }


def fields(value: Any) -> JSON:
    """The set of the fields of a value, as FieldsV1; lists of objects are taken for maps."""
    if isinstance(value, dict):
        return {f"f:{key}": fields(item) for key, item in value.items() if item}
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return {f"k:{_key(item)}": {".": {}, **fields(item)} for item in value}
    return {}


def _key(item: JSON) -> str:
    name = next((k for k in ("uid", "type", "name", "ip", "key") if k in item), next(iter(item)))
    return json.dumps({name: item[name]}, separators=(",", ":"))


def own_certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """A certificate for 127.0.0.1 that vouches for itself, and a server's context with it."""
    certificate, key = folder / "server.crt", folder / "server.key"
    subject = ("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "1")
    made = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-noenc", *subject)
    subprocess.run([*made, "-out", certificate, "-keyout", key], check=True, capture_output=True)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    return certificate, context


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
    raise_gc_thresholds()
    cluster = cluster_with(performers)
    with tempfile.TemporaryDirectory() as folder:
        certificate, tls = own_certificate(Path(folder))
        kubeconfig = Path(folder) / "kubeconfig"
        with served(cluster, tls=tls) as place:
            place.write_kubeconfig(kubeconfig, authority=certificate)
            peak, seconds = peak_megabytes(kubeconfig)
    print(
        f"{peak:.0f} MB at most with {performers:,} Performers (bound {BOUND_MEGABYTES});"
        f" ready after {seconds:.0f} s"
    )
    if performers >= 10_000 and peak > BOUND_MEGABYTES:
        sys.exit(1)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
