"""What admission fills in of a new pod: account, priority, runtime class; and what it refuses.

https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/
"""

from collections.abc import Iterator
from random import Random
from typing import Any

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import metadata, pod_defaults
from hourglass_simulator.apiserver.store import Store
from hourglass_simulator.apiserver.write import Write

_MIRROR = "kubernetes.io/config.mirror"
_ENFORCE_SECRETS = "kubernetes.io/enforce-mountable-secrets"


class PodAdmission:
    """Looks at other objects in the store to admit a new pod."""

    def __init__(self, store: Store, random: Random) -> None:
        self._store = store
        self._random = random

    def service_account(self, write: Write, pod: JSON) -> JSON:
        """The pod with its account and, where wanted, the volume with its token.

        https://github.com/kubernetes/kubernetes/blob/v1.34.4/plugin/pkg/admission/serviceaccount/admission.go
        """
        meta, spec = pod["metadata"], pod["spec"]
        if _MIRROR in (meta.get("annotations") or {}):
            if why := _of_mirror(spec):
                raise write.refused(why)
            return pod
        name = spec.get("serviceAccountName") or spec.get("serviceAccount") or "default"
        account: dict[str, Any] | None = self._find("serviceaccounts", meta["namespace"], name)
        if account is None:
            if name != "default":
                why = f"error looking up service account {meta['namespace']}/{name}: "
                raise write.refused(f'{why}serviceaccount "{name}" not found')
            account = {}
        result = {**spec, "serviceAccountName": name, "serviceAccount": name}
        if not spec.get("imagePullSecrets") and account.get("imagePullSecrets"):
            result["imagePullSecrets"] = account["imagePullSecrets"]
        mounts = spec.get("automountServiceAccountToken")
        if mounts is None:
            mounts = account.get("automountServiceAccountToken", True)
        if mounts:
            result = pod_defaults.service_account_volume(result, metadata.suffix(self._random))
        return {**pod, "spec": result}

    def mountable_secrets(self, write: Write) -> None:
        """403 for a secret that the account does not list, if it enforces that."""
        pod = write.obj
        meta, spec = pod["metadata"], pod["spec"]
        name = spec.get("serviceAccountName", "")
        account = self._find("serviceaccounts", meta["namespace"], name)
        notes = (account or {"metadata": {}})["metadata"].get("annotations") or {}
        if account is None or notes.get(_ENFORCE_SECRETS) not in ("true", "1", "t", "T", "TRUE"):
            return
        mountable = {each.get("name") for each in account.get("secrets") or ()}
        ends = f"is not allowed because service account {name} does not reference that"
        for what, secret in _secrets(spec):
            if secret not in mountable:
                raise write.refused(f'{what}="{secret}" {ends} secret')
        pulls = {each.get("name") for each in account.get("imagePullSecrets") or ()}
        for index, each in enumerate(spec.get("imagePullSecrets") or ()):
            if each["name"] not in pulls:
                why = f'imagePullSecrets[{index}].name="{each["name"]}" {ends} imagePullSecret'
                raise write.refused(why)

    def priority(self, write: Write, pod: JSON) -> JSON:
        """The pod with the value of its priority class."""
        spec = pod["spec"]
        name = spec.get("priorityClassName")
        found = self._find("priorityclasses", "", name) if name else self._default_priority()
        if name and found is None:
            raise write.refused(f"no PriorityClass with name {name} was found")
        computed = 0 if found is None else found["value"]
        policy = "PreemptLowerPriority" if found is None else found["preemptionPolicy"]
        ends = "from the given PriorityClass name"
        must_not = "must not be provided in pod spec; priority admission controller computed"
        if spec.get("priority", computed) != computed:
            why = f"the integer value of priority ({spec['priority']}) {must_not}"
            raise write.refused(f"{why} {computed} {ends}")
        if spec.get("preemptionPolicy") not in (None, policy):
            why = f"the string value of PreemptionPolicy ({spec['preemptionPolicy']}) {must_not}"
            raise write.refused(f"{why} {policy} {ends}")
        result = {**spec, "priority": computed, "preemptionPolicy": policy}
        if found is not None:
            result["priorityClassName"] = found["metadata"]["name"]
        return {**pod, "spec": result}

    def runtime_class(self, write: Write, pod: JSON) -> JSON:
        """The pod with the overhead and the scheduling of its runtime class."""
        spec = pod["spec"]
        name = spec.get("runtimeClassName")
        if not name:
            if spec.get("overhead"):
                why = "pod rejected: Pod Overhead set without corresponding RuntimeClass defined"
                raise write.refused(f"{why} Overhead")
            return pod
        found = self._find("runtimeclasses", "", name)
        if found is None:
            raise write.refused(f'pod rejected: RuntimeClass "{name}" not found')
        result = dict(spec)
        overhead = (found.get("overhead") or {}).get("podFixed")
        if spec.get("overhead") not in (None, overhead):
            why = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead"
            raise write.refused(why)
        if overhead:
            result["overhead"] = overhead
        scheduling = found.get("scheduling") or {}
        if selector := scheduling.get("nodeSelector"):
            own = spec.get("nodeSelector") or {}
            for key, value in sorted(selector.items()):
                if own.get(key, value) != value:
                    why = f"conflict: runtimeClass.scheduling.nodeSelector[{key}] = {value}; "
                    raise write.refused(f"{why}pod.spec.nodeSelector[{key}] = {own[key]}")
            result["nodeSelector"] = {**own, **selector}
        if added := scheduling.get("tolerations"):
            given = spec["tolerations"]
            result["tolerations"] = [*given, *(item for item in added if item not in given)]
        return {**pod, "spec": result}

    def one_default_priority(self, write: Write) -> None:
        """403 for a second PriorityClass that is the default."""
        found = self._default_priority() if write.obj.get("globalDefault") else None
        if found is not None and found["metadata"]["name"] != write.name:
            name = found["metadata"]["name"]
            why = f"PriorityClass {name} is already marked as default. Only one default can exist"
            raise write.refused(why)

    def _default_priority(self) -> JSON | None:
        table = self._store.table("priorityclasses")
        classes = [] if table is None else [c for c in table.all() if c.get("globalDefault")]
        return min(classes, key=lambda c: int(c["value"]), default=None)

    def _find(self, plural: str, namespace: str, name: str) -> JSON | None:
        table = self._store.table(plural)
        return None if table is None else table.find(namespace, name)


