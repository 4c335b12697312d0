"""Mutating calls and lists of an operator, counted in the audit log."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from operators import Audit, Calls


def line(
    user: str, verb: str, resource: str, subresource: str | None = None, code: int = 200
) -> str:
    target = {"resource": resource, "name": "x"}
    if subresource is not None:
        target["subresource"] = subresource
    event: Any = {"user": {"username": user}, "verb": verb, "objectRef": target}
    event["responseStatus"] = {"code": code}
    return json.dumps(event) + "\n"


LINES = {
    "by verb and resource": (line("a", "create", "pods") * 2, {"create pods": 2}, 0),
    "a subresource is another resource": (
        line("a", "patch", "performers") + line("a", "patch", "performers", "status"),
        {"patch performers": 1, "patch performers/status": 1},
        0,
    ),
    "one that is refused is another call": (
        line("a", "patch", "performers") + line("a", "patch", "performers", code=409),
        {"patch performers": 1, "patch performers: 409": 1},
        0,
    ),
    "those on the Lease apart": (line("a", "update", "leases"), {}, 1),
    "questions about permissions apart": (line("a", "create", "selfsubjectaccessreviews"), {}, 1),
    "others are not looked at": (line("admin", "create", "pods"), {}, 0),
}


@pytest.mark.parametrize(("text", "made", "apart"), LINES.values(), ids=LINES)
def test_calls_are_counted(text: str, made: dict[str, int], apart: int, tmp_path: Path) -> None:
    log = tmp_path / "audit.log"
    log.write_text(text)
    counted = Audit(log, "a").count()
    assert (counted.made, counted.apart) == (made, apart)


def test_lists_are_counted_by_resource(tmp_path: Path) -> None:
    log = tmp_path / "audit.log"
    log.write_text(line("a", "list", "pods") * 2 + line("b", "list", "pods"))
    assert Audit(log, "a").count() == Calls(lists=Counter({"pods": 2}))


def test_each_call_is_counted_once_and_when_its_line_has_ended(tmp_path: Path) -> None:
    log = tmp_path / "audit.log"
    whole = line("a", "create", "pods")
    log.write_text(whole + whole[:20])
    audit = Audit(log, "a")
    assert audit.count().made == {"create pods": 1}
    assert audit.count() == Calls()
    log.write_text(whole + whole)
    assert audit.count().made == {"create pods": 1}
