"""CustomResourceDefinitions, and how their objects are served.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/apiextensions-apiserver/pkg/registry/customresourcedefinition/strategy.go
https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/apiextensions-apiserver/pkg/apiserver/customresource_handler.go
"""

from collections import deque
from collections.abc import Callable, Iterator

from hourglass_kube.mergepatch import same
from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import definition_names, definition_validation, errors, gates
from hourglass_simulator.apiserver.codec import Decoded
from hourglass_simulator.apiserver.customresource import CustomResource, compiled
from hourglass_simulator.apiserver.decoding import codec
from hourglass_simulator.apiserver.definition_names import ESTABLISHED, is_true
from hourglass_simulator.apiserver.resources import Resource, custom
from hourglass_simulator.apiserver.schema_error import FieldError, quoted
from hourglass_simulator.apiserver.store import Store, Table, VersionedTable
from hourglass_simulator.apiserver.strategy import Strategy, kept
from hourglass_simulator.kubernetes.version import Version

CLEANUP = "customresourcecleanup.apiextensions.k8s.io"
"""The finalizer of a CustomResourceDefinition that is deleted."""
PLURAL = "customresourcedefinitions"
TERMINATING = "Terminating"

_VALID: deque[JSON] = deque(maxlen=64)
"""Specs in which nothing was wrong, as they are made again and again."""


class DefinitionStrategy(Strategy):
    """A CustomResourceDefinition, which is deleted when its objects are gone."""

    trusts_components = True

    def create(self, obj: JSON) -> JSON:
        """With defaults, and the status of nothing done yet."""
        crd = definition_validation.defaulted(obj)
        stored = [each["name"] for each in _storage(crd)]
        empty = {"plural": "", "kind": ""}
        status = {"conditions": None, "acceptedNames": empty, "storedVersions": stored or None}
        return {**crd, "status": status}

    def update(self, new: JSON, old: JSON, subresource: str) -> JSON:
        """A new storage version is one that objects are stored in, too."""
        new = definition_validation.defaulted(new)
        new = super().update(new, old, subresource)
        status = new.get("status") or {}
        known = status.get("storedVersions") or []
        if subresource and known:
            return kept(new, "metadata", old)
        added = [each["name"] for each in _storage(new) if each["name"] not in known]
        if not added:
            return new
        return {**new, "status": {**status, "storedVersions": [*known, *added]}}

    def faults(self, new: JSON, old: JSON | None, subresource: str = "") -> Iterator[FieldError]:
        """All that the spec says is validated; of an update through the status, only that is."""
        yield from super().faults(new, old, subresource)
        if old is not None and new["spec"] == old["spec"]:
            if new.get("status") is not old.get("status"):
                names = ((new.get("status") or {}).get("acceptedNames")) or {}
                yield from definition_validation.faults_of_names(names)
            return
        if old is None and any(same(spec, new["spec"]) for spec in _VALID):
            yield from definition_validation.faults_of_name(new)
            return
        with gates.Following(self.version):
            found = list(definition_validation.faults(new, old))
        yield from found
        if not found and old is None:
            _VALID.append(new["spec"])

    def warnings(self, new: JSON, old: JSON | None, subresource: str = "") -> list[str]:
        """What the client is warned of."""
        return [] if subresource else definition_validation.warnings(new, old)

    def delete(self, obj: JSON, timestamp: str) -> JSON | None:
        """Terminating, with a finalizer, until the controller has emptied it."""
        meta, status = obj["metadata"], obj.get("status") or {}
        if "deletionTimestamp" in meta:
            return None
        why = "CustomResourceDefinition marked for deletion; "
        why += "CustomResource deletion will begin soon"
        terminating = {
            "type": TERMINATING,
            "status": "True",
            "lastTransitionTime": timestamp,
            "reason": "InstanceDeletionPending",
            "message": why,
        }
        marked = {
            **meta,
            "deletionTimestamp": timestamp,
            "finalizers": [*(meta.get("finalizers") or ()), CLEANUP],
        }
        conditions = [*(status.get("conditions") or ()), terminating]
        return {**obj, "metadata": marked, "status": {**status, "conditions": conditions}}


