"""Oracles that judge single calls and the end of a run: what each takes for a fault."""

from collections.abc import Iterable

import pytest

from hourglass_kube.types import JSON
from hourglass_operator.transport.calls import Request
from hourglass_simulator.scenario.backend import Change, Write
from hourglass_simulator.scenario.expect import Mismatch
from hourglass_simulator.scenario.history import History
from hourglass_simulator.search.monitors.answers import AnswersMonitor
from hourglass_simulator.search.monitors.owners import OwnersMonitor
from hourglass_simulator.search.objects import CLAIM

PERFORMER: JSON = {
    "metadata": {"namespace": "avs", "name": "a", "uid": "p"},
    "status": {"ready": True},
}
OWNER: JSON = {"kind": "Performer", "name": "a", "uid": "p", "controller": True}


def pod(owners: list[JSON], **labels: str) -> JSON:
    metadata = {"namespace": "avs", "name": "a-0", "uid": "1", "labels": labels}
    return {"metadata": {**metadata, "ownerReferences": owners}, "spec": {}}


def history(*pods: JSON) -> History:
    kept = History(lambda: 0.0)
    for resource, objects in (("performers", [PERFORMER]), ("pods", pods)):
        for obj in objects:
            kept.changed(Change(0.0, "ADDED", resource, obj))
    return kept


def created(code: int) -> Write:
    return Write(0.0, "create", "pods", "avs", "a-0", "", code)


@pytest.mark.parametrize(
    ("answers", "found"),
    [
        pytest.param([("1", 201)], 0, id="it is created"),
        pytest.param([("1", 0), ("1", 409)], 0, id="it is found after an answer was lost"),
        pytest.param([("1", 201), ("2", 409)], 0, id="another process finds it"),
        pytest.param([("1", 201), ("1", 409)], 1, id="it is created again by the same process"),
        pytest.param([("1", 409), ("1", 409)], 1, id="what was found is created again"),
    ],
)
def test_a_process_creates_nothing_that_it_knows(
    answers: Iterable[tuple[str, int]], found: int
) -> None:
    monitor = AnswersMonitor(history(pod([OWNER])))
    mismatches: list[Mismatch] = []
    for process, code in answers:
        mismatches += monitor.asks(process, Request("create", "pods", "avs", "a-0"))
        mismatches += monitor.wrote(created(code))
    assert len(mismatches) == found


@pytest.mark.parametrize(
    ("preconditions", "found"), [({"uid": "1"}, 0), ({}, 1)], ids=["uid", "none"]
)
def test_a_deletion_says_by_uid_of_which_pod(preconditions: JSON, found: int) -> None:
    request = Request("delete", "pods", "avs", "a-0", body={"preconditions": preconditions})
    assert len(list(AnswersMonitor(history()).asks("1", request))) == found


@pytest.mark.parametrize(
    ("owners", "labels", "found"),
    [
        pytest.param([OWNER], {CLAIM: "a", "app": "performer"}, 0, id="it has its owner"),
        pytest.param([], {CLAIM: "a", "app": "performer"}, 1, id="it has lost its owner"),
        pytest.param([], {"app": "performer"}, 0, id="it claims to be nobody's"),
        pytest.param([], {CLAIM: "a"}, 0, id="it is not watched"),
    ],
)
def test_a_pod_of_a_performer_has_its_owner(owners: list[JSON], labels: JSON, found: int) -> None:
    assert len(list(OwnersMonitor(history(pod(owners, **labels))).settled())) == found
