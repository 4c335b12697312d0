"""Planned moves: off a node that is going, once another pod serves."""

import pytest

from builders import CATALOGUE, NodeBuilder, PerformerBuilder, PodBuilder, node, pod_of
from hourglass_kube.node import view as node_view
from hourglass_operator.controller.moves import leaves, leaving_pods, unhealthy
from hourglass_operator.controller.pod_view import PodView
from hourglass_operator.resources import names
from scene import calls, scene, status_of
from situations import (
    AT_ONCE,
    GPU,
    GPU_NODE,
    NOW,
    V1,
    CallsCase,
    ConditionsCase,
    assert_calls,
    assert_conditions,
    assert_deciding_twice_comes_to_the_same,
    assert_written_once,
    bound,
    settled,
    view,
)

MOVES = V1.move_first()
OLD = bound(MOVES).ready()
NEW = bound(MOVES, "node-2").number(1)
GOING, OTHER = node("node-1").cordoned(), node("node-2")
BOTH = [GOING, OTHER]
WITH_A_DEAD_ONE = [*BOTH, node("node-3").not_ready()]
BUDGET = [MOVES.budget()]
REPLACES = GPU.on_unhealthy("Replace")
ILL = bound(REPLACES, "gpu-1").ready().holds_unhealthy("gpu-0")
STATES = CATALOGUE.node_states


@pytest.mark.parametrize(
    ("of", "why"),
    [
        pytest.param(node("n"), "", id="a plain one"),
        pytest.param(node("n").cordoned(), "cordoned", id="a cordoned one"),
        pytest.param(
            node("n").taint("karpenter.sh/disrupted"),
            "being removed by Karpenter",
            id="one that Karpenter removes",
        ),
        pytest.param(
            node("n").taint("ToBeDeletedByClusterAutoscaler"),
            "being removed by the cluster autoscaler",
            id="one that the cluster autoscaler removes",
        ),
        pytest.param(
            node("n").taint("karpenter.sh/disrupted", effect="PreferNoSchedule"),
            "",
            id="one that the scheduler may take all the same",
        ),
        pytest.param(node("n").taint("dedicated", "avs"), "", id="one that is dedicated"),
        pytest.param(
            node("n").taint("node.kubernetes.io/memory-pressure"), "", id="one under pressure"
        ),
        pytest.param(node("n").not_ready(), "", id="one that is not ready"),
    ],
)
def test_which_nodes_pods_should_leave(of: NodeBuilder, why: str) -> None:
    assert leaves(node_view(of.build()), STATES) == why


def test_nothing_leaves_a_node_that_is_not_known() -> None:
    assert leaves(None, STATES) == ""


@pytest.mark.parametrize(
    ("pods", "serving", "leaving"),
    [
        pytest.param([OLD], [OLD], [OLD], id="what serves there"),
        pytest.param([OLD], [], [], id="not what does not serve yet"),
        pytest.param([bound(MOVES)], [], [], id="not what starts there"),
        pytest.param([bound(MOVES), NEW], [], [bound(MOVES)], id="what has served, once it moves"),
        pytest.param([OLD, NEW], [OLD], [OLD], id="what serves while its successor starts"),
        pytest.param([OLD.deleting(1030), NEW], [OLD], [], id="not what is being deleted"),
        pytest.param([NEW.ready()], [NEW], [], id="not what serves elsewhere"),
    ],
)
def test_which_pods_are_leaving(
    pods: list[PodBuilder], serving: list[PodBuilder], leaving: list[PodBuilder]
) -> None:
    endpoints = {pod.name for pod in serving}
    nodes = {each.name: node_view(each.build()) for each in BOTH}

    def why(pod: PodView) -> str:
        return leaves(nodes.get(pod.node), STATES)

    found = leaving_pods([view(pod) for pod in pods], MOVES.hash, endpoints, why)
    assert [pod.name for pod in found] == [pod.name for pod in leaving]


def create(pod: PodBuilder) -> str:
    return f"create pods {pod.name}"


def delete(pod: PodBuilder) -> str:
    return f"delete pods {pod.name}"


