"""What `kubectl get pods` shows of pods that are not simply running."""

from datetime import UTC, datetime

import pytest

from hourglass_kube.types import JSON
from hourglass_simulator.http import pod_columns

NOW = datetime(2026, 1, 1, tzinfo=UTC)
RUNS: JSON = {"running": {}}
ENDED: JSON = {"terminated": {"exitCode": 0, "reason": "Completed"}}


def waits(reason: str) -> JSON:
    return {"waiting": {"reason": reason}}


def pod(
    containers: list[tuple[str, JSON]],
    init: list[tuple[str, JSON]] | None = None,
    sidecar: str = "",
    **status: object,
) -> JSON:
    """Containers by name, each ready if it runs."""

    def statuses(found: list[tuple[str, JSON]]) -> list[JSON]:
        return [{"name": n, "state": s, "ready": s is RUNS, "started": s is RUNS} for n, s in found]

    specs = [
        {"name": name, **({"restartPolicy": "Always"} if name == sidecar else {})}
        for name, _ in init or ()
    ]
    return {
        "metadata": {},
        "spec": {"containers": [{"name": n} for n, _ in containers], "initContainers": specs},
        "status": {
            "phase": "Pending",
            "containerStatuses": statuses(containers),
            "initContainerStatuses": statuses(init or []),
            **status,
        },
    }


INITIALIZING = ("app", waits("PodInitializing"))
GATED = [{"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}]

SHOWN = [
    ("running", pod([("app", RUNS)], phase="Running"), "1/1", "Running"),
    ("a sidecar crashes", pod([("app", RUNS), ("proxy", waits("Crash"))]), "1/2", "Crash"),
    ("an init container runs", pod([INITIALIZING], [("a", ENDED), ("b", RUNS)]), "0/1", "Init:1/2"),
    ("one cannot start", pod([INITIALIZING], [("a", waits("Error"))]), "0/1", "Init:Error"),
    (
        "a native sidecar runs",
        pod([("app", RUNS)], [("proxy", RUNS)], "proxy", phase="Running"),
        "2/2",
        "Running",
    ),
    (
        "a native sidecar is being started",
        pod([INITIALIZING], [("proxy", waits("PodInitializing"))], "proxy"),
        "0/2",
        "Init:0/1",
    ),
    ("gated", pod([], conditions=GATED), "0/0", "SchedulingGated"),
]


@pytest.mark.parametrize(
    ("shown", "ready", "state"), [s[1:] for s in SHOWN], ids=[s[0] for s in SHOWN]
)
def test_kubectl_shows(shown: JSON, ready: str, state: str) -> None:
    assert (pod_columns.ready(shown, NOW), pod_columns.state(shown, NOW)) == (ready, state)
