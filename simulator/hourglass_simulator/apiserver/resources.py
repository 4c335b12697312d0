"""The resources that are served: what discovery would print."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

from hourglass_kube.types import JSON
from hourglass_simulator.kubernetes.version import Version

CUSTOM_VERBS = ("delete", "deletecollection", "get", "list", "patch", "create", "update", "watch")
TERMINATING_VERBS = ("delete", "deletecollection", "get", "list", "watch")
"""What can be done to the objects of a definition that is deleted."""
VERBS = ("create", "delete", "get", "list", "patch", "update", "watch")


@dataclass(frozen=True)
class Resource:
    """One resource and what it allows.

    `unconditional_update`: an update need not name a resourceVersion; `create_on_update`: an update
    of what does not exist creates it; `returns_deleted`: a deletion answers with the object rather
    than with a Status; `has_generation`: `metadata.generation` is kept; `orphans_by_default`: what
    it owns stays unless its deletion says otherwise; `served`: clients reach it; `selectable`: the
    fields of a definition that it can be selected by; `deprecation`: what every answer warns of.
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
    orphans_by_default: bool = False
    verbs: tuple[str, ...] = VERBS
    served: bool = True
    selectable: tuple[str, ...] = ()
    deprecation: str = ""
    called: str = ""
    singular_name: str = ""
    kind_of_list: str = ""
    stored_version: str = ""

    @cached_property
    def name(self) -> str:
        """How calls of the API server name it: by its plural, unless that is not enough.

        As kubectl takes it: `widgets`, `widgets.example.com`, `widgets.v1.example.com`.
        """
        return self.called or self.plural

    @property
    def list_kind(self) -> str:
        """`PodList`."""
        return self.kind_of_list or f"{self.kind}List"

    @cached_property
    def qualified(self) -> str:
        """`pods`, `performers.hourglass.eigenlayer.io`: how messages name the resource."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def qualified_kind(self) -> str:
        """`Pod`, `Performer.hourglass.eigenlayer.io`: how messages name the kind."""
        return f"{self.kind}.{self.group}" if self.group else self.kind

    @cached_property
    def api_version(self) -> str:
        """`v1`, `apps/v1`."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def singular(self) -> str:
        """`pod`, `performer`."""
        return self.singular_name or self.kind.lower()


_CREATE_ON_UPDATE = frozenset(
    [
        "clusterrolebindings",
        "clusterroles",
        "endpoints",
        "events",
        "leases",
        "limitranges",
        "rolebindings",
        "roles",
        "runtimeclasses",
        "services",
    ]
)
_VERSION_REQUIRED = frozenset(
    [
        "apiservices",
        "csidrivers",
        "csinodes",
        "csistoragecapacities",
        "customresourcedefinitions",
        "devicetaintrules",
        "leases",
        "mutatingwebhookconfigurations",
        "podcertificaterequests",
        "poddisruptionbudgets",
        "runtimeclasses",
        "storageversionmigrations",
        "validatingadmissionpolicies",
        "validatingadmissionpolicybindings",
        "validatingwebhookconfigurations",
        "volumeattachments",
    ]
)
_RETURNS_DELETED = frozenset(
    [
        "csidrivers",
        "csinodes",
        "deviceclasses",
        "namespaces",
        "persistentvolumeclaims",
        "persistentvolumes",
        "podtemplates",
        "pods",
        "resourceclaims",
        "resourceclaimtemplates",
        "resourcequotas",
        "resourceslices",
        "serviceaccounts",
        "services",
        "storageclasses",
        "volumeattachments",
        "volumeattributesclasses",
    ]
)
_HAS_GENERATION = frozenset(
    [
        "cronjobs",
        "customresourcedefinitions",
        "daemonsets",
        "deployments",
        "deviceclasses",
        "devicetaintrules",
        "endpointslices",
        "flowschemas",
        "ingressclasses",
        "ingresses",
        "jobs",
        "mutatingwebhookconfigurations",
        "networkpolicies",
        "poddisruptionbudgets",
        "pods",
        "podtemplates",
        "priorityclasses",
        "prioritylevelconfigurations",
        "replicasets",
        "replicationcontrollers",
        "resourceslices",
        "statefulsets",
        "validatingadmissionpolicies",
        "mutatingadmissionpolicies",
        "mutatingadmissionpolicybindings",
        "validatingadmissionpolicybindings",
        "validatingwebhookconfigurations",
    ]
)
_HAS_GENERATION_IF = {"horizontalpodautoscalers": "HPAGeneration"}
"""Those that have one by a feature gate."""
_ORPHANS_BY_DEFAULT = frozenset({"jobs", "replicationcontrollers"})
_STORED_ELSEWHERE = frozenset({("autoscaling", "v1"), ("events.k8s.io", "v1")})
"""Other views of objects that are stored under another group or version."""


