"""The resources that are served: what discovery would print."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

VERBS = ("create", "delete", "get", "list", "patch", "update", "watch")


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource and what it allows.

    `unconditional_update`: an update need not name a resourceVersion; `create_on_update`: an update
    of what does not exist creates it; `returns_deleted`: a deletion answers with the object rather
    than with a Status; `has_generation`: `metadata.generation` is kept.
    """

    plural: str
    kind: str
    group: str = ""
    version: str = "v1"
    namespaced: bool = True
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    subresources: tuple[str, ...] = ()
    custom: bool = False
    unconditional_update: bool = True
    create_on_update: bool = False
    returns_deleted: bool = False
    has_generation: bool = False
    verbs: tuple[str, ...] = VERBS

    @property
    def qualified(self) -> str:
        """`pods`, `performers.hourglass.eigenlayer.io`: how messages name the resource."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def qualified_kind(self) -> str:
        """`Pod`, `Performer.hourglass.eigenlayer.io`: how messages name the kind."""
        return f"{self.kind}.{self.group}" if self.group else self.kind

    @property
    def api_version(self) -> str:
        """`v1`, `apps/v1`."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def singular(self) -> str:
        """`pod`, `performer`."""
        return self.kind.lower()


BUILT_IN = (
    Resource("configmaps", "ConfigMap", short_names=("cm",)),
    Resource("endpoints", "Endpoints", short_names=("ep",), create_on_update=True),
    Resource("events", "Event", short_names=("ev",), create_on_update=True),
    Resource(
        "namespaces",
        "Namespace",
        namespaced=False,
        short_names=("ns",),
        subresources=("finalize", "status"),
        returns_deleted=True,
    ),
    Resource("nodes", "Node", namespaced=False, short_names=("no",), subresources=("status",)),
    Resource(
        "pods",
        "Pod",
        short_names=("po",),
        categories=("all",),
        subresources=("binding", "eviction", "status"),
        returns_deleted=True,
        has_generation=True,
    ),
    Resource(
        "resourcequotas",
        "ResourceQuota",
        short_names=("quota",),
        subresources=("status",),
        returns_deleted=True,
    ),
    Resource("secrets", "Secret"),
    Resource("serviceaccounts", "ServiceAccount", short_names=("sa",), returns_deleted=True),
    Resource(
        "services",
        "Service",
        short_names=("svc",),
        categories=("all",),
        subresources=("status",),
        create_on_update=True,
        returns_deleted=True,
    ),
    Resource(
        "customresourcedefinitions",
        "CustomResourceDefinition",
        "apiextensions.k8s.io",
        namespaced=False,
        short_names=("crd", "crds"),
        categories=("api-extensions",),
        subresources=("status",),
        unconditional_update=False,
        has_generation=True,
    ),
    Resource(
        "leases",
        "Lease",
        "coordination.k8s.io",
        unconditional_update=False,
        create_on_update=True,
    ),
    Resource("endpointslices", "EndpointSlice", "discovery.k8s.io", has_generation=True),
    Resource(
        "runtimeclasses",
        "RuntimeClass",
        "node.k8s.io",
        namespaced=False,
        unconditional_update=False,
        create_on_update=True,
    ),
    Resource(
        "priorityclasses",
        "PriorityClass",
        "scheduling.k8s.io",
        namespaced=False,
        short_names=("pc",),
        has_generation=True,
    ),
)


def custom(crd: Mapping[str, Any]) -> Resource:
    """The resource that a CustomResourceDefinition defines, in its storage version."""
    spec, names = crd["spec"], crd["spec"]["names"]
    version = next(entry for entry in spec["versions"] if entry["storage"])
    return Resource(
        names["plural"],
        names["kind"],
        spec["group"],
        version["name"],
        namespaced=spec["scope"] == "Namespaced",
        short_names=tuple(names.get("shortNames") or ()),
        categories=tuple(names.get("categories") or ()),
        subresources=tuple(sorted(version.get("subresources") or ())),
        custom=True,
        unconditional_update=False,
        has_generation=True,
    )
