"""What is watched, and that the operator's own objects are among it."""

import pytest

from builders import node, performer, pod_of
from hourglass_kube.selector import matches_all, parse
from hourglass_kube.types import JSON
from hourglass_operator.controller.cache import RESOURCES
from hourglass_operator.runtime.informers.selectors import SELECTORS

V1 = performer("ml")
LABELLED = {"metadata": {"labels": {"app": "web"}}}
SEEN: list[tuple[str, str, JSON, bool]] = [
    ("a pod that the operator has made", "pods", pod_of(V1).build(), True),
    ("a Service that the operator has made", "services", V1.service(), True),
    ("a slice, which has the labels of its Service", "endpointslices", V1.service(), True),
    ("a node, whatever its labels", "nodes", node("node-1").build(), True),
    ("a Performer, whatever its labels", "performers", V1.build(), True),
    ("a pod of somebody else", "pods", LABELLED, False),
    ("a Service of somebody else", "services", LABELLED, False),
    ("a slice of somebody else's Service", "endpointslices", LABELLED, False),
]


def test_everything_that_the_cache_keeps_is_watched_in_its_order() -> None:
    assert tuple(SELECTORS) == RESOURCES


@pytest.mark.parametrize(
    ("resource", "obj", "seen"), [s[1:] for s in SEEN], ids=[s[0] for s in SEEN]
)
def test_the_watches_show(resource: str, obj: JSON, seen: bool) -> None:
    labels = obj["metadata"].get("labels") or {}
    assert matches_all(parse(SELECTORS[resource]), labels) == seen
