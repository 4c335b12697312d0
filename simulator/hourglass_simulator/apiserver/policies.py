"""ValidatingAdmissionPolicies and their bindings.

https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import errors
from hourglass_simulator.apiserver.authorization import Authorizer
from hourglass_simulator.apiserver.cel_admission import Activation, EvaluationError
from hourglass_simulator.apiserver.policy_bindings import (
    Invocation,
    PolicyBindings,
    namespace_of,
)
from hourglass_simulator.apiserver.store import Store
from hourglass_simulator.apiserver.write import Write

_CODES: Final = {"Unauthorized": 401, "Forbidden": 403, "RequestEntityTooLarge": 413}
_INVALID = 422
_MOST_MESSAGE_BYTES = 5 * 1024
_QUESTIONS_OF_CONDITIONS, _QUESTIONS_OF_VALIDATIONS = 7, 28
"""To the authorizer: each costs 350,000, and together they may cost 2,500,000 and 10,000,000.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/apiserver/pkg/apis/cel/config.go
"""
_OUT_OF_BUDGET = (
    "validation failed due to running out of cost budget, no further validation rules will be run"
)


@dataclass(frozen=True, slots=True)
class _Denial:
    """Why a policy denies a write; `binding` is empty for an error of the policy itself."""

    policy: str
    binding: str
    message: str
    reason: str = "Invalid"


class Policies:
    """Judges writes by the policies of the store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._bindings = PolicyBindings(
            store, "validatingadmissionpolicies", "validatingadmissionpolicybindings"
        )

    def validate(self, write: Write, authorizer: Authorizer) -> None:
        """Refuse what is denied; warn of what is warned of."""
        if not self._bindings.any:
            return
        denials: list[_Denial] = []
        for invocation in self._bindings.about(write):
            denials += self._denials(invocation, write, authorizer)
        if denials:
            raise _denied(write, denials[0])

    def _denials(
        self, invocation: Invocation, write: Write, authorizer: Authorizer
    ) -> Iterator[_Denial]:
        names, spec = invocation.names, invocation.policy["spec"]
        if invocation.error or invocation.binding is None:
            if invocation.fails:
                yield _Denial(*names, invocation.error)
            return
        for message, reason in self._failures(spec, invocation.params, write, authorizer):
            denial = _Denial(*names, message, reason)
            yield from _acted_upon(invocation.binding["spec"], denial, write)

    def _failures(
        self, spec: JSON, params: JSON | None, write: Write, authorizer: Authorizer
    ) -> Iterator[tuple[str, str]]:
        """(message, reason) of each validation that is not met."""
        fails = (spec.get("failurePolicy") or "Fail") == "Fail"
        own = {each["name"]: each["expression"] for each in spec.get("variables") or ()}
        namespace = namespace_of(self._store, write)

        def activation(asked: Authorizer | None) -> Activation:
            return Activation(
                write, namespace=namespace, params=params, variables=own, authorizer=asked
            )

        try:
            if not conditions_met(spec.get("matchConditions") or (), activation(authorizer)):
                return
        except EvaluationError as error:
            if fails:
                yield str(error), "Invalid"
            return
        # Messages ask nobody.
        judging, wording = activation(authorizer), activation(None)
        failures: list[tuple[str, str]] = []
        for validation in spec.get("validations") or ():
            source = validation["expression"]
            try:
                if judging.evaluate(source) is not True:
                    reason = validation.get("reason") or "Invalid"
                    failures.append((_message(validation, wording), reason))
            except EvaluationError as error:
                if fails:
                    why = f"expression '{source}' resulted in error: {error}"
                    failures.append((why, "Invalid"))
            if judging.questions > _QUESTIONS_OF_VALIDATIONS:
                failures = [(_OUT_OF_BUDGET, "Invalid")] if fails else []
                break
        yield from failures


def conditions_met(conditions: Sequence[JSON], activation: Activation) -> bool:
    """Whether all match conditions hold; an error counts only when none is false."""
    failed: list[str] = []
    for each in conditions:
        try:
            if activation.evaluate(each["expression"]) is not True:
                return False
        except EvaluationError as error:
            failed.append(f"expression '{each['expression']}' resulted in error: {error}")
        if activation.questions > _QUESTIONS_OF_CONDITIONS:
            raise EvaluationError(_OUT_OF_BUDGET)
    if failed:
        raise EvaluationError(failed[0] if len(failed) == 1 else f"[{', '.join(failed)}]")
    return True


def _message(validation: Mapping[str, str], activation: Activation) -> str:
    if source := validation.get("messageExpression"):
        try:
            text = activation.evaluate(source)
        except EvaluationError:
            text = ""
        if isinstance(text, str):
            text = text.strip()
            if text and "\n" not in text and len(text.encode()) <= _MOST_MESSAGE_BYTES:
                return text
    default = f"failed expression: {validation['expression'].strip()}"
    return (validation.get("message") or "").strip() or default


def _acted_upon(binding: JSON, denial: _Denial, write: Write) -> Iterator[_Denial]:
    for action in binding.get("validationActions") or ():
        if action == "Deny":
            yield denial
        elif action == "Warn":
            write.warnings.append(
                f"Validation failed for ValidatingAdmissionPolicy '{denial.policy}' with binding"
                f" '{denial.binding}': {denial.message}"
            )


def _denied(write: Write, denial: _Denial) -> errors.APIError:
    bound = f" with binding '{denial.binding}'" if denial.binding else ""
    why = f"ValidatingAdmissionPolicy '{denial.policy}'{bound} denied request: {denial.message}"
    error = write.refused(why)
    details = {**(error.details or {}), "causes": [{"message": why}]}
    code = _CODES.get(denial.reason, _INVALID)
    return errors.APIError(code, denial.reason, error.message, details)
