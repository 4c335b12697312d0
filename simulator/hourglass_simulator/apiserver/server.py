"""The calls of the API server, as clients and components make them."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from random import Random
from typing import Any, TypeVar

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import (
    continuing,
    errors,
    metadata,
    pages,
    patches,
    validation,
)
from hourglass_simulator.apiserver.account_tokens import AccountTokens
from hourglass_simulator.apiserver.admission_webhooks import Caller
from hourglass_simulator.apiserver.authorization import AlwaysAllow, Authorizer
from hourglass_simulator.apiserver.calls import Audit, Call, Interceptor
from hourglass_simulator.apiserver.decoding import FieldValidation
from hourglass_simulator.apiserver.errors import APIError, CallTimeoutError
from hourglass_simulator.apiserver.eviction import Evictions
from hourglass_simulator.apiserver.flow_control import FlowControl
from hourglass_simulator.apiserver.managedfields.ownership import manager_of
from hourglass_simulator.apiserver.pages import ObjectList
from hourglass_simulator.apiserver.rbac import RBAC
from hourglass_simulator.apiserver.registry import Registry
from hourglass_simulator.apiserver.resources import Resource
from hourglass_simulator.apiserver.selectors import matcher, node_of
from hourglass_simulator.apiserver.store import Table, VersionedTable
from hourglass_simulator.apiserver.users import User
from hourglass_simulator.apiserver.views import View
from hourglass_simulator.apiserver.watch import (
    ADDED,
    BOOKMARK,
    ERROR,
    Sink,
    Watch,
    WatchEvent,
    deliver,
)
from hourglass_simulator.apiserver.webhooks import Webhook
from hourglass_simulator.clock import Clock
from hourglass_simulator.kubernetes.version import DEFAULT, Version

T = TypeVar("T")

ADMIN = "admin"
INITIAL_EVENTS_END = "k8s.io/initial-events-end"
"""Annotation of the bookmark after what existed when a watch began."""
HISTORY = 10_000
"""Changes of a resource that watches can start from."""


class APIServer:
    """The API of one cluster; `auditors` are called for every mutating call when it is answered.

    Objects are plain JSON as a real API server returns them. What is passed in or handed out is
    shared, not copied: nobody may change it in place. Calls raise APIError with the texts of
    the version of Kubernetes, and CallTimeoutError when an interceptor does.

    `managed_fields`: objects say which field manager owns which field, which server-side apply
    needs. A write is by its `manager`, or by that of its user.
    """

    def __init__(
        self,
        clock: Clock,
        version: Version = DEFAULT,
        *,
        seed: int = 0,
        history: int = HISTORY,
        managed_fields: bool = False,
    ) -> None:
        self.clock = clock
        self.version = version
        self.interceptors: list[Interceptor] = []
        self.auditors: list[Callable[[Audit], None]] = []
        self.requesting = ""
        """Whose request is being answered; empty while a component makes the call."""
        self._random = Random(seed)
        self._registry = Registry(
            clock, version, self._random, history, managed_fields=managed_fields
        )
        self._evictions = Evictions(self._registry, version.minor)
        self.flow_control = FlowControl(self._registry.store)
        self.accounts = AccountTokens(self._registry.store, lambda: clock.unix_time)
        """Issues the tokens of ServiceAccounts."""

    def reseed(self, seed: int) -> None:
        """Give out uids and names from now on that servers of other seeds do not."""
        self._random.seed(seed)

    @property
    def webhooks(self) -> list[Webhook]:
        """Those that are registered; whoever adds one may remove it."""
        return self._registry.webhooks.registered

    @property
    def authorizer(self) -> Authorizer:
        """Who decides about requests; the calls below are not asked about."""
        return self._registry.rbac or AlwaysAllow()

    def enable_rbac(self) -> None:
        """Decide by roles from now on; those that every cluster has are made."""
        for resource, objects in self.version.rbac.items():
            for obj in objects:
                self._registry.create(resource, obj, obj["metadata"].get("namespace", ""))
        self._registry.rbac = RBAC(self._registry.store, self.version.texts.authorizer)

    def tell_of_failed_watchers(self, failed: Callable[[Exception], None]) -> None:
        """From now on `failed` is called with what a watcher raises.

        Otherwise it is raised to whoever made the change, who can do nothing for it.
        """
        self._registry.store.watcher_failed = failed

    def make_flow_control(self) -> None:
        """Make the FlowSchemas and priority levels that every cluster has, where they are not."""
        now = self.clock.timestamp()
        for resource, objects in self.version.flow_control.items():
            table = self._registry.table(resource)
            for obj in objects:
                if not table.find("", obj["metadata"]["name"]):
                    conditions = obj["status"].get("conditions") or ()
                    since = [{**each, "lastTransitionTime": now} for each in conditions]
                    status = {**obj["status"], **({"conditions": since} if since else {})}
                    meta = {**obj["metadata"], "generation": 1}
                    self._registry.restore(resource, {**obj, "metadata": meta, "status": status})

    def call_webhooks_by(self, caller: Caller) -> None:
        """Call the admission webhooks that are configured; nobody calls them by itself."""
        self._registry.admission_webhooks.caller = caller

    @property
    def calls_webhooks(self) -> bool:
        """Whether a write may lead to calls of webhooks."""
        return self._registry.admission_webhooks.any

    def count_quotas_by(self, count: Callable[[JSON], JSON]) -> None:
        """Let a quota that was never counted be counted before it is charged.

        A controller does that soon after its creation; here nothing comes in between.
        """
        self._registry.admission.count_quota = count

    def tolerate_extended_resources(self) -> None:
        """Have the admission plugin ExtendedResourceToleration on."""
        self._registry.admission.tolerate_extended_resources = True

    @contextmanager
    def requested_by(
        self, user: User, warnings: list[str], options: Mapping[str, Any]
    ) -> Iterator[None]:
        """Within the `with` block calls are made for this user, who is to see the warnings.

        `options` are its CreateOptions, UpdateOptions or DeleteOptions, for whom admission asks.
        """
        registry = self._registry
        before = registry.requester, registry.warnings, registry.options
        registry.requester, registry.warnings, registry.options = user, warnings, options
        requesting, self.requesting = self.requesting, user.name
        registry.admission.of_client = True
        try:
            yield
        finally:
            self.requesting = requesting
            registry.admission.of_client = bool(requesting)
            registry.requester, registry.warnings, registry.options = before

    @contextmanager
    def written_by(self, view: View) -> Iterator[None]:
        """Within the `with` block objects are written as those of another group or version."""
        before, self._registry.view = self._registry.view, view
        try:
            yield
        finally:
            self._registry.view = before

    def issue_token(
        self, account: JSON, seconds: int, audiences: Sequence[str], bound: JSON | None
    ) -> str:
        """A token of a ServiceAccount, bound to an object if one is given."""
        identifier = metadata.uid(self._random)
        return self.accounts.issue(account, seconds, audiences, identifier, bound)

    @property
    def resource_version(self) -> str:
        """The version of the latest commit."""
        return str(self._registry.store.version)

    def resources(self) -> list[Resource]:
        """What objects are stored of, by name."""
        return [table.resource for table in self._registry.store.tables()]

    def served(self) -> list[Resource]:
        """What clients can reach, each version of a definition for itself."""
        return self._registry.store.served()

    def served_as(self, plural: str, group: str, version: str) -> Resource | None:
        """What clients reach by these names."""
        return self._registry.store.served_as(plural, group, version)

    def create(
        self,
        resource: str,
        obj: JSON,
        *,
        namespace: str = "",
        user: str = ADMIN,
        manager: str = "",
        fields: FieldValidation | None = None,
    ) -> JSON:
        """Store a new object under `metadata.name`, or under a name from `generateName`.

        `fields` is for what comes from outside: the object is decoded as on a real server.
        """
        meta = obj.get("metadata") or {}
        call = Call("create", resource, namespace, meta.get("name", ""), "", user)
        by = manager or manager_of(user)
        return self._answer(
            call, lambda: self._registry.create(resource, obj, namespace, fields, manager=by)
        )

    def restore(self, resource: str, obj: JSON) -> JSON:
        """Store an object that another server admitted long ago, with its uid and status.

        The classes that it names may be gone or changed by now, a quota that it exceeds may be
        younger than it, and so may the rules that it would be validated by.
        """
        meta = obj["metadata"]
        call = Call("create", resource, meta.get("namespace", ""), meta["name"], "", ADMIN)
        return self._answer(call, lambda: self._registry.restore(resource, obj))

    @property
    def dry(self) -> bool:
        """Whether calls are answered now, and nothing is stored."""
        return self._registry.store.dry

    def dry_run(self) -> AbstractContextManager[None]:
        """Within the `with` block calls are answered, and nothing is stored."""
        return self._registry.store.dry_run()

    def refuse_unknown_fields(self, resource: str, obj: JSON) -> None:
        """Raise 400 for fields that the kind does not know.

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
        version: int = 0,
        exact: bool = False,
        limit: int = 0,
        token: str = "",
        user: str = ADMIN,
    ) -> ObjectList:
        """Objects of one namespace or of all that match the selectors.

        Not older than `version`, or exactly as they were at that version: 504 when it is yet to
        come, 410 when it is no longer kept. At most `limit` of them (0: all), from where the part
        that gave the `token` has ended.
        """

        def select() -> ObjectList:
            table = self._registry.table(resource)
            return self._select(
                table, namespace, label_selector, field_selector, version, exact, limit, token
            )

        return self._answer(Call("list", resource, namespace, "", "", user), select)

    def _select(
        self,
        table: Table,
        namespace: str,
        label_selector: str,
        field_selector: str,
        version: int,
        exact: bool | None,
        limit: int,
        token: str,
    ) -> ObjectList:
        """`exact` None: as they are, and nobody waits for a version that is yet to come."""
        matches = matcher("", label_selector, field_selector, table.resource, self.version)
        current, start = self._registry.store.version, ""
        at = version if exact else current
        if token:
            place = continuing.place(token)
            start = place.start
            at = current if place.version == continuing.CURRENT else place.version
            if at < table.history.oldest:
                raise continuing.expired(place)
        if at > current or version > current:
            waits = exact is False and not token
            raise errors.too_large_version(max(at, version), current, waits=waits)
        if at < table.history.oldest:
            raise errors.too_old_version()
        if at != current:
            found: Iterable[JSON] = table.at(at, namespace)
        elif node := node_of(field_selector, table.resource):
            found = table.on_node(node, namespace)
        else:
            found = table.all(namespace)
        items = [obj for obj in found if matches is None or matches(obj)]
        return pages.part(ObjectList(items, str(at)), namespace, start, limit)

    def update(
        self,
        resource: str,
        obj: JSON,
        *,
        subresource: str = "",
        user: str = ADMIN,
        manager: str = "",
        fields: FieldValidation | None = None,
    ) -> JSON:
        """Replace an object, or what belongs to a subresource of it; `fields` as for `create`."""
        meta = obj.get("metadata") or {}
        namespace, name = meta.get("namespace", ""), meta.get("name", "")
        call = Call("update", resource, namespace, name, subresource, user)
        by = manager or manager_of(user)
        return self._answer(
            call, lambda: self._registry.update(resource, obj, subresource, fields, manager=by)
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
        manager: str = "",
        fields: FieldValidation | None = None,
    ) -> JSON:
        """Change an object by a JSON merge patch, a strategic merge patch or a JSON patch.

        `fields` as for `create`.
        """
        call = Call("patch", resource, namespace, name, subresource, user)

        def apply() -> JSON:
            table = self._registry.table(resource, subresource)
            patches.require_supported(content_type, table.resource)
            old = self._registry.find(table, namespace, name)
            new = patches.apply(old, patch, content_type, self.version)
            if fields is not None:
                fields.in_patch = patches.strange_fields(patch, content_type)
                fields.shows_patch = patch if content_type == patches.STRATEGIC else None
            by = manager or manager_of(user)
            return self._registry.patch(table, old, new, subresource, fields, by)

        return self._answer(call, apply)

    def apply(
        self,
        resource: str,
        namespace: str,
        name: str,
        wanted: JSON,
        *,
        manager: str,
        force: bool = False,
        refused: APIError | None = None,
        subresource: str = "",
        user: str = ADMIN,
        fields: FieldValidation | None = None,
    ) -> tuple[JSON, bool]:
        """Apply an object on the server; says whether that has created it.

        409 for fields of other managers, unless `force` takes them over; `refused` for what the
        client has written strangely, when nothing else is wrong.
        https://kubernetes.io/docs/reference/using-api/server-side-apply/
        """
        call = Call("patch", resource, namespace, name, subresource, user)

        def merge() -> tuple[JSON, bool]:
            table = self._registry.table(resource, subresource)
            return self._registry.apply(
                table,
                namespace,
                name,
                wanted,
                subresource,
                manager,
                fields,
                force=force,
                refused=refused,
            )

        return self._answer(call, merge)

    def get_scale(self, resource: str, namespace: str, name: str, *, user: str = ADMIN) -> JSON:
        """The Scale of a custom resource."""
        call = Call("get", resource, namespace, name, "scale", user)
        return self._answer(call, lambda: self._registry.get_scale(resource, namespace, name))

    def update_scale(
        self,
        resource: str,
        namespace: str,
        name: str,
        obj: JSON,
        *,
        user: str = ADMIN,
        manager: str = "",
    ) -> JSON:
        """Set how many a custom resource wants, by a Scale."""
        call, by = (
            Call("update", resource, namespace, name, "scale", user),
            manager or manager_of(user),
        )
        return self._answer(
            call, lambda: self._registry.update_scale(resource, namespace, name, lambda _: obj, by)
        )

    def patch_scale(
        self,
        resource: str,
        namespace: str,
        name: str,
        patch: Any,
        content_type: str = patches.MERGE,
        *,
        user: str = ADMIN,
        manager: str = "",
    ) -> JSON:
        """Set how many a custom resource wants, by a patch of its Scale."""
        call, by = (
            Call("patch", resource, namespace, name, "scale", user),
            manager or manager_of(user),
        )

        def apply(old: JSON) -> JSON:
            patches.require_supported(content_type, self._registry.table(resource).resource)
            new: JSON = patches.apply(old, patch, content_type, self.version)
            return new

        return self._answer(
            call, lambda: self._registry.update_scale(resource, namespace, name, apply, by)
        )

    def apply_scale(
        self,
        resource: str,
        namespace: str,
        name: str,
        wanted: JSON,
        *,
        shown: JSON | None = None,
        manager: str,
        force: bool = False,
        user: str = ADMIN,
    ) -> JSON:
        """Apply to the Scale of an object; 409 for replicas of others, unless they are taken.

        `shown` is the Scale of a built-in object, of which the object comes back; of a custom
        resource the Scale does.
        """
        call = Call("patch", resource, namespace, name, "scale", user)

        def merge() -> JSON:
            registry = self._registry
            if shown is None:
                return registry.apply_to_custom_scale(
                    resource, namespace, name, wanted, manager, force=force
                )
            table = registry.table(resource, "scale")
            old = registry.find(table, namespace, name)
            return registry.apply_scale(
                table, old, shown, wanted, manager, ".spec.replicas", force=force
            )

        return self._answer(call, merge)

    def set_status(
        self, resource: str, namespace: str, name: str, status: JSON, user: str = ADMIN
    ) -> JSON:
        """Replace the status of a built-in object: what components do most, without validation."""
        call = Call("update", resource, namespace, name, "status", user)

        def replace() -> JSON:
            table = self._registry.table(resource, "status")
            old = self._registry.find(table, namespace, name)
            return self._registry.set_status(table, old, status, manager_of(user))

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

    def delete_collection(
        self,
        resource: str,
        namespace: str = "",
        *,
        label_selector: str = "",
        field_selector: str = "",
        version: int = 0,
        limit: int = 0,
        token: str = "",
        grace_period_seconds: int | None = None,
        uid: str | None = None,
        resource_version: str | None = None,
        propagation_policy: str | None = None,
        user: str = ADMIN,
    ) -> ObjectList:
        """Delete the objects that `list` would show, as `delete` does each; answers with them."""
        call = Call("deletecollection", resource, namespace, "", "", user)

        def remove() -> ObjectList:
            table = self._registry.table(resource)
            validation.propagation_policy(propagation_policy)
            listed = self._select(
                table, namespace, label_selector, field_selector, version, None, limit, token
            )
            for obj in listed.items:
                validation.preconditions(table.resource, obj, uid, resource_version)
                self._registry.delete(table, obj, grace_period_seconds, propagation_policy)
            return listed

        return self._answer(call, remove)

    def bind(
        self,
        namespace: str,
        name: str,
        node: str,
        *,
        annotations: JSON | None = None,
        user: str = ADMIN,
    ) -> JSON:
        """Assign a pod to a node: a create of pods/binding."""
        call = Call("create", "pods", namespace, name, "binding", user)

        def assign() -> JSON:
            self._registry.bind(namespace, name, node, annotations or {})
            return errors.success(201)

        return self._answer(call, assign)

    def evict(
        self,
        namespace: str,
        name: str,
        *,
        options: JSON | None = None,
        user: str = ADMIN,
    ) -> JSON:
        """Delete a pod as a disruption, unless its budget forbids it: a create of pods/eviction.

        `options` are DeleteOptions.
        """
        call = Call("create", "pods", namespace, name, "eviction", user)

        def disrupt() -> JSON:
            self._evictions.evict(namespace, name, options or {}, self.clock.timestamp())
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
        initial_events: bool | None = None,
        user: str = ADMIN,
    ) -> Watch:
        """Call `sink` for every change after a version, during the call that makes the change.

        With `initial_events` what exists comes first whatever the version, and then a bookmark
        that says so, where bookmarks are allowed; with False it does not come.

        Without a version, or with "0", what exists comes first as ADDED. A version that is no
        longer kept gives one ERROR event with the Status 410 and a stopped watch. The sink must
        not write to the API server; it may stop the watch.
        """

        def begin() -> Watch:
            table = self._registry.table(resource)
            matches = matcher(
                namespace, label_selector, field_selector, table.resource, self.version
            )
            watch = Watch(
                matches, _shown(table, sink), table.watches.remove, bookmarks=allow_bookmarks
            )
            version = validation.resource_version(resource_version)
            table.watches.append(watch)
            if initial_events or (not version and initial_events is None):
                for obj in table.all(namespace):
                    if matches is None or matches(obj):
                        sink(WatchEvent(ADDED, obj))
                if initial_events and allow_bookmarks:
                    sink(self._bookmark(table.resource, {INITIAL_EVENTS_END: "true"}))
            elif not version:
                pass
            elif version < table.history.oldest:
                expired = errors.expired(version, table.history.oldest)
                sink(WatchEvent(ERROR, expired.status()))
                watch.stop()
            else:
                for change in table.history.since(version):
                    deliver(change, [watch])
            return watch

        return self._answer(Call("watch", resource, namespace, "", "", user), begin)

    def watched(self, resource: str) -> bool:
        """Whether anybody watches a resource."""
        return any(not watch.stopped for watch in self._registry.table(resource).watches)

    def send_bookmarks(self) -> None:
        """Send a bookmark to every watch that allows it, as a real server does once a minute."""
        for table in self._registry.store.tables():
            event = self._bookmark(table.resource, {})
            for watch in tuple(table.watches):
                if watch.bookmarks and not watch.stopped:
                    watch.send(event)

    def _bookmark(self, resource: Resource, annotations: JSON) -> WatchEvent:
        meta: JSON = {"resourceVersion": self.resource_version}
        if annotations:
            meta["annotations"] = annotations
        obj = {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": meta}
        return WatchEvent(BOOKMARK, obj)

    def compact(self, resource: str) -> None:
        """Forget the history of a resource: watches start, and lists are read, only anew."""
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


def _shown(table: Table, sink: Sink) -> Sink:
    """Sends objects as a table shows them: those of another version are converted."""
    if not isinstance(table, VersionedTable):
        return sink

    def send(event: WatchEvent) -> None:
        if event.type in (BOOKMARK, ERROR):
            sink(event)
        else:
            sink(WatchEvent(event.type, table.shown(event.object)))

    return send
