"""Which images the real node needs for scenarios, and how they behave."""

from typing import Any

import pytest

from hourglass_simulator.scenario import Scenario
from hourglass_simulator.scenario.cluster import Image
from scenarios.named_images import images_of

CRASHES = {"exitsAfter": "3s"}


def scenario(images: dict[str, Any], *named: str) -> Scenario:
    pods = [
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": f"p{number}"},
            "spec": {"containers": [{"name": "main", "image": name}]},
        }
        for number, name in enumerate(named)
    ]
    given = {"scenario": "A", "shows": "B", "cluster": {"images": images}, "manifests": pods}
    return Scenario.model_validate(given)


def test_images_that_nothing_is_said_of_are_those_of_pods_and_of_patches() -> None:
    patch = {
        "resource": "pods",
        "name": "p0",
        "merge": {"spec": {"containers": [{"image": "b:1"}]}},
    }
    played = scenario({"a:1": CRASHES}, "a:1", "c:1")
    played = played.model_copy(
        update={
            "steps": Scenario.model_validate(
                {"scenario": "A", "shows": "B", "steps": [{"patch": patch}]}
            ).steps
        }
    )
    assert images_of([played]) == {
        "a:1": Image.model_validate(CRASHES),
        "b:1": Image(),
        "c:1": Image(),
    }


def test_an_image_behaves_the_same_in_all_scenarios() -> None:
    same = [scenario({"a:1": CRASHES}, "a:1"), scenario({"a:1": CRASHES}, "a:1")]
    assert list(images_of(same)) == ["a:1"]
    with pytest.raises(ValueError, match="another scenario says else of a:1"):
        images_of([*same, scenario({}, "a:1")])
