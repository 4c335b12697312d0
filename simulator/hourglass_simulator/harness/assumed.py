"""What a snapshot does not hold is taken to exist: it was there when its pods were admitted."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIServer

_PROVISIONER = "assumed.hourglass.eigenlayer.io/provisioner"
_BOUND = {"pv.kubernetes.io/bind-completed": "yes"}
_ANY_SIZE = "1Gi"
_OF_EVERY_NAMESPACE = (("serviceaccounts", "default"), ("configmaps", "kube-root-ca.crt"))


def assume(api: APIServer, items: Iterable[JSON]) -> Counter[str]:
    """Make what objects refer to and the cluster does not have; how many of each kind."""
    assumed = _Assumed(api)
    for item in items:
        if namespace := item["metadata"].get("namespace"):
            assumed.namespace(namespace)
        kind = item["kind"]
        if kind == "PersistentVolumeClaim":
            assumed.volume_of(item)
        elif kind == "StatefulSet":
            for template in item["spec"].get("volumeClaimTemplates") or ():
                assumed.storage_class(template["spec"])
        if (spec := pod_spec_of(item)) is not None:
            _assume_pod(assumed, item, spec)
    assumed.make_data()
    return assumed.counted


def pod_spec_of(item: JSON) -> JSON | None:
    """The spec of a pod, or of the pods that an object makes."""
    spec: JSON = item.get("spec") or {}
    if item["kind"] == "Pod":
        return spec
    if item["kind"] == "CronJob":
        spec = spec["jobTemplate"].get("spec") or {}
    template = spec.get("template")
    found: JSON | None = template.get("spec") if isinstance(template, dict) else None
    return found


def references(spec: JSON) -> Iterator[tuple[str, str, str | None]]:
    """The objects of its namespace that a pod reads: resource, name and key.

    What is optional is left out.
    """
    for field in ("initContainers", "containers"):
        for container in spec.get(field) or ():
            yield from _of_environment(container)
    for volume in spec.get("volumes") or ():
        yield from _of_volume(volume)
        for source in (volume.get("projected") or {}).get("sources") or ():
            yield from _of_volume(source)


_WHOLE = (("secretRef", "secrets"), ("configMapRef", "configmaps"))
_BY_KEY = (("secretKeyRef", "secrets"), ("configMapKeyRef", "configmaps"))
_MOUNTED = (("secret", "secrets"), ("configMap", "configmaps"))


def _of_environment(container: JSON) -> Iterator[tuple[str, str, str | None]]:
    for source in container.get("envFrom") or ():
        for field, resource in _WHOLE:
            if field in source and not source[field].get("optional"):
                yield resource, source[field]["name"], None
    for variable in container.get("env") or ():
        source = variable.get("valueFrom") or {}
        for field, resource in _BY_KEY:
            if field in source and not source[field].get("optional"):
                yield resource, source[field]["name"], source[field].get("key")


def _of_volume(volume: JSON) -> Iterator[tuple[str, str, str | None]]:
    for field, resource in _MOUNTED:
        source = volume.get(field)
        if source is None or source.get("optional"):
            continue
        name = source.get("secretName") or source.get("name")
        if name:
            yield resource, name, None
            for item in source.get("items") or ():
                yield resource, name, item["key"]


def _assume_pod(assumed: "_Assumed", item: JSON, spec: JSON) -> None:
    namespace = item["metadata"]["namespace"]
    if account := spec.get("serviceAccountName"):
        assumed.one("serviceaccounts", namespace, account)
    for resource, name, key in references(spec):
        assumed.data(resource, namespace, name, key)
    for volume in spec.get("volumes") or ():
        if "persistentVolumeClaim" in volume:
            assumed.claim(namespace, volume["persistentVolumeClaim"]["claimName"], None)
        elif "ephemeral" in volume:
            assumed.storage_class(volume["ephemeral"]["volumeClaimTemplate"]["spec"])
            if item["kind"] == "Pod":
                assumed.claim(namespace, f"{item['metadata']['name']}-{volume['name']}", item)
    for claim in spec.get("resourceClaims") or ():
        if name := claim.get("resourceClaimName"):
            assumed.one("resourceclaims", namespace, name, spec={"devices": {}})
        elif name := claim.get("resourceClaimTemplateName"):
            wanted: JSON = {"spec": {"devices": {}}}
            assumed.one("resourceclaimtemplates", namespace, name, spec=wanted)
    if priority_class := spec.get("priorityClassName"):
        policy = spec.get("preemptionPolicy", "PreemptLowerPriority")
        value = spec.get("priority", 0)
        assumed.one("priorityclasses", "", priority_class, value=value, preemptionPolicy=policy)
    if runtime := spec.get("runtimeClassName"):
        overhead = {"overhead": {"podFixed": spec["overhead"]}} if spec.get("overhead") else {}
        assumed.one("runtimeclasses", "", runtime, handler=runtime, **overhead)


class _Assumed:
    """Makes each object once, and counts what it has made."""

    def __init__(self, api: APIServer) -> None:
        self.counted: Counter[str] = Counter()
        self._api = api
        self._kinds = {resource.name: resource.kind for resource in api.resources()}
        self._known: dict[str, dict[tuple[str, str], JSON]] = {}
        self._data: dict[tuple[str, str, str], dict[str, str]] = {}

    def namespace(self, name: str) -> None:
        """Namespaces are not counted: that there is one says each object in it."""
        if ("", name) not in self._objects("namespaces"):
            self._make("namespaces", "", name, {})

    def one(self, resource: str, namespace: str, name: str, **fields: Any) -> None:
        """An object of that name, which has these fields if it is made."""
        if (namespace, name) not in self._objects(resource):
            self._make(resource, namespace, name, fields)
            if (resource, name) not in _OF_EVERY_NAMESPACE:
                self.counted[self._kinds[resource]] += 1

    def data(self, resource: str, namespace: str, name: str, key: str | None) -> None:
        """A Secret or ConfigMap with a key; what the file has is complete."""
        keys = self._data.setdefault((resource, namespace, name), {})
        if key:
            keys[key] = ""

    def make_data(self) -> None:
        """Make the Secrets and ConfigMaps, each with all keys that are read of it."""
        for (resource, namespace, name), keys in self._data.items():
            self.one(resource, namespace, name, data=keys)

    def claim(self, namespace: str, name: str, owner: JSON | None) -> None:
        """A claim that is bound to a volume that every node reaches."""
        if (namespace, name) in self._objects("persistentvolumeclaims"):
            return
        volume = f"assumed-{namespace}-{name}"
        spec = {
            "accessModes": ["ReadWriteMany"],
            "resources": {"requests": {"storage": _ANY_SIZE}},
            "storageClassName": "",
            "volumeName": volume,
        }
        meta: JSON = {"annotations": _BOUND}
        if owner is not None:
            reference = {"apiVersion": "v1", "kind": "Pod", "controller": True}
            of = {"name": owner["metadata"]["name"], "uid": owner["metadata"].get("uid", "")}
            meta["ownerReferences"] = [{**reference, **of}]
        status = {"phase": "Bound", "accessModes": spec["accessModes"]}
        made = self._make(
            "persistentvolumeclaims", namespace, name, {"spec": spec, "status": status}, meta
        )
        self.counted["PersistentVolumeClaim"] += 1
        self._bind(volume, made)

    def volume_of(self, claim: JSON) -> None:
        """The volume of a claim that is bound, or the class of one that is not."""
        name = claim["spec"].get("volumeName")
        if not name:
            self.storage_class(claim["spec"])
        elif ("", name) not in self._objects("persistentvolumes"):
            self._bind(name, claim)
            self.counted["PersistentVolume"] += 1

    def storage_class(self, claim: Mapping[str, Any]) -> None:
        """A class whose volumes every node reaches."""
        if name := claim.get("storageClassName"):
            fields = {"provisioner": _PROVISIONER, "volumeBindingMode": "WaitForFirstConsumer"}
            self.one("storageclasses", "", str(name), **fields)

    def _bind(self, name: str, claim: JSON) -> None:
        meta, spec = claim["metadata"], claim["spec"]
        reference = {field: meta[field] for field in ("namespace", "name", "uid") if field in meta}
        made = {
            "accessModes": spec.get("accessModes") or ["ReadWriteOnce"],
            "capacity": {"storage": spec["resources"]["requests"]["storage"]},
            "claimRef": {"apiVersion": "v1", "kind": "PersistentVolumeClaim", **reference},
            "hostPath": {"path": f"/var/lib/volumes/{name}"},
            "persistentVolumeReclaimPolicy": "Retain",
            "storageClassName": spec.get("storageClassName", ""),
            "volumeMode": spec.get("volumeMode", "Filesystem"),
        }
        self._make("persistentvolumes", "", name, {"spec": made, "status": {"phase": "Bound"}})

    def _objects(self, resource: str) -> dict[tuple[str, str], JSON]:
        if resource not in self._known:
            self._known[resource] = {
                (obj["metadata"].get("namespace", ""), obj["metadata"]["name"]): obj
                for obj in self._api.list(resource).items
            }
        return self._known[resource]

    def _make(
        self,
        resource: str,
        namespace: str,
        name: str,
        fields: Mapping[str, Any],
        meta: JSON | None = None,
    ) -> JSON:
        named = {**(meta or {}), "name": name} | ({"namespace": namespace} if namespace else {})
        made = self._api.restore(resource, {"metadata": named, **fields})
        self._objects(resource)[namespace, name] = made
        return made
