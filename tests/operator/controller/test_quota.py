"""Quotas that have no room for the new pod while the old one is there."""

from dataclasses import replace

import pytest

from builders import PodBuilder, pod_of
from hourglass_operator.controller import Outcome
from hourglass_operator.controller.pod_view import pod_view
from hourglass_operator.controller.quota import exceeded, helps
from scene import Scene, calls, scene, status_of
from situations import AT_ONCE, GPU, GPU_NODE, NOW

FORBIDDEN = 'pods "performer-ml-x-0" is forbidden: exceeded quota: q, '
GPUS = "requested: {0}=2, used: {0}={1}, limited: {0}={2}"


def gpus(used: int, limited: int, entry: str = "requests.nvidia.com/gpu") -> str:
    return FORBIDDEN + GPUS.format(entry, used, limited)


def counted(entry: str, used: int, limited: int, unit: str = "") -> str:
    requested = {"m": 500, "Mi": 256}.get(unit, 1)
    return (
        f"{FORBIDDEN}requested: {entry}={requested}{unit}, used: {entry}={used}{unit},"
        f" limited: {entry}={limited}{unit}"
    )


ASKING = GPU.resources(requests={"cpu": "500m"}, limits={"memory": "256Mi"})
OLD = pod_of(GPU).on("gpu-1").ready()
NEW = GPU.image("avs/performer:v2").with_status(servingTemplateHash=GPU.hash)
REFUSALS = [
    ("it holds all that there is", gpus(2, 2), True),
    ("it holds enough", gpus(3, 3), True),
    ("others hold too much", gpus(4, 3), False),
    ("it counts pods", counted("pods", 1, 1), True),
    ("it counts pods, and others are there", counted("pods", 3, 2), False),
    ("it counts objects", counted("count/pods", 1, 1), True),
    ("it is of CPU", counted("requests.cpu", 500, 600, "m"), True),
    ("it is of CPU under its short name", counted("cpu", 500, 600, "m"), True),
    ("others hold too much CPU", counted("cpu", 1200, 1100, "m"), False),
    ("it is of limits", counted("limits.memory", 256, 256, "Mi"), True),
    ("it does not count what the pod holds", gpus(1, 2), None),
    (
        "it is of what the pod does not hold",
        counted("persistentvolumeclaims", 1, 1),
        None,
    ),
    (
        "one of two entries does not count the pod",
        FORBIDDEN
        + "requested: cpu=500m,requests.nvidia.com/gpu=2, used: cpu=100m,requests.nvidia.com/gpu=2,"
        " limited: cpu=500m,requests.nvidia.com/gpu=2",
        None,
    ),
]


@pytest.mark.parametrize(
    ("message", "expected"), [r[1:] for r in REFUSALS], ids=[r[0] for r in REFUSALS]
)
def test_whether_the_end_of_the_old_pod_helps_where(message: str, expected: bool | None) -> None:
    refused, old = exceeded(message), pod_view(pod_of(ASKING).build())
    assert refused is not None
    assert old is not None
    assert helps(refused, [old]) is expected


@pytest.mark.parametrize(
    "message",
    [
        'pods "a" is forbidden: failed quota: q: must specify cpu',
        FORBIDDEN + "requested: a=1, used: b=1, limited: a=1",
        FORBIDDEN + "requested: a=x, used: a=1, limited: a=1",
    ],
)
def test_other_words_say_nothing(message: str) -> None:
    assert exceeded(message) is None


def refused(message: str, *pods: PodBuilder, strategy: str = "Auto") -> Scene:
    of = NEW.strategy(strategy).with_status(servingTemplateHash=GPU.hash)
    staged = scene(of, *(pods or (OLD,)), serving=[OLD], nodes=[GPU_NODE], settings=AT_ONCE)
    staged.answer(staged.plan(NOW), NOW, 403, message=message)
    return staged


def test_auto_lets_the_old_pod_go_first_and_says_what_it_waits_for() -> None:
    staged = refused(gpus(2, 2))
    plan = staged.plan(NOW)
    assert calls(plan) == [f"delete pods {OLD.name}"]
    assert status_of(plan)["phase"] == "Upgrading"
    staged.sees("pods", OLD.deleting(NOW + 30).build())
    assert calls(staged.plan(NOW + 20)) == []
    staged.sees("pods", OLD.succeeded().deleting(NOW + 30).build(), now=NOW + 20)
    assert [call.split()[0] for call in calls(staged.plan(NOW + 20))] == ["create"]


def test_auto_keeps_the_old_pod_while_another_performer_waits_for_the_quota() -> None:
    staged, other = refused(gpus(2, 2)), replace(NEW, name="a", uid="uid-a")
    key = (other.namespace, other.name)
    staged.sees("performers", other.build(), event="ADDED", now=NOW)
    while (due := staged.controller.take(NOW)) is not None:
        if due.key == key:
            create = next(w for w in due.plan.writes if w.resource == "pods")
            done = [Outcome(w, 201) for w in due.plan.writes[: due.plan.writes.index(create)]]
            answers = [*done, Outcome(create, 403, message=gpus(2, 2))]
            staged.controller.finish(due, answers, NOW)
            break
        staged.controller.queue.done(due.key)
    plan = staged.plan(NOW)
    assert calls(plan) == []
    assert plan.waits_for == key
    assert "Performer avs/a waits for the same" in status_of(plan)["conditions"][-1]["message"]
    staged.sees("performers", other.deleting(NOW + 1).build(), now=NOW + 1)
    assert calls(staged.plan(NOW + 1)) == [f"delete pods {OLD.name}"]


@pytest.mark.parametrize(
    ("message", "strategy", "says"),
    [
        (gpus(4, 3), "Auto", "exceeded quota"),
        (gpus(1, 2), "Auto", "spec.upgradeStrategy.type Recreate lets it go first"),
        (gpus(2, 2), "RollingUpdate", "exceeded quota"),
    ],
)
def test_the_old_pod_serves_on(message: str, strategy: str, says: str) -> None:
    plan = refused(message, strategy=strategy).plan(NOW)
    assert calls(plan) == []
    assert says in status_of(plan)["conditions"][-1]["message"]
