"""Which change of CPU and memory is made while the pod runs, and which is an upgrade."""

import json
from typing import Any

import pytest

from builders import PerformerBuilder, PodBuilder, node, performer, pod_of
from hourglass_kube.types import JSON
from hourglass_operator.controller import Plan
from hourglass_operator.controller.plan import WHAT_THE_CORE_OFFERS
from hourglass_operator.controller.resizes import Terms, read_by_environment, why_not
from hourglass_operator.resources import names
from hourglass_operator.resources.resizable import asked_for
from scene import Scene, calls, conditions_of, scene, status_of
from situations import AT_ONCE, NOW, settled, view

SMALL = {"requests": {"cpu": "1", "memory": "2Gi"}, "limits": {"memory": "4Gi"}}
LARGE = {"requests": {"cpu": "2", "memory": "4Gi"}, "limits": {"memory": "4Gi"}}
BARE = performer("ml")
BEFORE = BARE.resources(**SMALL)
AFTER = BEFORE.resources(**LARGE)
OLD = pod_of(BEFORE).on("node-1").ready().has(**SMALL)
"""The pod that serves, made for what was asked for before."""
ASKED = pod_of(AFTER).on("node-1").ready().has(**SMALL)
"""The same, once it was asked to be resized."""
DONE = ASKED.has(**LARGE)
INFEASIBLE = ASKED.condition("PodResizePending", "True", "Infeasible", "not enough capacity")
DEFERRED = ASKED.condition("PodResizePending", "True", "Deferred", "not enough cpu")
IN_PROGRESS = ASKED.condition("PodResizeInProgress", "True")
ERROR = ASKED.condition("PodResizeInProgress", "True", "Error", "below current usage")
RESIZE = f"patch pods/resize {OLD.name}"
NOTE = f"patch pods {OLD.name}"
SUCCESSOR = f"create pods {OLD.number(1).name}"
SERVES = settled(BEFORE, OLD, serving=(OLD,))


def after(spec: PerformerBuilder = AFTER, **status: Any) -> PerformerBuilder:
    """The Performer after the change of its spec, with the status of before it."""
    return spec.with_status(**{**SERVES.status, **status})


def observed(spec: PerformerBuilder = AFTER, **status: Any) -> PerformerBuilder:
    """The same, once the operator has written a status of that."""
    return after(spec, observedGeneration=spec.generation, **status)


def staged(of: PerformerBuilder, *pods: PodBuilder, offered: bool | None = True) -> Scene:
    """One in which the first pod serves."""
    found = scene(of, *pods, serving=pods[:1], settings=AT_ONCE)
    if offered is not None:
        resources = [{"name": "pods"}, *([{"name": "pods/resize"}] if offered else [])]
        found.controller.cache.discovery.take_in(resources, NOW)
    return found


def short(plan: Plan) -> list[str]:
    """Its writes on pods."""
    return [
        f"{w.verb} {w.resource}{f'/{w.subresource}' if w.subresource else ''} {w.name}"
        for w in plan.writes
        if w.resource == "pods"
    ]


STARTED = "1970-01-01T00:16:30Z"
"""Ten seconds before NOW."""


