"""The admission plugins that every API server has on, in their order.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/kubeapiserver/options/plugins.go
"""

from collections.abc import Callable, Iterable
from decimal import Decimal
from random import Random

from hourglass_kube import quantity
from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import errors, limitrange, pod_resize, pod_security, quota
from hourglass_simulator.apiserver.pod_admission import PodAdmission
from hourglass_simulator.apiserver.resources import Resource
from hourglass_simulator.apiserver.store import Store
from hourglass_simulator.apiserver.write import CREATE, UPDATE, Write
from hourglass_simulator.kubernetes.version import Version

_VALIDATED = frozenset(
    (
        *("pods", "persistentvolumeclaims", "namespaces", "priorityclasses.scheduling.k8s.io"),
        *pod_security.WITH_TEMPLATES,
    )
)
"""Whatever else is written, no plugin has anything against."""
_DEFAULT_STORAGE_CLASS = "storageclass.kubernetes.io/is-default-class"
_OLD_STORAGE_CLASS = "volume.beta.kubernetes.io/storage-class"
_DEFAULT_INGRESS_CLASS = "ingressclass.kubernetes.io/is-default-class"
_OLD_INGRESS_CLASS = "kubernetes.io/ingress.class"


class Admission:
    """Looks at other objects in the store to admit a write."""

    def __init__(self, store: Store, random: Random, version: Version) -> None:
        self._store = store
        self._version = version
        self._pods = PodAdmission(store, random)
        self.tolerate_extended_resources = False
        """ExtendedResourceToleration, which no cluster has on by itself."""
        self.of_client = False
        """A client's write is under way, and none of the simulator's own."""
        self.count_quota: Callable[[JSON], JSON] | None = None
        """Counts a quota that was never counted, as a controller does soon after its creation."""

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

    def mutated(self, write: Write) -> JSON:
        """The object with everything that the plugins fill in."""
        obj = write.obj
        if write.operation != CREATE or write.subresource:
            return obj
        resource = write.resource.qualified
        if resource == "pods":
            obj = limitrange.with_defaults(self._in("limitranges", write.namespace), obj)
            obj = self._pods.service_account(write, obj)
            obj = self._pods.priority(write, obj)
            obj = self._with_extended_tolerations(obj)
            return self._pods.runtime_class(write, obj)
        if resource == "nodes" and self.of_client:
            return _not_ready(obj)
        if resource == "persistentvolumeclaims":
            return self._with_storage_class(obj)
        if resource == "ingresses.networking.k8s.io":
            return self._with_ingress_class(obj)
        return obj

    def validate(self, write: Write) -> None:
        """403 or 422 for what the plugins refuse; quotas are asked last, by `charge`."""
        if write.resource.qualified not in _VALIDATED:
            return
        if write.on("pods", operations=(CREATE,)) or write.on("persistentvolumeclaims"):
            ranges = self._in("limitranges", write.namespace)
            if why := limitrange.refusal(ranges, write.resource.qualified, write.obj):
                raise write.refused(why)
        if write.on("pods", operations=(CREATE,)):
            self._pods.mountable_secrets(write)
        if write.resource.qualified == "pods" and write.subresource == "resize":
            self._pod_resize(write)
        self._pod_security(write)
        if write.on("priorityclasses.scheduling.k8s.io"):
            self._pods.one_default_priority(write)
        if write.on("persistentvolumeclaims", operations=(UPDATE,)):
            self._resize(write)

    def charge(self, write: Write) -> Callable[[], None]:
        """403 when a ResourceQuota refuses the object; else what keeps what is used of it then."""
        table = self._store.table("resourcequotas")
        namespace, new = write.namespace, write.new
        if table is None or new is None or write.subresource or not table.count(namespace):
            return _nothing
        quotas = []
        for each in table.all(namespace):
            never = not (each.get("status") or {}).get("hard") and self.count_quota is not None
            quotas.append(self.count_quota(each) if never and self.count_quota else each)
        try:
            charged = quota.charge(quotas, write.resource, new, write.old)
        except quota.QuotaError as error:
            raise write.refused(str(error)) from None

        def keep() -> None:
            for found, used in charged:
                table.put(found, {**found, "status": {**found["status"], "used": used}})

        return keep

    def _pod_security(self, write: Write) -> None:
        if write.on("namespaces"):
            self._policy_of_namespace(write)
            return
        if write.subresource not in ("", "ephemeralcontainers", "resize") or write.new is None:
            return
        template = pod_security.template(write.resource.qualified, write.obj)
        if template is None and write.resource.qualified != "pods":
            return
        found = self._find("namespaces", "", write.namespace) or {"metadata": {}}
        labels = found["metadata"].get("labels") or {}
        if not any(label.startswith(pod_security.PREFIX) for label in labels):
            return
        policy, _ = pod_security.policy(labels)
        if template is None:
            if write.old is not None and not pod_security.is_significant(write.obj, write.old):
                return
            template = write.obj["metadata"], write.obj["spec"]
            if why := pod_security.enforced(policy, *template):
                raise write.refused(why)
        if warning := pod_security.warned(policy, *template):
            write.warnings.append(warning)

    def _pod_resize(self, write: Write) -> None:
        node = write.obj["spec"].get("nodeName")
        unchanged = write.old is not None and write.old["spec"] == write.obj["spec"]
        if not self._version.refuses_resizes or not node or unchanged:
            return
        why, reason = pod_resize.refusal(write.obj, self._find("nodes", "", node))
        if why:
            error = write.refused(why)
            if reason:
                error.details = {**(error.details or {}), "causes": [{"reason": reason}]}
            raise error

    def _policy_of_namespace(self, write: Write) -> None:
        policy, faults = pod_security.policy(write.obj["metadata"].get("labels") or {})
        if write.old is None:
            if faults:
                raise errors.invalid(write.resource, write.name, faults)
            return
        before, old_faults = pod_security.policy(write.old["metadata"].get("labels") or {})
        if faults and faults != old_faults:
            raise errors.invalid(write.resource, write.name, faults)
        if policy.enforce != before.enforce:
            pods = self._in("pods", write.name)
            found = pod_security.of_namespace(write.name, policy, before, pods)
            write.warnings.extend(found)

    def _with_extended_tolerations(self, pod: JSON) -> JSON:
        """https://github.com/kubernetes/kubernetes/blob/v1.34.4/plugin/pkg/admission/extendedresourcetoleration/admission.go"""
        if not self.tolerate_extended_resources:
            return pod
        spec = pod["spec"]
        names = {
            name
            for field in ("containers", "initContainers")
            for container in spec.get(field) or ()
            for name in (container.get("resources") or {}).get("requests") or {}
            if "/" in name and "kubernetes.io/" not in name
        }
        fixed = {"operator": "Exists", "effect": "NoSchedule"}
        added = [{"key": name, **fixed} for name in sorted(names)]
        given = spec.get("tolerations") or []
        tolerations = [*given, *(each for each in added if each not in given)]
        return {**pod, "spec": {**spec, "tolerations": tolerations}}

    def _with_storage_class(self, claim: JSON) -> JSON:
        notes = claim["metadata"].get("annotations") or {}
        if claim["spec"].get("storageClassName") is not None or _OLD_STORAGE_CLASS in notes:
            return claim
        name = self._default("storageclasses", _DEFAULT_STORAGE_CLASS)
        if name is None:
            return claim
        return {**claim, "spec": {**claim["spec"], "storageClassName": name}}

    def _with_ingress_class(self, ingress: JSON) -> JSON:
        notes = ingress["metadata"].get("annotations") or {}
        if ingress["spec"].get("ingressClassName") is not None or _OLD_INGRESS_CLASS in notes:
            return ingress
        name = self._default("ingressclasses", _DEFAULT_INGRESS_CLASS)
        if name is None:
            return ingress
        return {**ingress, "spec": {**ingress["spec"], "ingressClassName": name}}

    def _default(self, plural: str, annotation: str) -> str | None:
        """The youngest class that is marked as the default."""
        found = [
            (str(each["metadata"]["creationTimestamp"]), str(each["metadata"]["name"]))
            for each in self._in(plural, "")
            if (each["metadata"].get("annotations") or {}).get(annotation) == "true"
        ]
        if not found:
            return None
        youngest = max(since for since, _ in found)
        return min(name for since, name in found if since == youngest)

    def _resize(self, write: Write) -> None:
        """https://github.com/kubernetes/kubernetes/blob/v1.34.4/plugin/pkg/admission/storage/persistentvolume/resize/admission.go"""
        assert write.old is not None
        if _storage(write.obj) <= _storage(write.old):
            return
        if (write.old.get("status") or {}).get("phase") != "Bound":
            raise write.refused("Only bound persistent volume claims can be expanded")
        name = write.obj["spec"].get("storageClassName") or ""
        found = self._find("storageclasses", "", name) if name else None
        if found is None or not found.get("allowVolumeExpansion"):
            why = "only dynamically provisioned pvc can be resized and the storageclass that"
            raise write.refused(f"{why} provisions the pvc must support resize")

    def _in(self, plural: str, namespace: str) -> Iterable[JSON]:
        table = self._store.table(plural)
        if table is None or (namespace and not table.count(namespace)):
            return ()
        return table.all(namespace)

    def _find(self, plural: str, namespace: str, name: str) -> JSON | None:
        table = self._store.table(plural)
        return None if table is None else table.find(namespace, name)

    def _resource(self, plural: str) -> Resource:
        table = self._store.table(plural)
        assert table is not None
        return table.resource


def _not_ready(node: JSON) -> JSON:
    """https://github.com/kubernetes/kubernetes/blob/v1.34.4/plugin/pkg/admission/nodetaint/admission.go"""
    spec = node.get("spec") or {}
    taints = spec.get("taints") or []
    taint = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}
    if any(taint.items() <= each.items() for each in taints):
        return node
    return {**node, "spec": {**spec, "taints": [*taints, taint]}}


def _nothing() -> None:
    """Nothing is used of any quota."""


def _storage(claim: JSON) -> Decimal:
    requests = (claim["spec"].get("resources") or {}).get("requests") or {}
    return quantity.parse(requests.get("storage", "0"))
