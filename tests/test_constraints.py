"""A new environment gets the versions that the tests have run with."""

import re
from importlib import metadata
from pathlib import Path

import pytest

NAME = "hourglass-performer-operator"
PINNED = {
    re.sub(r"[-_.]+", "-", line.split("==")[0])
    for line in (Path(__file__).parents[1] / "constraints.txt").read_text().splitlines()
    if "==" in line
}


def needed(name: str, known: set[str]) -> set[str]:
    """The packages that an installed one requires, and those that these require, normalised."""
    for requirement in metadata.requires(name) or ():
        found = re.sub(r"[-_.]+", "-", re.split(r"[^\w.-]", requirement)[0]).lower()
        optional = "extra ==" in requirement and name != NAME
        if found in known or optional:
            continue
        try:
            metadata.distribution(found)
        except metadata.PackageNotFoundError:
            continue  # for other systems
        known |= {found} | needed(found, known | {found})
    return known


@pytest.mark.parametrize("package", sorted(needed(NAME, set())))
def test_a_package_is_pinned(package: str) -> None:
    assert package in PINNED, "run `make constraints`"
