"""Goldens of the end-to-end tests: JSON files beside them written on a real cluster."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def expect_recorded(file: Path, name: str, seen: Any, names: Sequence[str]) -> None:
    """Fail unless this is what the file has under that name; `E2E_RECORD=1` writes it there.

    The file keeps the order of `names`, which are all that there can be.
    """
    if os.environ.get("E2E_RECORD"):
        known = _read(file)
        known[name] = seen
        ordered = {each: known[each] for each in names if each in known}
        file.write_text(json.dumps(ordered, indent=2, ensure_ascii=False) + "\n", "utf-8")
    expected = recorded(file, name)
    # Not a test module: pytest would not say what the two are.
    assert seen == expected, f"{name}: {seen!r}, and recorded is {expected!r}"


def recorded(file: Path, name: str) -> Any:
    """What the file has under that name; None if it has nothing."""
    return _read(file).get(name)


def _read(file: Path) -> dict[str, Any]:
    return dict(json.loads(file.read_text("utf-8"))) if file.exists() else {}
