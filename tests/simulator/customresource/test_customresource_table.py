"""`kubectl get performers`, column by column, and ages as kubectl prints them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from hourglass_simulator.apiserver.customresource import CustomResource
from hourglass_simulator.apiserver.schema_columns import age, lookup
from hourglass_simulator.apiserver.schema_error import go_float, quoted, shown

CRD = Path(__file__).parents[3] / "crds/performers.hourglass.eigenlayer.io.yaml"
NOW = datetime(2026, 1, 2, tzinfo=UTC)
PERFORMER = {
    "metadata": {"name": "p", "creationTimestamp": "2026-01-01T23:57:57Z"},
    "spec": {"image": "a/b:1", "avsAddress": "0x12", "version": "v1"},
    "status": {
        "phase": "Pending",
        "nodeName": "node-1",
        "conditions": [
            {"type": "Available", "status": "True", "reason": "Other"},
            {
                "type": "Ready",
                "status": "False",
                "reason": "HardwareUnavailable",
                "message": "needs a GPU",
            },
        ],
    },
}


@pytest.fixture(scope="module")
def performers() -> CustomResource:
    return CustomResource(YAML(typ="safe").load(CRD))


def test_the_table_says_what_is_wrong(performers: CustomResource) -> None:
    assert performers.table([PERFORMER], NOW) == [
        ["NAME", "PHASE", "READY", "REASON", "VERSION", "AGE", "MESSAGE"],
        ["p", "Pending", "False", "HardwareUnavailable", "v1", "2m3s", "needs a GPU"],
    ]


def test_the_wide_table_says_where(performers: CustomResource) -> None:
    headings, row = performers.table([PERFORMER], NOW, wide=True)
    assert headings[6:] == ["ENDPOINT", "NODE", "IMAGE", "AVS", "MESSAGE"]
    assert row[6:] == ["", "node-1", "a/b:1", "0x12", "needs a GPU"]


@pytest.mark.parametrize(
    ("elapsed", "text"),
    [
        (timedelta(seconds=-2), "<invalid>"),
        (timedelta(seconds=-1), "0s"),
        (timedelta(seconds=119), "119s"),
        (timedelta(seconds=120), "2m"),
        (timedelta(minutes=9, seconds=59), "9m59s"),
        (timedelta(minutes=10, seconds=30), "10m"),
        (timedelta(minutes=179), "179m"),
        (timedelta(hours=3), "3h"),
        (timedelta(hours=7, minutes=59), "7h59m"),
        (timedelta(hours=8, minutes=59), "8h"),
        (timedelta(hours=47), "47h"),
        (timedelta(hours=50), "2d2h"),
        (timedelta(days=8, hours=5), "8d"),
        (timedelta(days=729), "729d"),
        (timedelta(days=730), "2y"),
        (timedelta(days=800), "2y70d"),
        (timedelta(days=365 * 8 + 3), "8y"),
    ],
)
def test_ages_are_printed_like_kubectl_does(elapsed: timedelta, text: str) -> None:
    assert age(elapsed) == text


def test_what_is_no_json_path_is_an_error() -> None:
    with pytest.raises(ValueError, match="unterminated"):
        lookup({}, ".status.conditions[0")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ('a\n\t"\\\x01\x7f\u200bé€', '"a\\n\\t\\"\\\\\\x01\\x7f\\u200bé€"'),
        (True, "true"),
        (None, "null"),
        (5, "5"),
        ({"b": 1, "a": "<&>"}, '{"a":"\\u003c\\u0026\\u003e","b":1}'),
    ],
)
def test_values_are_printed_like_go_does(value: object, text: str) -> None:
    assert shown(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.0, "1"), (1.5, "1.5"), (1e21, "1e+21"), (1.5e-7, "1.5e-07"), (0.0001, "0.0001")],
)
def test_floats_are_printed_like_go_does(value: float, text: str) -> None:
    assert go_float(value) == text


def test_a_space_is_printable_but_other_spaces_are_not() -> None:
    assert quoted("a b\u00a0") == '"a b\\u00a0"'