@pytest.mark.parametrize(
    ("of", "pods", "writes", "phase", "progressing"),
    [
        pytest.param(
            after(),
            [OLD],
            [RESIZE, NOTE],
            "Running",
            "True/ResizeInProgress",
            id="a pod that serves is asked to change",
        ),
        pytest.param(
            observed(progressStartTime=STARTED),
            [ASKED.unobserved()],
            [],
            "Running",
            "True/ResizeInProgress",
            id="the kubelet has not answered",
        ),
        pytest.param(
            observed(progressStartTime=STARTED),
            [IN_PROGRESS],
            [],
            "Running",
            "True/ResizeInProgress",
            id="the kubelet is at it",
        ),
        pytest.param(
            observed(progressStartTime=STARTED),
            [ERROR],
            [],
            "Running",
            "True/ResizeInProgress",
            id="the kubelet has failed and tries again",
        ),
        pytest.param(
            observed(progressStartTime=STARTED),
            [DEFERRED],
            [],
            "Running",
            "True/ResizeInProgress",
            id="the kubelet waits for room",
        ),
        pytest.param(
            observed(),
            [DONE],
            [],
            "Running",
            "False/ServiceReady",
            id="it is done",
        ),
        pytest.param(
            observed(progressStartTime=STARTED),
            [INFEASIBLE],
            [SUCCESSOR],
            "Upgrading",
            "True/UpgradeInProgress",
            id="infeasible: an upgrade at once",
        ),
        pytest.param(
            observed(progressStartTime=STARTED),
            [INFEASIBLE.unobserved()],
            [],
            "Running",
            "True/ResizeInProgress",
            id="infeasible was an earlier wish",
        ),
        pytest.param(
            after(BEFORE.resources(requests=SMALL["requests"])),
            [OLD],
            [RESIZE, NOTE],
            "Running",
            "True/ResizeInProgress",
            id="a limit is taken away, and nothing else: whether that can be, the API server says",
        ),
        pytest.param(
            observed(AFTER.deadline(10), progressStartTime=STARTED),
            [DEFERRED],
            [SUCCESSOR],
            "Upgrading",
            "True/UpgradeInProgress",
            id="deferred for longer than the deadline: an upgrade",
        ),
        pytest.param(
            after(AFTER.deadline(10), progressStartTime=STARTED),
            [DEFERRED],
            [],
            "Running",
            "True/ResizeInProgress",
            id="deferred, and the spec has just changed: the time begins anew",
        ),
        pytest.param(
            observed(progressStartTime=STARTED),
            [INFEASIBLE, pod_of(AFTER).number(1)],
            [],
            "Upgrading",
            "True/UpgradeInProgress",
            id="its successor is on its way",
        ),
        pytest.param(
            observed(progressStartTime=STARTED),
            [DEFERRED, pod_of(AFTER).number(1)],
            [],
            "Upgrading",
            "True/UpgradeInProgress",
            id="what has begun goes on, though room may be made yet",
        ),
        pytest.param(
            after(BEFORE.resources(**SMALL), progressStartTime=STARTED),
            [ASKED],
            [RESIZE, NOTE],
            "Running",
            "True/ResizeInProgress",
            id="taken back while it was deferred",
        ),
        pytest.param(
            after(BEFORE.resources(**SMALL)),
            [OLD, pod_of(AFTER).number(1)],
            [f"delete pods {OLD.number(1).name}"],
            "Running",
            "False/ServiceReady",
            id="taken back while the successor was on its way",
        ),
        pytest.param(
            after(),
            [OLD.without_label(names.HASH_LABEL)],
            [NOTE, RESIZE, NOTE],
            "Running",
            "True/ResizeInProgress",
            id="a label that was lost is given back first",
        ),
        pytest.param(
            after(),
            [OLD.has(**LARGE).annotated(names.MADE_FOR, "nonsense")],
            [RESIZE, NOTE],
            "Running",
            "True/ResizeInProgress",
            id="what it was made for cannot be read",
        ),
        pytest.param(
            observed(),
            [DONE.annotated(names.MADE_FOR, "{}")],
            [NOTE],
            "Running",
            "True/ResizeInProgress",
            id="it has what is asked for, and nobody has noted that",
        ),
        pytest.param(
            observed(),
            [DONE.has(**SMALL)],
            [],
            "Running",
            "True/ResizeInProgress",
            id="the kubelet of 1.33 does not say what it has observed",
        ),
    ],
)
def test_what_is_made_of_it(
    of: PerformerBuilder, pods: list[PodBuilder], writes: list[str], phase: str, progressing: str
) -> None:
    plan = staged(of, *pods).plan(NOW)
    status = status_of(plan, of.status)
    assert short(plan) == writes
    assert (status["phase"], conditions_of(status)["Progressing"]) == (phase, progressing)
    assert status["ready"]


def test_a_pod_that_does_not_serve_is_replaced() -> None:
    waiting = pod_of(BEFORE).unschedulable("0/1 nodes are available: 1 Insufficient cpu.")
    plan = scene(AFTER, waiting).plan(NOW)
    assert short(plan) == [SUCCESSOR, f"delete pods {waiting.name}"]


def test_the_patch_says_what_is_wanted_and_takes_away_what_is_not() -> None:
    to = AFTER.resources(requests={"cpu": "2"}, limits={"cpu": "4"})
    plan = staged(after(to), OLD).plan(NOW)
    resize, note, *_ = plan.writes
    assert resize.strategic
    assert resize.body == {
        "spec": {
            "containers": [
                {
                    "name": "performer",
                    "resources": {
                        "requests": {"cpu": "2", "memory": None},
                        "limits": {"cpu": "4", "memory": None},
                    },
                }
            ]
        }
    }
    noted = note.body["metadata"]["annotations"][names.MADE_FOR]
    assert json.loads(noted) == {"limits": {"cpu": "4"}, "requests": {"cpu": "2"}}


def test_whether_the_cluster_can_is_asked_first() -> None:
    found = staged(after(), OLD, offered=None)
    plan = found.plan(NOW)
    assert (plan.writes, plan.reads) == ((), (WHAT_THE_CORE_OFFERS,))
    found.answer_reads(plan, NOW, {"name": "pods/resize"})
    assert short(found.plan(NOW)) == [RESIZE, NOTE]
    assert found.plan(NOW + 3600).reads == (WHAT_THE_CORE_OFFERS,)


