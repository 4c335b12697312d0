"""The PodDisruptionBudget that lets evictions wait until a pod has moved."""

from typing import Any

import pytest

from builders import NAMESPACE, node
from hourglass_kube.types import JSON
from hourglass_operator.api import DisruptionPolicy
from hourglass_operator.controller import Settings
from scene import calls, conditions_of, scene, status_of
from situations import (
    AT_ONCE,
    NOW,
    V1,
    CallsCase,
    ConditionsCase,
    assert_calls,
    assert_conditions,
    bound,
)
from situations import OLD as OF_EVICT

MOVES = V1.move_first()
SERVING = bound(MOVES).ready()
NAME = "poddisruptionbudgets performer-ml"


def of_others(name: str, selector: JSON | None, **spec: Any) -> JSON:
    return {
        "metadata": {"name": name, "namespace": NAMESPACE, "uid": name, "resourceVersion": "7"},
        "spec": {"selector": selector, **spec},
    }


def test_the_template_hash_says_nothing_of_it() -> None:
    assert MOVES.hash == V1.hash


def kept(budget: JSON, *, deleted: bool = True) -> JSON:
    """The budget with a finalizer of others."""
    ending = {"deletionTimestamp": "1970-01-01T00:16:00Z"} if deleted else {}
    metadata = {**budget["metadata"], "finalizers": ["example.com/audit"], **ending}
    return {**budget, "metadata": metadata}


CASES = [
    CallsCase("a Performer that is evicted has none", V1, [OF_EVICT], [], serving=[OF_EVICT]),
    CallsCase(
        "one that moves first gets it before its pod",
        MOVES.bare(),
        [],
        [
            "patch performers ml",
            "create services performer-ml",
            f"create {NAME}",
            f"create pods {SERVING.name}",
        ],
        service=False,
    ),
    CallsCase(
        "one that is as it should be is left alone",
        MOVES,
        [SERVING],
        [],
        serving=[SERVING],
        budgets=[MOVES.budget()],
    ),
    CallsCase(
        "one that somebody has loosened is repaired",
        MOVES,
        [SERVING],
        [f"patch {NAME}"],
        serving=[SERVING],
        budgets=[MOVES.budget(minAvailable=0)],
    ),
    CallsCase(
        "it goes with the policy",
        V1,
        [OF_EVICT],
        [f"delete {NAME}"],
        serving=[OF_EVICT],
        budgets=[MOVES.budget()],
    ),
    CallsCase(
        "one that a finalizer will keep has no say before it is deleted",
        V1,
        [OF_EVICT],
        [f"patch {NAME}", f"delete {NAME}"],
        serving=[OF_EVICT],
        budgets=[kept(MOVES.budget(), deleted=False)],
    ),
    CallsCase(
        "one that a finalizer keeps though it is deleted has no say",
        V1,
        [OF_EVICT],
        [f"patch {NAME}"],
        serving=[OF_EVICT],
        budgets=[kept(MOVES.budget())],
    ),
    CallsCase(
        "it has none where another selects the pod, as two refuse every eviction",
        MOVES,
        [SERVING],
        [f"patch {NAME}"],
        serving=[SERVING],
        budgets=[kept(MOVES.budget()), of_others("all", {})],
    ),
    CallsCase(
        "that is written once",
        V1,
        [OF_EVICT],
        [],
        serving=[OF_EVICT],
        budgets=[kept(MOVES.budget(selector=None))],
    ),
    CallsCase(
        "it has a say again when it is wanted, though it is on its way out",
        MOVES,
        [SERVING],
        [f"patch {NAME}"],
        serving=[SERVING],
        budgets=[kept(MOVES.budget(selector=None))],
    ),
    CallsCase(
        "it has none over the pods of the next Performer of the name",
        MOVES.deleting(NOW),
        [SERVING],
        [f"patch {NAME}", f"delete pods {SERVING.name}"],
        serving=[SERVING],
        budgets=[kept(MOVES.budget(), deleted=False)],
    ),
    CallsCase(
        "it goes when the spec cannot be read any more",
        MOVES.config(grpcPort="none"),
        [SERVING],
        [f"delete {NAME}"],
        serving=[SERVING],
        service=MOVES,
        budgets=[MOVES.budget()],
    ),
    CallsCase(
        "it goes where Recreate lets no two pods run",
        MOVES.strategy("Recreate"),
        [SERVING],
        [f"delete {NAME}"],
        serving=[SERVING],
        budgets=[MOVES.budget()],
    ),
    CallsCase(
        "the garbage collector takes that of a Performer that is deleted",
        MOVES.deleting(NOW),
        [SERVING],
        [f"delete pods {SERVING.name}"],
        serving=[SERVING],
        budgets=[MOVES.budget()],
    ),
    CallsCase(
        "it gives way to another that selects the pod",
        MOVES,
        [SERVING],
        [f"delete {NAME}"],
        serving=[SERVING],
        budgets=[MOVES.budget(), of_others("all", {})],
    ),
    *(
        CallsCase(
            f"it does not give way to {what}",
            MOVES,
            [SERVING],
            [],
            serving=[SERVING],
            budgets=[MOVES.budget(), other],
        )
        for what, other in {
            "one of other pods": of_others("web", {"matchLabels": {"app": "web"}}),
            "one that selects nothing": of_others("nothing", None),
        }.items()
    ),
    CallsCase(
        "one of others that has the name keeps it",
        MOVES,
        [SERVING],
        [f"create {NAME}"],
        serving=[SERVING],
        budgets=[of_others("performer-ml", {"matchLabels": {"app": "web"}})],
    ),
]


