"""The simulated API server: objects, versions, deletion, watches.

Objects are JSON as a real server returns them. None is ever changed in place: what is handed out
may be kept, and must not be changed either.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hourglass_simulator.apiserver import errors, patches
from hourglass_simulator.apiserver.admission import Admission
from hourglass_simulator.apiserver.calls import Audit, Call, Interceptor
from hourglass_simulator.apiserver.errors import APIError, CallTimeout
from hourglass_simulator.apiserver.metadata import Metadata, released
from hourglass_simulator.apiserver.resources import Resource
from hourglass_simulator.apiserver.selectors import matcher
from hourglass_simulator.apiserver.store import Store
from hourglass_simulator.apiserver.watch import ERROR, JSON, Change, Sink, Watch, WatchEvent
from hourglass_simulator.clock import Clock

ADMIN = "admin"

_SUCCESS = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}


@dataclass(frozen=True, slots=True)
class ObjectList:
    """The answer to a list; `resource_version` is where a watch goes on."""

    items: list[JSON]
    resource_version: str


class APIServer:
    """All methods raise APIError as a real server would answer, and CallTimeout by fault only."""

    def __init__(self, clock: Clock, *, seed: int = 0) -> None:
        self.clock = clock
        self.interceptors: list[Interceptor] = []
        self.auditors: list[Callable[[Audit], None]] = []
        self.store = Store()
        self._metadata = Metadata(clock, random.Random(f"apiserver/{seed}"))
        self._admission = Admission(self.store)
        for name in ("default", "kube-system", "kube-public", "kube-node-lease"):
            self.create("namespaces", {"metadata": {"name": name}})

    # Reads

    def get(self, resource: str, namespace: str, name: str, *, user: str = ADMIN) -> JSON:
        """One object."""
        call = Call("get", resource, namespace, name, "", user)
        return self._run(call, lambda kind: self.store.get(kind, namespace, name))

    def list(
        self,
        resource: str,
        namespace: str = "",
        *,
        label_selector: str = "",
        field_selector: str = "",
        user: str = ADMIN,
    ) -> ObjectList:
        """Objects in the order of namespace and name."""
        matches = matcher(namespace, label_selector, field_selector)
        self._intercept(Call("list", resource, namespace, "", "", user))
        kind = self.store.resource(resource)
        found = [obj for _, obj in sorted(self.store.objects(kind).items())]
        items = found if matches is None else [obj for obj in found if matches(obj)]
        return ObjectList(items, str(self.store.version))

    def watch(
        self,
        resource: str,
        *,
        sink: Sink,
        namespace: str = "",
        label_selector: str = "",
        field_selector: str = "",
        resource_version: str | None = None,
        user: str = ADMIN,
    ) -> Watch:
        """Changes after `resource_version`, or all objects and then changes when it is None.

        The sink is called synchronously with each commit, in commit order; it must not write
        during the call. A version that is no longer kept ends in an ERROR event with 410.
        """
        matches = matcher(namespace, label_selector, field_selector)
        self._intercept(Call("watch", resource, namespace, "", "", user))
        kind = self.store.resource(resource)
        watch = Watch(matches, sink, lambda w: self.store.unsubscribe(kind, w))
        version = int(resource_version or "0")
        history = self.store.history(kind)
        if resource_version is None:
            for _, obj in sorted(self.store.objects(kind).items()):
                watch.offer(Change(int(obj["metadata"]["resourceVersion"]), None, obj, obj))
        elif version < history.oldest:
            watch.send(WatchEvent(ERROR, errors.expired(version, history.oldest).status()))
            return watch
        else:
            for change in history.since(version):
                watch.offer(change)
        self.store.subscribe(kind, watch)
        return watch

    # Writes

    def create(self, resource: str, obj: JSON, *, namespace: str = "", user: str = ADMIN) -> JSON:
        """Create an object; `namespace` is that of the path."""
        meta = obj.get("metadata") or {}
        where = namespace or meta.get("namespace", "")
        call = Call("create", resource, where, meta.get("name", ""), "", user)
        return self._run(call, lambda kind: self._create(kind, obj, where))

    def update(self, resource: str, obj: JSON, *, subresource: str = "", user: str = ADMIN) -> JSON:
        """Replace an object; a resourceVersion in it must be the stored one."""
        meta = obj["metadata"]
        namespace, name = meta.get("namespace", ""), meta["name"]
        call = Call("update", resource, namespace, name, subresource, user)
        return self._run(
            call,
            lambda kind: self._replace(kind, self._stored(kind, namespace, name), obj, subresource),
        )

    def patch(
        self,
        resource: str,
        namespace: str,
        name: str,
        patch: Any,
        content_type: str = patches.MERGE,
        *,
        subresource: str = "",
        user: str = ADMIN,
    ) -> JSON:
        """Patch an object; a patch that changes nothing leaves its resourceVersion alone."""
        call = Call("patch", resource, namespace, name, subresource, user)
        return self._run(
            call, lambda kind: self._patch(kind, namespace, name, patch, content_type, subresource)
        )

    def delete(
        self,
        resource: str,
        namespace: str,
        name: str,
        *,
        grace_period_seconds: int | None = None,
        uid: str | None = None,
        resource_version: str | None = None,
        propagation_policy: str | None = None,
        user: str = ADMIN,
    ) -> JSON:
        """Delete an object: at once, or once its grace period and finalizers permit."""
        call = Call("delete", resource, namespace, name, "", user)

        def action(kind: Resource) -> JSON:
            stored = self._stored(kind, namespace, name)
            self._check_preconditions(kind, stored, uid, resource_version)
            return self._delete(kind, stored, grace_period_seconds, propagation_policy)

        return self._run(call, action)

    def bind(self, namespace: str, name: str, node: str, *, user: str = ADMIN) -> JSON:
        """Create a pods/binding: what a scheduler does with its verdict."""
        call = Call("create", "pods", namespace, name, "binding", user)
        return self._run(call, lambda kind: self._bind(kind, namespace, name, node))

    def evict(self, namespace: str, name: str, *, user: str = ADMIN) -> JSON:
        """Create a pods/eviction: a deletion that says it is one for a drain."""
        call = Call("create", "pods", namespace, name, "eviction", user)
        return self._run(call, lambda kind: self._evict(kind, namespace, name))

    def set_status(
        self, resource: str, namespace: str, name: str, status: JSON, *, user: str = ADMIN
    ) -> JSON:
        """Replace the whole status without a check of the version, as node agents may."""
        call = Call("patch", resource, namespace, name, "status", user)

        def action(kind: Resource) -> JSON:
            stored = self._stored(kind, namespace, name)
            return self._commit(kind, stored, {**stored, "status": status})

        return self._run(call, action)

    # What the calls do

    def _run(self, call: Call, action: Callable[[Resource], JSON]) -> JSON:
        code = 200
        try:
            if self.interceptors:
                self._intercept(call)
            answer = action(self.store.resource(call.resource))
            for interceptor in self.interceptors:
                interceptor.after(call)
        except APIError as error:
            code = error.code
            raise
        except CallTimeout:
            code = 0
            raise
        else:
            return answer
        finally:
            if self.auditors and call.mutating:
                record = Audit(self.clock.now, call, code)
                for auditor in self.auditors:
                    auditor(record)

    def _intercept(self, call: Call) -> None:
        for interceptor in self.interceptors:
            interceptor.before(call)

    def _stored(self, kind: Resource, namespace: str, name: str) -> JSON:
        return self.store.get(kind, namespace, name)

    def _create(self, kind: Resource, obj: JSON, namespace: str) -> JSON:
        new = self._metadata.stamped(kind, obj, namespace)
        name = new["metadata"]["name"]
        if kind.namespaced:
            self._admission.check_namespace(kind, namespace, name)
        if self.store.find(kind, namespace, name) is not None:
            raise errors.already_exists(kind, name)
        new = self._admission.admit(kind, new)
        return self.store.put(kind, None, new)

    def _patch(
        self,
        kind: Resource,
        namespace: str,
        name: str,
        patch: Any,
        content_type: str,
        subresource: str,
    ) -> JSON:
        stored = self._stored(kind, namespace, name)
        custom = self._admission.is_custom(kind)
        accepted = [patches.JSON_PATCH, patches.MERGE]
        if content_type == patches.MERGE:
            new = patches.merge_patch(stored, patch)
        elif content_type == patches.JSON_PATCH:
            new = patches.json_patch(stored, patch)
        elif content_type == patches.STRATEGIC and not custom:
            new = patches.strategic_merge(stored, patch)
        else:
            strategic = [] if custom else [patches.STRATEGIC]
            raise errors.unsupported_media_type([*accepted, *strategic, patches.APPLY])
        return self._replace(kind, stored, new, subresource)

    def _replace(self, kind: Resource, stored: JSON, obj: JSON, subresource: str) -> JSON:
        if obj is stored:
            return stored
        if subresource not in ("", "status") or (subresource == "status" and not kind.has_status):
            raise errors.unknown_resource()
        meta = obj["metadata"]
        version = meta.get("resourceVersion")
        self._check_preconditions(kind, stored, meta.get("uid"), None)
        if version and version != stored["metadata"]["resourceVersion"]:
            raise errors.modified(kind, stored["metadata"]["name"])
        new = self._metadata.carried_over(kind, stored, obj, subresource)
        new = self._admission.admit_update(kind, stored, new, subresource)
        return self._commit(kind, stored, new)

    def _check_preconditions(
        self, kind: Resource, stored: JSON, uid: str | None, version: str | None
    ) -> None:
        meta = stored["metadata"]
        if uid is not None and uid != meta["uid"]:
            why = (
                f"Precondition failed: UID in precondition: {uid}, UID in object meta:"
                f" {meta['uid']}"
            )
            raise errors.conflict(kind, meta["name"], why)
        if version is not None and version != meta["resourceVersion"]:
            why = (
                f"Precondition failed: ResourceVersion in precondition: {version}, ResourceVersion"
                f" in object meta: {meta['resourceVersion']}"
            )
            raise errors.conflict(kind, meta["name"], why)

    def _delete(
        self, kind: Resource, stored: JSON, grace: int | None, propagation: str | None
    ) -> JSON:
        new = self._metadata.deleting(kind, stored, grace, propagation)
        if new is stored:
            return stored
        if released(new):
            gone = self.store.remove(kind, stored, new)
            return gone if kind.plural == "pods" else _SUCCESS
        return self.store.put(kind, stored, new)

    def _bind(self, kind: Resource, namespace: str, name: str, node: str) -> JSON:
        stored = self._stored(kind, namespace, name)
        binding = Resource("pods/binding", "Binding")
        if stored["metadata"].get("deletionTimestamp"):
            why = f"pod {name} is being deleted, cannot be assigned to a host"
            raise errors.conflict(binding, name, why)
        if assigned := stored["spec"].get("nodeName"):
            why = f'pod {name} is already assigned to node "{assigned}"'
            raise errors.conflict(binding, name, why)
        scheduled = {
            "type": "PodScheduled",
            "status": "True",
            "lastProbeTime": None,
            "lastTransitionTime": self.clock.timestamp(),
        }
        status = patches.strategic_merge(stored.get("status") or {}, {"conditions": [scheduled]})
        conditions = [
            {k: v for k, v in c.items() if k not in ("reason", "message")}
            if c["type"] == "PodScheduled"
            else c
            for c in status["conditions"]
        ]
        spec = {**stored["spec"], "nodeName": node}
        new = {**stored, "spec": spec, "status": {**status, "conditions": conditions}}
        self.store.put(kind, stored, new)
        return {**_SUCCESS, "code": 201}

    def _evict(self, kind: Resource, namespace: str, name: str) -> JSON:
        stored = self._stored(kind, namespace, name)
        target = {
            "type": "DisruptionTarget",
            "status": "True",
            "reason": "EvictionByEvictionAPI",
            "message": "Eviction API: evicting",
            "lastProbeTime": None,
            "lastTransitionTime": self.clock.timestamp(),
        }
        status = patches.strategic_merge(stored.get("status") or {}, {"conditions": [target]})
        marked = self._commit(kind, stored, {**stored, "status": status})
        self._delete(kind, marked, None, None)
        return {**_SUCCESS, "code": 201}

    def _commit(self, kind: Resource, stored: JSON, new: JSON) -> JSON:
        if new is stored or new == stored:
            return stored
        if released(new):
            return self.store.remove(kind, stored, new)
        return self.store.put(kind, stored, new)
