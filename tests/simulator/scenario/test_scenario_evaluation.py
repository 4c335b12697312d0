"""Expectations kept up to date change by change find what a look at everything finds."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hourglass_kube.types import JSON
from hourglass_simulator.harness.backend import SimulatedBackend
from hourglass_simulator.scenario import Change, Scenario, ScenarioFile, Write, run, settled
from hourglass_simulator.scenario import expect as expectations
from hourglass_simulator.scenario.evaluation import Evaluation, Settlement
from hourglass_simulator.scenario.expect import mismatches
from hourglass_simulator.scenario.expectation import Expect, Settles
from hourglass_simulator.scenario.history import History
from hourglass_simulator.scenario.settled import settles_mismatches

EXPECTED = [
    Expect.model_validate(expected)
    for expected in (
        {"performers": {"one": {"phase": "Running"}, "default/one": {"pods": 1}}},
        {"performers": {"one": {"pods": 1}}},
        {"performers": {"one": {"serving": True}}},
        {"performers": {"one": {"serving": True}, "two": {"serving": False}}},
        {"performers": {"two": {"exists": True, "services": 1}}},
        {"performers": {"two": {"events": {"Created": 1}}}},
        {"performers": {"two": {"podsCreated": 1}}},
        {"performers": {"two": {"servedThroughout": True}}},
        {"performers": {"two": {"pod": "same"}}},
        {"objects": [{"resource": "pods", "count": 2}]},
        {"objects": [{"resource": "services", "labels": {"performer-name": "one"}}]},
        {"objects": [{"resource": "pods", "has": {"spec": {"nodeName": "node-1"}}}]},
        {"writes": {"atMost": 1, "resource": "pods"}},
        {"noWritesFor": "3s"},
        {"performers": {"one": {"pods": 1}}, "objects": [{"resource": "pods", "count": 1}]},
    )
]
_ENDS: list[JSON] = [
    {"two": {"phase": ["Failed", "Running"]}},
    {"one": {"exists": True}, "two": {"exists": False}},
    {"one": {}, "two": {}},
]
SETTLES = [Settles.model_validate({"performers": performers}) for performers in _ENDS]

names = st.sampled_from(["one", "two"])
uids = st.sampled_from(["a", "b"])


def _object(name: str, **fields: Any) -> JSON:
    metadata = {"namespace": "default", "name": name, **fields.pop("metadata", {})}
    return {"metadata": metadata, **fields}


def _performer(name: str, uid: str, phase: str, pod: str) -> JSON:
    conditions = [
        {"type": kind, "status": status, "reason": "PodReady"}
        for kind, status in (
            ("Available", "True"),
            ("Progressing", "False"),
            ("Degraded", "False"),
            ("Ready", "True"),
        )
    ]
    status = {"phase": phase, "ready": True, "podName": pod, "conditions": conditions}
    return _object(name, metadata={"uid": uid}, status=status)


def _dependent(name: str, performer: str, owner: str, uid: str) -> JSON:
    owners = [{"kind": "Performer", "name": owner, "uid": uid}]
    labels = {"performer-name": performer}
    metadata = {"uid": name, "labels": labels, "ownerReferences": owners}
    return _object(name, metadata=metadata, spec={"nodeName": f"node-{uid == 'a':d}"})


def _slice(name: str, performer: str, ready: bool) -> JSON:
    labels = {"kubernetes.io/service-name": f"performer-{performer}"}
    return _object(name, metadata={"labels": labels}, endpoints=[{"conditions": {"ready": ready}}])


def _event(name: str, performer: str, uid: str) -> JSON:
    about = {"namespace": "default", "name": performer, "uid": uid}
    return _object(name, involvedObject=about, reason="Created")


objects = st.one_of(
    st.tuples(
        st.just("performers"),
        st.builds(_performer, names, uids, st.sampled_from(["Running", "Failed"]), names),
    ),
    st.tuples(
        st.sampled_from(["pods", "services"]), st.builds(_dependent, uids, names, names, uids)
    ),
    st.tuples(st.just("endpointslices"), st.builds(_slice, uids, names, st.booleans())),
    st.tuples(st.just("events"), st.builds(_event, names, names, uids)),
    st.tuples(st.just("nodes"), st.builds(_object, names)),
)
steps = st.one_of(
    st.tuples(st.sampled_from(["MODIFIED", "DELETED"]), objects),
    st.tuples(st.just("write"), st.sampled_from(["pods", "services"])),
    st.tuples(st.just("act"), st.none()),
)


def _take(history: History, now: float, kind: str, what: Any) -> None:
    if kind == "act":
        history.act()
    elif kind == "write":
        history.wrote(Write(now, "create", what, "default", "x", "", 201))
    else:
        resource, obj = what
        if (
            kind == "DELETED"
            and history.get(resource, ("default", obj["metadata"]["name"])) is None
        ):
            return
        history.changed(Change(now, kind, resource, obj))


@settings(max_examples=200)
@given(before=st.lists(steps, max_size=4), after=st.lists(steps, max_size=12))
def test_what_is_kept_up_to_date_is_what_a_look_at_everything_finds(
    before: list[tuple[str, Any]], after: list[tuple[str, Any]]
) -> None:
    now = 0.0
    history = History(lambda: now)
    for step in before:
        _take(history, now, *step)
    start = len(history.writes)
    kept = [Evaluation(expected, history, "default", start) for expected in EXPECTED]
    settlements = [Settlement(settles, history, "default") for settles in SETTLES]
    for step in after:
        now += 1.0
        # Steps that do something do not come while one looks.
        if step[0] != "act":
            _take(history, now, *step)
        for expected, evaluation in zip(EXPECTED, kept, strict=True):
            found = mismatches(expected, history, "default", start)
            assert evaluation.holds() is (not found), found
        for settles, settlement in zip(SETTLES, settlements, strict=True):
            found = settles_mismatches(settles, history, "default")
            assert settlement.holds() is (not found), found


def _scenario(performers: int) -> Scenario:
    names = [f"worker-{number}" for number in range(performers)]
    serving = {name: {"serving": True} for name in names}
    return Scenario.model_validate(
        {
            "scenario": "Many",
            "shows": "How much is looked at.",
            "cluster": {"nodes": [{"name": "node", "count": 1 + performers // 10}]},
            "manifests": [
                {
                    "apiVersion": "hourglass.eigenlayer.io/v1alpha1",
                    "kind": "Performer",
                    "metadata": {"name": name},
                    "spec": {"avsAddress": f"0x{'1' * 40}", "image": "avs/worker:v1"},
                }
                for name in names
            ],
            "steps": [{"eventually": {"within": "5m", "performers": serving}}],
        },
        by_alias=True,
        by_name=False,
    )


def _counted(monkeypatch: pytest.MonkeyPatch, module: Any, name: str) -> Callable[[], int]:
    calls = 0
    original = getattr(module, name)

    def counting(*arguments: Any) -> Any:
        nonlocal calls
        calls += 1
        return original(*arguments)

    monkeypatch.setattr(module, name, counting)
    return lambda: calls


def test_looks_at_performers_grow_with_their_number_not_with_its_square(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks = {}
    for performers in (10, 40):
        with monkeypatch.context() as patched:
            counts = [
                _counted(patched, expectations, "_differences"),
                _counted(patched, settled, "_left"),
            ]
            result = run(ScenarioFile("", _scenario(performers)), SimulatedBackend())
            assert result.met
            looks[performers] = sum(count() for count in counts)
    assert looks[40] < 5 * looks[10]
