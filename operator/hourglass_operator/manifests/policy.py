"""`python -m hourglass_operator.manifests.policy FOLDER` writes the component `deploy/policy`.

Who may create which Performers, decided by admission policies that ask the API server's authorizer:
https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from hourglass_kube.dumper import as_yaml
from hourglass_kube.types import JSON
from hourglass_operator.api import GROUP, PLURAL, VERSION
from hourglass_operator.manifests import named_objects
from hourglass_operator.manifests.files import with_notice, write
from hourglass_operator.manifests.named_objects import CONFIG_MAPS, SECRETS
from hourglass_operator.manifests.roles import NAMESPACE

LIMITS = "hourglass-performer-limits"
"""The name of the policy, of its binding and of the ConfigMap with its parameters."""

LISTS = ("imageRegistries", "priorityClasses", "runtimeClasses")
"""The keys of the ConfigMap: what is allowed, one a line; nothing: everything is."""

_ADMISSION = "admissionregistration.k8s.io/v1"


def policy() -> Mapping[str, str]:
    """File name → text."""
    files = {
        "limits.yaml": as_yaml(limits(dict.fromkeys(LISTS, ""))),
        "policies.yaml": as_yaml(*policies()),
    }
    kustomization = {
        "apiVersion": "kustomize.config.k8s.io/v1alpha1",
        "kind": "Component",
        "resources": list(files),
    }
    return with_notice(files | {"kustomization.yaml": as_yaml(kustomization)})


def limits(allowed: Mapping[str, Any], namespace: str = NAMESPACE) -> JSON:
    """The ConfigMap with the parameters."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": LIMITS, "namespace": namespace},
        "data": dict(allowed),
    }


def policies(namespace: str = NAMESPACE) -> Iterator[JSON]:
    """The policies, each with its binding; `namespace` is that of the ConfigMap."""
    for named in (SECRETS, CONFIG_MAPS):
        name = f"hourglass-performer-{named.resource}"
        yield _policy(name, named_objects.variables(named), named_objects.validations(named))
        yield _binding(name)
    kind = {"apiVersion": "v1", "kind": "ConfigMap"}
    yield _policy(LIMITS, _limit_variables(), list(_limit_validations()), paramKind=kind)
    reference = {"name": LIMITS, "namespace": namespace, "parameterNotFoundAction": "Deny"}
    yield _binding(LIMITS, paramRef=reference)


def _policy(
    name: str, variables: Sequence[JSON], validations: Sequence[JSON], **param_kind: JSON
) -> JSON:
    rule = {
        "apiGroups": [GROUP],
        "apiVersions": [VERSION],
        "operations": ["CREATE", "UPDATE"],
        "resources": [PLURAL],
    }
    changed = "request.operation == 'CREATE' || object.spec != oldObject.spec"
    return {
        "apiVersion": _ADMISSION,
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": name},
        "spec": {
            "failurePolicy": "Fail",
            **param_kind,
            "matchConstraints": {"resourceRules": [rule]},
            "matchConditions": [{"name": "new-spec", "expression": changed}],
            "variables": list(variables),
            "validations": list(validations),
        },
    }


def _binding(name: str, **param_reference: JSON) -> JSON:
    return {
        "apiVersion": _ADMISSION,
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": name},
        "spec": {"policyName": name, **param_reference, "validationActions": ["Deny"]},
    }


def _limit_variables() -> list[JSON]:
    # An image without a registry comes from Docker Hub, as the container runtime takes it:
    # https://pkg.go.dev/github.com/distribution/reference#ParseNormalizedNamed
    image = "object.spec.image"
    host = f"{image}.split('/')[0]"
    found = {
        "account": "object.spec.?config.?serviceAccountName.orValue('')",
        "priorityClass": "object.spec.?scheduling.?priorityClassName.orValue('')",
        "runtimeClass": "object.spec.?scheduling.?runtimeClass.orValue('')",
        "tolerations": "object.spec.?scheduling.?tolerations.orValue([])",
        "namesRegistry": f"{image}.contains('/') && ({host}.contains('.') || {host}.contains(':')"
        f" || {host} == 'localhost' || {host}.lowerAscii() != {host})",
        "image": f"variables.namesRegistry ? {image} : {image}.contains('/') ? 'docker.io/' + "
        f"{image} : 'docker.io/library/' + {image}",
        **{
            name: f"params.?data.?{name}.orValue('').split('\\n').map(line, line.trim())"
            ".filter(line, line != '')"
            for name in LISTS
        },
    }
    return [{"name": name, "expression": expression} for name, expression in found.items()]


def _limit_validations() -> Iterator[JSON]:
    known = ", ".join(f"'{name}'" for name in LISTS)
    yield _validation(
        f"params.?data.orValue({{}}).all(key, key in [{known}])",
        "'the ConfigMap \"' + params.metadata.name + '\" in the namespace \"' + "
        f"params.metadata.namespace + '\" has a key that is none of {', '.join(LISTS)}'",
    )
    account = (
        "authorizer.group('').resource('serviceaccounts').namespace(request.namespace)"
        ".name(variables.account)"
    )
    yield _validation(
        "variables.account == '' || "
        + " || ".join(f"{account}.check('{verb}').allowed()" for verb in ("use", "impersonate")),
        "'spec.config.serviceAccountName: \"' + request.userInfo.username + '\" may neither use "
        "nor impersonate the ServiceAccount \"' + variables.account + '\" in the namespace \"' + "
        "request.namespace + '\"'",
    )
    yield _validation(
        "!variables.priorityClass.startsWith('system-')",
        "'spec.scheduling.priorityClassName: \"' + variables.priorityClass + '\" is for what a "
        "cluster cannot do without'",
    )
    yield _validation(
        "variables.tolerations.all(each, each.?key.orValue('') != '')",
        "'spec.scheduling.tolerations: one has no key, and would tolerate every taint: expected "
        "the key of a taint'",
    )
    for field, value, name in (
        ("spec.scheduling.priorityClassName", "variables.priorityClass", "priorityClasses"),
        ("spec.scheduling.runtimeClass", "variables.runtimeClass", "runtimeClasses"),
    ):
        yield _listed(f"{value} == '' || {value} in variables.{name}", field, value, name)
    image, registries = "variables.image", "variables.imageRegistries"
    below = f"{registries}.exists(allowed, {image}.startsWith(allowed + '/'))"
    yield _listed(below, "spec.image", image, "imageRegistries")


def _listed(expression: str, field: str, value: str, name: str) -> JSON:
    """What must be in a list, if that has anything."""
    text = f"'{field}: \"' + {value} + '\" is not among the {name} that are allowed: "
    return _validation(
        f"variables.{name}.size() == 0 || {expression}",
        f"{text}' + variables.{name}.join(', ')",
        # What is said when the list is longer than a message may be.
        message=f"{field}: not among the {name} that are allowed",
    )


def _validation(expression: str, text: str, **message: str) -> JSON:
    return {
        "expression": expression,
        **message,
        "messageExpression": text,
        "reason": "Forbidden",
    }


if __name__ == "__main__":
    write(policy(), Path(sys.argv[1]))
