"""Admission policies and their bindings, but for the expressions of policies.

https://github.com/kubernetes/kubernetes/tree/v1.34.4/pkg/apis/admissionregistration/validation
"""

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.rules import labels, names, object_meta
from hourglass_simulator.apiserver.rules.admission import FAILURES, MATCHES, conditions, rule
from hourglass_simulator.apiserver.rules.fault import (
    Faults,
    choice,
    duplicate,
    each,
    forbidden,
    invalid,
    one_of,
    required,
)

_ACTIONS = ("Audit", "Deny", "Warn")
_REASONS = ("Forbidden", "Invalid", "RequestEntityTooLarge")
_MUTATED = ("*", "CONNECT", "CREATE", "UPDATE")
_REINVOCATIONS = ("IfNeeded", "Never")
_PATCHES = {"JSONPatch": "jsonPatch", "ApplyConfiguration": "applyConfiguration"}


def _match_resources(path: str, given: JSON | None) -> Faults:
    if given is None:
        return
    policy = given.get("matchPolicy")
    if policy is None:
        yield required(f"{path}.matchPolicy")
    else:
        yield from one_of(f"{path}.matchPolicy", policy, MATCHES)
    for field in ("namespaceSelector", "objectSelector"):
        if given.get(field) is None:
            yield required(f"{path}.{field}")
        else:
            yield from labels.selector(f"{path}.{field}", given[field])
    for kind in ("resourceRules", "excludeResourceRules"):
        for index, found in enumerate(given.get(kind) or ()):
            where = f"{path}.{kind}[{index}]"
            seen: set[str] = set()
            for number, name in enumerate(found.get("resourceNames") or ()):
                field = f"{where}.resourceNames[{number}]"
                yield from each(field, name, names.path_segment(name))
                if name in seen:
                    yield duplicate(field, name)
                seen.add(name)
            yield from rule(where, found)


def policy_created(found: JSON) -> Faults:
    """What is wrong with a ValidatingAdmissionPolicy."""
    yield from object_meta.created("validatingadmissionpolicies", found["metadata"])
    spec = found.get("spec") or {}
    yield from _policy(spec)
    yield from conditions("spec.matchConditions", spec.get("matchConditions") or [])
    yield from _variables(spec)
    if not spec.get("validations") and not spec.get("auditAnnotations"):
        why = "validations or auditAnnotations must contain at least one item"
        yield required("spec.validations", why)
        yield required("spec.auditAnnotations", why)
    for index, validation in enumerate(spec.get("validations") or ()):
        yield from _validation(f"spec.validations[{index}]", validation)


def _policy(spec: JSON) -> Faults:
    """What the policies of both kinds have in common."""
    policy = spec.get("failurePolicy")
    if policy is None:
        yield required("spec.failurePolicy")
    else:
        yield from one_of("spec.failurePolicy", policy, FAILURES)
    if spec.get("paramKind") is not None:
        yield from _param_kind("spec.paramKind", spec["paramKind"])
    constraints = spec.get("matchConstraints")
    if constraints is None:
        yield required("spec.matchConstraints")
    else:
        yield from _match_resources("spec.matchConstraints", constraints)
        if not constraints.get("resourceRules"):
            yield required("spec.matchConstraints.resourceRules")


def _variables(spec: JSON) -> Faults:
    for index, variable in enumerate(spec.get("variables") or ()):
        for field in ("name", "expression"):
            if not (variable.get(field) or "").strip():
                yield required(f"spec.variables[{index}].{field}", f"{field} is not specified")


def mutating_policy_created(found: JSON) -> Faults:
    """What is wrong with a MutatingAdmissionPolicy."""
    yield from object_meta.created("mutatingadmissionpolicies", found["metadata"])
    spec = found.get("spec") or {}
    yield from _policy(spec)
    yield from _mutated_operations("spec.matchConstraints", spec.get("matchConstraints"))
    yield from conditions("spec.matchConditions", spec.get("matchConditions") or [])
    yield from _variables(spec)
    if not spec.get("mutations"):
        yield required("spec.mutations", "mutations must contain at least one item")
    for index, mutation in enumerate(spec.get("mutations") or ()):
        yield from _mutation(f"spec.mutations[{index}]", mutation)
    policy = spec.get("reinvocationPolicy")
    if not policy:
        yield required("spec.reinvocationPolicy")
    else:
        yield from one_of("spec.reinvocationPolicy", policy, _REINVOCATIONS)


def _mutated_operations(path: str, given: JSON | None) -> Faults:
    for found in (given or {}).get("resourceRules") or ():
        for operation in found.get("operations") or ():
            yield from one_of(f"{path}.resourceRules.operations", operation, _MUTATED)


def _mutation(path: str, given: JSON) -> Faults:
    kind = given.get("patchType")
    if not kind:
        yield required(f"{path}.patchType")
        return
    if kind not in _PATCHES:
        yield from one_of(f"{path}.patchType", kind, tuple(sorted(_PATCHES)))
        return
    for patch, field in _PATCHES.items():
        patched = given.get(field)
        if patch != kind:
            if patched is not None:
                why = f"must not be specified when patchType is {kind}"
                yield invalid(f"{path}.{field}", f"{{{field}}}", why)
        elif patched is None:
            yield required(f"{path}.{field}", f"must be specified when patchType is {kind}")
        elif not (patched.get("expression") or "").strip():
            yield required(f"{path}.{field}.expression")


