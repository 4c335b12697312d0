"""Each alert fires when it should, and clears again, in Prometheus' own judgement.

https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/
"""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from hourglass_kube.types import JSON
from hourglass_operator.manifests.alerts import ALERTS, page, rules
from hourglass_operator.manifests.monitoring import dashboard
from hourglass_operator.runtime.process.metrics import Metrics
from promtool import promtool

P = "hourglass_performer"
DOCS = Path(__file__).parents[3] / "docs"

# Series a minute: `1x10` is 1 and then ten more of the same; `_` is no sample. Each case has
# trouble in its first hour and none in its second.
CASES: list[tuple[str, dict[str, str], str, dict[str, str]]] = [
    ("HourglassOperatorAbsent", {f"{P}_leader": "_x60 1x60"}, "30m", {}),
    (
        "HourglassNoLeader",
        {f'{P}_leader{{pod="a"}}': "0x60 1x60", f'{P}_leader{{pod="b"}}': "0x120"},
        "30m",
        {},
    ),
    (
        "HourglassSeveralLeaders",
        {f'{P}_leader{{pod="a"}}': "1x120", f'{P}_leader{{pod="b"}}': "1x60 0x60"},
        "30m",
        {},
    ),
    (
        "HourglassNotSynced",
        {f'{P}_synced{{pod="a"}}': "0x60 1x60", f'{P}_synced{{pod="b"}}': "0x120"},
        "30m",
        {},
    ),
    (
        "HourglassPerformersFailed",
        {
            f'{P}_performers{{pod="a",phase="Failed",reason="ImagePullFailed"}}': "2x60 0x60",
            f'{P}_performers{{pod="b",phase="Failed",reason="ImagePullFailed"}}': "2x60 0x60",
        },
        "30m",
        {"phase": "Failed", "reason": "ImagePullFailed"},
    ),
    (
        "HourglassPerformersPending",
        {f'{P}_performers{{phase="Pending",reason="HardwareUnavailable"}}': "1x60 0x60"},
        "30m",
        {"phase": "Pending", "reason": "HardwareUnavailable"},
    ),
    (
        "HourglassUpgradesStuck",
        {f'{P}_performers{{phase="Upgrading",reason="PodReady"}}': "1x60 0x60"},
        "40m",
        {"phase": "Upgrading", "reason": "PodReady"},
    ),
    (
        "HourglassCallsForbidden",
        {f'{P}_api_calls_total{{verb="create",resource="pods",code="403"}}': "0+1x60 60x60"},
        "30m",
        {"verb": "create", "resource": "pods"},
    ),
    (
        "HourglassCallsFail",
        {
            f'{P}_api_calls_total{{code="200"}}': "0+8x120",
            f'{P}_api_calls_total{{code="500"}}': "0+1x60 60x60",
            f'{P}_api_calls_total{{code="0"}}': "0+1x60 60x60",
        },
        "30m",
        {},
    ),
    (
        "HourglassQueueSlow",
        {
            f'{P}_queue_latency_seconds_bucket{{le="10"}}': "0+1x60 60+100x60",
            f'{P}_queue_latency_seconds_bucket{{le="30"}}': "0+2x60 120+100x60",
            f'{P}_queue_latency_seconds_bucket{{le="+Inf"}}': "0+2x60 120+100x60",
        },
        "30m",
        {},
    ),
    (
        "HourglassPassesBreakOff",
        {f'{P}_passes_total{{result="error"}}': "0+1x60 60x60"},
        "30m",
        {"result": "error"},
    ),
    ("HourglassWatchesRestart", {f"{P}_watch_restarts_total": "0+1x60 60x60"}, "40m", {}),
]


SAYS = {
    "HourglassPerformersFailed": "Performers that are Failed for the reason ImagePullFailed: 2.",
    "HourglassPerformersPending": "Performers long Pending for the reason HardwareUnavailable: 1.",
    "HourglassUpgradesStuck": "Performers long Upgrading, usually with the old version serving: 1.",
    "HourglassCallsForbidden": "The API server forbids the operator to create pods.",
    "HourglassCallsFail": "20% of the calls to the API server fail.",
    "HourglassQueueSlow": "Performers wait 29.6s for a pass.",
}
"""Summaries in which something is filled in, for these cases."""


@pytest.fixture(scope="session")
def tool() -> Path:
    found = promtool()
    if found is None:
        pytest.skip("promtool is neither on the PATH nor to be had from Debian's packages")
    return found


def judged(tool: Path, folder: Path, tests: list[JSON]) -> str:
    """What `promtool test rules` says against; empty if nothing."""
    (folder / "rules.yaml").write_text(yaml.safe_dump(rules()))
    rule_test = {"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": tests}
    (folder / "rule_test.yaml").write_text(yaml.safe_dump(rule_test))
    command = [str(tool), "test", "rules", "rule_test.yaml"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def rule_test(series: dict[str, str], alert: str, firing: dict[str, list[JSON]]) -> JSON:
    """`firing`: time → what of the alert fires then."""
    return {
        "interval": "1m",
        "input_series": [{"series": s, "values": values} for s, values in series.items()],
        "alert_rule_test": [
            {"eval_time": moment, "alertname": alert, "exp_alerts": expected}
            for moment, expected in firing.items()
        ],
    }


@pytest.mark.parametrize(
    ("name", "series", "fires", "labels"), CASES, ids=[case[0] for case in CASES]
)
def test_an_alert_fires_and_clears(
    name: str,
    series: dict[str, str],
    fires: str,
    labels: dict[str, str],
    tool: Path,
    tmp_path: Path,
) -> None:
    alert = next(alert for alert in ALERTS if alert.name == name)
    rule = next(rule for rule in rules()["groups"][0]["rules"] if rule["alert"] == name)
    expected = {
        "exp_labels": {**labels, "severity": alert.severity},
        "exp_annotations": {**rule["annotations"], "summary": SAYS.get(name, alert.summary)},
    }
    assert judged(tool, tmp_path, [rule_test(series, name, {fires: [expected], "1h55m": []})]) == ""


def test_every_alert_is_tried() -> None:
    assert [case[0] for case in CASES] == [alert.name for alert in ALERTS]


def test_nothing_is_said_of_a_cluster_that_is_well(tool: Path, tmp_path: Path) -> None:
    well = {
        f'{P}_leader{{pod="a"}}': "1x120",
        f'{P}_leader{{pod="b"}}': "0x120",
        f"{P}_synced": "1x120",
        f'{P}_performers{{phase="Running",reason="PodReady"}}': "300x120",
        f'{P}_api_calls_total{{code="200"}}': "0+10x120",
        f'{P}_api_calls_total{{code="409"}}': "0+1x120",
        f'{P}_passes_total{{result="written"}}': "0+10x120",
        f"{P}_watch_restarts_total": "0x120",
    }
    tests = [rule_test(well, alert.name, {"1h": [], "2h": []}) for alert in ALERTS]
    assert judged(tool, tmp_path, tests) == ""


def test_alerts_and_dashboard_ask_only_for_metrics_that_exist() -> None:
    metrics = Metrics()
    metrics.performers(list)
    known = {metric.name for metric in metrics.described}
    known |= {f"{metric.name}_bucket" for metric in metrics.described if metric.kind == "histogram"}
    asked = " ".join(
        [alert.expression for alert in ALERTS]
        + [target["expr"] for panel in dashboard()["panels"] for target in panel["targets"]]
    )
    assert set(re.findall(rf"{P}_\w+", asked)) <= known


def test_the_page_is_what_make_generate_writes() -> None:
    assert (DOCS / "alerts.md").read_text(encoding="utf-8") == page()
