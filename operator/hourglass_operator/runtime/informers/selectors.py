"""What is watched, with the label selector that the API server applies."""

from collections.abc import Mapping

from hourglass_operator.resources import go_operator, names

_OWN = f"{names.APP_LABEL}={names.APP}"
_PODS = f"{names.APP_LABEL} in ({go_operator.APP},{names.APP})"

SELECTORS: Mapping[str, str] = {
    "nodes": "",
    "resourceslices": "",
    "resourceclaimtemplates": _OWN,
    "services": _OWN,
    "endpointslices": _OWN,
    "poddisruptionbudgets": "",
    "pods": _PODS,
    "performers": "",
}
"""By plural name, in the order in which the informers start."""

CLUSTER_WIDE = frozenset({"nodes", "resourceslices"})
"""What has no namespace."""

OPTIONAL = frozenset({"resourceslices", "resourceclaimtemplates"})
"""What not every cluster serves: Dynamic Resource Allocation, which is stable since 1.34."""

UNWATCHED: Mapping[str, str] = {
    "services": f"{names.APP_LABEL}!={names.APP}",
    "pods": f"{names.APP_LABEL} notin ({go_operator.APP},{names.APP})",
}
"""What the watches of pods and Services do not show, also what lacks the label."""
