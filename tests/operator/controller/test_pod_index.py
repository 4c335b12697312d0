"""Which pods are whose, where they are and what they occupy there."""

import pytest

from builders import NAMESPACE, PodBuilder, performer, pod_of
from hourglass_operator.controller.pod_index import PodIndex
from hourglass_operator.controller.pod_view import pod_view
from hourglass_operator.controller.views import Key

ML = performer("ml").gpu("nvidia-a100", 2)
KEY = (NAMESPACE, "ml")
POD = pod_of(ML)
GPU = "nvidia.com/gpu"


def put(index: PodIndex, pod: PodBuilder) -> None:
    index.put(KEY, pod.name, pod_view(pod.build()))


@pytest.mark.parametrize(
    ("pods", "used", "unplaced", "waiting"),
    [
        ([POD], {}, [KEY], 1),
        ([POD.held_by_gates("queue")], {}, [KEY], 0),
        ([POD, POD.on("gpu-1")], {"gpu-1": {GPU: 2}}, [], 0),
        ([POD.on("gpu-1"), POD.on("gpu-1").failed("Evicted", "")], {}, [], 0),
    ],
    ids=[
        "one that waits for a node",
        "one that a gate keeps off the queue",
        "one that has found its node",
        "one that has ended holds nothing",
    ],
)
def test_a_pod(
    pods: list[PodBuilder], used: dict[str, dict[str, int]], unplaced: list[Key], waiting: int
) -> None:
    index = PodIndex()
    for pod in pods:
        put(index, pod)
    assert index.used == used
    assert list(index.keys_on("")) == unplaced
    assert len(list(index.waiting())) == waiting


def test_a_pod_that_is_gone_leaves_nothing() -> None:
    index = PodIndex()
    put(index, POD.on("gpu-1"))
    before = index.used_generation
    index.put(KEY, POD.name, None)
    assert (index.of(KEY), index.find(KEY, POD.name)) == ((), None)
    assert (dict(index.used), list(index.keys_on("gpu-1"))) == ({}, [])
    assert index.used_generation > before


def test_a_pod_is_known_under_the_performer_that_its_name_says() -> None:
    index = PodIndex()
    assert index.key_of((NAMESPACE, POD.name)) == KEY
    assert index.key_of((NAMESPACE, "somebodys")) is None
