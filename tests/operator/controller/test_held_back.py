"""A write that keeps failing holds up nothing but what needs it, and the status says so."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from builders import PerformerBuilder, PodBuilder, node
from hourglass_kube.types import JSON
from hourglass_operator.controller import Outcome
from hourglass_operator.controller.held_back import due_writes, still_refused
from hourglass_operator.controller.plan import Refusal, Write
from hourglass_operator.controller.write_results import write_result
from hourglass_operator.resources import names
from hourglass_operator.resources.drift import Drift
from scene import Scene, conditions_of, passes, scene, short, status_of
from situations import AT_ONCE, NOW, V1, V2, bound

MOVES = V1.move_first()
SERVING = bound().ready()
NEXT = bound(V2).ready()
BUDGET = "poddisruptionbudgets performer-ml"
WEBHOOK = "failed calling webhook: context deadline exceeded"


def elsewhere() -> JSON:
    """The Service with a port that leads nowhere."""
    service = V1.service()
    service["spec"]["ports"][0]["targetPort"] = 1
    return service


def without_a_label() -> JSON:
    service = V2.service()
    del service["metadata"]["labels"][names.AVS_LABEL]
    return service


@dataclass(frozen=True)
class Case:
    """`first`: the write that fails; `then`: what is written beside it and when it is put off."""

    situation: str
    staged: Callable[[], Scene]
    first: str
    then: list[str]
    says: str
    condition: str = ""


def staged(
    of: PerformerBuilder,
    *pods: PodBuilder,
    service_seen: Callable[[], JSON] | None = None,
    **more: Any,
) -> Scene:
    found = scene(of, *pods, settings=AT_ONCE, **more)
    if service_seen is not None:
        found.sees("services", service_seen())
    return found


CASES = [
    Case(
        "a budget that cannot be changed",
        partial(staged, MOVES, SERVING, serving=[SERVING], budgets=[MOVES.budget(minAvailable=0)]),
        f"patch {BUDGET}",
        [],
        "PodDisruptionBudget performer-ml cannot be changed yet",
        "BudgetRejected",
    ),
    Case(
        "a budget that cannot be deleted",
        partial(staged, V1, SERVING, serving=[SERVING], budgets=[MOVES.budget()]),
        f"delete {BUDGET}",
        [],
        "PodDisruptionBudget performer-ml cannot be deleted yet",
        "BudgetRejected",
    ),
    Case(
        "the budget of a Performer whose pod is not there yet",
        partial(staged, MOVES, budgets=[MOVES.budget(minAvailable=0)]),
        f"patch {BUDGET}",
        [f"create pods {SERVING.name}"],
        "PodDisruptionBudget performer-ml cannot be changed yet",
    ),
    Case(
        "a repair of a pod",
        partial(
            staged,
            V1,
            SERVING.without_label(names.AVS_LABEL),
            serving=[SERVING],
        ),
        f"patch pods {SERVING.name}",
        [],
        f"Pod {SERVING.name} cannot be changed yet",
        "PodRejected",
    ),
    Case(
        "a repair of the Service that keeps nobody away goes before the end of an upgrade",
        partial(
            staged,
            V2,
            SERVING,
            NEXT,
            serving=[SERVING, NEXT],
            service_seen=without_a_label,
        ),
        "patch services performer-ml",
        [f"delete pods {SERVING.name}"],
        "Service performer-ml cannot be changed yet",
        "ServiceRejected",
    ),
    Case(
        "no pod is ended while the Service does not lead to its successor",
        partial(staged, V2, SERVING, NEXT, serving=[SERVING, NEXT], service_seen=elsewhere),
        "patch services performer-ml",
        [],
        "Service performer-ml cannot be changed yet",
        "ServiceRejected",
    ),
    Case(
        "no pod is made without the finalizer, all else is",
        partial(staged, MOVES.bare(), service=False),
        "patch performers ml",
        ["create services performer-ml", f"create {BUDGET}"],
        "Performer ml cannot be changed yet",
    ),
    Case(
        "a finalizer that cannot be put back while the pod serves",
        partial(staged, V1.bare(), SERVING, serving=[SERVING]),
        "patch performers ml",
        [],
        "Performer ml cannot be changed yet",
        "RepairUndone",
    ),
    Case(
        "an old pod that cannot be deleted",
        partial(staged, V2, SERVING, NEXT, serving=[SERVING, NEXT]),
        f"delete pods {SERVING.name}",
        [],
        f"Pod {SERVING.name} cannot be deleted yet",
        "PodRejected",
    ),
    Case(
        "one of two old pods",
        partial(staged, V2, SERVING, SERVING.number(1), NEXT, serving=[SERVING, NEXT]),
        f"delete pods {SERVING.name}",
        [f"delete pods {SERVING.number(1).name}"],
        f"Pod {SERVING.name} cannot be deleted yet",
        "PodRejected",
    ),
    Case(
        "a pod of a Performer that is deleted",
        partial(staged, V1.deleting(NOW), SERVING, serving=[SERVING]),
        f"delete pods {SERVING.name}",
        [],
        f"Pod {SERVING.name} cannot be deleted yet",
    ),
    Case(
        "the finalizer of a Performer that is deleted",
        partial(staged, V1.held_by(names.FINALIZER).deleting(NOW)),
        "patch performers ml",
        [],
        "no pod is left; Performer ml cannot be changed yet",
    ),
]


@pytest.mark.parametrize("code", [0, 403, 404, 405, 500, 503])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.situation)
def test_the_pass_goes_on_without_it(case: Case, code: int) -> None:
    found = case.staged()
    for now in (NOW, NOW + 1):
        first = found.plan(now)
        assert short(first.writes[0]) == case.first
        found.answer(first, now, code, message=WEBHOOK)
    plan = found.plan(NOW + 1)
    assert [short(w) for w in plan.writes if w.subresource != "status"] == case.then
    conditions = status_of(plan)["conditions"]
    assert f"{case.says}: {WEBHOOK}" in conditions[-1]["message"]
    if case.condition:
        assert conditions_of({"conditions": conditions})["Degraded"] == f"True/{case.condition}"
    assert plan.requeue_after == 2
    assert short(found.plan(NOW + 3).writes[0]) == case.first


def test_one_failure_is_no_fault_of_a_performer_that_serves() -> None:
    found = staged(V1, SERVING, serving=[SERVING], budgets=[MOVES.budget()])
    found.answer(found.plan(NOW), NOW, 500)
    plan = found.plan(NOW)
    assert len(plan.memory.refusals) == 1
    assert conditions_of(status_of(plan))["Degraded"] == "False/AsExpected"


def test_an_error_with_other_numbers_is_the_same_error() -> None:
    found = staged(V1, SERVING, serving=[SERVING], budgets=[MOVES.budget()])
    for now, port in ((NOW, 4711), (NOW + 1, 4712), (NOW + 3, 4713)):
        found.answer(found.plan(now), now, 500, message=f"dial tcp 10.0.0.1:{port}: refused")
    (refusal,) = found.plan(NOW + 3).memory.refusals
    assert refusal.message.endswith("dial tcp 10.0.0.1:4711: refused")
    found.answer(found.plan(NOW + 7), NOW + 7, 500, message="etcd is away")
    (refusal,) = found.plan(NOW + 7).memory.refusals
    assert refusal.message.endswith("etcd is away")


def test_it_is_tried_again_after_a_back_off_that_doubles() -> None:
    found = staged(V1, SERVING, serving=[SERVING], budgets=[MOVES.budget()])
    tries = []
    for now, due in passes(found, 130):
        refused = [w for w in due.plan.writes if w.resource == "poddisruptionbudgets"][:1]
        tries += [now - NOW for _ in refused]
        others = due.plan.writes if not refused else ()
        outcomes = [Outcome(w, 500) for w in refused] + [Outcome(w, 200) for w in others]
        found.controller.finish(due, outcomes, now)
    assert tries == [0, 1, 3, 7, 15, 31, 63, 123]


def test_what_is_written_after_all_is_no_longer_spoken_of() -> None:
    found = staged(V1, SERVING, serving=[SERVING], budgets=[MOVES.budget()])
    found.answer(found.plan(NOW), NOW, 500)
    found.answer(found.plan(NOW + 1), NOW + 1, 200, body={**MOVES.budget()})
    found.sees("poddisruptionbudgets", MOVES.budget(), event="DELETED")
    plan = found.plan(NOW + 1)
    assert plan.memory.refusals == ()
    assert conditions_of(status_of(plan))["Degraded"] == "False/AsExpected"


def test_what_somebody_else_has_mended_is_no_longer_spoken_of() -> None:
    found = staged(MOVES, SERVING, serving=[SERVING], budgets=[MOVES.budget(minAvailable=0)])
    found.answer(found.plan(NOW), NOW, 500)
    found.sees("poddisruptionbudgets", MOVES.budget())
    plan = found.plan(NOW)
    assert plan.memory.refusals == ()
    assert conditions_of(status_of(plan))["Degraded"] == "False/AsExpected"


FINALIZER = Write("patch", "performers", "avs", "ml", {})
SELECTOR = Write(
    "patch", "services", "avs", "s", {}, drifts=(Drift(("spec", "selector", "app"), "x", "y"),)
)
LABEL = Write(
    "patch", "services", "avs", "s", {}, drifts=(Drift(("metadata", "labels", "a"), "x", "y"),)
)
CREATE = Write("create", "pods", "avs", "p-1", {})
DELETE = Write("delete", "pods", "avs", "p-0", {})
RESIZE = Write("patch", "pods", "avs", "p-0", {}, "resize")
NOTE = Write("patch", "pods", "avs", "p-0", {})
OTHER_NOTE = Write("patch", "pods", "avs", "p-2", {})
NEEDS = [
    ("the creation of a pod needs the finalizer", FINALIZER, [CREATE, DELETE], [DELETE]),
    ("the end of a pod needs the Service's selector", SELECTOR, [CREATE, DELETE], [CREATE]),
    ("the end of a pod needs no label of the Service", LABEL, [DELETE], [DELETE]),
    ("the note needs the resize of the same pod", RESIZE, [NOTE, OTHER_NOTE], [OTHER_NOTE]),
    ("the end of an old pod does not need its successor", CREATE, [DELETE], [DELETE]),
]


def refusal(write: Write) -> Refusal:
    """What is remembered of a write that the server could not make."""
    result = write_result(Outcome(write, 500), view(), (), AT_ONCE, NOW)
    (remembered,) = result.refusals
    return remembered


def view() -> Any:
    return scene(V1, nodes=[node("node-1")]).controller.cache.performers.get(("avs", "ml"))


@pytest.mark.parametrize(
    ("refused", "others", "due"), [n[1:] for n in NEEDS], ids=[n[0] for n in NEEDS]
)
def test_what_needs_what(refused: Write, others: list[Write], due: list[Write]) -> None:
    remembered = [refusal(refused)]
    if refused.verb == "create":
        # Whether one may be created is asked before the write is planned.
        assert list(due_writes(others, remembered, NOW)) == due
        return
    assert list(due_writes([refused, *others], remembered, NOW)) == due
    assert list(due_writes([refused, *others], remembered, NOW + 1)) == [refused, *others]


def test_only_what_is_wanted_stays_refused() -> None:
    remembered = [refusal(DELETE), refusal(CREATE), refusal(SELECTOR)]
    kept = still_refused([SELECTOR], remembered)
    assert [(each.verb, each.resource) for each in kept] == [
        ("create", "pods"),
        ("patch", "services"),
    ]
