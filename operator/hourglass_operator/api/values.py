"""Values that fields of a Performer share: bounded texts, labels and Kubernetes' own types."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from hourglass_operator.api.rules import VALIDATIONS, CoreType, Matches, Schema, rule

_SUBDOMAIN = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
_WORD = r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?"
_HOST = (
    r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*"
    r"|\[[a-fA-F0-9:]+\])(?::[0-9]+)?"
)
_PATH = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_TAG = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
_DIGEST = r"(?:sha256:[a-f0-9]{64}|sha384:[a-f0-9]{96}|sha512:[a-f0-9]{128})"
IMAGE_REFERENCE = rf"(?:{_HOST}/)?{_PATH}(?:/{_PATH})*(?::{_TAG})?(?:@{_DIGEST})?"
"""The grammar of the kubelet: https://pkg.go.dev/github.com/distribution/reference"""

AvsAddress = Annotated[
    str,
    Field(max_length=128),
    Matches(r"0x[0-9a-fA-F]{40}", "an Ethereum address: 0x followed by 40 hexadecimal digits"),
]
ImageReference = Annotated[
    str,
    Field(max_length=640),
    Matches(
        IMAGE_REFERENCE,
        "an image reference: [registry[:port]/]path[:tag][@sha256:digest], path in lower case",
    ),
]
EmptyIsAbsent = BeforeValidator(lambda value: None if value == "" else value)
"""Templates write "" for what is not set, and Kubernetes takes it so in a Pod."""

ObjectName = Annotated[
    Annotated[
        str,
        Field(max_length=253),
        Matches(
            f"({_SUBDOMAIN})?",
            "the name of a Kubernetes object: lower-case letters, digits, '-' and '.', "
            "starting and ending with a letter or digit",
        ),
    ]
    | None,
    EmptyIsAbsent,
]
Word = Annotated[
    Annotated[
        str,
        Field(max_length=63),
        Matches(
            f"({_WORD})?",
            "a word of letters, digits, '-', '_' and '.', starting and ending with a letter or "
            "digit",
        ),
    ]
    | None,
    EmptyIsAbsent,
]
Version = Annotated[
    Annotated[
        str,
        Field(max_length=128),
        Schema(
            {
                VALIDATIONS: [
                    rule(
                        "self.matches('^[ -~]*$')",
                        "must be printable ASCII, as a version such as v1.0.0+build.5 is",
                    )
                ]
            }
        ),
    ]
    | None,
    EmptyIsAbsent,
]
"""Only the API server refuses others, and does not repeat them: they may hold what a terminal acts
upon. The operator still runs what an older definition let in."""
Argument = Annotated[str, Field(max_length=32768)]
LabelValue = Annotated[
    str,
    Field(max_length=63),
    Matches(
        rf"({_WORD})?",
        "a label value: letters, digits, '-', '_' and '.', starting and ending with a letter or "
        "digit",
    ),
]
Timestamp = Annotated[str, Schema({"format": "date-time"})]

EnvVar = Annotated[dict[str, Any], CoreType("io.k8s.api.core.v1.EnvVar")]
EnvFromSource = Annotated[dict[str, Any], CoreType("io.k8s.api.core.v1.EnvFromSource")]
Toleration = Annotated[dict[str, Any], CoreType("io.k8s.api.core.v1.Toleration")]
Affinity = Annotated[dict[str, Any], CoreType("io.k8s.api.core.v1.Affinity")]
Resources = Annotated[dict[str, Any], CoreType("io.k8s.api.core.v1.ResourceRequirements")]
SecurityContext = Annotated[dict[str, Any], CoreType("io.k8s.api.core.v1.SecurityContext")]
PodSecurityContext = Annotated[dict[str, Any], CoreType("io.k8s.api.core.v1.PodSecurityContext")]
LocalObjectReference = Annotated[
    dict[str, Any], CoreType("io.k8s.api.core.v1.LocalObjectReference")
]

PodResourceClaim = Annotated[dict[str, Any], CoreType("io.k8s.api.core.v1.PodResourceClaim")]

_LABEL_KEY = r"^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$"
_LABEL_KEYS = Schema(
    {
        VALIDATIONS: [
            rule(
                f"self.all(key, key.matches(r'{_LABEL_KEY}'))",
                "each key must be a label key: [prefix/]name, the name at most 63 letters, digits, "
                "'-', '_' and '.'",
                messageExpression="'each key must be a label key: [prefix/]name, the name at most "
                "63 letters, digits, \\'-\\', \\'_\\' and \\'.\\', but one is \"' + "
                f"self.filter(key, !key.matches(r'{_LABEL_KEY}'))[0] + '\"'",
            ),
        ]
    }
)
Labels = Annotated[dict[str, LabelValue], Field(max_length=64), _LABEL_KEYS]