def test_nothing_is_asked_that_is_not_needed() -> None:
    assert staged(SERVES, OLD, offered=None).plan(NOW).reads == ()


def test_a_cluster_that_cannot_makes_it_an_upgrade() -> None:
    assert short(staged(after(), OLD, offered=False).plan(NOW)) == [SUCCESSOR]


@pytest.mark.parametrize(
    ("code", "message", "upgrade"),
    [
        (422, "Pod QOS Class may not change as a result of resizing", True),
        (403, 'pods "x" is forbidden: exceeded quota: small', True),
        (404, "the server could not find the requested resource", True),
        (409, "the object has been modified", False),
    ],
)
def test_a_refusal_makes_it_an_upgrade(code: int, message: str, upgrade: bool) -> None:
    found = staged(after(), OLD)
    found.answer(found.plan(NOW), NOW, code, message=message)
    plan = found.plan(NOW)
    assert short(plan) == ([SUCCESSOR] if upgrade else [RESIZE, NOTE])
    if upgrade:
        status = status_of(plan, SERVES.status)
        said = {c["type"]: c["message"] for c in status["conditions"]}["Progressing"]
        assert f"cannot be resized: {message}, so another pod takes its place" in said
        assert status["servingTemplateHash"] != status["templateHash"]


@pytest.mark.parametrize(
    "pod",
    [ASKED.unobserved(), IN_PROGRESS, DEFERRED, INFEASIBLE],
    ids=["silent", "in progress", "deferred", "infeasible"],
)
@pytest.mark.parametrize("later", [1, 10], ids=["in time", "too late for a resize"])
def test_a_resize_on_a_node_that_is_going_reads_as_a_move(pod: PodBuilder, later: int) -> None:
    of = observed(AFTER.move_first().deadline(15), progressStartTime=STARTED)
    of = of.with_status(**status_of(staged(of, DEFERRED).plan(NOW), of.status))
    successor = pod_of(AFTER).number(1).on("node-2")
    nodes = [node("node-1").cordoned(), node("node-2")]
    for beside in ([], [successor], [successor.ready()]):
        found = scene(
            of,
            pod,
            *beside,
            serving=[pod],
            nodes=nodes,
            budgets=[of.budget()],
            settings=AT_ONCE,
        )
        plan = found.plan(NOW + later)
        status = status_of(plan, of.status)
        said = (status["phase"], conditions_of(status)["Progressing"])
        assert said == ("Running", "True/MoveInProgress")
        assert short(plan) == ([] if beside else [SUCCESSOR])
        of = of.with_status(**status)


def test_a_move_has_its_own_time_after_that_of_a_resize() -> None:
    of = observed(AFTER.move_first(60), progressStartTime="1970-01-01T00:15:00Z")
    resizing = of.with_status(**status_of(staged(of, DEFERRED).plan(NOW), of.status))
    going = [node("node-1").cordoned(), node("node-2")]
    found = scene(
        resizing, DEFERRED, serving=[DEFERRED], nodes=going, budgets=[of.budget()], settings=AT_ONCE
    )
    plan = found.plan(NOW)
    assert calls(plan) == [SUCCESSOR], "the budget stays"
    assert status_of(plan, resizing.status)["progressStartTime"] == "1970-01-01T00:16:40Z"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (403, 'User "x" cannot patch resource "pods/resize" in API group ""'),
        (500, "etcd is away"),
        (0, "no answer"),
    ],
)
def test_what_is_no_word_on_the_wish_is_reported_and_the_wish_made_again(
    code: int, message: str
) -> None:
    found = staged(after(), OLD)
    for now in (NOW, NOW + 1):
        found.answer(found.plan(now), now, code, message=message)
    plan = found.plan(NOW + 1)
    assert short(plan) == []
    degraded = next(
        c for c in status_of(plan, SERVES.status)["conditions"] if c["type"] == "Degraded"
    )
    assert (degraded["status"], degraded["reason"]) == ("True", "PodRejected")
    assert degraded["message"] == f"Pod {OLD.name} cannot be resized yet: {message}"
    assert short(found.plan(NOW + 3)) == [RESIZE, NOTE]


def test_a_refused_wish_is_made_again_when_the_spec_changes() -> None:
    found = staged(after(), OLD)
    found.answer(found.plan(NOW), NOW, 422, message="no")
    again = AFTER.resources(requests={"cpu": "3"}, limits=SMALL["limits"])
    found.sees("performers", after(again).build())
    assert short(found.plan(NOW)) == [RESIZE, NOTE]


