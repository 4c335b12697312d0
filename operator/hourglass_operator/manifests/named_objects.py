"""An admission policy: who names an object in the spec of a Performer must be able to read it.

An expression may ask the authorizer twice, and those of a policy together 28 times
(https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/apiserver/pkg/cel/library/cost.go,
https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/apiserver/pkg/apis/cel/config.go):
so each name has an expression of its own, and there is a policy for each kind.
"""

from typing import NamedTuple

from hourglass_kube.types import JSON

MOST_NAMES = 20
"""Different objects of a kind that a spec may name unless the requester may read all of them."""


class Named(NamedTuple):
    """Objects of a kind; `fields` are the paths in `spec` that have their names."""

    kind: str
    resource: str
    fields: tuple[str, ...]


SECRETS = Named(
    "Secret",
    "secrets",
    (
        "config.env[].valueFrom.secretKeyRef.name",
        "config.environmentFrom[].secretRef.name",
        "config.environmentFrom[].valueFrom.secretKeyRef.name",
        "imagePullSecrets[].name",
    ),
)
CONFIG_MAPS = Named(
    "ConfigMap",
    "configmaps",
    (
        "config.env[].valueFrom.configMapKeyRef.name",
        "config.environmentFrom[].configMapRef.name",
        "config.environmentFrom[].valueFrom.configMapKeyRef.name",
    ),
)


def variables(named: Named) -> list[JSON]:
    """`name0`, `name1`, …: each name once, empty when there are no more.

    `rest0` are all names, `rest1` those that are not `name0`, and so on: CEL has no other way to
    count each once that every supported version knows.
    """
    rest = f"({' + '.join(map(_values, named.fields))}).filter(name, name != '')"
    found = [
        ("mayReadAll", f"{_asked(named)}.check('get').allowed()"),
        ("rest0", rest),
    ]
    for index in range(MOST_NAMES):
        this = f"variables.rest{index}"
        found += [
            (f"name{index}", f"{this}.size() == 0 ? '' : {this}[0]"),
            (f"rest{index + 1}", f"{this}.filter(name, name != variables.name{index})"),
        ]
    return [{"name": name, "expression": expression} for name, expression in found]


def validations(named: Named) -> list[JSON]:
    """One for each name, and one for those that are too many to be asked about."""
    may_read_all = f"may get all {named.kind}s in the namespace"
    found = [_validation(named, f"variables.name{index}") for index in range(MOST_NAMES)]
    many = f"the spec names more than {MOST_NAMES} {named.kind}s: that needs somebody who"
    return [
        *found,
        {
            "expression": f"variables.rest{MOST_NAMES}.size() == 0 || variables.mayReadAll",
            "message": f"{many} {may_read_all}",
            "reason": "Forbidden",
        },
    ]


def _validation(named: Named, name: str) -> JSON:
    asked = f"{_asked(named)}.name({name}).check('get').allowed()"
    text = (
        f"'the spec names the {named.kind} \"' + {name} + '\", which \"' + "
        "request.userInfo.username + '\" may not get in the namespace \"' + request.namespace + "
        "'\"'"
    )
    return {
        "expression": f"{name} == '' || variables.mayReadAll || {asked}",
        "messageExpression": text,
        "reason": "Forbidden",
    }


def _asked(named: Named) -> str:
    return f"authorizer.group('').resource('{named.resource}').namespace(request.namespace)"


def _values(field: str) -> str:
    """An expression for the values of a field in a list, empty where it is not set."""
    items, below = field.split("[].")
    values = _optional("each", below)
    return f"{_optional('object.spec', items)}.orValue([]).map(each, {values}.orValue(''))"


def _optional(root: str, path: str) -> str:
    return root + "".join(f".?{name}" for name in path.split("."))