CASES = [
    CallsCase(
        "a successor comes first",
        MOVES,
        [OLD],
        [create(NEW)],
        serving=[OLD],
        nodes=BOTH,
        budgets=BUDGET,
    ),
    CallsCase(
        "without the policy nothing moves",
        V1,
        [bound(V1).ready()],
        [],
        serving=[bound(V1)],
        nodes=BOTH,
    ),
    CallsCase(
        "while the successor starts both stay",
        MOVES,
        [OLD, NEW],
        [],
        serving=[OLD],
        nodes=BOTH,
        budgets=BUDGET,
    ),
    CallsCase(
        "a successor that is ready and no endpoint yet is waited for",
        MOVES,
        [OLD, NEW.ready()],
        [],
        serving=[OLD],
        nodes=BOTH,
        budgets=BUDGET,
    ),
    CallsCase(
        "once the successor serves the old one goes",
        MOVES,
        [OLD, NEW.ready()],
        [delete(OLD)],
        serving=[OLD, NEW],
        nodes=BOTH,
        budgets=BUDGET,
    ),
    CallsCase(
        "a successor on trial does not suffice",
        MOVES.min_ready(60),
        [OLD, NEW.ready()],
        [],
        serving=[OLD, NEW],
        nodes=BOTH,
        budgets=BUDGET,
    ),
    CallsCase(
        "a successor that failed is followed by another, after a while",
        MOVES,
        [OLD, NEW.born(900).failed("Evicted")],
        [create(NEW.number(2)), delete(NEW)],
        serving=[OLD],
        nodes=BOTH,
        budgets=BUDGET,
    ),
    CallsCase(
        "a successor that is to leave as well is not followed by another at once",
        MOVES,
        [OLD, NEW.on("node-1").born(981).ready()],
        [],
        serving=[OLD, NEW],
        nodes=BOTH,
        budgets=BUDGET,
    ),
    CallsCase(
        "a successor that is to leave as well is followed by another, after a while",
        MOVES,
        [OLD, NEW.on("node-1").born(980).ready()],
        [create(NEW.number(2))],
        serving=[OLD, NEW],
        nodes=BOTH,
        budgets=BUDGET,
    ),
    CallsCase(
        "a successor may come while one other pod ends",
        MOVES,
        [OLD.born(900).deleting(1100), NEW.on("node-1").born(980).ready()],
        [create(NEW.number(2))],
        serving=[NEW],
        nodes=WITH_A_DEAD_ONE,
        budgets=BUDGET,
    ),
    CallsCase(
        "no successor comes while two others end",
        MOVES,
        [
            OLD.on("node-2").deleting(1100),
            NEW.on("node-2").deleting(1100),
            NEW.number(2).on("node-1").born(0).ready(),
        ],
        [],
        serving=[NEW.number(2)],
        nodes=WITH_A_DEAD_ONE,
        budgets=BUDGET,
    ),
    CallsCase(
        "one comes while two end whose node is dead, as nobody will report their end",
        MOVES,
        [
            OLD.on("node-3").deleting(1100),
            NEW.on("node-3").deleting(1100),
            NEW.number(2).on("node-1").born(0).ready(),
        ],
        [create(NEW.number(3))],
        serving=[NEW.number(2)],
        nodes=WITH_A_DEAD_ONE,
        budgets=BUDGET,
    ),
    CallsCase(
        "of three that serve and are to leave one goes before another successor comes",
        MOVES,
        [OLD, NEW.on("node-1").ready(), NEW.number(2).on("node-1").ready()],
        [delete(NEW)],
        serving=[OLD, NEW, NEW.number(2)],
        nodes=WITH_A_DEAD_ONE,
        budgets=BUDGET,
    ),
    CallsCase(
        "a successor on devices that turn unhealthy, too, is succeeded after a while",
        REPLACES,
        [ILL.number(1).born(981)],
        [],
        serving=[ILL.number(1)],
        nodes=[GPU_NODE],
    ),
    CallsCase(
        "the first pod whose devices turn unhealthy is succeeded at once",
        REPLACES,
        [ILL.born(999)],
        [create(ILL.number(1))],
        serving=[ILL],
        nodes=[GPU_NODE],
    ),
    CallsCase(
        "a successor that is not needed any more goes",
        MOVES,
        [OLD, pod_of(MOVES).number(1)],
        [delete(NEW)],
        serving=[OLD],
        nodes=[node("node-1"), OTHER],
        budgets=BUDGET,
    ),
    CallsCase(
        "an upgrade needs no move of its own",
        MOVES.image("avs/performer:v2").with_status(servingTemplateHash=MOVES.hash),
        [OLD],
        [create(pod_of(MOVES.image("avs/performer:v2")))],
        serving=[OLD],
        nodes=BOTH,
        budgets=BUDGET,
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.situation)
def test_calls(case: CallsCase) -> None:
    assert_calls(case)


MOVING = ("Running", "True/PodReady", "True/MoveInProgress")
SERVES = settled(MOVES, OLD, serving=(OLD,))
LONG_AGO = {"progressStartTime": "1970-01-01T00:05:00Z"}

CONDITIONS = [
    ConditionsCase(
        "the successor is being created",
        SERVES,
        [OLD],
        *MOVING,
        "False/AsExpected",
        serving=[OLD],
        nodes=BOTH,
        budgets=BUDGET,
        says="node node-1 is cordoned, so the Performer moves: the pod is being created",
    ),
    ConditionsCase(
        "no node takes the successor",
        SERVES,
        [OLD, pod_of(MOVES).number(1).unschedulable("0/1 nodes are available: 1 Too many pods.")],
        *MOVING,
        "True/SchedulingFailed",
        serving=[OLD],
        nodes=BOTH,
        budgets=BUDGET,
        says="the move is held up: ",
    ),
    ConditionsCase(
        "the move has waited for long enough",
        SERVES.with_status(**LONG_AGO),
        [OLD, NEW],
        "Running",
        "True/PodReady",
        "False/ProgressDeadlineExceeded",
        "True/ProgressDeadlineExceeded",
        serving=[OLD],
        nodes=BOTH,
        budgets=BUDGET,
        says="the move has not finished within its progress deadline",
    ),
]


@pytest.mark.parametrize("case", CONDITIONS, ids=lambda case: case.situation)
def test_conditions(case: ConditionsCase) -> None:
    assert_conditions(case)
    assert_deciding_twice_comes_to_the_same(case)
    assert_written_once(case)


def test_the_eviction_is_let_through_when_the_move_has_waited_for_long_enough() -> None:
    for seconds, released in ((299, False), (300, True)):
        began = SERVES.with_status(**LONG_AGO)
        staged = scene(began, OLD, NEW, serving=[OLD], nodes=BOTH, budgets=BUDGET)
        verbs = {write.verb for write in staged.plan(300 + seconds).writes if not write.subresource}
        assert verbs == ({"delete"} if released else set())


def test_the_time_that_it_waits_counts_from_the_first_status_that_says_so() -> None:
    staged = scene(SERVES, OLD, serving=[OLD], nodes=BOTH, budgets=BUDGET, settings=AT_ONCE)
    status = status_of(staged.plan(NOW), SERVES.status)
    assert status["progressStartTime"] == "1970-01-01T00:16:40Z"
    assert status["servingTemplateHash"] == MOVES.hash
    assert "lastUpgrade" not in status


EVERYTHING = MOVES.scheduling(tolerations=[{"operator": "Exists"}])
SUCCESSOR = pod_of(EVERYTHING).number(1)


def test_what_tolerates_every_taint_is_kept_off_the_node_that_it_leaves() -> None:
    pinned = {"key": "zone", "operator": "In", "values": ["a"]}
    term = {"matchExpressions": [pinned]}
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}
    of = EVERYTHING.scheduling(
        tolerations=[{"operator": "Exists"}], affinity={"nodeAffinity": required}
    )
    old = bound(of).ready()
    plan = scene(of, old, serving=[old], nodes=BOTH, budgets=BUDGET).plan(NOW)
    (pod,) = [write.body for write in plan.writes if write.verb == "create"]
    assert pod["metadata"]["annotations"] == {"hourglass.eigenlayer.io/kept-off": "node-1"}
    (found,) = pod["spec"]["affinity"]["nodeAffinity"][
        "requiredDuringSchedulingIgnoredDuringExecution"
    ]["nodeSelectorTerms"]
    off = {"key": "metadata.name", "operator": "NotIn", "values": ["node-1"]}
    assert found == {"matchExpressions": [pinned], "matchFields": [off]}


