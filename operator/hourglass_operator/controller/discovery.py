"""What the cluster offers, as far as it differs between clusters."""

from collections.abc import Iterable, Mapping
from typing import Any

from hourglass_operator.controller.plan import RESIZE

_SECONDS = 600.0
"""So long an answer is relied on: a control plane may be upgraded meanwhile."""


class Discovery:
    """The latest answer; times are seconds since the Unix epoch.

    https://kubernetes.io/docs/concepts/overview/kubernetes-api/#discovery-api
    """

    def __init__(self) -> None:
        self._offers_resize = False
        self._relied_on_until = 0.0

    def take_in(self, resources: Iterable[Mapping[str, Any]], now: float) -> None:
        """Take in the resources of the core API group (APIResource)."""
        self._offers_resize = any(each.get("name") == RESIZE for each in resources)
        self._relied_on_until = now + _SECONDS

    def offers_resize(self, now: float) -> bool | None:
        """Whether pods can be resized; None if that is not known."""
        return self._offers_resize if now < self._relied_on_until else None
