"""Which part each pod plays."""

import pytest

from builders import PodBuilder, pod_of
from hourglass_operator.controller.pod_roles import assign_roles, find_candidate
from hourglass_statemachine import Serving
from situations import OLD, V1, V2, bound, view

NEW = bound(V2)
V3 = V1.image("avs/performer:v3")
SERVING_BEFORE = V1.hash


Roles = list[tuple[str, list[PodBuilder], list[PodBuilder], tuple[object, ...]]]

ROLES: Roles = [
    (
        "of two ready ones the endpoint",
        [NEW.ready(), NEW.number(1).ready()],
        [NEW],
        (Serving.WANTED, NEW.name, NEW.name, None, None, []),
    ),
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
        (Serving.WANTED, NEW.name, NEW.name, None, None, [OLD.name]),
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
        "the old one is Ready, and no endpoint has been seen",
        [OLD, NEW],
        [],
        (Serving.NOTHING, None, NEW.name, None, V1.hash, [OLD.name]),
    ),
    (
        "one of a third template is Ready, and no endpoint has been seen",
        [OLD, bound(V3).ready(), NEW],
        [],
        (Serving.NOTHING, None, NEW.name, None, V1.hash, [OLD.name, pod_of(V3).name]),
    ),
    (
        "one of a third template is Ready while the old one serves",
        [OLD, bound(V3).ready(), NEW],
        [OLD],
        (Serving.PREVIOUS, OLD.name, NEW.name, None, V1.hash, [OLD.name, pod_of(V3).name]),
    ),
    (
        "one of a third template is still starting",
        [OLD, bound(V3), NEW],
        [],
        (Serving.NOTHING, None, NEW.name, None, V1.hash, [OLD.name]),
    ),
    (
        "of several new ones the latest",
        [NEW, NEW.number(1)],
        [],
        (Serving.NOTHING, None, NEW.number(1).name, None, V1.hash, []),
    ),
]


TRIALS: Roles = [
    (
        "both serve, the new one not for long enough",
        [OLD, NEW.ready()],
        [OLD, NEW],
        (Serving.PREVIOUS, OLD.name, NEW.name, None, V1.hash, [OLD.name]),
    ),
    (
        "the new one serves alone, but not for long enough",
        [NEW.ready()],
        [NEW],
        (Serving.NEW, NEW.name, NEW.name, None, V1.hash, []),
    ),
    (
        "the new one is lost while it was on trial",
        [OLD, NEW.failed("Evicted")],
        [OLD],
        (Serving.PREVIOUS, OLD.name, None, NEW.name, V1.hash, [OLD.name]),
    ),
    (
        "a second change while two templates serve: what served before is what is replaced",
        [bound(V3).ready(), OLD],
        [OLD, bound(V3)],
        (Serving.PREVIOUS, OLD.name, None, None, V1.hash, [pod_of(V3).name, OLD.name]),
    ),
]


@pytest.mark.parametrize(
    ("pods", "endpoints", "expected", "long_enough"),
    [(*r[1:], True) for r in ROLES] + [(*r[1:], False) for r in TRIALS],
    ids=[r[0] for r in ROLES + TRIALS],
)
def test_roles(
    pods: list[PodBuilder],
    endpoints: list[PodBuilder],
    expected: tuple[object, ...],
    *,
    long_enough: bool,
) -> None:
    ready = frozenset(pod.name for pod in endpoints)
    views = [view(pod) for pod in pods]
    candidate = find_candidate(views, V2.hash, ready)
    roles = assign_roles(
        views, V2.hash, candidate, ready, SERVING_BEFORE, ready_long_enough=long_enough
    )
    named = [pod.name if pod else None for pod in (roles.serving_pod, roles.candidate, roles.lost)]
    previous = [pod.name for pod in roles.previous]
    assert (roles.serving, *named, roles.replaced, previous) == expected


@pytest.mark.parametrize(
    ("served_before", "on_trial"),
    [
        pytest.param(V1.hash, True, id="of an upgrade"),
        pytest.param(None, False, id="of the first start"),
        pytest.param(V2.hash, False, id="that served before, and was replaced by its like"),
    ],
)
def test_only_an_upgrade_puts_a_pod_on_trial(served_before: str | None, *, on_trial: bool) -> None:
    new = view(NEW.ready())
    ready = frozenset([new.name])
    roles = assign_roles([new], V2.hash, new, ready, served_before, ready_long_enough=False)
    assert roles.on_trial is on_trial


def test_a_spec_that_goes_back_needs_no_trial() -> None:
    pods = [view(OLD), view(NEW.ready())]
    ready = frozenset(pod.name for pod in pods)
    roles = assign_roles(pods, V1.hash, pods[0], ready, V1.hash, ready_long_enough=False)
    assert (roles.serving, roles.serving_pod) == (Serving.WANTED, pods[0])