@cache
def built_in(version: Version) -> tuple[Resource, ...]:
    """The resources that objects are stored of, by group and name."""
    found = []
    for path, listed in sorted(version.discovery["lists"].items()):
        group, _, name = path.removeprefix("/apis/").rpartition("/")
        group = "" if path == "/api/v1" else group
        if (group, name) in _STORED_ELSEWHERE:
            continue
        below: dict[str, list[str]] = {}
        for entry in listed["resources"]:
            plural, _, subresource = entry["name"].partition("/")
            if subresource:
                below.setdefault(plural, []).append(subresource)
        found += [
            _recorded(version, group, name, entry, tuple(sorted(below.get(entry["name"], ()))))
            for entry in listed["resources"]
            if "/" not in entry["name"] and "watch" in entry["verbs"]
        ]
    return tuple(found)


def _recorded(
    kubernetes: Version, group: str, version: str, entry: JSON, subresources: tuple[str, ...]
) -> Resource:
    plural = entry["name"]
    gate = _HAS_GENERATION_IF.get(plural)
    return Resource(
        plural,
        entry["kind"],
        group,
        version,
        namespaced=entry["namespaced"],
        short_names=tuple(entry.get("shortNames", ())),
        categories=tuple(entry.get("categories", ())),
        subresources=subresources,
        unconditional_update=plural not in _VERSION_REQUIRED,
        create_on_update=plural in _CREATE_ON_UPDATE,
        returns_deleted=plural in _RETURNS_DELETED,
        has_generation=plural in _HAS_GENERATION or (gate is not None and kubernetes.enabled(gate)),
        orphans_by_default=plural in _ORPHANS_BY_DEFAULT,
        verbs=tuple(entry["verbs"]),
    )


def _is_terminating(crd: Mapping[str, Any]) -> bool:
    found = (crd.get("status") or {}).get("conditions") or ()
    return any((each["type"], each["status"]) == ("Terminating", "True") for each in found)


def custom(crd: Mapping[str, Any], version: str = "", *, taken: bool = False) -> Resource:
    """The resource that a CustomResourceDefinition defines, in a version or in that of storage.

    `taken`: another resource is called by its plural.
    """
    spec, names = crd["spec"], (crd.get("status") or {}).get("acceptedNames") or {}
    names = {**spec["names"], **{name: value for name, value in names.items() if value}}
    found = next(
        each
        for each in spec["versions"]
        if (each["name"] == version if version else each["storage"])
    )
    plural, group = names["plural"], spec["group"]
    called = f"{plural}.{group}" if taken else ""
    if not found["storage"]:
        called = f"{plural}.{found['name']}.{group}"
    subresources = found.get("subresources") or {}
    deprecation = f"{group}/{found['name']} {names['kind']} is deprecated"
    return Resource(
        plural,
        names["kind"],
        group,
        found["name"],
        namespaced=spec["scope"] == "Namespaced",
        short_names=tuple(names.get("shortNames") or ()),
        categories=tuple(names.get("categories") or ()),
        subresources=tuple(each for each in ("status", "scale") if each in subresources),
        custom=True,
        verbs=TERMINATING_VERBS if _is_terminating(crd) else CUSTOM_VERBS,
        unconditional_update=False,
        has_generation=True,
        served=found["served"],
        selectable=tuple(each["jsonPath"][1:] for each in found.get("selectableFields") or ()),
        deprecation=(
            (found.get("deprecationWarning") or deprecation) if found.get("deprecated") else ""
        ),
        called=called,
        singular_name=names.get("singular", ""),
        kind_of_list=names.get("listKind", ""),
        stored_version=next(each["name"] for each in spec["versions"] if each["storage"]),
    )
