"""What is done to objects before they are stored, by kind."""

from typing import Any

from hourglass_simulator.apiserver import errors, pods
from hourglass_simulator.apiserver.customresource import CustomResource
from hourglass_simulator.apiserver.resources import Resource
from hourglass_simulator.apiserver.store import Store

JSON = dict[str, Any]

_ENDED = ("Succeeded", "Failed")


class Admission:
    """Defaults, validation and admission control."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._custom: dict[str, CustomResource] = {}
        self._addresses = 0

    def is_custom(self, kind: Resource) -> bool:
        """The resource is served on behalf of a CustomResourceDefinition."""
        return kind.plural in self._custom

    def custom(self, plural: str) -> CustomResource:
        """The compiled definition of a custom resource."""
        return self._custom[plural]

    def check_namespace(self, kind: Resource, namespace: str, name: str) -> None:
        """Refuse a new object in a namespace that is not there, or on its way out."""
        found = self._find("namespaces", "", namespace)
        if found is None:
            raise errors.not_found(self._store.resource("namespaces"), namespace)
        if "deletionTimestamp" in found["metadata"]:
            why = (
                f"unable to create new content in namespace {namespace} because it is being"
                " terminated"
            )
            raise errors.forbidden(kind, name, why)

    def admit(self, kind: Resource, obj: JSON) -> JSON:
        """A new object as it is stored."""
        if kind.plural in self._custom:
            return self._custom[kind.plural].admit(obj)
        if kind.plural == "pods":
            return self._pod(kind, obj)
        if kind.plural == "services":
            return self._service(obj)
        if kind.plural == "namespaces":
            return {**obj, "status": {"phase": "Active"}}
        if kind.plural == "secrets":
            # Keys tell whether a variable can be filled; values are nobody's business.
            keys = {**(obj.get("data") or {}), **(obj.get("stringData") or {})}
            kept = {k: v for k, v in obj.items() if k not in ("data", "stringData")}
            return {**kept, "data": dict.fromkeys(keys, "")}
        if kind.plural == "customresourcedefinitions":
            self._define(obj)
        return obj

    def admit_update(self, kind: Resource, stored: JSON, obj: JSON, subresource: str) -> JSON:
        """A changed object as it is stored."""
        if kind.plural in self._custom:
            return self._custom[kind.plural].admit(obj, stored, subresource=subresource)
        if kind.plural == "pods":
            pods.check_update(kind, stored, obj)
        if kind.plural == "services" and _ip(stored) != _ip(obj):
            if "clusterIP" in obj["spec"]:
                shown = f'Invalid value: ["{obj["spec"]["clusterIP"]}"]: may not change once set'
                name = obj["metadata"]["name"]
                raise errors.invalid(kind, name, "spec.clusterIPs[0]", "FieldValueInvalid", shown)
            kept = {key: stored["spec"][key] for key in ("clusterIP", "clusterIPs")}
            return {**obj, "spec": {**obj["spec"], **kept}}
        return obj

    def _find(self, plural: str, namespace: str, name: str) -> JSON | None:
        return self._store.find(self._store.resource(plural), namespace, name)

    def _pod(self, kind: Resource, pod: JSON) -> JSON:
        admitted = pods.admit_pod(kind, pod, self._find)
        namespace = pod["metadata"]["namespace"]
        quotas = [
            quota
            for (where, _), quota in self._store.objects(
                self._store.resource("resourcequotas")
            ).items()
            if where == namespace
        ]
        if quotas:
            others = [
                other
                for (where, _), other in self._store.objects(kind).items()
                if where == namespace and (other.get("status") or {}).get("phase") not in _ENDED
            ]
            pods.check_quota(kind, admitted, quotas, others)
        return admitted

    def _service(self, service: JSON) -> JSON:
        spec = service["spec"]
        self._addresses += 1
        high, low = divmod(self._addresses, 250)
        address = spec.get("clusterIP") or f"10.96.{high}.{low + 1}"
        ports = [
            {"protocol": "TCP", "targetPort": port["port"], **port}
            for port in spec.get("ports") or ()
        ]
        defaults = {
            "clusterIP": address,
            "clusterIPs": [address],
            "internalTrafficPolicy": "Cluster",
            "ipFamilies": ["IPv4"],
            "ipFamilyPolicy": "SingleStack",
            "sessionAffinity": "None",
            "type": "ClusterIP",
        }
        return {
            **service,
            "spec": {**defaults, **spec, "ports": ports},
            "status": {"loadBalancer": {}},
        }

    def _define(self, crd: JSON) -> None:
        compiled = CustomResource(crd)
        names = crd["spec"]["names"]
        self._custom[compiled.plural] = compiled
        version = compiled.api_version.rpartition("/")[2]
        self._store.serve(
            Resource(
                compiled.plural,
                compiled.kind,
                compiled.group,
                version,
                namespaced=crd["spec"]["scope"] == "Namespaced",
                short_names=tuple(names.get("shortNames") or ()),
                has_status=True,
            )
        )


def _ip(service: JSON) -> str | None:
    address: str | None = service["spec"].get("clusterIP")
    return address
