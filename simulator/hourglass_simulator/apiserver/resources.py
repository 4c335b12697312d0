"""The resources that are served: what discovery would print."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource; `qualified` is how messages name it."""

    plural: str
    kind: str
    group: str = ""
    version: str = "v1"
    namespaced: bool = True
    short_names: tuple[str, ...] = ()
    has_status: bool = False

    @property
    def qualified(self) -> str:
        """`pods`, `performers.hourglass.eigenlayer.io`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def api_version(self) -> str:
        """`v1`, `apps/v1`."""
        return f"{self.group}/{self.version}" if self.group else self.version


BUILT_IN = (
    Resource("configmaps", "ConfigMap", short_names=("cm",)),
    Resource("endpoints", "Endpoints", short_names=("ep",)),
    Resource("events", "Event", short_names=("ev",)),
    Resource("namespaces", "Namespace", namespaced=False, short_names=("ns",), has_status=True),
    Resource("nodes", "Node", namespaced=False, short_names=("no",), has_status=True),
    Resource("pods", "Pod", short_names=("po",), has_status=True),
    Resource("resourcequotas", "ResourceQuota", short_names=("quota",), has_status=True),
    Resource("secrets", "Secret"),
    Resource("serviceaccounts", "ServiceAccount", short_names=("sa",)),
    Resource("services", "Service", short_names=("svc",), has_status=True),
    Resource(
        "customresourcedefinitions",
        "CustomResourceDefinition",
        "apiextensions.k8s.io",
        namespaced=False,
        short_names=("crd", "crds"),
        has_status=True,
    ),
    Resource("leases", "Lease", "coordination.k8s.io"),
    Resource("endpointslices", "EndpointSlice", "discovery.k8s.io"),
    Resource("runtimeclasses", "RuntimeClass", "node.k8s.io", namespaced=False),
    Resource(
        "priorityclasses",
        "PriorityClass",
        "scheduling.k8s.io",
        namespaced=False,
        short_names=("pc",),
    ),
)
