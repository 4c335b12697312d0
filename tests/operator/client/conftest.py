from collections.abc import Iterator
from pathlib import Path

import pytest

from executor_world import World, executor_world
from hourglass_operator.client import Client


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with executor_world(tmp_path) as world:
        yield world


@pytest.fixture
def performers(world: World) -> Iterator[Client]:
    with world.client() as client:
        yield client
