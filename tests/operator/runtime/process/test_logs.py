"""Log lines."""

import json
import logging
import sys
from typing import Any

import pytest

from hourglass_operator.runtime.process.logs import JSONFormatter, TextFormatter


def record(message: str, **extra: Any) -> logging.LogRecord:
    made = logging.makeLogRecord({"name": "x", "levelname": "INFO", "msg": message, **extra})
    made.created = 1_790_000_000.25
    return made


LINES: list[tuple[str, dict[str, Any], str]] = [
    ("of no Performer", {}, "2026-09-21T14:13:20.250Z INFO hello"),
    (
        "of a pass",
        {"performer": "avs/ml", "pass_id": 7},
        "2026-09-21T14:13:20.250Z INFO performer=avs/ml pass=7 hello",
    ),
]


@pytest.mark.parametrize(("extra", "line"), [n[1:] for n in LINES], ids=[n[0] for n in LINES])
def test_lines_for_people(extra: dict[str, Any], line: str) -> None:
    assert TextFormatter().format(record("hello", **extra)) == line


def test_lines_for_programs() -> None:
    line = JSONFormatter().format(record("hello", performer="avs/ml", pass_id=7))
    assert json.loads(line) == {
        "time": "2026-09-21T14:13:20.250Z",
        "level": "info",
        "logger": "x",
        "message": "hello",
        "performer": "avs/ml",
        "pass": 7,
    }


def test_exceptions_are_kept() -> None:
    try:
        raise ValueError("wrong")
    except ValueError:
        failed = record("hello", exc_info=sys.exc_info())
    assert TextFormatter().format(failed).endswith("ValueError: wrong")
    assert json.loads(JSONFormatter().format(failed))["exception"].endswith("ValueError: wrong")
