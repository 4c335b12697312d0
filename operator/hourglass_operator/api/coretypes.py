"""Schemas of Kubernetes' own types, as published, with the bounds and rules a CRD needs.

`coretypes.json` is recorded from a real API server (`crds/record_core_types.py`). Published schemas
leave most rules to code that only runs when the pod is created; the ones a user trips over are
added here, so that a bad Performer is refused at once instead of failing later.
"""

import json
from functools import cache
from importlib import resources
from typing import Any

from hourglass_operator.api.rules import VALIDATIONS, rule

STRING_BOUND = {"maxLength": 512}
LIST_BOUND = {"maxItems": 32}
MAP_BOUND = {"maxProperties": 64}

DROPPED = frozenset({"EnvVarSource.fileKeyRef"})
"""Fields that need something in the pod which a Performer cannot declare."""

_NAMED = {"minLength": 1, "maxLength": 253}
_RESOURCES = {"maxProperties": 15}
"""With more, Kubernetes 1.33 finds the rules about them too costly."""
_WEIGHT = {"minimum": 1, "maximum": 100}
_ID = {"minimum": 0, "maximum": 2147483647}
_VARIABLE = rule(
    "self.size() > 0 && !self.contains('=')",
    "must be the name of an environment variable: not empty, no '='",
)
_CLAIM_NAME = {
    "minLength": 1,
    "maxLength": 63,
    VALIDATIONS: [
        rule(
            "self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')",
            "must be lower-case letters, digits or '-', starting and ending with a letter or digit",
        )
    ],
}
BOUNDS: dict[str, dict[str, Any]] = {
    "AppArmorProfile.type": {"enum": ["Localhost", "RuntimeDefault", "Unconfined"]},
    "ConfigMapEnvSource.name": _NAMED,
    "ConfigMapKeySelector.key": _NAMED,
    "ConfigMapKeySelector.name": _NAMED,
    "EnvVar.name": {"maxLength": 1024, VALIDATIONS: [_VARIABLE]},
    "EnvVar.value": {"maxLength": 131072},
    "LabelSelectorRequirement.operator": {"enum": ["DoesNotExist", "Exists", "In", "NotIn"]},
    "LocalObjectReference.name": _NAMED,
    "NodeSelector.nodeSelectorTerms": {"minItems": 1, "maxItems": 32},
    "NodeSelectorRequirement.key": {"minLength": 1, "maxLength": 317},
    "NodeSelectorRequirement.values[]": {"maxLength": 63},
    "ObjectFieldSelector.fieldPath": {
        VALIDATIONS: [
            rule(
                r"""self.matches(r"^(metadata\.(name|namespace|uid|(labels|annotations)\['[^']+'\])|"""
                r"""spec\.(nodeName|serviceAccountName)|status\.(hostIP|hostIPs|podIP|podIPs))$")""",
                "must be metadata.name, metadata.namespace, metadata.uid, metadata.labels['KEY'], "
                "metadata.annotations['KEY'], spec.nodeName, spec.serviceAccountName, "
                "status.hostIP, status.hostIPs, status.podIP or status.podIPs",
            )
        ]
    },
    "PodAffinityTerm.topologyKey": {"minLength": 1, "maxLength": 317},
    "PodResourceClaim.name": _CLAIM_NAME,
    "PodResourceClaim.resourceClaimName": _NAMED,
    "PodResourceClaim.resourceClaimTemplateName": _NAMED,
    "PodSecurityContext.fsGroup": _ID,
    "PodSecurityContext.runAsGroup": _ID,
    "PodSecurityContext.runAsUser": _ID,
    "PodSecurityContext.supplementalGroups[]": _ID,
    "PreferredSchedulingTerm.weight": _WEIGHT,
    "ResourceFieldSelector.resource": {
        VALIDATIONS: [
            rule(
                r"self.matches(r'^(limits|requests)\.(cpu|memory|ephemeral-storage|hugepages-.+)$')",
                "must be limits or requests of cpu, memory, ephemeral-storage or hugepages, such "
                "as limits.memory",
            )
        ]
    },
    "ResourceClaim.name": _CLAIM_NAME,
    "ResourceClaim.request": {"maxLength": 127},
    "ResourceRequirements.limits": _RESOURCES,
    "ResourceRequirements.requests": _RESOURCES,
    "SeccompProfile.type": {"enum": ["Localhost", "RuntimeDefault", "Unconfined"]},
    "SecretEnvSource.name": _NAMED,
    "SecretKeySelector.key": _NAMED,
    "SecretKeySelector.name": _NAMED,
    "SecurityContext.runAsGroup": _ID,
    "SecurityContext.runAsUser": _ID,
    "WeightedPodAffinityTerm.weight": _WEIGHT,
}

REQUIRED: dict[str, list[str]] = {
    "ConfigMapEnvSource": ["name"],
    "ConfigMapKeySelector": ["key", "name"],
    "LocalObjectReference": ["name"],
    "SecretEnvSource": ["name"],
    "SecretKeySelector": ["key", "name"],
}

