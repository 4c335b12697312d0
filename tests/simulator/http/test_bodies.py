"""Answers as JSON: as Go writes them, whichever encoder is used."""

import json
from typing import Any

import pytest

from hourglass_simulator.apiserver.go_values import Number
from hourglass_simulator.http.bodies import encoded
from hourglass_simulator.http.negotiation import PLAIN
from hourglass_simulator.kubernetes.version import DEFAULT


@pytest.mark.parametrize(
    "value",
    [
        pytest.param({"a": [1, -2.5, True, None, ""]}, id="plain values"),
        pytest.param({"text": 'ä ☃ 𝄞 \u2028 \x1f \x7f " \\ /'}, id="text of any characters"),
        pytest.param([1e22, 1e-7, -1.5e300], id="numbers with an exponent"),
        pytest.param({"n": Number("1.50")}, id="a number as it came"),
        pytest.param({"n": 2**70}, id="an integer of more than 64 bits"),
        pytest.param({"text": ":1e22 [1e-7"}, id="text that looks like a number"),
    ],
)
def test_json_is_compact(value: Any) -> None:
    wanted = json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
    assert encoded(value, PLAIN, DEFAULT) == wanted
