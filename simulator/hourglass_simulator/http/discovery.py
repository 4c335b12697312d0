"""Which groups, versions and resources there are.

https://kubernetes.io/docs/concepts/overview/kubernetes-api/#discovery-api
"""

from collections.abc import Callable, Iterable

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.resources import Resource

# Served besides the objects: a question, not an object.
REVIEWS = Resource(
    "selfsubjectaccessreviews",
    "SelfSubjectAccessReview",
    "authorization.k8s.io",
    namespaced=False,
    verbs=("create",),
)


def versions() -> JSON:
    """/api."""
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}


def groups(resources: Iterable[Resource]) -> JSON:
    """/apis."""
    named = sorted({(r.group, r.version) for r in resources if r.group})
    return {
        "kind": "APIGroupList",
        "apiVersion": "v1",
        "groups": [_group(group, version) for group, version in named],
    }


def group(resources: Iterable[Resource], name: str) -> JSON | None:
    """/apis/GROUP; None if there is no such group."""
    found = next((r for r in resources if r.group == name), None)
    if found is None:
        return None
    return {"kind": "APIGroup", "apiVersion": "v1", **_group(name, found.version)}


def _group(name: str, version: str) -> JSON:
    preferred = {"groupVersion": f"{name}/{version}", "version": version}
    return {"name": name, "versions": [preferred], "preferredVersion": preferred}


def resource_list(resources: Iterable[Resource], group: str, version: str) -> JSON | None:
    """/api/v1 and /apis/GROUP/VERSION; None if nothing is served there."""
    found = [r for r in resources if (r.group, r.version) == (group, version)]
    if not found:
        return None
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": found[0].api_version,
        "resources": [entry for r in found for entry in _entries(r)],
    }


def _entries(resource: Resource) -> Iterable[JSON]:
    entry: JSON = {
        "name": resource.plural,
        "singularName": resource.singular,
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": list(resource.verbs),
    }
    if resource.short_names:
        entry["shortNames"] = list(resource.short_names)
    if resource.categories:
        entry["categories"] = list(resource.categories)
    yield entry
    for subresource in resource.subresources:
        verbs = ["get", "patch", "update"] if subresource == "status" else ["create"]
        yield {
            "name": f"{resource.plural}/{subresource}",
            "singularName": "",
            "namespaced": resource.namespaced,
            "kind": resource.kind,
            "verbs": verbs,
        }
    if resource.plural == "pods":
        yield {
            "name": "pods/log",
            "singularName": "",
            "namespaced": True,
            "kind": "Pod",
            "verbs": ["get"],
        }


def openapi_paths(resources: Iterable[Resource]) -> JSON:
    """/openapi/v3: one document for each group and version."""
    paths = sorted({_base(r) for r in resources})
    return {"paths": {path: {"serverRelativeURL": f"/openapi/v3/{path}"} for path in paths}}


def openapi(
    resources: Iterable[Resource], base: str, fields: Callable[[Resource], JSON]
) -> JSON | None:
    """/openapi/v3/BASE: the kinds with their `fields`, and that unknown fields can be reported.

    kubectl looks here whether it may leave validation to the server, and for what it explains:
    https://kubernetes.io/docs/reference/using-api/api-concepts/#field-validation
    """
    found = [r for r in resources if _base(r) == base]
    if not found:
        return None
    parameters = [
        {"name": name, "in": "query", "schema": {"type": "string"}}
        for name in ("dryRun", "fieldManager", "fieldValidation")
    ]
    schemas, paths = {}, {}
    for resource in found:
        kind = {"group": resource.group, "kind": resource.kind, "version": resource.version}
        name = f"{resource.group or 'core'}.{resource.version}.{resource.kind}"
        described = {"type": "object", "x-kubernetes-group-version-kind": [kind]}
        schemas[name] = fields(resource) | described
        where = "namespaces/{namespace}/" if resource.namespaced else ""
        paths[f"/{base}/{where}{resource.plural}/{{name}}"] = {
            "patch": {"parameters": parameters, "x-kubernetes-group-version-kind": kind},
        }
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": "v1.34.4"},
        "paths": paths,
        "components": {"schemas": schemas},
    }


def _base(resource: Resource) -> str:
    return f"apis/{resource.api_version}" if resource.group else f"api/{resource.version}"