_VALUES_FIT = rule(
    "self.operator in ['In', 'NotIn'] ? has(self.values) && self.values.size() > 0 : "
    "self.operator in ['Exists', 'DoesNotExist'] ? !has(self.values) || self.values.size() == 0 : "
    "has(self.values) && self.values.size() == 1",
    "In and NotIn need values, Exists and DoesNotExist take none",
)
_LOCALHOST = rule(
    "(self.type == 'Localhost') == "
    "(has(self.localhostProfile) && self.localhostProfile.size() > 0)",
    "type Localhost needs a localhostProfile, other types take none",
)


def _quantity(value: str) -> str:
    """What a value (a CEL expression) amounts to.

    A text is read once: Kubernetes 1.33 takes it for one of 3 MB when it estimates what a rule
    costs. What is no quantity brings an evaluation error beside the message of QUANTITY.
    """
    return f"(type({value}) == int ? quantity('0').add({value}) : quantity({value}))"


_COMPARED = f"{_quantity('self.requests[name]')}.compareTo({_quantity('self.limits[name]')})"
RULES: dict[str, list[dict[str, str]]] = {
    "EnvFromSource": [
        rule(
            "has(self.name) || has(self.valueFrom) || "
            "has(self.configMapRef) != has(self.secretRef)",
            "must have exactly one of configMapRef and secretRef",
        ),
        rule(
            "!has(self.valueFrom) || has(self.name)",
            "valueFrom needs the name of the variable",
        ),
        rule(
            "!has(self.name) && !has(self.valueFrom) || "
            "!has(self.configMapRef) && !has(self.secretRef) && !has(self.prefix)",
            "must be one variable (name, valueFrom) or a whole source (configMapRef or secretRef, "
            "prefix), not both",
        ),
    ],
    "EnvVar": [
        rule(
            "!has(self.valueFrom) || !has(self.value) || self.value.size() == 0",
            "must not have both value and valueFrom",
        )
    ],
    "EnvVarSource": [
        rule(
            "[has(self.configMapKeyRef), has(self.fieldRef), has(self.resourceFieldRef), "
            "has(self.secretKeyRef)].exists_one(given, given)",
            "must have exactly one of configMapKeyRef, fieldRef, resourceFieldRef and secretKeyRef",
        )
    ],
    "LabelSelectorRequirement": [_VALUES_FIT],
    "NodeSelectorRequirement": [
        rule(
            _VALUES_FIT["rule"],
            "In and NotIn need values, Exists and DoesNotExist take none, Gt and Lt take one",
        ),
        rule(
            "!(self.operator in ['Gt', 'Lt']) || !has(self.values) || self.values.size() != 1 || "
            "self.values[0].matches('^-?[0-9]+$')",
            "Gt and Lt compare with an integer",
        ),
    ],
    "ResourceRequirements": [
        rule(
            "!has(self.requests) || !has(self.limits) || self.requests.all(name, "
            f"!(name in self.limits) || name.contains('/') || {_COMPARED} <= 0)",
            "no request may be greater than the limit of the same resource",
        ),
        rule(
            "!has(self.requests) || self.requests.all(name, !name.contains('/') || "
            f"has(self.limits) && name in self.limits && {_COMPARED} == 0)",
            "a device such as nvidia.com/gpu needs the same amount in limits as in requests",
        ),
    ],
    "PodResourceClaim": [
        rule(
            "has(self.resourceClaimName) != has(self.resourceClaimTemplateName)",
            "must have exactly one of resourceClaimName and resourceClaimTemplateName",
        ),
        rule(
            "self.name != 'hourglass-gpu'",
            "must not be called hourglass-gpu, as the claim that the operator makes for "
            "hardwareRequirements.allocation is",
        ),
    ],
    "AppArmorProfile": [_LOCALHOST],
    "SeccompProfile": [_LOCALHOST],
    "SecurityContext": [
        rule(
            "!has(self.allowPrivilegeEscalation) || self.allowPrivilegeEscalation || "
            "!has(self.privileged) || !self.privileged",
            "a privileged container cannot have allowPrivilegeEscalation: false",
        ),
        rule(
            "!has(self.allowPrivilegeEscalation) || self.allowPrivilegeEscalation || "
            "!has(self.capabilities) || !has(self.capabilities.add) || "
            "!('CAP_SYS_ADMIN' in self.capabilities.add)",
            "a container with the capability CAP_SYS_ADMIN cannot have "
            "allowPrivilegeEscalation: false",
        ),
    ],
    "Toleration": [
        rule(
            "has(self.key) && self.key.size() > 0 || "
            "has(self.operator) && self.operator == 'Exists'",
            "without a key, operator must be Exists",
        ),
        rule(
            "!has(self.operator) || self.operator != 'Exists' || "
            "!has(self.value) || self.value.size() == 0",
            "operator Exists takes no value",
        ),
        rule(
            "!has(self.tolerationSeconds) || has(self.effect) && self.effect == 'NoExecute'",
            "tolerationSeconds needs the effect NoExecute",
        ),
    ],
}