def mutating_policy_updated(new: JSON, old: JSON) -> Faults:  # noqa: ARG001
    """What is wrong with a changed MutatingAdmissionPolicy."""
    yield from mutating_policy_created(new)


def mutating_binding_created(found: JSON) -> Faults:
    """What is wrong with a MutatingAdmissionPolicyBinding."""
    yield from object_meta.created("mutatingadmissionpolicybindings", found["metadata"])
    spec = found.get("spec") or {}
    yield from _binding(spec)
    yield from _mutated_operations("spec.matchResources", spec.get("matchResources"))


def mutating_binding_updated(new: JSON, old: JSON) -> Faults:  # noqa: ARG001
    """What is wrong with a changed MutatingAdmissionPolicyBinding."""
    yield from mutating_binding_created(new)


def _binding(spec: JSON) -> Faults:
    """What the bindings of both kinds have in common."""
    name = spec.get("policyName") or ""
    if not name:
        yield required("spec.policyName")
    else:
        yield from each("spec.policyName", name, names.dns_subdomain(name))
    if spec.get("paramRef") is not None:
        yield from _param_ref("spec.paramRef", spec["paramRef"])
    yield from _match_resources("spec.matchResources", spec.get("matchResources"))


def _param_kind(path: str, given: JSON) -> Faults:
    version, kind = given.get("apiVersion") or "", given.get("kind") or ""
    if not version:
        yield required(f"{path}.apiVersion")
    else:
        group, _, short = version.rpartition("/")
        if group and (wrong := names.dns_subdomain(group)):
            yield invalid(f"{path}.apiVersion", group, ",".join(wrong))
        if not short:
            yield invalid(f"{path}.apiVersion", version, "version must be specified")
        elif wrong := names.dns_1035_label(short):
            yield invalid(f"{path}.apiVersion", short, ",".join(wrong))
    if not kind:
        yield required(f"{path}.kind")
    elif wrong := names.dns_1035_label(kind.lower()):
        why = f"may have mixed case, but should otherwise match: {','.join(wrong)}"
        yield invalid(f"{path}.kind", kind, why)


def _validation(path: str, given: JSON) -> Faults:
    if not (given.get("expression") or "").strip():
        yield required(f"{path}.expression", "expression is not specified")
    for field in ("messageExpression", "message"):
        text = given.get(field) or ""
        if text and not text.strip():
            yield invalid(f"{path}.{field}", text, "must be non-empty if specified")
        elif field == "message" and "\n" in text.strip():
            yield invalid(f"{path}.{field}", text, "must not contain line breaks")
    if given.get("reason") is not None:
        yield from one_of(f"{path}.reason", given["reason"], _REASONS)


def policy_updated(new: JSON, old: JSON) -> Faults:  # noqa: ARG001
    """What is wrong with a changed ValidatingAdmissionPolicy."""
    yield from policy_created(new)


def policy_binding_created(found: JSON) -> Faults:
    """What is wrong with a ValidatingAdmissionPolicyBinding."""
    yield from object_meta.created("validatingadmissionpolicybindings", found["metadata"])
    spec = found.get("spec") or {}
    yield from _binding(spec)
    actions, path = spec.get("validationActions") or [], "spec.validationActions"
    seen: set[str] = set()
    for index, action in enumerate(actions):
        yield from one_of(f"{path}[{index}]", action, _ACTIONS)
        if action in seen:
            yield duplicate(f"{path}[{index}]", action)
        seen.add(action)
    if {"Deny", "Warn"} <= seen:
        why = "must not contain both Deny and Warn (repeating the same validation failure "
        why += "information in the API response and headers serves no purpose)"
        yield invalid(path, actions, why)
    if not actions:
        yield required(path, "at least one validation action is required")


def _param_ref(path: str, given: JSON) -> Faults:
    name, selector = given.get("name") or "", given.get("selector")
    if name:
        yield from each(f"{path}.name", name, names.path_segment(name))
        if selector is not None:
            yield forbidden(f"{path}.name", "name and selector are mutually exclusive")
    if selector is not None:
        yield from labels.selector(f"{path}.selector", selector)
        if name:
            yield forbidden(f"{path}.selector", "name and selector are mutually exclusive")
    if not name and selector is None:
        yield required(path, "one of name or selector must be specified")
    action = given.get("parameterNotFoundAction")
    yield from choice(f"{path}.parameterNotFoundAction", action, ("Deny", "Allow"))


def policy_binding_updated(new: JSON, old: JSON) -> Faults:  # noqa: ARG001
    """What is wrong with a changed ValidatingAdmissionPolicyBinding."""
    yield from policy_binding_created(new)


def policy_status(new: JSON, old: JSON) -> Faults:
    """What is wrong with a status of a ValidatingAdmissionPolicy."""
    yield from object_meta.updated(new["metadata"], old["metadata"], "validatingadmissionpolicies")
    status = new.get("status") or {}
    path = "status.typeChecking.expressionWarnings"
    warnings = (status.get("typeChecking") or {}).get("expressionWarnings") or ()
    for index, warning in enumerate(warnings):
        if not warning.get("warning"):
            yield required(f"{path}[{index}].warning")
        if not (warning.get("fieldRef") or "").strip():
            yield required(f"{path}[{index}].fieldRef")
    yield from labels.conditions("status.conditions", status.get("conditions"))
