"""What the operator may do in a cluster, and what each permission is for.

The roles that are shipped are made from this table, and the operator checks it when it starts.
"""

from dataclasses import dataclass

from hourglass_operator.api import GROUP


@dataclass(frozen=True, slots=True)
class Permission:
    """Verbs on a resource (`performers/status`: a subresource) of an API group, and their use."""

    group: str
    resource: str
    verbs: tuple[str, ...]
    use: str
    of_lease: bool = False
    """Needed for one object only: the Lease, by its name."""

    @property
    def qualified(self) -> str:
        """The resource with its group, such as `performers.hourglass.eigenlayer.io/status`."""
        resource, slash, subresource = self.resource.partition("/")
        group = f".{self.group}" if self.group else ""
        return f"{resource}{group}{slash}{subresource}"


_WATCH = ("get", "list", "watch")

CLUSTER = (
    Permission(GROUP, "performers", ("list", "watch"), "know the Performers"),
    Permission(GROUP, "performers", ("patch",), "set and release the finalizer"),
    Permission(GROUP, "performers/status", ("patch",), "report phase and conditions"),
    Permission("", "pods", _WATCH, "know the pods of Performers"),
    Permission("", "pods", ("create", "patch", "delete"), "run, repair and replace them"),
    Permission("", "pods/resize", ("patch",), "change CPU and memory while a pod runs"),
    Permission("", "services", _WATCH, "know the Services of Performers"),
    Permission("", "services", ("create", "patch"), "give each Performer its stable name"),
    Permission("discovery.k8s.io", "endpointslices", ("list", "watch"), "know which pods serve"),
    Permission("policy", "poddisruptionbudgets", ("list", "watch"), "know who else has a say"),
    Permission(
        "policy",
        "poddisruptionbudgets",
        ("create", "patch", "delete"),
        "let evictions wait until a pod has moved",
    ),
    Permission(
        "resource.k8s.io", "resourceslices", ("list", "watch"), "know which devices can be claimed"
    ),
    Permission("resource.k8s.io", "resourceclaimtemplates", _WATCH, "know what pods claim by"),
    Permission(
        "resource.k8s.io",
        "resourceclaimtemplates",
        ("create", "delete"),
        "let pods claim their devices",
    ),
    Permission("", "nodes", ("list", "watch"), "explain why no node fits, and see which go"),
    Permission("", "events", ("create",), "record transitions as Events"),
)
"""Needed in every namespace that is served; nodes and ResourceSlices for the whole cluster."""

OWN_NAMESPACE = (
    Permission("coordination.k8s.io", "leases", ("get", "update"), "elect a leader", of_lease=True),
    Permission("coordination.k8s.io", "leases", ("create",), "elect the first leader"),
)
"""Needed in the namespace of the Lease. Creating cannot be allowed by name: what is created has
none yet when the API server asks
(https://kubernetes.io/docs/reference/access-authn-authz/rbac/#referring-to-resources)."""
