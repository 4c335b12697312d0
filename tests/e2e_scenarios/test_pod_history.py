"""What a pod went through, as two backends are compared by it."""

from typing import Any

from hourglass_kube.types import JSON
from hourglass_simulator.scenario.backend import Change
from scenarios.pod_history import BRIEF, event_reasons, pod_histories, summary_of

RUNNING: JSON = {"running": {"startedAt": "2026-01-01T00:00:00Z"}}
CRASHED: JSON = {"terminated": {"exitCode": 3, "reason": "Error", "message": "no licence"}}


def pod(uid: str, name: str = "web-1", begins: str = "", **status: Any) -> JSON:
    metadata = {"name": name, "uid": uid, **({"generateName": begins} if begins else {})}
    return {"metadata": metadata, "status": {"phase": "Running", **status}}


def container(state: JSON, **fields: Any) -> JSON:
    given = {"name": "main", "state": state, "restartCount": 0, "ready": False, **fields}
    return {"containerStatuses": [given]}


def seen(time: float, obj: JSON, type_: str = "MODIFIED") -> Change:
    return Change(time, type_, "pods", obj)


def event(uid: str, reason: str, source: str = "kubelet") -> Change:
    about = {"kind": "Pod", "uid": uid, "fieldPath": "spec.containers{main}"}
    body = {"reason": reason, "source": {"component": source}, "involvedObject": about}
    return Change(1, "ADDED", "events", body)


def test_a_summary_holds_all_that_a_kubelet_says_but_for_times_ids_and_addresses() -> None:
    condition = {"type": "Ready", "status": "False", "reason": "PodFailed"}
    obj = pod(
        "abc",
        reason="Evicted",
        message="pod web-1 (abc) at 10.1.2.3",
        conditions=[{"type": "Initialized", "status": "True"}, condition],
        **container(CRASHED, restartCount=2, lastState=RUNNING, started=True),
    )
    assert summary_of(obj) == (
        "Running; Evicted; (pod {pod} ({uid}) at {address}); Initialized; Ready=False PodFailed;"
        " main: terminated 3 Error (no licence) started restarted 2 before running"
    )


def test_states_follow_each_other_without_repetitions_to_the_end() -> None:
    records = [
        seen(1, pod("uid-a", phase="Pending")),
        seen(2, pod("uid-a", **container(RUNNING))),
        seen(3, pod("uid-a", **container(RUNNING))),
        seen(9, pod("uid-a"), "DELETED"),
    ]
    histories = pod_histories(records, 10)
    assert [(s.summary, s.seconds) for s in histories["web-1", 1]] == [
        ("Pending", 1),
        ("Running; main: running", 7),
        ("gone", 1),
    ]
    assert [s.brief for s in histories["web-1", 1]] == [BRIEF > 1, BRIEF > 7, True]


def test_pods_with_names_made_up_are_told_apart_by_their_order() -> None:
    records = [seen(1, pod("uid-a", "web-x", "web-")), seen(2, pod("uid-b", "web-y", "web-"))]
    assert sorted(pod_histories(records, 3)) == [("web-", 1), ("web-", 2)]


def test_reasons_of_events_are_the_kubelets_each_once() -> None:
    records = [
        seen(0, pod("uid-a")),
        event("uid-a", "Scheduled", "default-scheduler"),
        event("uid-a", "Pulled"),
        event("uid-a", "Started"),
        event("uid-a", "Pulled"),
    ]
    found = {"spec.containers{main}": ["Pulled", "Started"]}
    assert event_reasons(records) == {("web-1", 1): found}