def _refuse_conversion(obj: JSON) -> JSON:
    """501, as another program would have to be asked."""
    raise errors.not_simulated(f"conversion of {obj['kind']} by a webhook")


def _storage(crd: JSON) -> list[JSON]:
    return [each for each in crd["spec"].get("versions") or () if each.get("storage")][:1]


class CustomResourceStrategy(Strategy):
    """Objects of a CustomResourceDefinition, in one of its versions."""

    trusts_components = True

    def __init__(self, resource: Resource, version: Version, definition: CustomResource) -> None:
        super().__init__(resource, version)
        self._definition = definition

    def defaulted(self, obj: JSON) -> JSON:
        """With the defaults of its schema, and without what that does not have."""
        return self._definition.cleaned(obj)

    def create(self, obj: JSON) -> JSON:
        """Defaulted, pruned, validated, without status."""
        with gates.Following(self.version):
            return self._definition.admit(obj)

    def decode(self, obj: JSON, *, truncates: bool = False) -> Decoded:
        """The definition's defaults and types are applied later; here its fields are known.

        Raises ValueError for metadata, or an embedded resource, that do not fit.
        """
        strange = self._definition.unknown_fields(obj)
        meta = obj.get("metadata")
        if meta is None:
            return Decoded(obj, strange)
        decoded = codec(self.version).decode(_META, meta, truncates=truncates)
        of_meta = [each.replace('field "', 'field "metadata.', 1) for each in decoded.strange]
        kept_meta = {k: v for k, v in decoded.obj.items() if v is not None}
        return Decoded({**obj, "metadata": kept_meta}, [*of_meta, *strange])

    def warnings(self, new: JSON, old: JSON | None, subresource: str = "") -> list[str]:
        """New finalizers that are not well named."""
        if subresource:
            return []
        known = (old or {}).get("metadata", {}).get("finalizers") or ()
        added = {*(new["metadata"].get("finalizers") or ())} - {*known}
        return [text for name in sorted(added) for text in _finalizer_warnings(name)]

    def tolerated(self, new: JSON, old: JSON) -> list[str]:
        """What rules say of unchanged values."""
        with gates.Following(self.version):
            return self._definition.ratcheted(new, old)

    def faults(self, new: JSON, old: JSON | None, subresource: str = "") -> Iterator[FieldError]:
        """Only of changed metadata: the definition validates the rest."""
        if old is not None:
            yield from super().faults(new, old, subresource)

    def update(self, new: JSON, old: JSON, subresource: str) -> JSON:
        """The status moves through the subresource only, and nothing else does through it."""
        if subresource == "status":
            new = kept(new, "metadata", old)
        with gates.Following(self.version):
            return self._definition.admit(new, old, subresource=subresource)

    def differs(self, new: JSON, old: JSON) -> bool:
        """Without the subresource a changed status is a new generation, too."""
        if "status" in self.resource.subresources:
            return super().differs(new, old)
        fields = [name for name in {**old, **new} if name != "metadata"]
        return not all(same(new.get(name), old.get(name)) for name in fields)


_META = "k8s.io/apimachinery/pkg/apis/meta/v1.ObjectMeta"
_STANDARD_FINALIZERS = ("orphan", "foregroundDeletion", "kubernetes")


def _finalizer_warnings(name: str) -> Iterator[str]:
    if "/" not in name and name not in _STANDARD_FINALIZERS:
        why = "prefer a domain-qualified finalizer name"
        why += " including a path (/)" if "." in name else ""
        why += " to avoid accidental conflicts with other finalizer writers"
        yield f"metadata.finalizers: {quoted(name)}: {why}"


Register = Callable[[Resource, Strategy | None], None]
"""Notes the strategy of a resource, or that there is none any more."""


