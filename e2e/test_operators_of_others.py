"""Operators that others wrote, with their own CRDs as shipped, on the simulated cluster."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from clusters import Cluster
from clusters.build import module_folder, program
from clusters.runs import kubectl_program
from conftest import ClusterReport
from hourglass_simulator.kubernetes.version import VERSIONS
from processes import process
from simulated import simulated

CERTIFICATE = """
apiVersion: cert-manager.io/v1
kind: Issuer
metadata: {name: itself}
spec: {selfSigned: {}}
---
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {name: web}
spec:
  secretName: web-tls
  dnsNames: [web.example.com]
  privateKey: {algorithm: ECDSA, size: 256}
  issuerRef: {name: itself, kind: Issuer}
"""

PROMETHEUS = """
apiVersion: v1
kind: ServiceAccount
metadata: {name: prometheus}
---
apiVersion: monitoring.coreos.com/v1
kind: Prometheus
metadata: {name: main}
spec:
  replicas: 2
  serviceAccountName: prometheus
  serviceMonitorSelector: {}
  ruleSelector: {}
---
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  endpoints: [{port: metrics}]
---
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata: {name: up}
spec:
  groups:
  - name: up
    rules: [{alert: Down, expr: up == 0, for: 5m}]
"""


@pytest.fixture(params=VERSIONS)
def served(
    request: pytest.FixtureRequest, cluster_report: ClusterReport, tmp_path: Path
) -> Iterator[Cluster]:
    """A simulated cluster of each minor version."""
    with simulated(request.param, tmp_path, Path(kubectl_program(cluster_report.add))) as cluster:
        yield cluster


def test_cert_manager_issues_a_certificate(
    served: Cluster, cluster_report: ClusterReport, tmp_path: Path
) -> None:
    controller = program("cert-manager", cluster_report.add)
    crds = module_folder("cert-manager", "github.com/cert-manager/cert-manager") / "deploy/crds"
    served.kubectl("apply", "--server-side", "-f", str(crds))
    served.kubectl("create", "namespace", "cert-manager")
    log = tmp_path / "cert-manager.log"
    with process([controller], log, KUBECONFIG=str(served.kubeconfig)):
        served.kubectl("apply", "-f", "-", stdin=CERTIFICATE)
        wait = ("wait", "--for=condition=Ready", "issuer/itself", "certificate/web")
        served.kubectl(*wait, "--timeout=60s", timeout=90)
        secret = served.get("secret", "web-tls")
        assert secret["type"] == "kubernetes.io/tls"
        assert all(secret["data"][key] for key in ("ca.crt", "tls.crt", "tls.key"))
        (request,) = served.get("certificaterequests")["items"]
        assert [c["type"] for c in request["status"]["conditions"]] == ["Approved", "Ready"]

        # What cert-manager finds missing it makes anew.
        served.kubectl("delete", "secret", "web-tls")
        served.kubectl("wait", "--for=create", "secret/web-tls", "--timeout=60s", timeout=90)
        served.kubectl(*wait, "--timeout=60s", timeout=90)
        assert not errors_in(log, '"re-queuing item due to error processing"')


def test_prometheus_operator_runs_a_prometheus(
    served: Cluster, cluster_report: ClusterReport, tmp_path: Path
) -> None:
    operator = program("prometheus-operator", cluster_report.add)
    shipped = module_folder(
        "prometheus-operator", "github.com/prometheus-operator/prometheus-operator"
    )
    crds = shipped / "example" / "prometheus-operator-crd"
    served.kubectl("apply", "--server-side", "-f", str(crds))
    command = (operator, "--kubelet-service=kube-system/kubelet", "--kubelet-endpointslice")
    log = tmp_path / "prometheus-operator.log"
    environment = {"KUBECONFIG": str(served.kubeconfig)}
    with process([*command, "--web.listen-address=127.0.0.1:0"], log, **environment):
        served.kubectl("apply", "-f", "-", stdin=PROMETHEUS)
        wait = ("wait", "--for=condition=Available", "prometheus/main", "--timeout=90s")
        served.kubectl(*wait, timeout=120)
        status = served.get("statefulset", "prometheus-main")["status"]
        assert (status["replicas"], status["readyReplicas"]) == (2, 2)
        pods = served.get("pods", "-l", "app.kubernetes.io/instance=main")["items"]
        assert {pod["status"]["phase"] for pod in pods} == {"Running"}
        (rules,) = served.get("configmaps", "-l", "prometheus-name=main")["items"]
        assert "alert: Down" in next(iter(rules["data"].values()))
        ports = served.get("service", "kubelet", "-n", "kube-system")["spec"]["ports"]
        assert {port["name"] for port in ports} == {"https-metrics", "http-metrics", "cadvisor"}

        # Its scale is the number of shards.
        served.kubectl("scale", "prometheus/main", "--replicas=2")
        scaled = ("wait", "--for=jsonpath={.status.availableReplicas}=4", "prometheus/main")
        served.kubectl(*scaled, "--timeout=90s", timeout=120)
        assert not errors_in(log, "level=error", "level=warn")


def errors_in(log: Path, *marks: str) -> list[str]:
    """The lines of a log with one of these marks."""
    return [line for line in log.read_text().splitlines() if any(mark in line for mark in marks)]
