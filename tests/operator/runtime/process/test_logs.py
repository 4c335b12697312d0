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


FORGED = "\x1b[2Jno\n2026-09-21T14:13:20.250Z INFO all is well\u202e"
ESCAPED = r"\x1b[2Jno\n2026-09-21T14:13:20.250Z INFO all is well\u202e"


def test_a_message_forges_no_line_and_commands_no_terminal() -> None:
    line = TextFormatter().format(record(FORGED, performer="avs/\x1bml"))
    assert line == rf"2026-09-21T14:13:20.250Z INFO performer=avs/\x1bml {ESCAPED}"


def test_nor_does_the_message_of_an_exception() -> None:
    try:
        raise ValueError(FORGED)
    except ValueError:
        failed = record("hello", exc_info=sys.exc_info())
    first, *others = TextFormatter().format(failed).split("\n")
    assert first.endswith("hello")
    assert all(line.startswith("  ") and "\x1b" not in line for line in others)


def test_programs_get_the_message_as_it_is() -> None:
    assert json.loads(JSONFormatter().format(record(FORGED)))["message"] == FORGED


@pytest.mark.parametrize("form", [TextFormatter(), JSONFormatter()], ids=["text", "json"])
def test_a_line_is_no_longer_than_container_runtimes_keep_in_one(form: logging.Formatter) -> None:
    line = form.format(record("begin" + "x" * 40_000 + "end"))
    assert len(line.encode()) < 16_384
    assert "begin" in line
    assert "xend" in line
