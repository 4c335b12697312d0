"""Admission: namespace, definition, quota; of pods also account, priority, runtime class, security.

https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/
"""

from random import Random
from typing import Any

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import errors, metadata, pod_defaults, pod_security, quota
from hourglass_simulator.apiserver.resources import Resource
from hourglass_simulator.apiserver.store import Store, Table


class Admission:
    """Looks at other objects in the store to admit a new one."""

    def __init__(self, store: Store, random: Random) -> None:
        self._store = store
        self._random = random

    def namespace(self, resource: Resource, namespace: str, name: str) -> None:
        """404 when the namespace is missing, 403 when it is being deleted."""
        found = self._find("namespaces", "", namespace)
        if found is None:
            raise errors.not_found(self._resource("namespaces"), namespace)
        if "deletionTimestamp" in found["metadata"]:
            raise errors.namespace_terminating(resource, namespace, name)

    def definition(self, resource: Resource, name: str) -> None:
        """403 for a custom resource whose definition is being deleted."""
        found = self._find("customresourcedefinitions", "", resource.qualified)
        if found is not None and "deletionTimestamp" in found["metadata"]:
            why = "create not allowed while custom resource definition is terminating"
            raise errors.forbidden(resource, name, why)

    def pod(self, resource: Resource, pod: JSON) -> JSON:
        """The pod with everything that admission fills in."""
        meta, spec = pod["metadata"], pod_defaults.defaulted(pod.get("spec") or {})
        spec = self._with_runtime_class(resource, meta, spec)
        spec = self._with_service_account(resource, meta, spec)
        spec = self._with_priority(resource, meta, spec)
        return {**pod, "spec": spec}

    def pod_security(self, resource: Resource, pod: JSON) -> None:
        """403 when the namespace's Pod Security refuses the pod."""
        found = self._find("namespaces", "", pod["metadata"]["namespace"]) or {"metadata": {}}
        labels = found["metadata"].get("labels") or {}
        if refusal := pod_security.refusal(labels, pod["spec"]):
            raise errors.forbidden(resource, pod["metadata"]["name"], refusal)

    def quota(self, table: Table, obj: JSON) -> None:
        """403 when a ResourceQuota of the namespace refuses the object."""
        namespace, quotas = obj["metadata"]["namespace"], self._store.table("resourcequotas")
        if quotas is None or not quotas.count(namespace):
            return
        for entry in quotas.all(namespace):
            if refusal := quota.refusal(entry, table.resource, obj, table.all(namespace)):
                raise errors.forbidden(table.resource, obj["metadata"]["name"], refusal)

    def _with_runtime_class(self, resource: Resource, meta: JSON, spec: JSON) -> JSON:
        name = spec.get("runtimeClassName")
        if not name:
            return spec
        found = self._find("runtimeclasses", "", name)
        if found is None:
            raise errors.forbidden(
                resource,
                meta["name"],
                f'pod rejected: RuntimeClass "{name}" not found',
            )
        result = dict(spec)
        overhead = (found.get("overhead") or {}).get("podFixed")
        if spec.get("overhead") not in (None, overhead):
            why = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead"
            raise errors.forbidden(resource, meta["name"], why)
        if overhead:
            result["overhead"] = overhead
        scheduling = found.get("scheduling") or {}
        if selector := scheduling.get("nodeSelector"):
            own = spec.get("nodeSelector") or {}
            for key, value in sorted(selector.items()):
                if own.get(key, value) != value:
                    why = f"conflict: runtimeClass.scheduling.nodeSelector[{key}] = {value}; "
                    why += f"pod.spec.nodeSelector[{key}] = {own[key]}"
                    raise errors.forbidden(resource, meta["name"], why)
            result["nodeSelector"] = {**own, **selector}
        if added := scheduling.get("tolerations"):
            given = spec["tolerations"]
            result["tolerations"] = [*given, *(item for item in added if item not in given)]
        return result

    def _with_service_account(self, resource: Resource, meta: JSON, spec: JSON) -> JSON:
        name = spec.get("serviceAccountName") or spec.get("serviceAccount") or "default"
        account: dict[str, Any] | None = self._find("serviceaccounts", meta["namespace"], name)
        if account is None:
            if name != "default":
                why = f"error looking up service account {meta['namespace']}/{name}: "
                why += f'serviceaccount "{name}" not found'
                raise errors.forbidden(resource, meta["name"], why)
            account = {}
        result = {**spec, "serviceAccountName": name, "serviceAccount": name}
        if not spec.get("imagePullSecrets") and account.get("imagePullSecrets"):
            result["imagePullSecrets"] = account["imagePullSecrets"]
        mounts = spec.get("automountServiceAccountToken")
        if mounts is None:
            mounts = account.get("automountServiceAccountToken", True)
        if mounts:
            return pod_defaults.service_account_volume(result, metadata.suffix(self._random))
        return result

    def _with_priority(self, resource: Resource, meta: JSON, spec: JSON) -> JSON:
        name = spec.get("priorityClassName")
        found = self._find("priorityclasses", "", name) if name else self._default_priority()
        if name and found is None:
            why = f"no PriorityClass with name {name} was found"
            raise errors.forbidden(resource, meta["name"], why)
        computed = 0 if found is None else found["value"]
        if spec.get("priority", computed) != computed:
            why = f"the integer value of priority ({spec['priority']}) must not be provided in pod "
            why += f"spec; priority admission controller computed {computed} from the given "
            why += "PriorityClass name"
            raise errors.forbidden(resource, meta["name"], why)
        if found is None:
            return {**spec, "priority": 0, "preemptionPolicy": "PreemptLowerPriority"}
        return {
            **spec,
            "priorityClassName": found["metadata"]["name"],
            "priority": found["value"],
            "preemptionPolicy": found["preemptionPolicy"],
        }

    def _default_priority(self) -> JSON | None:
        table = self._store.table("priorityclasses")
        classes = [] if table is None else [c for c in table.all() if c.get("globalDefault")]
        return min(classes, key=lambda c: int(c["value"]), default=None)

    def _find(self, plural: str, namespace: str, name: str) -> JSON | None:
        table = self._store.table(plural)
        return None if table is None else table.find(namespace, name)

    def _resource(self, plural: str) -> Resource:
        table = self._store.table(plural)
        assert table is not None
        return table.resource