@pytest.mark.parametrize(
    ("pods", "expected"),
    [
        pytest.param([], [delete(SUCCESSOR)], id="it goes when the old one is gone"),
        pytest.param([bound(EVERYTHING).ready()], [], id="it stays while the old one serves"),
    ],
)
def test_a_successor_that_is_kept_off_in_vain(pods: list[PodBuilder], expected: list[str]) -> None:
    waiting = SUCCESSOR.unschedulable("0/1 nodes are available").annotated(
        "hourglass.eigenlayer.io/kept-off", "node-1"
    )
    assert_calls(
        CallsCase(
            "", EVERYTHING, [*pods, waiting], expected, serving=pods, nodes=BOTH, budgets=BUDGET
        )
    )


PLAIN_OLD = bound(V1).ready()
PLAIN_NEW = bound(V1, "node-2").number(1)
GPU_OLD = bound(GPU, "gpu-1").ready()


ASKED = V1.annotated(names.REPLACED, PLAIN_OLD.name)
AWAY = V1.annotated(names.MOVED, PLAIN_OLD.name)
NODES = [node("node-1"), OTHER]

ASKED_FOR = [
    CallsCase(
        "another pod is asked for, without any policy",
        ASKED,
        [PLAIN_OLD],
        [create(PLAIN_NEW)],
        serving=[PLAIN_OLD],
        nodes=NODES,
    ),
    CallsCase(
        "the other pod serves",
        ASKED,
        [PLAIN_OLD, PLAIN_NEW.ready()],
        [delete(PLAIN_OLD)],
        serving=[PLAIN_OLD, PLAIN_NEW],
        nodes=NODES,
    ),
    CallsCase(
        "the other pod serves alone: the wish is met",
        ASKED,
        [PLAIN_NEW.ready()],
        [],
        serving=[PLAIN_NEW],
        nodes=NODES,
    ),
    CallsCase(
        "another pod is asked for where two must never run",
        ASKED.strategy("Recreate"),
        [bound(V1.strategy("Recreate")).ready()],
        [delete(PLAIN_OLD)],
        serving=[PLAIN_OLD],
        nodes=NODES,
    ),
    CallsCase(
        "a wish is left behind: no new pod gets the name that it is about",
        ASKED,
        [],
        [create(pod_of(V1).number(1))],
        nodes=NODES,
    ),
    CallsCase(
        "the wish is taken back before the other pod serves",
        V1,
        [PLAIN_OLD, pod_of(V1).number(1)],
        [delete(PLAIN_NEW)],
        serving=[PLAIN_OLD],
        nodes=NODES,
    ),
]