class Definitions:
    """Accepts the names of definitions and serves their objects.

    A real server does so in controllers a moment later; here it is done when a definition is
    written, right after the answer to the client is made.
    """

    def __init__(
        self, store: Store, version: Version, timestamp: Callable[[], str], register: Register
    ) -> None:
        self._store = store
        self._version = version
        self._timestamp = timestamp
        self._register = register
        self._served: dict[str, tuple[JSON, list[Resource]]] = {}
        """By the name of the definition: its spec and its resources."""

    def settle(self, crd: JSON) -> None:
        """Do what follows from a definition that was written, or removed."""
        group = crd["spec"]["group"]
        name = crd["metadata"]["name"]
        if self._table().find("", name) is None:
            self._withdraw(name)
        pending = [each["metadata"]["name"] for each in self._of(group)]
        pending.sort(key=lambda each: each != name)
        while pending:
            found = self._table().find("", pending.pop(0))
            if found is not None and self._named(found, group):
                own = found["metadata"]["name"]
                pending = [o["metadata"]["name"] for o in self._of(group) if o is not found]
                pending = [each for each in pending if each != own]
        found = self._table().find("", name)
        if found is not None:
            self._serve(found)

    def scale_paths(self, resource: Resource) -> JSON:
        """Where the objects of a resource say how many they want, and have."""
        crd = self._table().find("", resource.qualified)
        assert crd is not None
        versions = crd["spec"]["versions"]
        version = next(each for each in versions if each["name"] == resource.version)
        paths: JSON = version["subresources"]["scale"]
        return paths

    def _table(self) -> Table:
        table = self._store.table(PLURAL)
        assert table is not None
        return table

    def _of(self, group: str) -> list[JSON]:
        return [each for each in self._table().all() if each["spec"]["group"] == group]

    def _named(self, crd: JSON, group: str) -> bool:
        """Compare the names of a definition with those of its group; whether that changed them."""
        others = [each for each in self._of(group) if each is not crd]
        status = definition_names.named(crd, others, self._timestamp())
        if status == crd.get("status"):
            return False
        crd = self._table().put(crd, {**crd, "status": status})
        established = definition_names.established(crd, self._timestamp())
        if established != status:
            crd = self._table().put(crd, {**crd, "status": established})
        self._serve(crd)
        return True

    def _serve(self, crd: JSON) -> None:
        name = crd["metadata"]["name"]
        if not is_true(crd, ESTABLISHED):
            return
        before = self._served.get(name)
        spec = crd["spec"]
        storage = custom(crd, taken=self._is_taken(crd))
        table = self._store.serve(storage)
        own = compiled(crd)
        self._register(storage, CustomResourceStrategy(storage, self._version, own))
        self._store.also(storage.qualified, table)
        if before is not None and not same(before[0]["versions"], spec["versions"]):
            table.rewrite(own.decoded)
        resources = [storage]
        resources += [
            self._also(crd, each["name"], table, own)
            for each in spec["versions"]
            if each["served"] and not each["storage"]
        ]
        self._served[name] = (spec, resources)
        if before is not None:
            known = {resource.name for resource in resources}
            for resource in before[1]:
                if resource.name not in known and resource.name != storage.name:
                    self._store.drop(resource.name)
                    self._register(resource, None)

    def _also(self, crd: JSON, version: str, table: Table, stored: CustomResource) -> Resource:
        """Serve another version of what is in a table."""
        resource = custom(crd, version)
        definition = compiled(crd, version)
        read, write = definition.decoded, stored.converted
        if crd["spec"]["conversion"]["strategy"] == "Webhook":
            read = write = _refuse_conversion
        view = VersionedTable(table, resource, read, write)
        self._store.also(resource.name, view)
        self._register(resource, CustomResourceStrategy(resource, self._version, definition))
        return resource

    def _is_taken(self, crd: JSON) -> bool:
        """Whether another resource is called by the plural already."""
        found = self._store.table(crd["spec"]["names"]["plural"])
        return found is not None and found.resource.group != crd["spec"]["group"]

    def _withdraw(self, name: str) -> None:
        """Serve the objects of a definition no more."""
        _, resources = self._served.pop(name, ({}, []))
        for resource in resources:
            self._store.drop(resource.name)
            self._store.drop(resource.qualified)
            self._register(resource, None)
