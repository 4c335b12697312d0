"""A new environment gets the versions that the tests have run with."""

from pathlib import Path

import pytest

from requirements import NAME, needed, normalised

PINNED = {
    normalised(line.split("==")[0])
    for line in (Path(__file__).parents[1] / "constraints.txt").read_text().splitlines()
    if "==" in line
}


@pytest.mark.parametrize("package", sorted(needed(NAME, extras=True)))
def test_a_package_is_pinned(package: str) -> None:
    assert package in PINNED, "run `make constraints`"
