"""The calls of the API server, as clients and components make them."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from random import Random
from typing import Any, NamedTuple, TypeVar

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import errors, patches, validation
from hourglass_simulator.apiserver.calls import Audit, Call, Interceptor
from hourglass_simulator.apiserver.errors import APIError, CallTimeoutError
from hourglass_simulator.apiserver.registry import Registry
from hourglass_simulator.apiserver.resources import Resource
from hourglass_simulator.apiserver.selectors import matcher
from hourglass_simulator.apiserver.watch import (
    ADDED,
    BOOKMARK,
    ERROR,
    Sink,
    Watch,
    WatchEvent,
    deliver,
)
from hourglass_simulator.clock import Clock

T = TypeVar("T")

ADMIN = "admin"
HISTORY = 10_000
"""Changes of a resource that watches can start from."""


class ObjectList(NamedTuple):
    """Objects ordered by namespace and name, and the version at which a watch can go on."""

    items: list[JSON]
    resource_version: str


class APIServer:
    """The API of one cluster; `auditors` are called for every mutating call when it is answered.

    Objects are plain JSON as a real API server returns them. What is passed in or handed out is
    shared, not copied: nobody may change it in place. Calls raise APIError with the texts of
    Kubernetes 1.34, and CallTimeoutError when an interceptor does.
    """

    def __init__(self, clock: Clock, *, seed: int = 0, history: int = HISTORY) -> None:
        self.clock = clock
        self.interceptors: list[Interceptor] = []
        self.auditors: list[Callable[[Audit], None]] = []
        self._registry = Registry(clock, Random(seed), history)

    @property
    def resource_version(self) -> str:
        """The version of the latest commit."""
        return str(self._registry.store.version)

    def resources(self) -> list[Resource]:
        """What is served, by plural name."""
        return [table.resource for table in self._registry.store.tables()]

    def create(self, resource: str, obj: JSON, *, namespace: str = "", user: str = ADMIN) -> JSON:
        """Store a new object under `metadata.name`, or under a name from `generateName`."""
        meta = obj.get("metadata") or {}
        call = Call("create", resource, namespace, meta.get("name", ""), "", user)
        return self._answer(call, lambda: self._registry.create(resource, obj, namespace))

    def dry_run(self) -> AbstractContextManager[None]:
        """Within the `with` block calls are answered, and nothing is stored."""
        return self._registry.store.dry_run()

    def refuse_unknown_fields(self, resource: str, obj: JSON) -> None:
        """Raise 400 for fields that the schema of a custom resource does not know.

        https://kubernetes.io/docs/reference/using-api/api-concepts/#field-validation
        """
        self._registry.refuse_unknown_fields(resource, obj)

    def get(self, resource: str, namespace: str, name: str, *, user: str = ADMIN) -> JSON:
        """One object."""
        call = Call("get", resource, namespace, name, "", user)
        return self._answer(
            call, lambda: self._registry.find(self._registry.table(resource), namespace, name)
        )

    def list(
        self,
        resource: str,
        namespace: str = "",
        *,
        label_selector: str = "",
        field_selector: str = "",
        user: str = ADMIN,
    ) -> ObjectList:
        """Objects of one namespace or of all that match the selectors."""

        def select() -> ObjectList:
            matches = matcher(
                "", label_selector, field_selector, self._registry.table(resource).resource
            )
            found = self._registry.table(resource).all(namespace)
            items = [obj for obj in found if matches is None or matches(obj)]
            return ObjectList(items, self.resource_version)

        return self._answer(Call("list", resource, namespace, "", "", user), select)

    def update(self, resource: str, obj: JSON, *, subresource: str = "", user: str = ADMIN) -> JSON:
        """Replace an object, or what belongs to a subresource of it."""
        meta = obj.get("metadata") or {}
        namespace, name = meta.get("namespace", ""), meta.get("name", "")
        call = Call("update", resource, namespace, name, subresource, user)
        return self._answer(call, lambda: self._registry.update(resource, obj, subresource))

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
        """Change an object by a JSON merge patch, a strategic merge patch or a JSON patch."""
        call = Call("patch", resource, namespace, name, subresource, user)

        def apply() -> JSON:
            table = self._registry.table(resource, subresource)
            patches.require_supported(content_type, table.resource)
            old = self._registry.find(table, namespace, name)
            new = patches.apply(old, patch, content_type)
            return self._registry.replace(table, old, new, subresource)

        return self._answer(call, apply)

    def set_status(
        self, resource: str, namespace: str, name: str, status: JSON, user: str = ADMIN
    ) -> JSON:
        """Replace the status of a built-in object: what components do most, without validation."""
        call = Call("update", resource, namespace, name, "status", user)

        def replace() -> JSON:
            table = self._registry.table(resource, "status")
            old = self._registry.find(table, namespace, name)
            return old if old.get("status") == status else table.put(old, {**old, "status": status})

        return self._answer(call, replace)

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
        """Delete an object or begin to; answers with the object or with a Status.

        `uid` and `resource_version` are preconditions; `propagation_policy` is Background,
        Foreground or Orphan.
        """
        call = Call("delete", resource, namespace, name, "", user)

        def remove() -> JSON:
            table = self._registry.table(resource)
            old = self._registry.find(table, namespace, name)
            validation.preconditions(table.resource, old, uid, resource_version)
            validation.propagation_policy(propagation_policy)
            return self._registry.delete(table, old, grace_period_seconds, propagation_policy)

        return self._answer(call, remove)

    def bind(self, namespace: str, name: str, node: str, *, user: str = ADMIN) -> JSON:
        """Assign a pod to a node: a create of pods/binding."""
        call = Call("create", "pods", namespace, name, "binding", user)

        def assign() -> JSON:
            self._registry.bind(namespace, name, node)
            return errors.success(201)

        return self._answer(call, assign)

    def evict(
        self,
        namespace: str,
        name: str,
        *,
        grace_period_seconds: int | None = None,
        user: str = ADMIN,
    ) -> JSON:
        """Delete a pod as a disruption: a create of pods/eviction."""
        call = Call("create", "pods", namespace, name, "eviction", user)

        def disrupt() -> JSON:
            self._registry.evict(namespace, name, grace_period_seconds)
            return errors.success(201)

        return self._answer(call, disrupt)

    def watch(
        self,
        resource: str,
        *,
        sink: Sink,
        namespace: str = "",
        label_selector: str = "",
        field_selector: str = "",
        resource_version: str | None = None,
        allow_bookmarks: bool = False,
        user: str = ADMIN,
    ) -> Watch:
        """Call `sink` for every change after a version, during the call that makes the change.

        Without a version, or with "0", what exists comes first as ADDED. A version that is no
        longer kept gives one ERROR event with the Status 410 and a stopped watch. The sink must
        not write to the API server; it may stop the watch.
        """

        def begin() -> Watch:
            table = self._registry.table(resource)
            matches = matcher(namespace, label_selector, field_selector, table.resource)
            watch = Watch(matches, sink, table.watches.remove, bookmarks=allow_bookmarks)
            version = validation.resource_version(resource_version)
            table.watches.append(watch)
            if not version:
                for obj in table.all(namespace):
                    if matches is None or matches(obj):
                        sink(WatchEvent(ADDED, obj))
            elif version < table.history.oldest:
                expired = errors.expired(version, table.history.oldest)
                sink(WatchEvent(ERROR, expired.status()))
                watch.stop()
            else:
                for change in table.history.since(version):
                    deliver(change, [watch])
            return watch

        return self._answer(Call("watch", resource, namespace, "", "", user), begin)

    def send_bookmarks(self) -> None:
        """Send a bookmark to every watch that allows it, as a real server does once a minute."""
        for table in self._registry.store.tables():
            resource = table.resource
            event = WatchEvent(
                BOOKMARK,
                {
                    "apiVersion": resource.api_version,
                    "kind": resource.kind,
                    "metadata": {"resourceVersion": self.resource_version},
                },
            )
            for watch in tuple(table.watches):
                if watch.bookmarks and not watch.stopped:
                    watch.send(event)

    def compact(self, resource: str) -> None:
        """Forget the history of a resource: only watches from now on can start."""
        self._registry.table(resource).history.compact(self._registry.store.version)

    def _answer(self, call: Call, work: Callable[[], T]) -> T:
        """Do the work of a call between the hooks of interceptors, then call the auditors."""
        code = 201 if call.verb == "create" else 200
        try:
            for interceptor in self.interceptors:
                interceptor.before(call)
            answer = work()
            for interceptor in self.interceptors:
                interceptor.after(call)
        except APIError as error:
            code = error.code
            raise
        except CallTimeoutError:
            code = 0
            raise
        finally:
            if self.auditors and call.mutating:
                audit = Audit(self.clock.now, call, code)
                for auditor in self.auditors:
                    auditor(audit)
        return answer