QUANTITY: dict[str, Any] = {
    "x-kubernetes-int-or-string": True,
    "maxLength": 32,
    VALIDATIONS: [
        rule(
            # A text that begins with '-' is between '-' and '.'; to compare is cheaper.
            "type(self) == int ? self >= 0 : isQuantity(self) && (self < '-' || self >= '.')",
            "must be a quantity such as 500m, 2 or 4Gi, not negative",
            messageExpression="'must be a quantity such as 500m, 2 or 4Gi, not negative, but is \"'"
            " + string(self) + '\"'",
        )
    ],
}
_DIVISOR: dict[str, Any] = {
    "x-kubernetes-int-or-string": True,
    "enum": [
        *("0", "1", "1m"),
        *("1k", "1M", "1G", "1T", "1P", "1E"),
        *("1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"),
        *(0, 1),
    ],
}
"""What a pod may have, and 0 for the default.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/apis/core/validation/validation.go#L2903
"""


@cache
def _published() -> dict[str, Any]:
    text = (resources.files("hourglass_operator.api") / "coretypes.json").read_text()
    definitions: dict[str, Any] = json.loads(text)
    return definitions


def _one_variable() -> dict[str, Any]:
    """What an item of `environmentFrom` may be instead: one variable, as executors in Go write it.

    https://github.com/Layr-Labs/hourglass-monorepo/blob/master/hourglass-operator/api/v1alpha1/performerTypes.go
    """
    variable = schema("io.k8s.api.core.v1.EnvVar")["properties"]
    sources = variable["valueFrom"]["properties"]
    return {
        "name": variable["name"],
        "valueFrom": {
            "type": "object",
            "description": "Source for the variable's value.",
            "properties": {name: sources[name] for name in ("configMapKeyRef", "secretKeyRef")},
            VALIDATIONS: [
                rule(
                    "has(self.configMapKeyRef) != has(self.secretKeyRef)",
                    "must have exactly one of configMapKeyRef and secretKeyRef",
                )
            ],
        },
    }


def schema(definition: str) -> dict[str, Any]:
    """The structural schema of e.g. `io.k8s.api.core.v1.EnvVar`; KeyError for an unknown name."""
    kind = definition.rpartition(".")[2]
    if kind == "Quantity":
        return dict(QUANTITY)
    # A CustomResourceDefinition has no word for unions.
    published = {k: v for k, v in _published()[definition].items() if k != "x-kubernetes-unions"}
    properties = {
        name: _property(f"{kind}.{name}", value)
        for name, value in published.get("properties", {}).items()
        if f"{kind}.{name}" not in DROPPED
    }
    if kind == "EnvFromSource":
        properties |= _one_variable()
    result = {**published, "properties": properties}
    if kind in REQUIRED:
        result["required"] = REQUIRED[kind]
    if kind in RULES:
        result[VALIDATIONS] = RULES[kind]
    return result


def _property(path: str, published: dict[str, Any]) -> dict[str, Any]:
    """One property, references inlined, without the meaningless defaults of Go's zero values."""
    result = {key: value for key, value in published.items() if key not in ("allOf", "$ref")}
    result.pop("default", None)
    reference = published.get("$ref") or next(
        (part["$ref"] for part in published.get("allOf", ())), None
    )
    if path == "ResourceFieldSelector.divisor":
        return {**_DIVISOR, **result}
    if reference is not None:
        return {**schema(reference.rpartition("/")[2]), **result}
    match result["type"]:
        case "string" if "enum" not in result:
            result |= STRING_BOUND
        case "array":
            result |= {**LIST_BOUND, "items": _property(f"{path}[]", result["items"])}
        case "object":
            values = _property(f"{path}[]", result["additionalProperties"])
            result |= {**MAP_BOUND, "additionalProperties": values}
        case _:
            pass
    return result | BOUNDS.get(path, {})


def mistake(definition: str, value: Any) -> str:
    """What is wrong with the shape of a value of e.g. `io.k8s.api.core.v1.SecurityContext`.

    The first field that is unknown or of another type, with what is expected; empty if none is.
    """
    return _mistake(schema(definition), value, "")


_TYPES: dict[str, tuple[str, type]] = {
    "object": ("an object", dict),
    "array": ("a list", list),
    "string": ("a text", str),
    "integer": ("a whole number", int),
    "boolean": ("true or false", bool),
}


def _mistake(wanted: dict[str, Any], value: Any, path: str) -> str:
    name, kind = _TYPES[wanted["type"]]
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        return f"{path or 'it'} must be {name}"
    if value not in wanted.get("enum", [value]):
        return f"{path} must be one of {', '.join(wanted['enum'])}"
    found: list[str] = []
    if isinstance(value, list):
        found = [
            _mistake(wanted["items"], item, f"{path}[{number}]")
            for number, item in enumerate(value)
        ]
    elif isinstance(value, dict) and "properties" in wanted:
        known = wanted["properties"]
        found = [
            _mistake(known[key], item, f"{path}.{key}".lstrip("."))
            if key in known
            else f"unknown field {path}.{key}".replace(" .", " ")
            for key, item in value.items()
        ]
    return next(filter(None, found), "")
