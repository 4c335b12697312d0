"""MutatingAdmissionPolicies and their bindings.

https://kubernetes.io/docs/reference/access-authn-authz/mutating-admission-policy/
https://github.com/kubernetes/kubernetes/blob/v1.37.2/staging/src/k8s.io/apiserver/pkg/admission/plugin/policy/mutating/dispatcher.go
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import errors, mutations
from hourglass_simulator.apiserver.authorization import Authorizer
from hourglass_simulator.apiserver.cel_admission import Activation, EvaluationError
from hourglass_simulator.apiserver.managedfields.schema import Type
from hourglass_simulator.apiserver.mutations import MutationError
from hourglass_simulator.apiserver.policies import conditions_met
from hourglass_simulator.apiserver.policy_bindings import (
    Invocation,
    PolicyBindings,
    namespace_of,
)
from hourglass_simulator.apiserver.resources import Resource
from hourglass_simulator.apiserver.store import Store
from hourglass_simulator.apiserver.write import DELETE, Write

Decode = Callable[[JSON], JSON]
"""What a mutation has made of an object, with its defaults; raises errors.APIError."""
_Key = tuple[str, str, str, str]


@dataclass
class Rounds:
    """What has been asked about one write, and whom to ask once more when it is changed again."""

    asked: list[_Key] = field(default_factory=list)
    due: set[_Key] = field(default_factory=set)
    output: JSON | None = None

    def changed(self) -> None:
        """Ask again whoever wants to see changes of others."""
        self.due.update(self.asked)
        self.asked.clear()


class MutatingPolicies:
    """Changes writes by the policies of the store; `type_of` gives the type of a resource."""

    def __init__(self, store: Store, type_of: Callable[[Resource], Type]) -> None:
        self._store = store
        self._type_of = type_of
        self._bindings = PolicyBindings(
            store, "mutatingadmissionpolicies", "mutatingadmissionpolicybindings"
        )

    @property
    def any(self) -> bool:
        """Whether a write may be changed."""
        return self._bindings.any

    def mutated(
        self, write: Write, authorizer: Authorizer, decode: Decode, rounds: Rounds, *, again: bool
    ) -> JSON:
        """The object as the policies want it; `again`: after others have changed it.

        https://kubernetes.io/docs/reference/access-authn-authz/mutating-admission-policy/#reinvocation
        """
        if write.operation == DELETE:
            return write.obj
        if again and rounds.output != write.obj:
            rounds.changed()
        failed: list[tuple[Invocation, str]] = []
        called = False
        for invocation in self._bindings.about(write):
            if invocation.error:
                failed.append((invocation, invocation.error))
                continue
            key = _key(invocation)
            if again and key not in rounds.due:
                continue
            new = self._invoked(invocation, write, authorizer, decode, failed)
            if new is None:
                continue
            if new != write.obj:
                rounds.changed()
                write = write.with_new(new)
            if invocation.policy["spec"].get("reinvocationPolicy") == "IfNeeded":
                rounds.asked.append(key)
            called = True
        if called:
            rounds.changed()
        rounds.output = write.obj
        refusals = [(each, why) for each, why in failed if each.fails]
        if refusals:
            raise _refused(write, refusals)
        return write.obj

    def _invoked(
        self,
        invocation: Invocation,
        write: Write,
        authorizer: Authorizer,
        decode: Decode,
        failed: list[tuple[Invocation, str]],
    ) -> JSON | None:
        """The object with the mutations of a policy; None when its conditions are not met."""
        spec = invocation.policy["spec"]
        own = {each["name"]: each["expression"] for each in spec.get("variables") or ()}

        def activation(namespace: JSON | None) -> Activation:
            return Activation(
                write,
                namespace=namespace,
                params=invocation.params,
                variables=own,
                authorizer=authorizer,
            )

        try:
            if not conditions_met(spec.get("matchConditions") or (), activation(None)):
                return None
        except EvaluationError as error:
            failed.append((invocation, str(error)))
            return None
        namespace = namespace_of(self._store, write)
        for mutation in spec["mutations"]:
            try:
                new = self._mutation(mutation, write, activation(namespace).evaluate)
            except (EvaluationError, MutationError) as error:
                failed.append((invocation, str(error)))
                continue
            if new is not write.obj:
                write = write.with_new(decode(new))
        return write.obj

    def _mutation(self, mutation: JSON, write: Write, evaluate: Callable[[str], Any]) -> JSON:
        patches = mutation["patchType"] == "JSONPatch"
        source = mutation["jsonPatch" if patches else "applyConfiguration"]["expression"].strip()
        try:
            found = evaluate(source)
        except EvaluationError as error:
            raise MutationError(f"expression '{source}' resulted in error: {error}") from None
        if patches:
            return mutations.patched(write.obj, found)
        return mutations.applied(write.obj, found, self._type_of(write.resource))


def _key(invocation: Invocation) -> _Key:
    meta = (invocation.params or {}).get("metadata") or {}
    return (*invocation.names, meta.get("namespace", ""), meta.get("name", ""))


def _refused(write: Write, refusals: list[tuple[Invocation, str]]) -> errors.APIError:
    messages = []
    for invocation, why in refusals:
        policy, binding = invocation.names
        named = f"'{policy}' with binding '{binding}'" if binding else f'"{policy}"'
        messages.append(f"policy {named} denied request: {why}")
    forbidden = write.refused("admission request denied by policy")
    details = {**(forbidden.details or {}), "causes": [{"message": each} for each in messages]}
    reason = "Forbidden" if refusals[0][0].error else "Invalid"
    return errors.APIError(forbidden.code, reason, messages[0], details)
