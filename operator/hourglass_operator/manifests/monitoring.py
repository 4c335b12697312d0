"""`python -m hourglass_operator.manifests.monitoring ROOT`: deploy/monitoring and docs/alerts.md.

For clusters with the Prometheus operator (https://prometheus-operator.dev) and with a Grafana that
loads dashboards from ConfigMaps.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from hourglass_kube.dumper import as_yaml
from hourglass_kube.types import JSON
from hourglass_operator.manifests import alerts
from hourglass_operator.manifests.files import with_notice, write
from hourglass_operator.manifests.installation import DEFAULT, Installation, selector
from hourglass_operator.manifests.roles import NAME, NAMESPACE
from hourglass_operator.runtime.process.metrics import PREFIX

_METADATA = {"name": NAME, "namespace": NAMESPACE}
_WIDTH, _HEIGHT = 12, 8

_PANELS: tuple[tuple[str, str, str, str], ...] = (
    (
        "Performers by phase",
        f"sum by (phase) (max by (phase, reason) ({PREFIX}_performers))",
        "{{phase}}",
        "short",
    ),
    (
        "Performers that do not serve, by reason",
        f'max by (reason) ({PREFIX}_performers{{phase!="Running"}})',
        "{{reason}}",
        "short",
    ),
    (
        "Creation to Running",
        "histogram_quantile(0.99, sum by (le)"
        f" (rate({PREFIX}_time_to_running_seconds_bucket[15m])))",
        "99 of 100 within",
        "s",
    ),
    (
        "Upgrades",
        f"sum by (result) (increase({PREFIX}_upgrades_total[1h]))",
        "{{result}}",
        "short",
    ),
    (
        "Calls to the API server",
        f"sum by (code) (rate({PREFIX}_api_calls_total[5m]))",
        "{{code}}",
        "reqps",
    ),
    ("Passes", f"sum by (result) (rate({PREFIX}_passes_total[5m]))", "{{result}}", "ops"),
    (
        "Wait for a pass",
        f"histogram_quantile(0.99, sum by (le) (rate({PREFIX}_queue_latency_seconds_bucket[5m])))",
        "99 of 100 within",
        "s",
    ),
    ("Leader", f"max by (pod) ({PREFIX}_leader)", "{{pod}}", "short"),
)


def monitoring() -> Mapping[str, str]:
    """File name → text."""
    files = {
        "servicemonitor.yaml": as_yaml(service_monitor()),
        "prometheusrule.yaml": as_yaml(_prometheus_rule()),
        "dashboard.yaml": as_yaml(_dashboard_map()),
    }
    kustomization = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": list(files),
    }
    return with_notice(files | {"kustomization.yaml": as_yaml(kustomization)})


def service_monitor(chosen: Installation = DEFAULT) -> JSON:
    """How the Prometheus operator finds the metrics.

    https://prometheus-operator.dev/docs/api-reference/api/#monitoring.coreos.com/v1.ServiceMonitor
    """
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "ServiceMonitor",
        "metadata": {"name": chosen.name, "namespace": chosen.namespace},
        "spec": {
            "selector": {"matchLabels": selector(chosen.label)},
            "endpoints": [{"port": "metrics", "interval": "30s"}],
        },
    }


def _prometheus_rule() -> JSON:
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": _METADATA,
        "spec": alerts.rules(),
    }


def _dashboard_map() -> JSON:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": f"{NAME}-dashboard",
            "namespace": NAMESPACE,
            "labels": {"grafana_dashboard": "1"},
        },
        "data": {f"{NAME}.json": json.dumps(dashboard(), indent=1) + "\n"},
    }


def dashboard() -> JSON:
    """A Grafana dashboard: https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/"""
    return {
        "uid": NAME,
        "title": "Hourglass Performers",
        "schemaVersion": 39,
        "refresh": "1m",
        "time": {"from": "now-6h", "to": "now"},
        "panels": [_panel(index, *panel) for index, panel in enumerate(_PANELS)],
    }


def _panel(index: int, title: str, expression: str, legend: str, unit: str) -> JSON:
    return {
        "id": index + 1,
        "type": "timeseries",
        "title": title,
        "gridPos": {
            "x": index % 2 * _WIDTH,
            "y": index // 2 * _HEIGHT,
            "w": _WIDTH,
            "h": _HEIGHT,
        },
        "fieldConfig": {"defaults": {"unit": unit, "min": 0}, "overrides": []},
        "targets": [{"refId": "A", "expr": expression, "legendFormat": legend}],
    }


if __name__ == "__main__":
    root = Path(sys.argv[1])
    write(monitoring(), root / "deploy" / "monitoring")
    write({"alerts.md": alerts.page()}, root / "docs")