@pytest.mark.parametrize("case", ASKED_FOR, ids=lambda case: case.situation)
def test_calls_for_what_somebody_asks_for(case: CallsCase) -> None:
    assert_calls(case)


@pytest.mark.parametrize(
    ("of", "kept_off"),
    [
        pytest.param(ASKED, None, id="another pod may come to the same node"),
        pytest.param(AWAY, "node-1", id="a move leads to another node"),
    ],
)
def test_where_the_other_pod_may_come(of: PerformerBuilder, kept_off: str | None) -> None:
    plan = scene(of, PLAIN_OLD, serving=[PLAIN_OLD], nodes=NODES).plan(NOW)
    (pod,) = [write.body for write in plan.writes if write.verb == "create"]
    assert pod["metadata"].get("annotations", {}).get(names.KEPT_OFF) == kept_off


def test_it_is_said_that_somebody_asked_for_it() -> None:
    assert_conditions(
        ConditionsCase(
            "the other pod is being created",
            settled(ASKED, PLAIN_OLD, serving=(PLAIN_OLD,)),
            [PLAIN_OLD],
            *MOVING,
            "False/AsExpected",
            serving=[PLAIN_OLD],
            nodes=NODES,
            says=f"another pod than {PLAIN_OLD.name} was asked for, so the Performer moves: ",
        )
    )


WAITING = (
    pod_of(GPU).number(1).unschedulable("0/1 nodes are available: 1 Insufficient nvidia.com/gpu.")
)


@pytest.mark.parametrize(
    ("annotation", "new", "calls"),
    [
        pytest.param(names.REPLACED, WAITING, [delete(GPU_OLD)], id="one that may come there"),
        pytest.param(
            names.MOVED, WAITING.annotated(names.KEPT_OFF, "gpu-1"), [], id="none that may not"
        ),
    ],
)
def test_the_old_pod_makes_room_for_another(
    annotation: str, new: PodBuilder, calls: list[str]
) -> None:
    of = GPU.annotated(annotation, GPU_OLD.name)
    full = [GPU_NODE.offers("nvidia.com/gpu", 2)]
    assert_calls(CallsCase("", of, [GPU_OLD, new], calls, serving=[GPU_OLD], nodes=full))


