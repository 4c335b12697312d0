"""What a copy is made of can be checked: its models are there."""

import pytest
from kubernetes import client
from pydantic import BaseModel

from hourglass_simulator.harness.printed import MODELS


@pytest.mark.parametrize("model", [name for name in MODELS.values() if name is not None])
def test_a_model_is_one_of_the_package(model: str) -> None:
    assert issubclass(getattr(client, model), BaseModel)
