"""Requests for objects that are stored under another group or version."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIError, APIServer, errors, patches, validation
from hourglass_simulator.apiserver.decoding import WARN, FieldValidation, decode
from hourglass_simulator.apiserver.patches import MERGE
from hourglass_simulator.apiserver.views import View
from hourglass_simulator.http.apply_body import APPLY
from hourglass_simulator.http.request import Answer, Place, Request


def answer(
    api: APIServer,
    view: View,
    request: Request,
    found: Place,
    stored: Callable[[Request], Answer],
) -> Answer:
    """The answer of a view; `stored` answers for the resource that is stored."""
    path = request.path.replace(f"/apis/{view.resource.api_version}", view.base, 1)
    inner = replace(request, path=path, query=selecting(view, request.query))
    if request.method in ("POST", "PUT") and isinstance(request.body, dict):
        body = _checked(api, view, request, found, request.body)
        inner = replace(inner, body=body)
    elif request.method == "PATCH":
        kind = request.content_type or MERGE
        if kind != APPLY:
            patches.require_supported(kind, view.resource)
            old = api.get(view.resource.plural, found.namespace, found.name, user=request.user)
            shown = {**view.shown(old), "apiVersion": view.resource.api_version}
            new = patches.apply(shown, request.body, kind, api.version)
            inner = replace(inner, method="PUT", body=_checked(api, view, request, found, new))
    try:
        with api.written_by(view):
            answered = stored(inner)
    except APIError as error:
        raise _renamed(view, error) from None
    code = 200 if inner.method != request.method else answered.code
    return replace(answered, code=code, body=view.answer(answered.body))


def _renamed(view: View, error: APIError) -> APIError:
    """An error about the stored resource as one about the view's."""
    named, details = f'{view.resource.plural} "', error.details or {}
    if details.get("kind") != view.resource.plural or not str(error).startswith(named):
        return error
    text = f'{view.resource.qualified} "{str(error).removeprefix(named)}'
    return APIError(error.code, error.reason, text, {"group": view.resource.group, **details})


def selecting(view: View | None, query: Mapping[str, str]) -> Mapping[str, str]:
    """The query, with a field selector of what is stored."""
    if view is None or "fieldSelector" not in query:
        return query
    try:
        return {**query, "fieldSelector": view.selected(query["fieldSelector"])}
    except ValueError as error:
        raise errors.bad_request(str(error)) from None


def _checked(api: APIServer, view: View, request: Request, found: Place, sent: JSON) -> JSON:
    """What is to be stored of an object that was sent."""
    resource = view.resource
    typed = {"apiVersion": resource.api_version, "kind": resource.kind, **sent}
    try:
        decoded = decode(api.version, resource, typed)
    except ValueError as error:
        raise errors.undecodable(resource, str(error), resource.kind, resource.version) from None
    mode = request.query.get("fieldValidation") or WARN
    judging = FieldValidation(mode, request.warnings, patches=request.method == "PATCH")
    judging.judge(resource, typed, decoded.strange)
    old = _old(api, view, found)
    if found.name:
        sent_meta = decoded.obj.get("metadata") or {}
        validation.namespace(resource, sent_meta, found.namespace)
        validation.name(sent_meta, found.name)
    new = view.stored(decoded.obj, api.version.minor)
    view.refuse(new, old, found.namespace)
    return new


def _old(api: APIServer, view: View, found: Place) -> JSON | None:
    if not found.name:
        return None
    try:
        return api.get(view.resource.plural, found.namespace, found.name)
    except APIError:
        return None
