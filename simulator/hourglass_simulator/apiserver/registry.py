"""What the calls of the API server do to stored objects.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/apiserver/pkg/registry/generic/registry/store.go
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from random import Random
from typing import Any

from hourglass_kube.mergepatch import same
from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import (
    admin_access,
    decoding,
    deletion,
    errors,
    escalation,
    gates,
    go_values,
    metadata,
    pod_defaults,
    policy_expressions,
    scale,
    validation,
)
from hourglass_simulator.apiserver.admission import Admission
from hourglass_simulator.apiserver.admission_webhooks import AdmissionWebhooks
from hourglass_simulator.apiserver.authorization import AlwaysAllow, Authorizer
from hourglass_simulator.apiserver.decoding import (
    IGNORE,
    STRICT,
    FieldValidation,
    text_of,
    undecodable,
)
from hourglass_simulator.apiserver.definitions import PLURAL, Definitions
from hourglass_simulator.apiserver.expiry import Expiry
from hourglass_simulator.apiserver.managedfields import applied, owners_of, scale_owners
from hourglass_simulator.apiserver.managedfields.ownership import SCALE, Ownership
from hourglass_simulator.apiserver.managedfields.typed import ABSENT
from hourglass_simulator.apiserver.mutating_policies import MutatingPolicies, Rounds
from hourglass_simulator.apiserver.policies import Policies
from hourglass_simulator.apiserver.rbac import RBAC
from hourglass_simulator.apiserver.resources import Resource, built_in
from hourglass_simulator.apiserver.rules import fault, object_meta
from hourglass_simulator.apiserver.schema_error import FieldError, quoted
from hourglass_simulator.apiserver.store import Store, Table
from hourglass_simulator.apiserver.strategies import strategy
from hourglass_simulator.apiserver.strategy import Strategy
from hourglass_simulator.apiserver.users import admin
from hourglass_simulator.apiserver.views import View
from hourglass_simulator.apiserver.webhooks import Webhooks
from hourglass_simulator.apiserver.write import CREATE, DELETE, UPDATE, Write
from hourglass_simulator.clock import Clock
from hourglass_simulator.kubernetes.version import Version

NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")
"""Namespaces that every cluster has."""
_IMMORTAL = ("default", "kube-public", "kube-system")
EVENT_TTL_SECONDS = 3600.0
"""How long an Event is kept after it was written last."""
_NOT_KEPT = ("managedFields", "resourceVersion", "selfLink")
_SET_LAST = ("uid", "creationTimestamp", "generation")
_SYSTEM_PRIORITIES = {
    "system-cluster-critical": 2_000_000_000,
    "system-node-critical": 2_000_001_000,
}


class Registry:
    """The resources of a cluster, each with its objects and its strategy.

    `managed_fields`: account is kept of who owns which field.
    """

    def __init__(
        self,
        clock: Clock,
        version: Version,
        random: Random,
        history: int,
        *,
        managed_fields: bool,
    ) -> None:
        self.store = Store(history)
        self._types = Ownership(version)
        self._ownership = self._types if managed_fields else None
        self.webhooks = Webhooks()
        self.requester = admin("admin")
        """Who makes the request that is being answered."""
        self.warnings: list[str] = []
        """What its client is warned of."""
        self.options: Mapping[str, Any] = {}
        """Its CreateOptions, UpdateOptions or DeleteOptions."""
        self.view: View | None = None
        """Under which other group or version it writes."""
        self.rbac: RBAC | None = None
        self._clock = clock
        self._version = version
        self._random = random
        self._strategies: dict[str, Strategy] = {}
        self.admission = Admission(self.store, random, version)
        self._policies = Policies(self.store)
        self._mutating = MutatingPolicies(self.store, self._types.type_of)
        self.admission_webhooks = AdmissionWebhooks(self.store, random, version)
        for resource in built_in(version):
            self.store.serve(resource)
            self._strategies[resource.name] = strategy(resource, version)
        self._definitions = Definitions(self.store, version, clock.timestamp, self._register)
        Expiry(clock, self.table("events"), EVENT_TTL_SECONDS)
        for name in NAMESPACES:
            self.create("namespaces", {"metadata": {"name": name}}, "")
        for name, value in _SYSTEM_PRIORITIES.items():
            self.create("priorityclasses", {"metadata": {"name": name}, "value": value}, "")

    def table(self, plural: str, subresource: str = "") -> Table:
        """The objects of a resource; 404 when it is not served."""
        table = self.store.table(plural)
        if table is None or (subresource and subresource not in table.resource.subresources):
            raise errors.unknown_resource()
        return table

    def find(self, table: Table, namespace: str, name: str) -> JSON:
        """A stored object; 404 when there is none."""
        found = table.find(namespace if table.resource.namespaced else "", name)
        if found is None:
            raise errors.not_found(table.resource, name)
        return found

    def create(
        self,
        plural: str,
        obj: JSON,
        namespace: str,
        fields: FieldValidation | None = None,
        *,
        manager: str = "",
    ) -> JSON:
        """Store a new object; `fields` is what a client wants of those that are not known.

        `manager` owns its fields.
        """
        table = self.table(plural)
        resource = table.resource
        validation.body(self._version, resource, obj)
        sent = owners_of.sent(obj)
        obj = self.decoded(resource, obj, fields)
        owners = self._owners(resource, "", None, obj, sent, manager)
        return self._create(table, obj, namespace, fields, owners=owners)

    def restore(self, plural: str, obj: JSON) -> JSON:
        """Store an object that another server has, in the place of one that has its name.

        Only its resourceVersion is new: what is not written is defaulted, and nothing is admitted
        or validated again, as rules may be younger than it. 422 for metadata that no object has.
        """
        table = self.table(plural)
        resource, own = table.resource, self._strategies[table.resource.name]
        restored = own.restored(self.decoded(resource, obj, None))
        kept = {name: value for name, value in obj["metadata"].items() if name not in _NOT_KEPT}
        meta = {
            "uid": metadata.uid(self._random),
            "creationTimestamp": self._clock.timestamp(),
            **kept,
        }
        new = {"apiVersion": resource.api_version, "kind": resource.kind, **restored}
        new["metadata"] = {**(restored.get("metadata") or {}), **meta}
        validation.refuse(self._version, resource, new, object_meta.created(resource.plural, meta))
        stored = table.put(table.find(meta.get("namespace", ""), meta["name"]), new)
        own.created(stored)
        return stored

    def _create(
        self,
        table: Table,
        obj: JSON,
        namespace: str,
        fields: FieldValidation | None,
        *,
        owners: list[JSON],
    ) -> JSON:
        """Store a new object that is decoded; `owners` are its managedFields."""
        resource, plural = table.resource, table.resource.plural
        meta = obj.get("metadata") or {}
        namespace = validation.namespace(resource, meta, namespace)
        name = meta.get("name") or ""
        if not name and resource.plural == "limitranges":
            name = metadata.uid(self._random)
        elif not name and meta.get("generateName"):
            name = metadata.generated_name(meta["generateName"], self._random)
        new = {
            "apiVersion": resource.api_version,
            "kind": resource.kind,
            **obj,
            "metadata": metadata.created(
                meta, namespace, name, metadata.uid(self._random), self._clock.timestamp()
            ),
        }
        # Admission comes before a name is generated.
        shown = meta.get("name") or meta.get("generateName") or ""
        if resource.custom:
            self.admission.definition(resource, shown)
        if resource.namespaced:
            self.admission.namespace(resource, namespace, shown)
        if resource.has_generation:
            new["metadata"]["generation"] = 1
        if owners:
            new["metadata"]["managedFields"] = owners
        write = self._write(CREATE, resource, "", new, None)
        new = self._mutated(write if name == shown else write._replace(shown=shown))
        if self.rbac is not None:
            escalation.check(self.rbac, self.requester, resource, new, None)
        own = self._strategies[resource.name]
        new = own.noted(own.create(new), None, self.requester, self._clock.timestamp())
        validation.refuse(self._version, resource, new, self._faults(own, new, None))
        if fields is not None:
            fields.warnings += self._warned_of(own, new, None)
        keep_usage = self._validate(write.with_new(new))
        version, exists = str(meta.get("resourceVersion") or ""), table.find(namespace, name)
        if version.isdecimal() and int(version) and not (table.dry and exists):
            raise errors.internal("resourceVersion should not be set on objects to be created")
        if exists is not None:
            going = "deletionTimestamp" in exists["metadata"]
            raise errors.already_exists(resource, name, going=going)
        if table.dry:
            return new
        keep_usage()
        stored = table.put(None, new)
        own.created(stored)
        if plural == PLURAL:
            self._definitions.settle(stored)
        return stored

    def _faults(
        self, own: Strategy, new: JSON, old: JSON | None, subresource: str = ""
    ) -> Iterable[FieldError]:
        found = own.faults(new, old, subresource)
        if own.resource.group == "admissionregistration.k8s.io":
            return policy_expressions.with_faults(own.resource.plural, new, iter(found))
        if own.resource.group == "resource.k8s.io" and own.resource.namespaced:
            table = self.store.table("namespaces")
            within = table.find("", new["metadata"]["namespace"]) if table else None
            labels = ((within or {}).get("metadata") or {}).get("labels") or {}
            return [*admin_access.faults(own.resource.plural, new, old, labels), *found]
        return found

    def _warned_of(
        self, own: Strategy, new: JSON, old: JSON | None, subresource: str = ""
    ) -> list[str]:
        with gates.Following(self._version):
            return own.warnings(new, old, subresource)

    def refuse_unknown_fields(self, plural: str, obj: JSON) -> None:
        """400 for fields that the kind does not know."""
        resource = self.table(plural).resource
        strange = self._strategies[resource.name].decode(obj).strange
        FieldValidation(STRICT).judge(resource, obj, strange)

    def decoded(self, resource: Resource, obj: JSON, fields: FieldValidation | None) -> JSON:
        """What was sent, or what a patch has made, as an object of the kind."""
        own = self._strategies[resource.name]
        if fields is None and own.trusts_components:
            return obj
        try:
            is_converted = fields is not None and fields.shows_patch is not None
            decoded = own.decode(obj, truncates=is_converted)
        except ValueError as error:
            raise undecodable(resource, obj, str(error), fields) from None
        if fields is not None:
            fields.judge(resource, obj, decoded.strange)
        return decoded.obj

    def _owners(
        self,
        resource: Resource,
        subresource: str,
        old: JSON | None,
        new: JSON,
        sent: Any,
        manager: str,
    ) -> list[JSON]:
        """The managedFields of an object that is written by a manager over another.

        Those of a Scale are without a time, as on a real server:
        https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/apimachinery/pkg/util/managedfields/scalehandler.go
        """
        if self._ownership is None:
            return []
        keeper = self._ownership.of(resource, subresource, self.view)
        new = self._strategies[resource.name].defaulted(new)
        now = "" if subresource == "scale" else self._clock.timestamp()
        return keeper.update(old, new, sent, manager, now)

    def apply(
        self,
        table: Table,
        namespace: str,
        name: str,
        wanted: JSON,
        subresource: str,
        manager: str,
        fields: FieldValidation | None,
        *,
        force: bool,
        refused: errors.APIError | None,
    ) -> tuple[JSON, bool]:
        """Store what a manager applies to an object; says whether that has created it."""
        resource = table.resource
        if self._ownership is None:
            raise errors.not_simulated("server-side apply without managedFields")
        view, own = self.view, self._strategies[resource.name]
        old = table.find(namespace if resource.namespaced else "", name)
        keeper = self._ownership.of(resource, subresource, view)
        now = self._clock.timestamp()
        new, owners = keeper.apply(old, wanted, manager, now, force=force)
        if refused is not None:
            raise refused
        addressed = resource if view is None else view.resource
        applied.require_addressed(addressed, new, namespace, name, old)
        try:
            if view is None:
                decoded = own.decode(new, truncates=True).obj
            else:
                sent = decoding.decode(self._version, view.resource, new, truncates=True).obj
                decoded = own.decode(view.stored(sent, self._version.minor)).obj
        except ValueError as error:
            raise applied.not_converted(keeper.described(wanted), str(error)) from None
        if view is not None:
            view.refuse(decoded, old, namespace)
        if old is not None:
            return self.replace(table, old, decoded, subresource, fields, owners=owners), False
        if subresource:
            raise errors.not_found(resource, name)
        meta = {k: v for k, v in decoded["metadata"].items() if k != "resourceVersion"}
        new = {**decoded, "metadata": meta}
        return self._create(table, new, namespace, fields, owners=owners), True

    def apply_scale(
        self,
        table: Table,
        old: JSON,
        shown: JSON,
        wanted: JSON,
        manager: str,
        path: str,
        *,
        force: bool,
    ) -> JSON:
        """Store what a manager applies to the Scale of an object, which is `shown`.

        `path` is where the object has its replicas, such as `.spec.replicas`.
        """
        if self._ownership is None:
            raise errors.not_simulated("server-side apply without managedFields")
        field, stored = scale_owners.path_of(path), owners_of.stored(old)
        live = owners_of.owned(shown, scale_owners.of_scale(stored, field))
        new, owners = self._ownership.of_scale().apply(live, wanted, manager, "", force=force)
        replicas = _replicas(new)
        if faults := list(fault.non_negative("spec.replicas", replicas)):
            raise errors.invalid(SCALE, old["metadata"]["name"], faults)
        version = table.resource.api_version
        changed = scale.with_replicas(old, replicas, path)
        owned = scale_owners.of_object(stored, owners, field, version)
        below = "" if table.resource.custom else "scale"
        return self.replace(table, old, changed, below, owners=owned)

    def set_status(self, table: Table, old: JSON, status: JSON, manager: str) -> JSON:
        """Store the status that a component reports."""
        if old.get("status") == status:
            return old
        new = {**old, "status": status}
        owners = self._owners(table.resource, "status", old, new, ABSENT, manager)
        return table.put(old, owners_of.owned(new, owners))

    def update(
        self,
        plural: str,
        obj: JSON,
        subresource: str,
        fields: FieldValidation | None = None,
        *,
        manager: str = "",
    ) -> JSON:
        """Store an object in the place of the one it names."""
        table = self.table(plural, subresource)
        resource = table.resource
        meta = obj.get("metadata") or {}
        namespace, name = meta.get("namespace", ""), meta.get("name", "")
        old = table.find(namespace if resource.namespaced else "", name)
        if old is None and resource.create_on_update and not subresource:
            return self.create(plural, obj, namespace, fields, manager=manager)
        sent = owners_of.sent(obj)
        obj = self.decoded(resource, obj, fields)
        if old is None:
            raise errors.not_found(resource, name)
        validation.update_precondition(resource, old, meta.get("uid"))
        if not meta.get("resourceVersion") and not resource.unconditional_update:
            raise errors.version_required(resource, name)
        if "apiVersion" not in obj or "kind" not in obj:
            obj = {"apiVersion": resource.api_version, "kind": resource.kind, **obj}
        owners = self._owners(resource, subresource, old, obj, sent, manager)
        return self.replace(table, old, obj, subresource, fields, owners=owners)

    def patch(
        self,
        table: Table,
        old: JSON,
        new: JSON,
        subresource: str,
        fields: FieldValidation | None,
        manager: str,
    ) -> JSON:
        """Store what a patch has made of an object."""
        if new is old:
            if fields is not None:
                fields.judge(table.resource, new, ())
            return self.replace(table, old, new, subresource, fields, owners=owners_of.stored(old))
        validation.patched(self._version, table.resource, new, fields)
        sent = owners_of.sent(new)
        decoded = self.decoded(table.resource, new, fields)
        owners = self._owners(table.resource, subresource, old, decoded, sent, manager)
        return self.replace(table, old, decoded, subresource, fields, owners=owners)

    def replace(
        self,
        table: Table,
        old: JSON,
        new: JSON,
        subresource: str,
        fields: FieldValidation | None = None,
        *,
        owners: list[JSON],
    ) -> JSON:
        """Store what an update or a patch asks for, if it changes anything.

        `owners` are the managedFields that the object has then.
        """
        resource, own = table.resource, self._strategies[table.resource.name]
        if not subresource:
            new = self.webhooks.mutated(UPDATE, resource.plural, new)
        write = self._write(UPDATE, resource, subresource, new, old)
        before, meta = old["metadata"], new.get("metadata") or {}
        validation.addressed(old, meta)
        version = meta.get("resourceVersion", before["resourceVersion"])
        if version in ("", "0") and not resource.unconditional_update:
            raise errors.version_required(resource, before["name"])
        if version not in ("", "0", before["resourceVersion"]):
            if not str(version).isdecimal():
                why = f"parsing {quoted(str(version))}: invalid syntax"
                raise errors.internal(f"strconv.ParseUint: {why}")
            raise errors.modified(resource, before["name"])
        meta = metadata.updated(meta, before)
        if meta is not new.get("metadata"):
            new = {**new, "metadata": meta}
        if self._mutating.any or self.admission_webhooks.any:
            new = self._called(write.with_new(new))
            if table.find(before.get("namespace", ""), before["name"]) is not old:
                raise errors.modified(resource, before["name"])
        if new is old:
            return old
        if self.rbac is not None:
            escalation.check(self.rbac, self.requester, resource, new, old)
        if fields is not None and not subresource:
            fields.warnings += own.tolerated(new, old)
        new = own.update(new, old, subresource)
        new = own.noted(new, old, self.requester, self._clock.timestamp())
        new = owners_of.owned(new, owners)
        validation.refuse(self._version, resource, new, self._faults(own, new, old, subresource))
        if fields is not None:
            fields.warnings += self._warned_of(own, new, old, subresource)
        keep_usage = self._validate(write.with_new(new))
        if own.finished(new, old):
            self._removed(table, old)
            return new
        if resource.has_generation and subresource != "status" and own.differs(new, old):
            generation = before.get("generation", 0) + 1
            new = {**new, "metadata": {**new["metadata"], "generation": generation}}
        if same(new, old) or owners_of.differ_in_times_only(new, old):
            return old
        keep_usage()
        stored = table.put(old, new)
        if not table.dry:
            own.updated(stored, old)
        if resource.name == PLURAL and not table.dry:
            self._definitions.settle(stored)
        return stored

    def delete(
        self, table: Table, old: JSON, grace_period_seconds: int | None, policy: str | None
    ) -> JSON:
        """Delete a stored object, or begin to."""
        resource, own = table.resource, self._strategies[table.resource.name]
        name = old["metadata"]["name"]
        if resource.name == "namespaces" and name in _IMMORTAL:
            raise errors.namespace_protected(resource, name)
        write = self._write(DELETE, resource, "", None, old)
        self._policies.validate(write, self._authorizer)
        if self.admission_webhooks.any:
            with self._outside():
                self.admission_webhooks.mutated(write, self._authorizer, lambda obj: obj)
                self.admission_webhooks.validate(write, self._authorizer)
            if table.find(old["metadata"].get("namespace", ""), name) is not old:
                raise errors.modified(resource, name)
        now = self._clock.unix_time
        instead = own.delete(old, self._clock.timestamp())
        if instead is not None:
            return old if instead is old else table.put(old, instead)
        outcome = deletion.delete(old, own, grace_period_seconds, policy, now)
        stored = old if outcome.obj is old else table.put(old, outcome.obj)
        if not outcome.gone:
            return stored
        removed = self._removed(table, stored)
        return removed if resource.returns_deleted else errors.deleted(resource, removed)

    def get_scale(self, name: str, namespace: str, of: str) -> JSON:
        """The Scale of a custom resource; 500 when it does not say how many it wants."""
        table = self.table(name, "scale")
        obj = self.find(table, namespace, of)
        paths = self._definitions.scale_paths(table.resource)
        found = _scale_of(obj, paths)
        if not scale.has_replicas(obj, paths):
            path = paths["specReplicasPath"]
            why = f'the spec replicas field "{path}" does not exist'
            raise errors.internal_error(why)
        return found

    def update_scale(
        self, name: str, namespace: str, of: str, change: Callable[[JSON], JSON], manager: str
    ) -> JSON:
        """Change a custom resource by what becomes of its Scale."""
        table = self.table(name, "scale")
        old = self.find(table, namespace, of)
        paths = self._definitions.scale_paths(table.resource)
        before = _scale_of(old, paths)
        if not scale.has_replicas(old, paths):
            before = {**before, "spec": {"replicas": scale.UNSET}}
        new = change(before)
        replicas = _replicas(new)
        if replicas == scale.UNSET:
            why = f'the spec replicas field "{paths["specReplicasPath"]}" cannot be empty'
            raise errors.bad_request(why)
        sent = scale.scaled(old, replicas, paths)
        if version := (new.get("metadata") or {}).get("resourceVersion"):
            sent = {**sent, "metadata": {**sent["metadata"], "resourceVersion": version}}
        owners = self._owners(table.resource, "scale", old, sent, ABSENT, manager)
        return _scale_of(self.replace(table, old, sent, "", owners=owners), paths)

    def apply_to_custom_scale(
        self, name: str, namespace: str, of: str, wanted: JSON, manager: str, *, force: bool
    ) -> JSON:
        """Apply to the Scale of a custom resource."""
        table = self.table(name, "scale")
        old = self.find(table, namespace, of)
        paths = self._definitions.scale_paths(table.resource)
        path = paths["specReplicasPath"]
        shown = _scale_of(old, paths)
        new = self.apply_scale(table, old, shown, wanted, manager, path, force=force)
        return _scale_of(new, paths)

    def bind(self, namespace: str, name: str, node: str, annotations: JSON) -> None:
        """Assign a pod to a node."""
        table = self.table("pods", "binding")
        pod = self.find(table, namespace, name)
        bound = validation.bound(self._version, table.resource, pod, node, self._clock.timestamp())
        if annotations:
            meta = bound["metadata"]
            notes = {**(meta.get("annotations") or {}), **annotations}
            bound = {**bound, "metadata": {**meta, "annotations": notes}}
        table.put(pod, bound)

    def _write(
        self,
        operation: str,
        resource: Resource,
        subresource: str,
        new: JSON | None,
        old: JSON | None,
    ) -> Write:
        user, dry, warnings = self.requester, self.store.dry, self.warnings
        options = self.options
        return Write(operation, resource, subresource, new, old, user, dry, warnings, options)

    def _mutated(self, write: Write) -> JSON:
        """A new object with what admission and webhooks make of it."""
        plural = write.resource.plural
        new = self.admission.mutated(_defaulted(write))
        mutated = self.webhooks.mutated(CREATE, plural, new)
        # What a webhook has changed is looked at once more, as on the real server.
        if mutated is not new:
            new = self.admission.mutated(_defaulted(write.with_new(mutated)))
        return self._called(write.with_new(new))

    def _called(self, write: Write) -> JSON:
        """The object as the policies and the webhooks of others want it."""
        if not self._mutating.any and not self.admission_webhooks.any:
            return write.obj

        def strictly(obj: JSON) -> JSON:
            kind = {"apiVersion": obj["apiVersion"], "kind": obj["kind"]}
            try:
                decoded = self._strategies[write.resource.name].decode(obj)
            except ValueError as error:
                raise errors.internal_error(str(error)) from None
            if decoded.strange:
                why = f"strict decoding error: {', '.join(decoded.strange)}"
                raise errors.internal_error(why)
            return {**kind, **decoded.obj}

        def again(obj: JSON) -> JSON:
            kind = {"apiVersion": obj["apiVersion"], "kind": obj["kind"]}
            decoded = self.decoded(write.resource, obj, FieldValidation(IGNORE))
            changed = write.with_new({**kind, **decoded})
            if write.operation == CREATE:
                return self.admission.mutated(_defaulted(changed))
            return changed.obj

        # What the server sets of a new object, it sets after all that may be changed.
        meta = write.obj["metadata"]
        own = {f: meta[f] for f in _SET_LAST if f in meta and write.operation == CREATE}
        shown = {name: value for name, value in meta.items() if name not in own}
        sent = write.with_new({**write.obj, "metadata": shown})
        rounds, allowed = Rounds(), self._authorizer
        new = self._mutating.mutated(sent, allowed, strictly, rounds, again=False)
        if self.admission_webhooks.any:
            with self._outside():
                new = self.admission_webhooks.mutated(sent.with_new(new), allowed, again)
        if new is sent.obj and not rounds.due:
            return write.obj
        if self._mutating.any:
            changed = sent.with_new(again(new))
            new = self._mutating.mutated(changed, allowed, strictly, rounds, again=True)
        return {**new, "metadata": {**new["metadata"], **own}}

    @property
    def _authorizer(self) -> Authorizer:
        return self.rbac or AlwaysAllow()

    @contextmanager
    def _outside(self) -> Iterator[None]:
        """While others are called, requests of others may be answered in between."""
        kept, dry = (self.requester, self.warnings, self.options, self.view), self.store.dry
        self.requester, self.warnings, self.options, self.view = admin("admin"), [], {}, None
        self.store.set_dry(False)
        try:
            yield
        finally:
            self.requester, self.warnings, self.options, self.view = kept
            self.store.set_dry(dry)

    def _validate(self, write: Write) -> Callable[[], None]:
        """Refuse an object that is complete and valid; what it uses of quotas is kept by the call.

        That is left for when nothing can refuse it any more.
        """
        with gates.Following(self._version):
            self.admission.validate(write)
        self._policies.validate(write, self._authorizer)
        if self.admission_webhooks.any:
            with self._outside():
                self.admission_webhooks.validate(write, self._authorizer)
        return self.admission.charge(write)

    def _removed(self, table: Table, old: JSON) -> JSON:
        removed = table.remove(old)
        if table.dry:
            return removed
        name = table.resource.name
        self._strategies[name].deleted(removed)
        if name == PLURAL:
            self._definitions.settle(removed)
        return removed

    def _register(self, resource: Resource, own: Strategy | None) -> None:
        if own is None:
            self._strategies.pop(resource.name, None)
        else:
            self._strategies[resource.name] = own
        crd = None if own is None else self.table(PLURAL).find("", resource.qualified)
        self._types.define(resource, crd)


def _replicas(obj: JSON) -> int:
    """How many a Scale asks for; 422 when that is no int32."""
    found = (obj.get("spec") or {}).get("replicas")
    if found is None:
        return 0
    try:
        return go_values.integer(found, 31)
    except go_values.MismatchError as error:
        why = f"json: cannot unmarshal {error.found} into Go struct field ScaleSpec.spec.replicas"
        raise errors.strange_patch(text_of(obj), f"{why} of type int32") from None


def _scale_of(obj: JSON, paths: JSON) -> JSON:
    try:
        return scale.scale_of(obj, paths)
    except scale.ScaleError as error:
        raise errors.internal(str(error)) from None


def _defaulted(write: Write) -> Write:
    if write.resource.qualified != "pods":
        return write
    spec = pod_defaults.defaulted(write.obj.get("spec") or {})
    return write.with_new({**write.obj, "spec": spec})