def test_the_upgrade_has_its_own_deadline() -> None:
    late = observed(AFTER.deadline(10), progressStartTime=STARTED)
    status = status_of(staged(late, DEFERRED).plan(NOW), late.status)
    assert status["progressStartTime"] == "1970-01-01T00:16:40Z"
    later = late.with_status(**status)
    again = status_of(staged(later, DEFERRED, pod_of(AFTER).number(1)).plan(NOW + 5), later.status)
    assert again["progressStartTime"] == "1970-01-01T00:16:40Z"
    said = {c["type"]: c["message"] for c in again["conditions"]}["Progressing"]
    assert "was not resized in time: node node-1 says Deferred (not enough cpu)" in said


def test_the_successor_has_its_time_after_a_change_of_resources_alone() -> None:
    """As after any other change, though the template is the same."""
    failed = BEFORE.with_status(
        phase="Failed",
        templateHash=BEFORE.hash,
        observedGeneration=BEFORE.generation,
        progressStartTime="1970-01-01T00:00:00Z",
    )
    of = AFTER.with_status(**failed.status)
    status = status_of(scene(of, settings=AT_ONCE).plan(NOW), of.status)
    assert (status["phase"], status["progressStartTime"]) == ("Pending", "1970-01-01T00:16:40Z")


def test_status_says_what_the_pod_has() -> None:
    of = observed(progressStartTime=STARTED)
    assert status_of(staged(of, DEFERRED).plan(NOW), of.status)["resources"] == SMALL
    assert status_of(staged(observed(), DONE).plan(NOW), SERVES.status)["resources"] == LARGE


def test_a_resize_is_no_upgrade() -> None:
    status = status_of(staged(observed(), DONE).plan(NOW), SERVES.status)
    assert "lastUpgrade" not in status
    assert status["servingTemplateHash"] == status["templateHash"] == SERVES.status["templateHash"]


# A release that leaves CPU and memory out of the hash


FORMER = OLD.made_by_earlier_release()


def of_earlier_release(spec: PerformerBuilder, pod: PodBuilder) -> PerformerBuilder:
    """With the status that the earlier release has written."""
    serving = {"templateHash": pod.template_hash, "servingTemplateHash": pod.template_hash}
    return spec.with_status(**{**SERVES.status, "podName": pod.name, **serving})


def test_a_release_of_the_operator_restarts_nobodys_pod() -> None:
    assert FORMER.name != OLD.name
    of = of_earlier_release(BEFORE, FORMER)
    plan = staged(of, FORMER).plan(NOW)
    assert calls(plan) == []
    status = status_of(plan, of.status)
    assert (status["phase"], status["podName"]) == ("Running", FORMER.name)
    assert "lastUpgrade" not in status
    assert calls(staged(of.with_status(**status), FORMER).plan(NOW)) == []


def test_nor_does_it_begin_an_upgrade_when_such_a_pod_is_lost() -> None:
    of = of_earlier_release(BEFORE, FORMER)
    found = scene(of, settings=AT_ONCE)
    found.answer_reads(found.plan(NOW), NOW)
    plan = found.plan(NOW)
    assert calls(plan) == [f"create pods {OLD.name}"]
    assert status_of(plan, of.status)["phase"] == "Pending"


def test_an_upgrade_that_an_earlier_release_has_begun_goes_on() -> None:
    old = pod_of(BEFORE).on("node-1").ready().made_by_earlier_release()
    to = BEFORE.image("avs/performer:v2")
    new = pod_of(to).on("node-1").made_by_earlier_release()
    of = of_earlier_release(to, old).with_status(phase="Upgrading", templateHash=new.template_hash)
    assert calls(staged(of, old, new).plan(NOW)) == []
    assert calls(staged(of, new.ready(), old).plan(NOW)) == [f"delete pods {old.name}"]


def test_the_first_change_of_the_resources_of_such_a_pod_is_an_upgrade() -> None:
    """What it was made for is in its hash alone, and what it has may be the work of others."""
    of = of_earlier_release(AFTER, FORMER)
    assert calls(staged(of, FORMER).plan(NOW)) == [f"create pods {OLD.name}"]


# Details


def variable(resource: str) -> JSON:
    return {"name": "A", "valueFrom": {"resourceFieldRef": {"resource": resource}}}


@pytest.mark.parametrize(
    ("read", "why"),
    [
        ("requests.cpu", "its environment says requests.cpu"),
        ("limits.memory", ""),
    ],
)
def test_what_the_environment_says_cannot_change(read: str, why: str) -> None:
    spec = AFTER.config(env=[variable(read), {"name": "B", "value": "1"}]).typed
    terms = Terms(asked_for(LARGE), read_by_environment(spec))
    found = why_not(view(OLD), terms, asked=False)
    assert found == (f"pod {OLD.name} cannot be resized: {why}" if why else "")
