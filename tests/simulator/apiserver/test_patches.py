"""The laws of patches; the examples of RFC 7386 stand here as they stand there."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hourglass_kube.mergepatch import merge_patch
from hourglass_simulator.apiserver import APIServer, openapi, patches, strategic
from hourglass_simulator.clock import Clock
from hourglass_simulator.kubernetes.version import DEFAULT

_CORE = openapi.schemas(DEFAULT, openapi.CORE)
POD = strategic.Meta(_CORE["io.k8s.api.core.v1.Pod"], _CORE)

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["x", "y"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=12,
)

RFC_7386: list[tuple[Any, Any, Any]] = [
    ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b"}, {"a": None}, {}),
    ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
    (["a", "b"], ["c", "d"], ["c", "d"]),
    ({"a": "b"}, ["c"], ["c"]),
    ({"a": "foo"}, None, None),
    ({"a": "foo"}, "bar", "bar"),
    ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
]


@pytest.mark.parametrize(("target", "patch", "result"), RFC_7386)
def test_merges_as_the_rfc_says(target: Any, patch: Any, result: Any) -> None:
    assert merge_patch(target, patch) == result


@given(VALUES, VALUES)
def test_a_merge_patch_applied_twice_changes_nothing_more(target: Any, patch: Any) -> None:
    once = merge_patch(target, patch)
    again = merge_patch(once, patch)
    assert again == once
    assert again is once or not isinstance(patch, dict)


@given(VALUES, VALUES)
def test_a_merge_patch_changes_nothing_in_place(target: Any, patch: Any) -> None:
    before = repr(target), repr(patch)
    merge_patch(target, patch)
    assert (repr(target), repr(patch)) == before


@given(VALUES)
def test_an_empty_merge_patch_returns_the_object_itself(target: Any) -> None:
    if isinstance(target, dict):
        assert merge_patch(target, {}) is target


@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [
        pytest.param(
            {"containers": [{"name": "a", "image": "1"}, {"name": "b"}]},
            {"containers": [{"name": "a", "image": "2"}]},
            {"containers": [{"name": "a", "image": "2"}, {"name": "b"}]},
            id="containers merge by name",
        ),
        pytest.param(
            {"tolerations": [{"key": "a"}]},
            {"tolerations": [{"key": "b"}]},
            {"tolerations": [{"key": "b"}]},
            id="tolerations are replaced",
        ),
        pytest.param(
            {"containers": [{"name": "a", "env": [{"name": "X", "value": "1"}]}]},
            {"containers": [{"name": "a", "env": [{"name": "Y", "value": "2"}]}]},
            {
                "containers": [
                    {
                        "name": "a",
                        "env": [{"name": "Y", "value": "2"}, {"name": "X", "value": "1"}],
                    }
                ]
            },
            id="variables merge by name, the new ones first",
        ),
        pytest.param(
            {"volumes": [{"name": "a", "emptyDir": {}}]},
            {"volumes": [{"$retainKeys": ["name", "secret"], "name": "a", "secret": {}}]},
            {"volumes": [{"name": "a", "secret": {}}]},
            id="a volume changes its source",
        ),
        pytest.param(
            {"nodeSelector": {"a": "b"}},
            {"nodeSelector": {"$patch": "delete"}},
            {"nodeSelector": {}},
            id="a map is emptied",
        ),
        pytest.param(
            {"containers": [{"name": "a"}, {"name": "b"}]},
            {"$setElementOrder/containers": [{"name": "a"}], "containers": [{"name": "a"}]},
            {"containers": [{"name": "a"}, {"name": "b"}]},
            id="the order directive is dropped",
        ),
    ],
)
def test_strategic_merge(target: Any, patch: Any, result: Any) -> None:
    assert strategic.merge({"spec": target}, {"spec": patch}, POD) == {"spec": result}


def test_a_strategic_merge_that_changes_nothing_returns_the_object_itself() -> None:
    pod = {"spec": {"containers": [{"name": "a", "image": "1"}]}}
    assert strategic.merge(pod, {"spec": {"containers": [{"name": "a"}]}}, POD) is pod


@pytest.mark.parametrize(
    ("content_type", "patch"),
    [
        (patches.MERGE, {"x": True, "l": [True]}),
        (
            patches.JSON_PATCH,
            [
                {"op": "replace", "path": "/x", "value": True},
                {"op": "replace", "path": "/l", "value": [True]},
            ],
        ),
    ],
)
def test_true_in_the_place_of_one_is_a_change(content_type: str, patch: Any) -> None:
    api = APIServer(Clock(), DEFAULT, managed_fields=True)
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"plural": "things", "kind": "Thing"}
    spec = {"group": "example.com", "names": names, "scope": "Cluster", "versions": [version]}
    api.create(
        "customresourcedefinitions", {"metadata": {"name": "things.example.com"}, "spec": spec}
    )
    made = api.create("things", {"metadata": {"name": "a"}, "x": 1, "l": [1]})
    changed = api.patch("things", "", "a", patch, content_type)
    assert (changed["x"], changed["l"][0]) == (True, True)
    assert isinstance(changed["x"], bool)
    assert isinstance(changed["l"][0], bool)
    assert changed["metadata"]["generation"] == made["metadata"]["generation"] + 1
