"""What is wrong in a namespace, found in what exists."""

from dataclasses import replace
from typing import Any

import pytest

from builders import performer, pod_of
from operators.namespace_state import NamespaceState, problems
from operators.stream import NEW, OLD, Work

IMAGE = "avs/performer:v1"
ONE = performer("one").with_status(
    phase="Running",
    ready=True,
    observedGeneration=1,
    templateHash="a",
    servingTemplateHash="a",
)
POD = pod_of(ONE).on("node").ready().build()
WELL = NamespaceState([ONE.build()], [POD], [ONE.service()])


def labelled(child: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    return child | {"metadata": child["metadata"] | metadata}


def test_all_is_well() -> None:
    assert problems(WELL, {"one": IMAGE}) == []


WRONG = {
    "a Performer is lost": (NamespaceState([], [], []), "one: is lost"),
    "it is not Running": (
        replace(WELL, performers=[ONE.with_status(phase="Pending").build()]),
        "one: Pending, ready: True",
    ),
    "its status is of an earlier spec": (
        replace(WELL, performers=[ONE.with_status(observedGeneration=0).build()]),
        "one: status of generation 0",
    ),
    "another template serves": (
        replace(WELL, performers=[ONE.with_status(servingTemplateHash="b").build()]),
        "one: another template serves",
    ),
    "it has no finalizer": (
        replace(WELL, performers=[ONE.bare().build()]),
        "one: has no finalizer",
    ),
    "it has two pods": (replace(WELL, pods=[POD, POD]), "one: 2 pods, 1 Services"),
    "it has no Service": (replace(WELL, services=[]), "one: 1 pods, 0 Services"),
    "its pod is not Ready": (
        replace(WELL, pods=[pod_of(ONE).on("node").build()]),
        f"pod {POD['metadata']['name']}: not Ready",
    ),
    "its pod is going": (
        replace(WELL, pods=[labelled(POD, deletionTimestamp="2026-01-01T00:00:00Z")]),
        f"pod {POD['metadata']['name']}: not Ready",
    ),
    "a pod is nobody's": (
        replace(WELL, pods=[POD, labelled(POD, name="other", ownerReferences=[])]),
        "pod other: nobody's",
    ),
    "a Service is nobody's": (
        replace(WELL, services=[*WELL.services, labelled(ONE.service(), ownerReferences=[])]),
        "service performer-one: nobody's",
    ),
}


@pytest.mark.parametrize(("state", "problem"), WRONG.values(), ids=WRONG)
def test_is_reported_when(state: NamespaceState, problem: str) -> None:
    assert problem in problems(state, {"one": IMAGE})


def test_a_performer_that_is_not_wanted_is_reported() -> None:
    assert problems(WELL, {}) == ["one: exists, not deleted"]


def test_an_old_image_is_reported() -> None:
    assert problems(WELL, {"one": "avs/performer:v2"}) == [
        f"one: has image {IMAGE}, not avs/performer:v2"
    ]


def test_work_upgrades_and_deletes_what_it_has_created() -> None:
    work = Work.random(1, create=50, upgrade=20, delete=20)

    created: set[str] = set()
    for verb, name in work.steps:
        assert (name in created) == (verb != "create")
        created.add(name)

    assert len(work.steps) == 90
    assert sorted(work.outcome().values()) == 10 * [OLD] + 20 * [NEW]
    assert work == Work.random(1, create=50, upgrade=20, delete=20)
