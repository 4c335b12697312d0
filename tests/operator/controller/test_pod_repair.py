"""Labels and owner references that pods have lost."""

import pytest

from scene import scene
from situations import NOW, OLD, V1, CallsCase, assert_calls

CASES = [
    CallsCase(
        "a lost label is given back",
        V1,
        [OLD.without_label("app")],
        [f"patch pods {OLD.name}"],
        serving=[OLD],
    ),
    CallsCase(
        "a lost owner reference is given back",
        V1,
        [OLD.orphaned()],
        [f"patch pods {OLD.name}"],
        serving=[OLD],
    ),
    CallsCase(
        "a pod of another owner is not touched",
        V1,
        [OLD.controlled_by("somebody")],
        [f"create pods {OLD.name}"],
        serving=[OLD],
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.situation)
def test_calls(case: CallsCase) -> None:
    assert_calls(case)


def test_a_repair_gives_back_what_is_lost_and_nothing_else() -> None:
    body = scene(V1, OLD.without_label("app"), serving=[OLD]).plan(NOW).writes[0].body
    assert body == {"metadata": {"labels": {"app": "performer"}}}
