"""Which admission policies are asked about a write, by their bindings and with which parameters.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/apiserver/pkg/admission/plugin/policy/generic/policy_dispatcher.go
"""

from collections.abc import Iterator
from dataclasses import dataclass

from hourglass_kube import selector
from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import matching
from hourglass_simulator.apiserver.store import Store, Table
from hourglass_simulator.apiserver.write import Write


class ConfigurationError(Exception):
    """A binding cannot be followed."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """A policy to ask as a binding says, with parameters if it has some.

    `error` is why it cannot be asked (empty: it can); without a binding it is one of the policy.
    """

    policy: JSON
    binding: JSON | None
    params: JSON | None = None
    error: str = ""

    @property
    def names(self) -> tuple[str, str]:
        """Of the policy and of the binding (may be empty)."""
        binding = "" if self.binding is None else self.binding["metadata"]["name"]
        return self.policy["metadata"]["name"], binding

    @property
    def fails(self) -> bool:
        """Whether an error of the policy refuses the write."""
        return (self.policy["spec"].get("failurePolicy") or "Fail") == "Fail"


class PolicyBindings:
    """The policies of one resource, with the bindings of another."""

    def __init__(self, store: Store, policies: str, bindings: str) -> None:
        self._store = store
        self._names = policies, bindings

    @property
    def any(self) -> bool:
        """Whether any policy is bound."""
        for name in self._names:
            table = self._store.table(name)
            if table is None or not table.count(""):
                return False
        return True

    def about(self, write: Write) -> Iterator[Invocation]:
        """What is asked about a write."""
        if not self.any or matching.is_exempt(write):
            return
        policies, bindings = (self._store.table(name) for name in self._names)
        assert policies is not None
        assert bindings is not None
        for policy in list(policies.all()):
            if not _matches(policy["spec"].get("matchConstraints"), write, self._store):
                continue
            bound = [
                each
                for each in list(bindings.all())
                if each["spec"]["policyName"] == policy["metadata"]["name"]
            ]
            kind = policy["spec"].get("paramKind")
            if bound and kind is not None and self._of_kind(kind) is None:
                why = f"failed to find resource referenced by paramKind: '{_go_kind(kind)}'"
                yield Invocation(policy, None, None, f"failed to configure policy: {why}")
                continue
            for binding in bound:
                yield from self._bound(policy, binding, write)

    def _bound(self, policy: JSON, binding: JSON, write: Write) -> Iterator[Invocation]:
        resources = binding["spec"].get("matchResources")
        if not _matches(resources, write, self._store, needs_rules=False):
            return
        try:
            for params in list(self._params(policy["spec"], binding["spec"], write)):
                yield Invocation(policy, binding, params)
        except ConfigurationError as error:
            yield Invocation(policy, binding, None, f"failed to configure binding: {error}")

    def _params(self, policy: JSON, binding: JSON, write: Write) -> Iterator[JSON | None]:
        kind, reference = policy.get("paramKind"), binding.get("paramRef")
        if kind is None or reference is None:
            yield None
            return
        table = self._of_kind(kind)
        assert table is not None
        namespace = reference.get("namespace") or ""
        if table.resource.namespaced:
            namespace = namespace or write.namespace
            if not namespace:
                raise ConfigurationError(
                    "cannot use namespaced paramRef in policy binding that matches cluster-scoped"
                    " resources"
                )
        elif namespace:
            why = "paramRef.namespace must not be provided for a cluster-scoped `paramKind`"
            raise ConfigurationError(why)
        found = list(_referenced(table, reference, namespace))
        if not found and reference.get("parameterNotFoundAction") == "Deny":
            raise ConfigurationError(
                "no params found for policy binding with `Deny` parameterNotFoundAction"
            )
        yield from found

    def _of_kind(self, kind: JSON) -> Table | None:
        for table in self._store.tables():
            own = table.resource
            if (own.api_version, own.kind) == (kind.get("apiVersion"), kind.get("kind")):
                return table
        return None


def namespace_of(store: Store, write: Write) -> JSON | None:
    """The namespace that expressions see; None for what is in none, and for a namespace."""
    table = store.table("namespaces")
    if table is None or write.resource.qualified == "namespaces" or not write.namespace:
        return None
    return table.find("", write.namespace)


def _matches(source: JSON | None, write: Write, store: Store, *, needs_rules: bool = True) -> bool:
    if source is None:
        return not needs_rules
    rules, excluded = source.get("resourceRules") or (), source.get("excludeResourceRules") or ()
    if not matching.selects(source, write, store) or matching.concerns(excluded, write):
        return False
    if not rules and not needs_rules:
        return True
    return matching.concerns(rules, write)


def _referenced(table: Table, reference: JSON, namespace: str) -> Iterator[JSON]:
    if name := reference.get("name"):
        found = table.find(namespace, name)
        if found is not None:
            yield found
        return
    for obj in table.all(namespace):
        if selector.matches(reference.get("selector"), obj["metadata"].get("labels") or {}):
            yield obj


def _go_kind(kind: JSON) -> str:
    group, _, version = str(kind.get("apiVersion", "")).rpartition("/")
    return f"{group}/{version}, Kind={kind.get('kind', '')}"
