"""Subresources that are more than a part of their object."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIError, APIServer, errors, validation
from hourglass_simulator.apiserver.patches import MERGE
from hourglass_simulator.apiserver.resources import Resource
from hourglass_simulator.apiserver.rules.fault import Faults, not_supported, required
from hourglass_simulator.apiserver.schema_error import aggregate
from hourglass_simulator.http import apply_body, pod_streams, scale, write_options
from hourglass_simulator.http.apply_body import APPLY
from hourglass_simulator.http.request import Answer, Place, Request, sent_object

_Answerer = Callable[[APIServer, Request, Place, Resource], Answer]


def answer(api: APIServer, request: Request, found: Place, resource: Resource) -> Answer | None:
    """The answer to a request for a subresource with a form of its own; None for another."""
    if found.subresource == "scale" and not resource.custom:
        return _scale(api, request, found, resource)
    own = _OF_PODS.get(found.subresource) if resource.qualified == "pods" else None
    return None if own is None else own(api, request, found, resource)


def _log(api: APIServer, request: Request, found: Place, resource: Resource) -> Answer:
    if request.method != "GET":
        raise errors.method_not_allowed()
    pod = api.get(resource.plural, found.namespace, found.name, user=request.user)
    now = datetime.fromtimestamp(api.clock.unix_time, UTC)
    text = pod_streams.log(pod, request.query, now)
    return Answer(204, "") if text is None else Answer(200, text)


def _stream(api: APIServer, request: Request, found: Place, resource: Resource) -> Answer:
    if request.method not in ("GET", "POST"):
        raise errors.method_not_allowed()
    pod = api.get(resource.plural, found.namespace, found.name, user=request.user)
    if found.subresource != "portforward":
        pod_streams.container(pod, request.query.get("container", ""))
    pod_streams.require_node(pod)
    raise errors.not_simulated(f"nothing runs in a simulated container: {found.subresource}")


def _evict(api: APIServer, request: Request, found: Place, resource: Resource) -> Answer:  # noqa: ARG001
    body = _sent(request)
    _require_name(body, found, "Eviction")
    options = body.get("deleteOptions") or {}
    evicted = api.evict(found.namespace, found.name, options=options, user=request.user)
    return Answer(201, evicted)


def _bind(api: APIServer, request: Request, found: Place, resource: Resource) -> Answer:
    body = _sent(request)
    validation.body(api.version, _BINDING, body)
    validation.namespace(resource, body.get("metadata") or {}, found.namespace)
    _require_name(body, found, "Binding")
    target = body.get("target") or {}
    faults = list(_target_faults(target))
    if faults:
        raise APIError(500, "", aggregate(faults))
    notes = (body.get("metadata") or {}).get("annotations") or {}
    node, user = target["name"], request.user
    return Answer(201, api.bind(found.namespace, found.name, node, annotations=notes, user=user))


_BINDING = Resource("bindings", "Binding")


def _target_faults(target: JSON) -> Faults:
    kind = target.get("kind") or ""
    if kind not in ("", "Node"):
        yield not_supported("target.kind", kind, ("Node", "<empty>"))
    if not target.get("name"):
        yield required("target.name")


_OF_PODS: Mapping[str, _Answerer] = {
    "log": _log,
    **dict.fromkeys(pod_streams.STREAMS, _stream),
    "binding": _bind,
    "eviction": _evict,
}


def _scale(api: APIServer, request: Request, found: Place, resource: Resource) -> Answer:
    if request.method not in ("GET", "PUT", "PATCH"):
        raise errors.method_not_allowed()
    old = api.get(resource.plural, found.namespace, found.name, user=request.user)
    user, by = request.user, write_options.manager(request)
    if request.method == "GET":
        shown = scale.of(old)
    elif request.method == "PUT":
        validation.name(sent_object(request).get("metadata") or {}, found.name)
        shown = scale.updated(api, resource, old, sent_object(request), user, by)
    else:
        kind = request.content_type or MERGE
        if kind == APPLY:
            wanted, _ = apply_body.parsed(request.body, api.version)
            force = write_options.is_true(request.query.get("force", ""))
            return Answer(200, scale.applied(api, resource, old, wanted, user, by, force))
        shown = scale.patched(api, resource, old, request.body, kind, user, by)
    return Answer(200, shown)


def _sent(request: Request) -> JSON:
    if request.method != "POST":
        raise errors.method_not_allowed()
    return sent_object(request)


def _require_name(body: JSON, found: Place, kind: str) -> None:
    if ((body.get("metadata") or {}).get("name") or "") != found.name:
        raise errors.bad_request(f"name in URL does not match name in {kind} object")
