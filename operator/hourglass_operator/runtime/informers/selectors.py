"""What is watched, with the label selector that the API server applies."""

from collections.abc import Mapping

from hourglass_operator.resources import names

_OWN = f"{names.APP_LABEL}={names.APP}"

SELECTORS: Mapping[str, str] = {
    "nodes": "",
    "services": _OWN,
    "endpointslices": _OWN,
    "pods": _OWN,
    "performers": "",
}
"""By plural name, in the order in which the informers start."""
