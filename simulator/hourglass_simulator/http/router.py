"""From a request to the call of the API server, and from what it says to an answer."""

import json
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from datetime import UTC, datetime

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIError, APIServer, errors
from hourglass_simulator.apiserver.patches import MERGE
from hourglass_simulator.apiserver.resources import Resource
from hourglass_simulator.apiserver.watch import WatchEvent
from hourglass_simulator.http import discovery
from hourglass_simulator.http.denials import Denials
from hourglass_simulator.http.forms import Form, accepted, columns_of, metadata_of, table
from hourglass_simulator.http.pages import Pages
from hourglass_simulator.http.request import Answer, Place, Request, place
from hourglass_simulator.node_object import KUBERNETES

PROTOBUF = "application/vnd.kubernetes.protobuf"
_ACCEPTED = (
    "the body of the request was in an unknown format - accepted media types include:"
    " application/json"
)
NOT_FOUND = Answer(404, "404 page not found\n")
_MAJOR, _MINOR, _ = KUBERNETES.removeprefix("v").split(".")


class Router:
    """Answers everything but watches, of which it only says what they send."""

    def __init__(self, api: APIServer) -> None:
        self._api = api
        self._pages = Pages()
        self.denials = Denials({r.plural: r for r in api.resources()})
        api.interceptors.append(self.denials)

    def answer(self, request: Request) -> Answer:
        """Answer a request; refusals are answers too.

        Raises CallTimeoutError as the API server does.
        """
        try:
            if request.content_type == PROTOBUF:
                raise APIError(415, "UnsupportedMediaType", _ACCEPTED)
            with self._api.dry_run() if _is_dry(request) else nullcontext():
                return self._fixed(request) or self._below(request)
        except APIError as error:
            return Answer(error.code, error.status())

    def watched(self, request: Request) -> Resource | None:
        """The resource that a request watches; None if it is no watch."""
        found = place(request.path)
        if found is None or request.method != "GET" or found.name:
            return None
        if request.query.get("watch") not in ("1", "true"):
            return None
        return self._resource(found)

    def event(self, resource: Resource, event: WatchEvent, accept: str) -> JSON:
        """A watch event in the form that the client accepts."""
        obj = event.object
        if event.type not in ("BOOKMARK", "ERROR"):
            obj = self._one(resource, obj, accepted(accept))
        return {"type": event.type, "object": obj}

    def namespace(self, request: Request) -> str:
        """The namespace of a request's path."""
        found = place(request.path)
        return found.namespace if found else ""

    # Discovery

    def _fixed(self, request: Request) -> Answer | None:
        resources = [*self._api.resources(), discovery.REVIEWS]
        path = request.path.rstrip("/")
        if path in ("/healthz", "/livez", "/readyz"):
            return Answer(200, "ok")
        if path == "/version":
            return Answer(200, {"major": _MAJOR, "minor": _MINOR, "gitVersion": KUBERNETES})
        if path == "/api":
            return Answer(200, discovery.versions())
        if path == "/apis":
            return Answer(200, discovery.groups(resources))
        if path == "/openapi/v3":
            return Answer(200, discovery.openapi_paths(resources))
        if path.startswith("/openapi/v3/"):
            base = path.removeprefix("/openapi/v3/")
            return _or_404(discovery.openapi(resources, base, self._schema))
        parts = path.strip("/").split("/")
        if len(parts) == 2 and parts[0] == "apis":
            return _or_404(discovery.group(resources, parts[1]))
        found = place(request.path)
        if found is not None and not found.resource:
            return _or_404(discovery.resource_list(resources, found.group, found.version))
        return None

    # Objects

    def _below(self, request: Request) -> Answer:
        found = place(request.path)
        if found is None:
            return NOT_FOUND
        if found.resource == discovery.REVIEWS.plural:
            return self._review(request)
        resource = self._resource(found)
        if resource is None:
            known = {(r.group, r.version) for r in self._api.resources()}
            if (found.group, found.version) in known:
                raise errors.unknown_resource()
            return NOT_FOUND
        if found.subresource:
            return self._subresource(request, found, resource)
        answers: dict[tuple[bool, str], Callable[[Request, Place, Resource], Answer]] = {
            (False, "GET"): self._list,
            (False, "POST"): self._create,
            (True, "GET"): self._get,
            (True, "PUT"): self._update,
            (True, "PATCH"): self._patch,
            (True, "DELETE"): self._delete,
        }
        answer = answers.get((bool(found.name), request.method))
        if answer is None:
            raise errors.method_not_allowed()
        return answer(request, found, resource)

    def _resource(self, found: Place) -> Resource | None:
        for resource in self._api.resources():
            if (resource.plural, resource.group) == (found.resource, found.group):
                return resource if resource.version == found.version else None
        return None

    def _list(self, request: Request, found: Place, resource: Resource) -> Answer:
        listed = self._api.list(
            resource.plural,
            found.namespace,
            label_selector=request.query.get("labelSelector", ""),
            field_selector=request.query.get("fieldSelector", ""),
            user=request.user,
        )
        page = self._pages.page(listed, _limit(request), request.query.get("continue", ""))
        if {"labelSelector", "fieldSelector"} & request.query.keys():
            page.metadata.pop("remainingItemCount", None)
        form = accepted(request.accept)
        if form is Form.TABLE:
            return Answer(200, self._table(resource, page.items, page.metadata))
        body = {
            "apiVersion": resource.api_version,
            "kind": f"{resource.kind}List",
            "metadata": page.metadata,
            "items": [_bare(resource, item) for item in page.items],
        }
        if form is Form.METADATA:
            body |= {"apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadataList"}
            body["items"] = [{"metadata": item["metadata"]} for item in page.items]
        return Answer(200, body)

    def _create(self, request: Request, found: Place, resource: Resource) -> Answer:
        body = _object(request)
        self._validate_fields(request, resource)
        created = self._api.create(
            resource.plural, body, namespace=found.namespace, user=request.user
        )
        return Answer(201, self._one(resource, created, accepted(request.accept)))

    def _get(self, request: Request, found: Place, resource: Resource) -> Answer:
        obj = self._api.get(resource.plural, found.namespace, found.name, user=request.user)
        return Answer(200, self._one(resource, obj, accepted(request.accept)))

    def _update(self, request: Request, found: Place, resource: Resource) -> Answer:
        body = _object(request)
        self._validate_fields(request, resource)
        meta = body.get("metadata") or {}
        if meta.get("name") != found.name:
            why = f"the name of the object ({meta.get('name')}) does not match the name on the URL"
            raise errors.bad_request(f"{why} ({found.name})")
        try:
            self._api.get(resource.plural, found.namespace, found.name)
            code = 200
        except APIError:
            code = 201
        sent = {**body, "metadata": {"namespace": found.namespace, **meta}}
        return Answer(
            code,
            self._api.update(
                resource.plural, sent, subresource=found.subresource, user=request.user
            ),
        )

    def _patch(self, request: Request, found: Place, resource: Resource) -> Answer:
        self._validate_fields(request, resource)
        return Answer(
            200,
            self._api.patch(
                resource.plural,
                found.namespace,
                found.name,
                request.body,
                request.content_type or MERGE,
                subresource=found.subresource,
                user=request.user,
            ),
        )

    def _delete(self, request: Request, found: Place, resource: Resource) -> Answer:
        options = request.body or {}
        preconditions = options.get("preconditions") or {}
        grace = options.get("gracePeriodSeconds")
        if grace is None and "gracePeriodSeconds" in request.query:
            grace = int(request.query["gracePeriodSeconds"])
        deleted = self._api.delete(
            resource.plural,
            found.namespace,
            found.name,
            grace_period_seconds=grace,
            uid=preconditions.get("uid"),
            resource_version=preconditions.get("resourceVersion"),
            propagation_policy=options.get("propagationPolicy"),
            user=request.user,
        )
        return Answer(200, deleted)

    def _subresource(self, request: Request, found: Place, resource: Resource) -> Answer:
        if (resource.plural, found.subresource) == ("pods", "log"):
            self._api.get("pods", found.namespace, found.name, user=request.user)
            return Answer(200, f"{found.name}: nothing runs here, so nothing is logged\n")
        if found.subresource not in resource.subresources:
            if resource.custom:
                return NOT_FOUND
            raise errors.unknown_resource()
        user = request.user
        if found.subresource == "binding":
            target = request.body["target"]["name"]
            return Answer(201, self._api.bind(found.namespace, found.name, target, user=user))
        if found.subresource == "eviction":
            return Answer(201, self._api.evict(found.namespace, found.name, user=user))
        answers = {"GET": self._get, "PUT": self._update, "PATCH": self._patch}
        if request.method not in answers:
            raise errors.method_not_allowed()
        if request.method == "PUT":
            return Answer(200, self._update(request, found, resource).body)
        return answers[request.method](request, found, resource)

    def _review(self, request: Request) -> Answer:
        body = _object(request)
        asked = body["spec"]["resourceAttributes"]
        what = "/".join(filter(None, (asked.get("resource"), asked.get("subresource"))))
        allowed = self.denials.allows(request.user, asked.get("verb", ""), what)
        return Answer(201, {**body, "metadata": {}, "status": {"allowed": allowed}})

    def _validate_fields(self, request: Request, resource: Resource) -> None:
        # Of a patch too: what it sets must be known; a JSON patch, which is a list, is let be.
        if request.query.get("fieldValidation") == "Strict" and isinstance(request.body, dict):
            self._api.refuse_unknown_fields(resource.plural, request.body)

    # Forms

    def _one(self, resource: Resource, obj: JSON, form: Form) -> JSON:
        if form is Form.TABLE:
            version = obj["metadata"].get("resourceVersion", "")
            return self._table(resource, [obj], {"resourceVersion": version})
        return metadata_of(obj) if form is Form.METADATA else obj

    def _table(self, resource: Resource, objects: Sequence[JSON], metadata: JSON) -> JSON:
        crd = self._definition(resource) if resource.custom else None
        now = datetime.fromtimestamp(self._api.clock.unix_time, UTC)
        return table(resource, columns_of(resource, crd), objects, now, metadata)

    def _schema(self, resource: Resource) -> JSON:
        """The schema of a custom resource; of the others none is known."""
        if not resource.custom:
            return {}
        versions = self._definition(resource)["spec"]["versions"]
        served = next(each for each in versions if each["name"] == resource.version)
        schema: JSON = served["schema"]["openAPIV3Schema"]
        return schema

    def _definition(self, resource: Resource) -> JSON:
        return self._api.get("customresourcedefinitions", "", resource.qualified)


def _object(request: Request) -> JSON:
    if not isinstance(request.body, dict):
        found = json.dumps(request.body)[:80]
        raise errors.bad_request(f"an object is expected in the body, found {found}")
    return request.body


def _is_dry(request: Request) -> bool:
    """https://kubernetes.io/docs/reference/using-api/api-concepts/#dry-run"""
    asked = [request.query.get("dryRun")]
    if isinstance(request.body, dict):
        # Options of a deletion are its body, those of an eviction a part of it.
        for options in (request.body, request.body.get("deleteOptions") or {}):
            asked += options.get("dryRun") or []
    return "All" in asked


def _limit(request: Request) -> int:
    text = request.query.get("limit", "0")
    if not text.isdecimal():
        raise errors.bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax')
    return int(text)


def _bare(resource: Resource, item: JSON) -> JSON:
    """As an item of a list: those of built-in kinds do not say what they are."""
    if resource.custom:
        return item
    return {name: value for name, value in item.items() if name not in ("apiVersion", "kind")}


def _or_404(body: JSON | None) -> Answer:
    return NOT_FOUND if body is None else Answer(200, body)
