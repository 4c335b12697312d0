"""Whoever installs the wheel gets all packages that its code imports."""

import re
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest

from requirements import NAME, needed, normalised

ROOT = Path(__file__).parents[1]
SOURCES = ("kube", "operator", "statemachine", "simulator")
IMPORT = re.compile(r"^ *(?:from|import) +([A-Za-z_]\w*)(?=[. ,]|$)", re.MULTILINE)
OF_TESTS = {"pytest": {"pytest_plugin.py", "environment.py"}}
"""What pytest itself loads, so it is there: the fixtures for operators of others."""


def imported() -> Iterator[tuple[str, Path]]:
    """What is imported from outside of the standard library and the project, and where."""
    for source in SOURCES:
        for path in (ROOT / source).rglob("*.py"):
            code = re.sub(r'""".*?"""', "", path.read_text(), flags=re.DOTALL)
            for name in IMPORT.findall(code):
                if name not in sys.stdlib_module_names and not name.startswith("hourglass_"):
                    yield name, path


FILES: dict[str, set[str]] = {}
for _name, _path in imported():
    FILES.setdefault(_name, set()).add(_path.name)


@pytest.mark.parametrize("name", sorted(FILES))
def test_what_is_imported_is_required(name: str) -> None:
    files = FILES[name]
    if name in OF_TESTS:
        assert files == OF_TESTS[name]
        return
    installed = metadata.packages_distributions()[name]
    assert set(map(normalised, installed)) & needed(NAME, extras=False), (
        f"{sorted(files)} import it"
    )