def _of_mirror(spec: JSON) -> str:
    """Why a mirror pod is refused: the API server knows nothing of what it would need."""
    if spec.get("serviceAccountName"):
        return "a mirror pod may not reference service accounts"
    if list(_secrets(spec)):
        return "a mirror pod may not reference secrets"
    for volume in spec.get("volumes") or ():
        for source in ((volume.get("projected") or {}).get("sources")) or ():
            if source.get("serviceAccountToken") is not None:
                return "a mirror pod may not use ServiceAccountToken volume projections"
    return ""


def _secrets(spec: JSON) -> Iterator[tuple[str, str]]:
    """The secrets that a pod mounts or reads, each with how messages name the place."""
    for volume in spec.get("volumes") or ():
        if volume.get("secret") is not None:
            yield "volume with secret.secretName", volume["secret"].get("secretName", "")
    for field, kind in (("initContainers", "init container"), ("containers", "container")):
        for container in spec.get(field) or ():
            for variable in container.get("env") or ():
                reference = (variable.get("valueFrom") or {}).get("secretKeyRef")
                if reference is not None:
                    what = f"{kind} {container['name']} with envVar {variable['name']} referencing"
                    yield f"{what} secret.secretName", reference.get("name", "")
            for source in container.get("envFrom") or ():
                if source.get("secretRef") is not None:
                    what = f"{kind} {container['name']} with envFrom referencing secret.secretName"
                    yield what, source["secretRef"].get("name", "")
