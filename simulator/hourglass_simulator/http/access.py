"""What a request wants to do, as authorizers are asked, and the refusal of those who may not.

https://pkg.go.dev/k8s.io/apiserver/pkg/endpoints/request#RequestInfo
"""

from typing import Final

from hourglass_kube import selector
from hourglass_simulator.apiserver.authorization import Attributes
from hourglass_simulator.apiserver.errors import APIError, forbidden_to
from hourglass_simulator.apiserver.resources import Resource
from hourglass_simulator.apiserver.schema_error import quoted
from hourglass_simulator.apiserver.users import User
from hourglass_simulator.http.request import NAMESPACES, Request, place

_VERBS: Final = {
    "POST": "create",
    "GET": "get",
    "HEAD": "get",
    "PUT": "update",
    "PATCH": "patch",
    "DELETE": "delete",
}
_TRUE = ("1", "true")


def attributes(request: Request, user: User) -> Attributes:
    """What the user of a request wants."""
    found = place(request.path)
    if found is None or not found.resource:
        return Attributes(user, request.method.lower(), path=request.path)
    verb, name = _VERBS.get(request.method, ""), found.name
    if not name and verb == "get":
        watches = request.query.get("watch") in _TRUE
        verb = "watch" if watches else "list"
        name = _selected(request.query.get("fieldSelector", ""))
    elif not name and verb == "delete":
        verb = "deletecollection"
    namespace = found.namespace
    if not found.group and found.resource == NAMESPACES:
        namespace = found.name
    return Attributes(user, verb, found.group, found.resource, found.subresource, namespace, name)


def forbidden(asked: Attributes, reason: str) -> APIError:
    """403 in RBAC's words."""
    who = f"User {quoted(asked.user.name)} cannot {asked.verb}"
    if asked.path:
        return forbidden_to(Resource("", ""), "", _why(f"{who} path {quoted(asked.path)}", reason))
    what = f"resource {quoted(asked.whole_resource)} in API group {quoted(asked.group)}"
    where = f"in the namespace {quoted(asked.namespace)}" if asked.namespace else ""
    text = _why(f"{who} {what} {where or 'at the cluster scope'}", reason)
    return forbidden_to(Resource(asked.resource, "", asked.group), asked.name, text)


def _why(text: str, reason: str) -> str:
    for char, escaped in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(char, escaped)
    return f"{text}: {reason}" if reason else text


def _selected(fields: str) -> str:
    """The name of the only object that a field selector can select."""
    try:
        parsed = selector.parse_fields(fields)
    except ValueError:
        return ""
    return next((value for path, equal, value in parsed if path == "metadata.name" and equal), "")
