"""What the parameters of all faults have in common."""

from pydantic import ConfigDict

from hourglass_simulator.scenario.strict import Strict


class Parameters(Strict):
    """Parameters of a fault; the docstring under each field is its description everywhere."""

    model_config = ConfigDict(use_attribute_docstrings=True)
