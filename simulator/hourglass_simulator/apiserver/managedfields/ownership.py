"""The field managers of the resources of a server, made when they are first needed."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import openapi
from hourglass_simulator.apiserver.codec import Codec
from hourglass_simulator.apiserver.decoding import go_type
from hourglass_simulator.apiserver.managedfields.field_manager import FieldManager
from hourglass_simulator.apiserver.managedfields.reset_fields import reset_fields
from hourglass_simulator.apiserver.managedfields.schema import Schemas, Type
from hourglass_simulator.apiserver.managedfields.updater import unconverted
from hourglass_simulator.apiserver.resources import Resource
from hourglass_simulator.apiserver.views import VIEWS, View
from hourglass_simulator.kubernetes.version import Version

SCALE = Resource("scales", "Scale", "autoscaling", "v1")
_SCALE = "io.k8s.api.autoscaling.v1.Scale"
_OBJECT_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
_COMPONENTS = (
    ("system:node:", "kubelet"),
    ("kubelet", "kubelet"),
    ("system:kube-scheduler", "kube-scheduler"),
    ("system:kube-controller-manager", "kube-controller-manager"),
    ("system:serviceaccount:kube-system:", "kube-controller-manager"),
)


class Ownership:
    """Gives each resource, and each subresource that is written, its field manager."""

    def __init__(self, version: Version) -> None:
        self._version = version
        self._managers: dict[tuple[str, str, str], FieldManager] = {}
        self._definitions: dict[str, JSON] = {}
        self._scale: FieldManager | None = None

    def define(self, resource: Resource, definition: JSON | None) -> None:
        """Take the types of a custom resource from its definition from now on; None: it is gone."""
        if definition is None:
            self._definitions.pop(resource.name, None)
        else:
            self._definitions[resource.name] = definition
        for key in [key for key in self._managers if key[0] == resource.name]:
            del self._managers[key]

    def of(self, resource: Resource, subresource: str, view: View | None = None) -> FieldManager:
        """The field manager for writes to a resource or to a subresource of it, or by a view."""
        key = (resource.name, subresource, "" if view is None else view.resource.api_version)
        found = self._managers.get(key)
        if found is None:
            found = self._managers[key] = self._made(resource, subresource, view)
        return found

    def of_scale(self) -> FieldManager:
        """The field manager for what is applied to a Scale."""
        if self._scale is None:
            # The group of Scale has no document that describes it; those of workloads do.
            known = _schemas(self._version, openapi.path_of("apps/v1")).named(_SCALE)
            zero = {"apiVersion": SCALE.api_version, "kind": SCALE.kind}
            self._scale = FieldManager(
                SCALE.api_version,
                SCALE.kind,
                zero=zero,
                types={SCALE.api_version: known},
                reset={},
                is_fixed=True,
                subresource="scale",
            )
        return self._scale

    def type_of(self, resource: Resource) -> Type:
        """The type of the objects of a resource."""
        definition = self._definition(resource)
        if definition is None:
            return _built_in(self._version, resource)
        return _custom(self._version, resource, definition)

    def _definition(self, resource: Resource) -> JSON | None:
        return self._definitions.get(resource.name) if resource.custom else None

    def _made(self, resource: Resource, subresource: str, view: View | None) -> FieldManager:
        definition = self._definition(resource)
        served = resource if view is None else view.resource
        convert: Callable[[Any, str, str], Any] = unconverted
        if definition is None:
            zero = _zero(self._version, served)
            types = {served.api_version: _built_in(self._version, served)}
            if (other := _other_version(resource)) is not None:
                for each in (resource, other.resource):
                    types[each.api_version] = _built_in(self._version, each)
                convert = _Conversion(self._version, other, resource)
        else:
            zero = {"apiVersion": resource.api_version, "kind": resource.kind}
            known = self.type_of(resource)
            names = [each["name"] for each in definition["spec"]["versions"]]
            types = {f"{resource.group}/{name}": known for name in names}
        return FieldManager(
            served.api_version,
            resource.kind,
            zero=zero,
            types=types,
            convert=convert,
            shown=(lambda stored: stored) if view is None else view.shown,
            reset=reset_fields(resource, subresource, self._version),
            is_fixed=definition is None,
            subresource=subresource,
            refuses_strange=definition is not None and self._version.minor >= 37,
        )


@lru_cache(maxsize=1024)
def manager_of(user: str) -> str:
    """The field manager of a component that writes without saying who it is."""
    for prefix, name in _COMPONENTS:
        if user.startswith(prefix):
            return name
    return user


@cache
def _schemas(version: Version, path: str) -> Schemas:
    return Schemas(openapi.schemas(version, path))


def _built_in(version: Version, resource: Resource) -> Type:
    name = openapi.schema_name(version, resource.api_version, resource.kind)
    if name is None:
        raise LookupError(f"no schema is recorded of {resource.qualified_kind}")
    return _schemas(version, openapi.path_of(resource.api_version)).named(name)


def _other_version(resource: Resource) -> View | None:
    """The view of a resource in its own group; entries of another group are of no known type."""
    return next(
        (
            view
            for view in VIEWS.values()
            if (view.resource.group, view.resource.plural) == (resource.group, resource.plural)
        ),
        None,
    )


@dataclass(frozen=True, slots=True)
class _Conversion:
    """Makes objects of a view ones of the resource that is stored, or the other way round."""

    version: Version
    view: View
    resource: Resource

    def __call__(self, value: Any, version: str, wanted: str) -> Any:
        if version == wanted:
            return value
        is_stored = version == self.resource.api_version
        source, target = self.resource, self.view.resource
        if not is_stored:
            source, target = target, source
        codec, view = _zero_codec(self.version), self.view
        whole = codec.decode(go_type(self.version, source), value or {}).obj
        new = view.shown(whole) if is_stored else view.stored(whole, self.version.minor)
        changed = codec.decode(go_type(self.version, target), new).obj
        return {**changed, "apiVersion": target.api_version, "kind": target.kind}


@cache
def _zero_codec(version: Version) -> Codec:
    return Codec(version.types)


def _zero(version: Version, resource: Resource) -> JSON:
    """What Go prints of an object of the kind in which nothing is set."""
    return _zero_codec(version).decode(go_type(version, resource), {}).obj


def _custom(of_kubernetes: Version, resource: Resource, definition: JSON) -> Type:
    """The type of a custom resource; where no schema is given, nothing is known of it.

    https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/apiextensions-apiserver/pkg/controller/openapi/builder/builder.go
    """
    version = next(v for v in definition["spec"]["versions"] if v["name"] == resource.version)
    schema = (version.get("schema") or {}).get("openAPIV3Schema") or {}
    properties = {
        **(schema.get("properties") or {}),
        "apiVersion": {"type": "string"},
        "kind": {"type": "string"},
        "metadata": {"$ref": f"#/components/schemas/{_OBJECT_META}"},
    }
    preserves = bool(definition["spec"].get("preserveUnknownFields"))
    whole = {"type": "object", **schema, "properties": properties}
    return _schemas(of_kubernetes, openapi.CORE).inlined(whole, preserves=preserves)