def test_it_gives_way_to_one_that_selects_what_others_have_set_on_the_pod() -> None:
    others = of_others("team-a", {"matchLabels": {"team": "a"}})
    for budgets, expected in (([others], []), ([MOVES.budget(), others], [f"delete {NAME}"])):
        staged = scene(MOVES, SERVING, serving=[SERVING], budgets=budgets)
        pod = SERVING.build()
        pod["metadata"]["labels"]["team"] = "a"
        staged.sees("pods", pod)
        assert calls(staged.plan(NOW)) == expected


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.situation)
def test_calls(case: CallsCase) -> None:
    assert_calls(case)


def test_the_operator_may_have_another_default() -> None:
    moves = Settings(disruption_policy=DisruptionPolicy.MOVE_FIRST)
    for of, expected in ((V1, [f"create {NAME}"]), (V1.strategy("Recreate"), [])):
        staged = scene(of, bound(of).ready(), serving=[bound(of)], settings=moves)
        assert calls(staged.plan(NOW)) == expected


def test_what_selects_nothing_says_nothing_of_evictions() -> None:
    budget = kept(MOVES.budget())
    plan = scene(V1, OF_EVICT, serving=[OF_EVICT], budgets=[budget]).plan(NOW)
    assert plan.writes[0].body == {"spec": {"selector": None}}


def test_a_repair_ends_every_drift() -> None:
    changed = MOVES.budget(
        minAvailable=0, maxUnavailable=None, selector={"matchExpressions": [{"key": "a"}]}
    )
    (repair,) = [
        write
        for write in scene(MOVES, SERVING, serving=[SERVING], budgets=[changed]).plan(NOW).writes
        if write.resource == "poddisruptionbudgets"
    ]
    assert repair.body["spec"] == {
        "minAvailable": 2,
        "maxUnavailable": None,
        "unhealthyPodEvictionPolicy": "AlwaysAllow",
        "selector": {
            "matchLabels": {"app": "performer", "performer-name": "ml"},
            "matchExpressions": None,
        },
    }


CONDITIONS = [
    ConditionsCase(
        "two of others select the pod",
        MOVES,
        [SERVING],
        "Running",
        "True/PodReady",
        "False/ServiceReady",
        "True/BudgetConflict",
        serving=[SERVING],
        budgets=[of_others("b", {}), of_others("a", {"matchLabels": {"app": "performer"}})],
        says="PodDisruptionBudgets a, b of others select the pod",
    ),
    ConditionsCase(
        "another selects the pod of a Performer that asks for nothing",
        V1,
        [OF_EVICT],
        "Running",
        "True/PodReady",
        "False/ServiceReady",
        "False/AsExpected",
        serving=[OF_EVICT],
        budgets=[of_others("a", {})],
        says="serves at",
    ),
]


@pytest.mark.parametrize("case", CONDITIONS, ids=lambda case: case.situation)
def test_conditions(case: ConditionsCase) -> None:
    assert_conditions(case)


def test_a_budget_that_is_refused_degrades_what_serves_and_nothing_else() -> None:
    staged = scene(MOVES, SERVING, serving=[SERVING], settings=AT_ONCE)
    plan = staged.plan(NOW)
    staged.answer(plan, NOW, 403, reason="Forbidden", message="quota of budgets is used up")
    status = status_of(staged.plan(NOW))
    assert (status["phase"], conditions_of(status)["Degraded"]) == (
        "Running",
        "True/BudgetRejected",
    )
    assert "quota of budgets is used up" in status["conditions"][-1]["message"]
    assert conditions_of(status)["Ready"] == "True/PodReady"


def test_its_status_asks_for_no_pass_and_a_change_of_others_asks_for_all_of_the_namespace() -> None:
    staged = scene(
        MOVES, SERVING, serving=[SERVING], budgets=[MOVES.budget()], nodes=[node("node-1")]
    )
    cache = staged.controller.cache
    seen = {**MOVES.budget(), "status": {"disruptionsAllowed": 0}}
    assert cache.watched("poddisruptionbudgets", "MODIFIED", seen) == ()
    other = {**of_others("all", {}), "metadata": {**MOVES.budget()["metadata"], "name": "all"}}
    assert cache.watched("poddisruptionbudgets", "ADDED", other) == ((NAMESPACE, "ml"),)
    assert cache.watched("poddisruptionbudgets", "DELETED", MOVES.budget()) == ((NAMESPACE, "ml"),)
