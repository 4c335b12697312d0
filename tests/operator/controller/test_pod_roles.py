"""Which part each pod plays."""

import pytest

from builders import PodBuilder
from hourglass_operator.controller.pod_roles import assign_roles
from hourglass_operator.controller.pod_view import PodView, pod_view
from hourglass_statemachine import Serving
from situations import OLD, V1, V2, bound

NEW = bound(V2)
SERVING_BEFORE = V1.hash


def view(pod: PodBuilder) -> PodView:
    found = pod_view(pod.build())
    assert found is not None
    return found


ROLES: list[tuple[str, list[PodBuilder], list[PodBuilder], tuple[object, ...]]] = [
    ("no pods", [], [], (Serving.NOTHING, None, None, None, V1.hash, [])),
    (
        "the old one serves",
        [OLD, NEW],
        [OLD],
        (Serving.PREVIOUS, OLD.name, NEW.name, None, V1.hash, [OLD.name]),
    ),
    (
        "both serve",
        [OLD, NEW.ready()],
        [OLD, NEW],
        (Serving.WANTED, NEW.name, NEW.name, None, None, []),
    ),
    (
        "the old one is no endpoint, the new one is lost",
        [OLD, NEW.failed("Evicted"), NEW.number(1).deleting(1030)],
        [],
        (Serving.NOTHING, None, None, NEW.number(1).name, V1.hash, [OLD.name]),
    ),
    (
        "the old one ends while it is still an endpoint",
        [OLD.deleting(1030), NEW],
        [OLD],
        (Serving.NOTHING, None, NEW.name, None, V1.hash, []),
    ),
    (
        "of several new ones the latest",
        [NEW, NEW.number(1)],
        [],
        (Serving.NOTHING, None, NEW.number(1).name, None, V1.hash, []),
    ),
]


@pytest.mark.parametrize(
    ("pods", "endpoints", "expected"), [r[1:] for r in ROLES], ids=[r[0] for r in ROLES]
)
def test_roles(
    pods: list[PodBuilder], endpoints: list[PodBuilder], expected: tuple[object, ...]
) -> None:
    ready = frozenset(pod.name for pod in endpoints)
    roles = assign_roles([view(pod) for pod in pods], V2.hash, ready, SERVING_BEFORE)
    named = [pod.name if pod else None for pod in (roles.serving_pod, roles.candidate, roles.lost)]
    previous = [pod.name for pod in roles.previous]
    assert (roles.serving, *named, roles.replaced, previous) == expected