ILL = bound(GPU, "gpu-1").ready().holds_unhealthy("GPU-1")
REPLACED = GPU.on_unhealthy("Replace")
GPUS = [GPU_NODE, node("gpu-2").label("accelerator", "nvidia-a100").offers("nvidia.com/gpu", 4)]


def ill(of: PerformerBuilder) -> PodBuilder:
    return bound(of, "gpu-1").ready().holds_unhealthy("GPU-1")


def successor(of: PerformerBuilder) -> PodBuilder:
    return pod_of(of).number(1)


DEVICES = [
    CallsCase("an unhealthy device is left alone", GPU, [ILL], [], serving=[ILL], nodes=GPUS),
    CallsCase(
        "with Replace a successor comes first",
        REPLACED,
        [ill(REPLACED)],
        [create(successor(REPLACED))],
        serving=[ill(REPLACED)],
        nodes=GPUS,
    ),
    CallsCase(
        "with Replace and Recreate the old one goes first",
        REPLACED.strategy("Recreate"),
        [ill(REPLACED.strategy("Recreate"))],
        [delete(ILL)],
        serving=[ILL],
        nodes=GPUS,
    ),
    CallsCase(
        "the old one goes when the successor serves",
        REPLACED,
        [ill(REPLACED), successor(REPLACED).on("gpu-1").ready()],
        [delete(ILL)],
        serving=[ILL, successor(REPLACED)],
        nodes=GPUS,
    ),
]


FULL = "0/1 nodes are available: 1 Insufficient nvidia.com/gpu."
BUSY = GPU_NODE.offers("nvidia.com/gpu", 2)
"""Of more than two devices only two are well, and all that pods hold counts."""
DEVICES += [
    CallsCase(
        "the old one makes room where that leaves enough that are well",
        REPLACED,
        [ill(REPLACED), successor(REPLACED).unschedulable(FULL)],
        [delete(ILL)],
        serving=[ILL],
        nodes=[BUSY],
    ),
    CallsCase(
        "the old one stays where its end would leave too few that are well",
        REPLACED,
        [ill(REPLACED), successor(REPLACED).unschedulable(FULL)],
        [],
        serving=[ILL],
        nodes=[GPU_NODE.offers("nvidia.com/gpu", 1)],
    ),
]


@pytest.mark.parametrize("case", DEVICES, ids=lambda case: case.situation)
def test_calls_for_an_unhealthy_device(case: CallsCase) -> None:
    assert_calls(case)


def test_a_successor_may_come_to_the_node_of_the_unhealthy_device() -> None:
    plan = scene(REPLACED, ill(REPLACED), serving=[ILL], nodes=GPUS).plan(NOW)
    (pod,) = [write.body for write in plan.writes if write.verb == "create"]
    assert "annotations" not in pod["metadata"]


@pytest.mark.parametrize(
    ("of", "progressing"),
    [
        pytest.param(GPU, "False/ServiceReady", id="Keep"),
        pytest.param(REPLACED, "True/MoveInProgress", id="Replace"),
    ],
)
def test_degraded_names_the_unhealthy_device(of: PerformerBuilder, progressing: str) -> None:
    assert_conditions(
        ConditionsCase(
            "",
            of,
            [ill(of)],
            "Running",
            "True/PodReady",
            progressing,
            "True/HardwareUnavailable",
            serving=[ill(of)],
            nodes=GPUS,
            says=f"device nvidia.com/gpu GPU-1 of pod {ILL.name} is unhealthy",
        )
    )


def test_what_is_unhealthy_is_said_once_and_in_order() -> None:
    pod = view(ILL.holds_unhealthy("d2", "d1", resource="claim:gpu"))
    assert unhealthy(pod) == (
        f"devices claim:gpu d1, claim:gpu d2, nvidia.com/gpu GPU-1 of pod {ILL.name} are unhealthy"
    )
    assert unhealthy(view(OLD)) == ""


def test_a_successor_that_is_refused_is_tried_again_after_the_back_off() -> None:
    staged = scene(
        settled(MOVES, OLD, serving=(OLD,)), OLD, serving=[OLD], nodes=BOTH, budgets=BUDGET
    )
    first = staged.plan(NOW)
    assert calls(first)[0] == f"create pods {NEW.name}"
    staged.answer(first, NOW, 403, message="exceeded quota: pods")
    assert calls(staged.plan(NOW + 9)) == []
    assert calls(staged.plan(NOW + 10)) == [f"create pods {NEW.name}"]
