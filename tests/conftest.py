"""What holds for every test: properties do not depend on the speed of the machine."""

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "any machine",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    # Where CI is set the examples are the same in every run; elsewhere new ones find new mistakes.
    derandomize="CI" in os.environ,
)
settings.load_profile("any machine")
