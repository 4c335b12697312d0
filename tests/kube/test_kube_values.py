"""Quantities, times, nodes and the kinds of resources."""

import math
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hourglass_kube import quantity, selector, time, toleration
from hourglass_kube.node import NodeView, Taint, view
from hourglass_kube.podresources import is_extended, requests


@given(st.integers(0, 2**62))
def test_an_amount_in_words_is_the_same_amount(amount: int) -> None:
    assert quantity.parse(quantity.in_words(amount)) == amount


@pytest.mark.parametrize(
    ("amount", "words"),
    [(0, "0"), (4, "4"), (1000, "1000"), (1024, "1Ki"), (134217728, "128Mi"), (1536, "1536")],
)
def test_amounts_in_words(amount: int, words: str) -> None:
    assert quantity.in_words(amount) == words


@given(st.decimals(0, 10**6, places=6))
def test_amounts_are_rounded_up(number: object) -> None:
    text = f"{number:f}"
    assert quantity.whole(text) == math.ceil(quantity.parse(text))


@pytest.mark.parametrize("text", ["1e999999999", "-1e999999999", "1e-999999999"])
def test_no_exponent_makes_an_astronomic_number(text: str) -> None:
    assert abs(quantity.whole(text)) <= 10**100


@pytest.mark.parametrize(("number", "whole"), [(3, 3), (0.1, 1), (2.0, 2), (10**18, 10**18)])
def test_numbers_of_json_are_quantities(number: float, whole: int) -> None:
    assert quantity.whole(number) == whole


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-02T03:04:05Z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2026-01-02T05:04:05+02:00", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2026-01-02T03:04:05.678901Z", datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)),
    ],
)
def test_times_are_read(text: str, moment: datetime) -> None:
    assert time.parse(text) == moment


@pytest.mark.parametrize(
    "text",
    ["", "2026-01-02", "2026-01-02T03:04:05", "20260102T030405Z", "2026-13-02T03:04:05Z", "soon"],
)
def test_what_is_no_rfc_3339_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - two sources of the message
        time.parse(text)


@given(st.integers(0, 4 * 10**9))
def test_a_printed_time_is_read_back(seconds: int) -> None:
    assert time.parse(time.from_seconds(seconds)).timestamp() == seconds


def test_the_fraction_of_a_second_is_cut_off() -> None:
    assert time.from_seconds(1.999) == "1970-01-01T00:00:01Z"


def test_a_node_is_trimmed() -> None:
    node = {
        "metadata": {"name": "n", "labels": {"a": "1"}},
        "spec": {"unschedulable": True, "taints": [{"key": "k", "effect": "NoSchedule"}]},
        "status": {
            "allocatable": {"cpu": "4"},
            "conditions": [{"type": "Ready", "status": "Unknown"}],
        },
    }
    assert view(node) == NodeView(
        name="n",
        labels={"a": "1"},
        allocatable={"cpu": "4"},
        taints=(Taint("k", "", "NoSchedule"),),
        unschedulable=True,
        ready=False,
        conditions=(("Ready", "Unknown"),),
    )


def test_a_node_that_says_nothing_is_open_and_ready() -> None:
    assert view({"metadata": {"name": "n"}}) == NodeView("n")


@pytest.mark.parametrize(
    ("labels", "chosen"), [({"a": "1"}, True), ({"a": "2"}, False), ({}, False)]
)
def test_a_label_selector_object(labels: dict[str, str], chosen: bool) -> None:
    wanted = {
        "matchLabels": {"a": "1"},
        "matchExpressions": [{"key": "b", "operator": "DoesNotExist"}],
    }
    assert selector.matches(wanted, labels) is chosen


def test_no_selector_matches_nothing_and_an_empty_one_everything() -> None:
    assert not selector.matches(None, {})
    assert selector.matches({}, {})


def test_the_first_taint_that_forbids_scheduling_is_found() -> None:
    taints = [
        Taint("soft", "", "PreferNoSchedule"),
        Taint("fine", "", "NoSchedule"),
        Taint("bad", "", "NoExecute"),
        Taint("worse", "", "NoSchedule"),
    ]
    tolerations = [{"key": "fine", "operator": "Exists"}]
    assert toleration.untolerated(tolerations, taints) == taints[2]
    assert toleration.untolerated([{"operator": "Exists"}], taints) is None


@pytest.mark.parametrize(
    ("resource", "extended"),
    [
        ("cpu", False),
        ("hugepages-2Mi", False),
        ("kubernetes.io/batteries", False),
        ("attachable.kubernetes.io/x", False),
        ("nvidia.com/gpu", True),
        ("sgx.intel.com/epc", True),
    ],
)
def test_extended_resources(resource: str, extended: bool) -> None:
    assert is_extended(resource) is extended


def test_a_limit_without_a_request_is_the_request() -> None:
    limits = {"nvidia.com/gpu": "2", "cpu": "2"}
    container = {"resources": {"limits": limits, "requests": {"cpu": "1"}}}
    assert requests({"containers": [container]}) == {"nvidia.com/gpu": 2, "cpu": 1000}
