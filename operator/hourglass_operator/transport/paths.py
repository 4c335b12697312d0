"""Paths of resources in the Kubernetes API."""

from hourglass_operator.api import GROUP, VERSION

GROUP_VERSIONS = {
    "performers": (GROUP, VERSION),
    "endpointslices": ("discovery.k8s.io", "v1"),
    "poddisruptionbudgets": ("policy", "v1"),
    "resourceslices": ("resource.k8s.io", "v1"),
    "resourceclaimtemplates": ("resource.k8s.io", "v1"),
    "leases": ("coordination.k8s.io", "v1"),
    "selfsubjectaccessreviews": ("authorization.k8s.io", "v1"),
    **dict.fromkeys(
        ("controllerrevisions", "daemonsets", "deployments", "replicasets", "statefulsets"),
        ("apps", "v1"),
    ),
    **dict.fromkeys(("cronjobs", "jobs"), ("batch", "v1")),
    **dict.fromkeys(("deviceclasses", "resourceclaims"), ("resource.k8s.io", "v1")),
    **dict.fromkeys(("csinodes", "storageclasses"), ("storage.k8s.io", "v1")),
    "priorityclasses": ("scheduling.k8s.io", "v1"),
    "runtimeclasses": ("node.k8s.io", "v1"),
    "nodes": ("", "v1"),
    "pods": ("", "v1"),
    "services": ("", "v1"),
    "events": ("", "v1"),
}
"""API group and version of the resources that are called or watched."""
_CORE = ("", "v1")
CORE_RESOURCES = "apiresources"
"""The list of what the core API group offers: it is read at the group's own path."""


SERVER_VERSION = "version"
"""What the API server says of itself: it is read at a path of its own."""


def path(resource: str, namespace: str = "", name: str = "", subresource: str = "") -> str:
    """The path of a resource, an object or a subresource; resources of others are core ones."""
    if resource == SERVER_VERSION:
        return "/version"
    group, version = GROUP_VERSIONS.get(resource, _CORE)
    base = f"/apis/{group}/{version}" if group else f"/api/{version}"
    if resource == CORE_RESOURCES:
        return base
    parts = (base, f"namespaces/{namespace}" if namespace else "", resource, name, subresource)
    return "/".join(part for part in parts if part)
