"""Why the scheduler finds no node: explained once for all Performers that ask for the same."""

from hourglass_operator.controller.observation import Observation
from hourglass_operator.hardware.catalogue import Catalogue
from hourglass_operator.hardware.explain import Explanation, explain
from hourglass_operator.hardware.requirement import Requirement

_REMEMBERED = 1024


class Explanations:
    """Explanations of unschedulable pods; they hold until nodes or used devices change."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._known: dict[tuple[str, Requirement | None, str], Explanation] = {}
        self._generation = -1

    def of(self, seen: Observation, message: str) -> Explanation:
        """Why no node takes the wanted pod; `message` is the scheduler's."""
        if seen.capacity_generation != self._generation or len(self._known) >= _REMEMBERED:
            self._known.clear()
            self._generation = seen.capacity_generation
        needed = seen.requirement
        form = needed if needed and (needed.others or needed.alternative) else None
        key = (seen.constraints, form, message)
        found = self._known.get(key)
        if found is None:
            nodes = tuple(seen.nodes.values())
            found = explain(
                self._catalogue, seen.requirement, nodes, seen.used, seen.pod_spec, message
            )
            self._known[key] = found
        return found
