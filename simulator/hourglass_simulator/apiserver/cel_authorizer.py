"""The authorizer in CEL.

https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-authorizer-library
https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/apiserver/pkg/cel/library/authz.go
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from cel_expr_python import cel  # type: ignore[import-untyped]
from google.protobuf.message import Message

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.authorization import Attributes, Decision
from hourglass_simulator.apiserver.cel_library import Overload
from hourglass_simulator.apiserver.cel_messages import own, text_of, type_name
from hourglass_simulator.apiserver.users import User, account_groups, account_name

Decide = Callable[[Attributes], Decision]
_Type = cel.Type
_FIELDS = ("group", "resource", "subresource", "namespace", "name")
_deciding: list[Decide] = []
"""Who decides for the expression that is being evaluated: functions get no other context."""


@contextmanager
def deciding(decide: Decide) -> Iterator[None]:
    """Within the `with` block expressions ask this function."""
    _deciding.append(decide)
    try:
        yield
    finally:
        _deciding.pop()


def authorizer(user: User) -> Message:
    """The value of `authorizer` for a user."""
    return _made("Authorizer", _user(user.name, user.groups, user.uid))


def request_resource(user: User, asked: Attributes) -> Message:
    """The value of `authorizer.requestResource`."""
    fields = {field: getattr(asked, field) for field in _FIELDS}
    return _made("ResourceCheck", {**_user(user.name, user.groups, user.uid), **fields})


def _user(name: str, groups: tuple[str, ...], uid: str) -> JSON:
    return {"user": {"name": name, "groups": list(groups), "uid": uid}}


def _made(kind: str, fields: JSON) -> Message:
    return own(kind, json.dumps(fields))


def _read(value: Message) -> JSON:
    found: JSON = json.loads(text_of(value))
    return found


def _service_account(_: Message, namespace: str, name: str) -> Message:
    groups = ("system:serviceaccounts", *account_groups(namespace)[1:], "system:authenticated")
    return _made("Authorizer", _user(account_name(namespace, name), groups, ""))


def _check(value: Message, verb: str) -> Message:
    asked = _read(value)
    who = asked["user"]
    user = User(who["name"], tuple(who["groups"]), who["uid"])
    if "path" in asked:
        attributes = Attributes(user, verb, path=asked["path"])
    else:
        attributes = Attributes(user, verb, *(asked.get(field, "") for field in _FIELDS))
    decision = _deciding[-1](attributes)
    return _made("Decision", {"allowed": decision.allowed, "reason": decision.reason})


def _with(kind: str, field: str) -> Callable[[Message, str], Message]:
    return lambda value, text: _made(kind, {**_read(value), field: text})


def overloads() -> Iterator[Overload]:
    """All declarations; the ids of overloads are those of Kubernetes."""
    text = _Type.STRING
    names = ("Authorizer", "PathCheck", "GroupCheck", "ResourceCheck", "Decision")
    kind = {name: _Type(type_name(name)) for name in names}

    def method(name: str, key: str, of: str, params: list[Any], result: Any, run: Any) -> Overload:
        return Overload(name, key, (kind[of], *params), result, run, member=True)

    yield method(
        "path",
        "authorizer_path",
        "Authorizer",
        [text],
        kind["PathCheck"],
        _with("PathCheck", "path"),
    )
    yield method(
        "group",
        "authorizer_group",
        "Authorizer",
        [text],
        kind["GroupCheck"],
        _with("GroupCheck", "group"),
    )
    yield method(
        "serviceAccount",
        "authorizer_serviceaccount",
        "Authorizer",
        [text, text],
        kind["Authorizer"],
        _service_account,
    )
    yield method(
        "resource",
        "groupcheck_resource",
        "GroupCheck",
        [text],
        kind["ResourceCheck"],
        _with("ResourceCheck", "resource"),
    )
    for field in ("subresource", "namespace", "name", "fieldSelector", "labelSelector"):
        yield method(
            field,
            f"resourcecheck_{field.lower()}",
            "ResourceCheck",
            [text],
            kind["ResourceCheck"],
            _with("ResourceCheck", field),
        )
    for of in ("PathCheck", "ResourceCheck"):
        yield method("check", f"{of.lower()}_check", of, [text], kind["Decision"], _check)
    for name, result, run in (
        ("allowed", _Type.BOOL, lambda value: _read(value)["allowed"]),
        ("reason", text, lambda value: _read(value)["reason"]),
        ("errored", _Type.BOOL, lambda _: False),
        ("error", text, lambda _: ""),
    ):
        yield method(name, f"decision_{name}", "Decision", [], result, run)
