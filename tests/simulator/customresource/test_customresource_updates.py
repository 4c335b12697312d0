"""Updates: what did not change is not complained about, copied or looked at twice."""

import json
from contextlib import suppress
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from goldens import record_validation
from hourglass_kube.mergepatch import same
from hourglass_simulator.apiserver.customresource import CustomResource, compiled
from hourglass_simulator.apiserver.errors import APIError
from hourglass_simulator.apiserver.schema import compile_schema, defaulted, pruned
from hourglass_simulator.apiserver.schema_check import checker
from hourglass_simulator.apiserver.schema_validation import ABSENT, duplicates, validate
from recorded_answers import agree

CRD = YAML(typ="safe").load(record_validation.CRD)
PERFORMERS = CustomResource(CRD)
ROOT = compile_schema(CRD["spec"]["versions"][0]["schema"]["openAPIV3Schema"])
SPEC = ROOT.properties["spec"]
ACCEPTED = json.loads(record_validation.golden("accepted").read_text())
COMPLEX = ACCEPTED["the document's performer with everything"]
CASES = {
    case_id: record_validation.objects(case)[0]
    for name in ("accepted", "refused")
    for case_id, case in record_validation.load(name).items()
}
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 70000) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


def with_spec(obj: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {**obj, "spec": {**obj["spec"], **fields}}


def test_a_stored_fault_is_no_obstacle_to_other_changes() -> None:
    stored = with_spec(COMPLEX, image="Not An Image", version="x" * 200)
    changed = PERFORMERS.admit(with_spec(stored, avsAddress="0x" + "a" * 40), stored)
    assert changed["spec"]["image"] == "Not An Image"
    with pytest.raises(APIError, match="must be an image reference"):
        PERFORMERS.admit(with_spec(stored, image="Not An Image Either"), stored)


HOSTILE = "\x1b]0;owned\x07\x1b[2J<script>"


@pytest.mark.parametrize(
    "version",
    [
        pytest.param(HOSTILE, id="what a terminal acts upon"),
        pytest.param("v1\nINFO all is well", id="two lines"),
        pytest.param("v1\u202e", id="a mark of direction"),
        pytest.param("v1\x9b2J", id="a control character in one byte"),
        pytest.param("v1\u200b", id="an invisible space"),
    ],
)
def test_a_version_is_printable(version: str) -> None:
    with pytest.raises(APIError, match=r"spec.version: .* must be printable ASCII") as refusal:
        PERFORMERS.admit(with_spec(COMPLEX, version=version), None)
    assert refusal.value.message.isprintable()
    assert PERFORMERS.admit(with_spec(COMPLEX, version="v1.0.0-rc.1+build 5 <x>"), None)


def test_a_version_of_an_older_definition_is_no_obstacle() -> None:
    stored = with_spec(COMPLEX, version=HOSTILE)
    status = {"phase": "Running", "ready": True}
    written = PERFORMERS.admit({**stored, "status": status}, stored, subresource="status")
    assert written["status"] == status
    assert PERFORMERS.admit(with_spec(stored, image="a/b:2"), stored)["spec"]["version"] == HOSTILE
    meta = {**stored["metadata"], "finalizers": []}
    assert PERFORMERS.admit({**stored, "metadata": meta}, stored)["metadata"]["finalizers"] == []


def test_stored_duplicates_are_no_obstacle_to_other_changes() -> None:
    twice = {"grpcPort": 9090, "env": [{"name": "A"}, {"name": "A"}]}
    stored = with_spec(COMPLEX, config=twice)
    changed = with_spec(stored, image="a/b:2", hardwareRequirements={"gpuCount": -1})
    assert PERFORMERS.admit(with_spec(stored, image="a/b:2"), stored)["spec"]["config"] == twice
    with pytest.raises(APIError) as refusal:
        PERFORMERS.admit(changed, stored)
    assert "Duplicate" not in refusal.value.message


def test_true_is_not_the_same_as_one() -> None:
    stored = with_spec(COMPLEX, hardwareRequirements={"teeRequired": True})
    with pytest.raises(APIError, match="must be of type boolean"):
        PERFORMERS.admit(with_spec(stored, hardwareRequirements={"teeRequired": 1}), stored)


def test_a_status_write_shares_everything_but_the_status() -> None:
    status = {"phase": "Running", "conditions": []}
    written = PERFORMERS.admit({**COMPLEX, "status": status}, COMPLEX, subresource="status")
    assert written["spec"] is COMPLEX["spec"]
    assert written["metadata"] is COMPLEX["metadata"]
    assert written["status"] is status


def test_a_spec_write_shares_the_status_and_what_it_did_not_change() -> None:
    written = PERFORMERS.admit(with_spec(COMPLEX, image="a/b:2"), COMPLEX)
    assert written["status"] is COMPLEX["status"]
    assert written["spec"]["scheduling"] is COMPLEX["spec"]["scheduling"]


def test_nothing_is_changed_in_place() -> None:
    for case, obj in CASES.items():
        before = deepcopy(obj)
        for old in (None, COMPLEX):
            for subresource in ("", "status") if old else ("",):
                with suppress(APIError):
                    PERFORMERS.admit(obj, old, subresource=subresource)
                assert obj == before, case


def exact_says_fine(spec: Any) -> bool:
    return (
        not list(validate(spec, SPEC, "spec"))
        and not list(duplicates(spec, SPEC, "spec"))
        and same(pruned(defaulted(spec, SPEC), SPEC), spec)
    )


def test_a_quick_yes_is_right_about_the_recorded_objects() -> None:
    specs = {case: obj.get("spec") for case, obj in CASES.items()}
    agree(
        {case: checker(SPEC)(spec, ABSENT) for case, spec in specs.items()},
        {case: exact_says_fine(spec) for case, spec in specs.items()},
    )


@given(st.sampled_from(list(CASES.values())), st.data())
def test_a_quick_yes_is_right_about_mutated_objects(obj: dict[str, Any], data: Any) -> None:
    spec = deepcopy(obj.get("spec", {}))
    place: Any = spec
    while isinstance(place, dict) and place:
        name = data.draw(st.sampled_from(sorted(place)))
        if not isinstance(place[name], dict) or data.draw(st.booleans()):
            place[name] = data.draw(JSON_VALUES)
            break
        place = place[name]
    if checker(SPEC)(spec, ABSENT):
        assert exact_says_fine(spec)


def test_what_was_stored_gets_a_quick_yes() -> None:
    assert [case for case in ACCEPTED if not checker(SPEC)(ACCEPTED[case]["spec"], ABSENT)] == []


def test_a_definition_is_compiled_once_for_all_clusters_of_a_process() -> None:
    other = deepcopy(CRD)
    image = other["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    image["properties"]["image"]["maxLength"] = 7
    assert compiled(CRD) is compiled(deepcopy(CRD))
    assert compiled(other) is not compiled(CRD)
    too_long = {**COMPLEX, "spec": {**COMPLEX["spec"], "image": "too-long"}}
    compiled(CRD).admit(too_long)
    with pytest.raises(APIError, match=r"spec\.image: Too long: may not be more than 7 bytes"):
        compiled(other).admit(too_long)
