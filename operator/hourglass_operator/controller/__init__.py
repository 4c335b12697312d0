"""The controller: from what the cluster shows to the writes that bring it where the spec says.

One pass over one Performer is pure: observe, assess, advance, decide. `Controller` strings the
steps together with the cache and the work queue; a runtime performs the plan.
"""

from hourglass_operator.controller.controller import Controller, Pass
from hourglass_operator.controller.plan import Outcome, Plan, Write
from hourglass_operator.controller.settings import Settings

__all__ = ["Controller", "Outcome", "Pass", "Plan", "Settings", "Write"]
