"""What the parameters of all faults have in common."""

from typing import Self

from pydantic import ConfigDict, model_validator
from pydantic_core import PydanticCustomError

from hourglass_simulator.scenario.strict import Strict


class Parameters(Strict):
    """Parameters of a fault; the docstring under each field is its description everywhere."""

    model_config = ConfigDict(use_attribute_docstrings=True)


class OfPods(Parameters):
    """Whose pods: all of a Performer's, or one."""

    performer: str | None = None
    """All pods of this Performer."""
    pod: str | None = None
    """One pod, whoever made it."""
    namespace: str | None = None
    """Its namespace, if it is not the scenario's."""

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.performer is None) == (self.pod is None):
            text = "expected performer or pod"
            raise PydanticCustomError("expected", "{text}", {"text": text})
        return self
