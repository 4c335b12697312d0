"""Which keys an event makes due, when, and with which priority."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from builders import NAMESPACE, PodBuilder, node, performer, pod_of
from hourglass_operator.controller import Controller
from scene import Scene, scene
from situations import GPU, GPU_NODE, NOW

ML, OTHER = performer("ml"), performer("other")
POD = pod_of(ML).on("node-1")


def idle() -> Scene:
    """A scene in which nothing is due."""
    staged = scene(ML, POD)
    assert staged.controller.queue.get(NOW) == staged.key
    staged.controller.queue.done(staged.key)
    return staged


EVENTS: list[tuple[str, Callable[[Scene], None], float | None]] = [
    (
        "a pod of the Performer: at once",
        lambda staged: staged.sees("pods", POD.ready().build(), now=NOW),
        NOW,
    ),
    (
        "a node that its pod is on: with all other nodes, a moment later",
        lambda staged: staged.sees("nodes", node("node-1").cordoned().build(), now=NOW),
        NOW + 1,
    ),
    (
        "a node that nothing is on: never",
        lambda staged: staged.sees("nodes", node("node-2").build(), event="ADDED", now=NOW),
        None,
    ),
    (
        "a pod that nobody's name fits: never",
        lambda staged: staged.sees("pods", {**POD.build(), "metadata": stranger()}, now=NOW),
        None,
    ),
]


def stranger() -> dict[str, str]:
    return {**POD.build()["metadata"], "name": "stranger"}


@pytest.mark.parametrize(("happens", "due"), [e[1:] for e in EVENTS], ids=[e[0] for e in EVENTS])
def test_an_event_makes_due(happens: Callable[[Scene], None], due: float | None) -> None:
    staged = idle()
    happens(staged)
    assert staged.controller.queue.next_due() == due


@pytest.mark.parametrize(
    ("change", "due"),
    [
        (lambda pod: pod.failed("Evicted"), NOW + 2),
        (lambda pod: pod.running(10), None),
    ],
    ids=["a moment later when devices become free", "not while the same are held"],
)
def test_who_waits_for_devices_looks_again(
    change: Callable[[PodBuilder], PodBuilder], due: float | None
) -> None:
    waiting, holder = GPU, replace(GPU, name="holder", uid="uid-h")
    pod = pod_of(waiting).unschedulable("0/1 nodes are available: 1 Insufficient nvidia.com/gpu.")
    staged, held = scene(waiting, pod, nodes=[GPU_NODE]), pod_of(holder).on("gpu-1")
    staged.sees("pods", held.build(), event="ADDED", now=NOW)
    clear(staged.controller, NOW + 1)
    staged.sees("pods", change(held).build(), now=NOW + 1)
    clear(staged.controller, NOW + 1)
    assert staged.controller.queue.next_due() == due


def clear(controller: Controller, now: float) -> None:
    while (key := controller.queue.get(now)) is not None:
        controller.queue.done(key)


def test_one_that_has_begun_goes_before_one_that_has_not() -> None:
    staged = idle()
    staged.sees("performers", OTHER.build(), event="ADDED", now=NOW)
    staged.sees("pods", POD.waiting("ErrImagePull").build(), now=NOW)
    assert taken(staged.controller) == [staged.key, (NAMESPACE, "other")]


def taken(controller: Controller) -> list[tuple[str, str]]:
    keys = []
    while (key := controller.queue.get(NOW)) is not None:
        keys.append(key)
    return keys
