"""The images of scenarios that are played on the real node, which must have them all."""

from collections.abc import Iterable, Iterator

from hourglass_simulator.scenario import Scenario
from hourglass_simulator.scenario.cluster import Image


def images_of(scenarios: Iterable[Scenario]) -> dict[str, Image]:
    """How every image behaves that scenarios name; ValueError if two of them say it differently."""
    found: dict[str, Image] = {}
    for scenario in scenarios:
        declared = scenario.cluster.images
        for name in {*declared, *named(scenario.model_dump(mode="json"))}:
            image = declared.get(name, Image())
            if found.setdefault(name, image) != image:
                raise ValueError(f"{scenario.title}: another scenario says else of {name}")
    return found


def named(value: object) -> Iterator[str]:
    """The images of all containers in objects."""
    if isinstance(value, dict):
        if isinstance(image := value.get("image"), str):
            yield image
        value = [*value.values()]
    if isinstance(value, list | tuple):
        for each in value:
            yield from named(each)
