"""Which groups, versions and resources there are: as recorded, and those of definitions.

`version` is the version of Kubernetes, `of_group` that of a group.

https://kubernetes.io/docs/concepts/overview/kubernetes-api/#discovery-api
"""

import base64
import hashlib
import re
from collections.abc import Iterable
from typing import Any

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.resources import Resource
from hourglass_simulator.kubernetes.version import Version


def named_as(version: str) -> str:
    """What is added to the type of the one document."""
    return f";g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList"


_SUBRESOURCE_VERBS = ["get", "patch", "update"]


def versions(host: str) -> JSON:
    """/api; `host` is where the server is."""
    addresses = [{"clientCIDR": "0.0.0.0/0", "serverAddress": host}] if host else []
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": addresses}


def groups(version: Version, resources: Iterable[Resource]) -> JSON:
    """/apis."""
    recorded: JSON = version.discovery["groups"]
    return {**recorded, "groups": [*recorded["groups"], *_custom_groups(resources)]}


def group(version: Version, resources: Iterable[Resource], name: str) -> JSON | None:
    """/apis/GROUP; None if there is no such group."""
    found = [each for each in groups(version, resources)["groups"] if each["name"] == name]
    return {"kind": "APIGroup", "apiVersion": "v1", **found[0]} if found else None


def aggregated(
    version: Version, resources: Iterable[Resource], path: str, api_version: str
) -> JSON:
    """/api or /apis as one document of a version of apidiscovery.k8s.io."""
    recorded: JSON = version.discovery["aggregated"][path]
    recorded = {**recorded, "apiVersion": f"apidiscovery.k8s.io/{api_version}"}
    if path == "/api":
        return recorded
    items = [
        {
            "metadata": {"name": name},
            "versions": [
                {
                    "version": each,
                    "resources": [_discovered(r) for r in found],
                    "freshness": "Current",
                }
                for each, found in sorted(versions.items(), key=lambda each: _priority(each[0]))
            ],
        }
        for name, versions in _custom(resources).items()
    ]
    return {**recorded, "items": [*recorded["items"], *items]}


def resource_list(
    version: Version, resources: Iterable[Resource], group: str, of_group: str
) -> JSON | None:
    """/api/v1 and /apis/GROUP/VERSION; None if nothing is served there."""
    path = f"/apis/{group}/{of_group}" if group else f"/api/{of_group}"
    recorded: JSON | None = version.discovery["lists"].get(path)
    if recorded is not None:
        return recorded
    found = _custom(resources).get(group, {}).get(of_group)
    if found is None:
        return None
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": f"{group}/{of_group}",
        "resources": [entry for resource in found for entry in _entries(resource)],
    }


def named(version: Version, group: str, of_group: str, name: str) -> JSON | None:
    """The recorded entry of a resource or `resource/subresource`."""
    listed = resource_list(version, (), group, of_group) or {"resources": ()}
    return next((entry for entry in listed["resources"] if entry["name"] == name), None)


def _custom(resources: Iterable[Resource]) -> dict[str, dict[str, list[Resource]]]:
    """Resources of definitions by group and version."""
    found: dict[str, dict[str, list[Resource]]] = {}
    for resource in resources:
        if resource.custom:
            versions = found.setdefault(resource.group, {})
            versions.setdefault(resource.version, []).append(resource)
    return found


def _custom_groups(resources: Iterable[Resource]) -> Iterable[JSON]:
    for name, found in _custom(resources).items():
        versions = sorted(found, key=_priority)
        entries = [{"groupVersion": f"{name}/{each}", "version": each} for each in versions]
        yield {"name": name, "versions": entries, "preferredVersion": entries[0]}


def _discovered(resource: Resource) -> JSON:
    kind = {"group": resource.group, "version": resource.version, "kind": resource.kind}
    entry: JSON = {
        "resource": resource.plural,
        "responseKind": kind,
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": resource.singular,
        "verbs": list(resource.verbs),
    }
    entry |= _names(resource)
    if resource.subresources:
        entry["subresources"] = [
            {
                "subresource": name,
                "responseKind": _SCALE if name == "scale" else kind,
                "verbs": _SUBRESOURCE_VERBS,
            }
            for name in resource.subresources
        ]
    return entry


def _entries(resource: Resource) -> Iterable[JSON]:
    scope: dict[str, Any] = {"namespaced": resource.namespaced, "kind": resource.kind}
    names = {"name": resource.plural, "singularName": resource.singular}
    stored = f"{resource.group}/{resource.stored_version}/{resource.kind}".encode()
    digest = base64.b64encode(hashlib.sha256(stored).digest()[:8]).decode()
    verbs = {"verbs": list(resource.verbs), "storageVersionHash": digest}
    yield names | scope | verbs | _names(resource)
    for subresource in resource.subresources:
        name = {"name": f"{resource.plural}/{subresource}", "singularName": ""}
        of = _SCALE if subresource == "scale" else {}
        yield name | scope | of | {"verbs": _SUBRESOURCE_VERBS}


_SCALE = {"group": "autoscaling", "version": "v1", "kind": "Scale"}
_VERSION = re.compile(r"v([0-9]+)(?:(alpha|beta)([0-9]+))?")


def _priority(version: str) -> tuple[Any, ...]:
    """Stable versions come first, and of those the highest: v10, v2, v1, v11beta2, v1alpha1, foo.

    https://pkg.go.dev/k8s.io/apimachinery/pkg/version#CompareKubeAwareVersionStrings
    """
    found = _VERSION.fullmatch(version)
    if found is None:
        return (3, version)
    stage = {None: 0, "beta": 1, "alpha": 2}[found[2]]
    return (stage, -int(found[1]), -int(found[3] or 0))


def _names(resource: Resource) -> JSON:
    names = {"shortNames": resource.short_names, "categories": resource.categories}
    return {key: list(value) for key, value in names.items() if value}
