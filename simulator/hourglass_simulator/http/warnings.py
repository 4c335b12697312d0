"""Warnings that a real API server gives whatever becomes of the request.

https://kubernetes.io/blog/2020/09/03/warnings/
"""

from hourglass_simulator.http.request import Place, Request

_COMPONENTS = "v1 ComponentStatus is deprecated in v1.19+"
_ENDPOINTS = "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"
_ORPHANED = (
    "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background"
    " to remove them or set propagationPolicy=Orphan to suppress this warning"
)


def standing(request: Request, found: Place | None) -> list[str]:
    """The warnings of a request to a place."""
    if found is None:
        return []
    if (found.group, found.resource) == ("", "componentstatuses"):
        return [_COMPONENTS]
    if (found.group, found.resource) == ("", "endpoints"):
        return [_ENDPOINTS]
    if (found.group, found.resource, request.method) == ("batch", "jobs", "DELETE"):
        options = request.body if isinstance(request.body, dict) else {}
        asked = options.get("propagationPolicy") or request.query.get("propagationPolicy")
        deprecated = options.get("orphanDependents") is not None
        return [] if asked or deprecated else [_ORPHANED]
    return []
