"""Prometheus alerts for a person on call.

https://prometheus.io/docs/practices/alerting/
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from hourglass_kube.types import JSON
from hourglass_operator.runtime.process.metrics import PREFIX

RUNBOOK = "docs/alerts.md"

_TEMPLATE = re.compile(r"\{\{ \$(?:labels\.)?(\w+)[^}]*\}\}")


@dataclass(frozen=True, slots=True)
class Alert:
    """`lasting`: how long the expression must hold; `todo`: what a person does first."""

    name: str
    expression: str
    lasting: str
    severity: Literal["critical", "warning"]
    summary: str
    todo: str


def _m(name: str) -> str:
    return f"{PREFIX}_{name}"


# Every replica knows all Performers, so the replicas' counts are alternatives, not parts.
_BY_REASON = f"max by (phase, reason) ({_m('performers')}{{phase=%s}}) > 0"

ALERTS = (
    Alert(
        "HourglassOperatorAbsent",
        f"absent({_m('leader')})",
        "5m",
        "critical",
        "No replica of the operator is scraped: nothing is created, upgraded or repaired.",
        "kubectl get pods -n hourglass-system; see why they do not run. Performers go on serving.",
    ),
    Alert(
        "HourglassNoLeader",
        f"max({_m('leader')}) == 0",
        "2m",
        "critical",
        "Replicas of the operator run, but none leads: nothing is written.",
        "Read the log: the Lease cannot be read or written (permission, API server, etcd).",
    ),
    Alert(
        "HourglassSeveralLeaders",
        f"sum({_m('leader')}) > 1",
        "1m",
        "critical",
        "Several replicas lead. Two operators of different Leases serve the same cluster.",
        "kubectl get lease -A; remove one of the installations, or set --lease-namespace alike.",
    ),
    Alert(
        "HourglassNotSynced",
        f"max({_m('synced')}) == 0",
        "5m",
        "critical",
        "No replica knows the whole cluster: nothing is written.",
        "Read the log or /readyz: it says which permission or resource is missing.",
    ),
    Alert(
        "HourglassPerformersFailed",
        _BY_REASON % '"Failed"',
        "10m",
        "warning",
        "Performers that are Failed for the reason {{ $labels.reason }}: {{ $value }}.",
        "kubectl performer list -A; reasons.md says what to do about each reason.",
    ),
    Alert(
        "HourglassPerformersPending",
        _BY_REASON % '"Pending"',
        "20m",
        "warning",
        "Performers long Pending for the reason {{ $labels.reason }}: {{ $value }}.",
        "kubectl performer why NAME; usually hardware is missing or in use.",
    ),
    Alert(
        "HourglassUpgradesStuck",
        _BY_REASON % '"Upgrading"',
        "30m",
        "warning",
        "Performers long Upgrading, usually with the old version serving: {{ $value }}.",
        "kubectl performer why NAME; change the spec, or change it back.",
    ),
    Alert(
        "HourglassCallsForbidden",
        f'sum by (verb, resource) (increase({_m("api_calls_total")}{{code="403"}}[10m])) > 0',
        "10m",
        "warning",
        "The API server forbids the operator to {{ $labels.verb }} {{ $labels.resource }}.",
        "A line 'missing permission' in the log: restore the ClusterRole. No such line: a quota or"
        " an admission policy in a namespace; the Performer's condition names it.",
    ),
    Alert(
        "HourglassCallsFail",
        f'sum(rate({_m("api_calls_total")}{{code=~"0|429|5.."}}[10m]))'
        f" / sum(rate({_m('api_calls_total')}[10m])) > 0.1",
        "10m",
        "warning",
        "{{ $value | humanizePercentage }} of the calls to the API server fail.",
        "See the API server, etcd and the network between them and the operator.",
    ),
    Alert(
        "HourglassQueueSlow",
        "histogram_quantile(0.99, sum by (le)"
        f" (rate({_m('queue_latency_seconds_bucket')}[10m]))) > 10",
        "10m",
        "warning",
        "Performers wait {{ $value | humanizeDuration }} for a pass.",
        "See how long calls take (api_call_duration_seconds), and the CPU of the operator.",
    ),
    Alert(
        "HourglassPassesBreakOff",
        f'increase({_m("passes_total")}{{result="error"}}[15m]) > 0',
        "5m",
        "warning",
        "Passes over a Performer break off: a mistake in the operator.",
        "Report the traceback in the log. Other Performers are not affected.",
    ),
    Alert(
        "HourglassWatchesRestart",
        f"increase({_m('watch_restarts_total')}[30m]) > 3",
        "5m",
        "warning",
        "The operator's watches end again and again.",
        "Read the log; 'watching again' says why they ended.",
    ),
)


def rules() -> JSON:
    """A group of alerting rules, as Prometheus reads it."""
    return {"groups": [{"name": "hourglass-performer-operator", "rules": [*map(_rule, ALERTS)]}]}


def _rule(alert: Alert) -> JSON:
    annotations: Mapping[str, str] = {
        "summary": alert.summary,
        "description": alert.todo,
        "runbook": f"{RUNBOOK}#{alert.name.lower()}",
    }
    return {
        "alert": alert.name,
        "expr": alert.expression,
        "for": alert.lasting,
        "labels": {"severity": alert.severity},
        "annotations": dict(annotations),
    }


def page() -> str:
    """docs/alerts.md."""
    lines = [
        "# Alerts",
        "",
        "Made from the code by `make generate`. The rules are in",
        "[deploy/monitoring](../deploy/monitoring/prometheusrule.yaml).",
        "",
    ]
    for alert in ALERTS:
        lines += [
            f"## {alert.name}",
            "",
            _TEMPLATE.sub(lambda found: found[1].upper(), alert.summary),
            "",
            f"- severity: {alert.severity}, after {alert.lasting}",
            f"- when: `{alert.expression}`",
            f"- what to do: {alert.todo}",
            "",
        ]
    return "\n".join(lines)
