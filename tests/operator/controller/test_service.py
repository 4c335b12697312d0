"""The Service in front of the pod."""

import pytest

from scene import scene
from situations import NOW, OLD, V1, CallsCase, assert_calls

CASES = [
    CallsCase(
        "nothing is made of a spec that an older definition let in",
        V1.config(grpcPort=70000).bare(),
        [],
        [],
        service=False,
    ),
    CallsCase(
        "a deleted service is made again",
        V1,
        [OLD],
        ["create services performer-ml"],
        serving=[OLD],
        service=False,
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.situation)
def test_calls(case: CallsCase) -> None:
    assert_calls(case)


def test_a_changed_port_is_repaired_in_place() -> None:
    changed = V1.config(grpcPort=8080)
    staged = scene(changed.with_status(servingTemplateHash=V1.hash), OLD, serving=[OLD])
    staged.sees("services", V1.service())
    repair = next(w for w in staged.plan(NOW).writes if w.resource == "services")
    assert (repair.verb, repair.body["spec"]["ports"][0]["port"]) == ("patch", 8080)
