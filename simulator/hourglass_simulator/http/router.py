"""From a request to the call of the API server, and from what it says to an answer."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIError, APIServer, errors, validation
from hourglass_simulator.apiserver.decoding import STRICT, WARN, FieldValidation
from hourglass_simulator.apiserver.resources import Resource
from hourglass_simulator.apiserver.views import VIEWS, View
from hourglass_simulator.apiserver.watch import Sink, Watch, WatchEvent
from hourglass_simulator.http import (
    access,
    apply_body,
    components,
    decoded,
    delete_options,
    discovery,
    health,
    list_options,
    negotiation,
    openapi,
    pod_streams,
    scale,
    subresources,
    token_request,
    viewed,
    warnings,
    write_options,
)
from hourglass_simulator.http.authentication import (
    Authenticator,
    ImpersonationError,
    impersonated,
)
from hourglass_simulator.http.denials import Denials
from hourglass_simulator.http.forms import (
    Form,
    columns_of,
    in_order,
    list_of,
    metadata_of,
    table,
    without_versioned_notes,
)
from hourglass_simulator.http.negotiation import Media
from hourglass_simulator.http.request import (
    NOT_FOUND,
    Answer,
    Place,
    Request,
    place,
    sent_object,
)
from hourglass_simulator.http.reviews import RESOURCES as REVIEWS
from hourglass_simulator.http.reviews import Reviews
from hourglass_simulator.http.write_options import is_dry, options_of

_SIMULATED_SUBRESOURCES = ("approval", "ephemeralcontainers", "finalize", "resize", "status")
_ONE_BY_ONE = ("namespaces",)
"""Resources without the verb deletecollection."""


class Router:
    """Answers everything but watches, of which it only says what they send."""

    def __init__(self, api: APIServer, *, names: bool = True) -> None:
        self._api = api
        self.denials = Denials({r.plural: r for r in api.resources()})
        api.interceptors.append(self.denials)
        self.authenticator = Authenticator(api.accounts, names=names)
        self._reviews = Reviews(
            lambda: api.authorizer, self.authenticator, api.version, api.clock.timestamp
        )

    def answer(self, request: Request) -> Answer:
        """Answer a request; refusals are answers too.

        Raises CallTimeoutError as the API server does.
        """
        found = place(request.path)
        view = _view(found)
        resource = self._resource(found) if found and found.resource else None
        resource = resource if view is None else view.resource
        try:
            request = self.identified(request)
        except (APIError, ImpersonationError) as error:
            return refusal(request, error)
        flow = self.flow(request)
        try:
            self.authorize(request)
            if found and resource and _takes(request.method, found):
                request = decoded.request(request, found, resource, self._api.version)
            with (
                self._api.requested_by(request.requester, request.warnings, options_of(request)),
                self._api.dry_run() if is_dry(request) else nullcontext(),
            ):
                answer = self._fixed(request) or self._below(request)
        except APIError as error:
            media = negotiation.of_errors(request.accept)
            answer = Answer(error.code, error.status(), media=media)
        standing = warnings.standing(request, place(request.path)) if answer.code != 415 else []
        headers = {**flow, **answer.headers}
        return replace(answer, warnings=[*standing, *request.warnings], headers=headers)

    def identified(self, request: Request) -> Request:
        """The request with its user.

        401 when nobody knows the user, 403 or an ImpersonationError when he may not be another.
        """
        if request.headers is None:
            return request
        user = self.authenticator.user(request.headers, request.certificate)
        user = impersonated(user, request.headers, self._api.authorizer)
        return replace(request, user=user.name, identity=user)

    def admitted(self, request: Request) -> Request:
        """The request with its user, who may."""
        request = self.identified(request)
        self.authorize(request)
        return request

    def flow(self, request: Request) -> Mapping[str, str]:
        """The headers of an answer that say by which rules the request was let through."""
        return self._api.flow_control.headers(access.attributes(request, request.requester))

    def authorize(self, request: Request) -> None:
        """403 when the user may not."""
        asked = access.attributes(request, request.requester)
        decision = self._api.authorizer.decide(asked)
        if not decision.allowed:
            raise access.forbidden(asked, decision.reason)

    def watched(self, request: Request) -> Resource | None:
        """The resource that a request watches; None if it is no watch."""
        found = place(request.path)
        if found is None or request.method != "GET" or found.name:
            return None
        if not list_options.flag(request.query, "watch"):
            return None
        view = _view(found)
        return self._resource(found) if view is None else view.resource

    def watch(
        self, request: Request, resource: Resource, sink: Sink
    ) -> tuple[decoded.Watching, Watch]:
        """Begin a watch; refusals are raised."""
        watching = decoded.watch(request, resource)
        query = viewed.selecting(_view_of(resource), request.query)
        begun = self._api.watch(
            resource.name,
            sink=sink,
            namespace=self.namespace(request),
            label_selector=query.get("labelSelector", ""),
            field_selector=query.get("fieldSelector", ""),
            resource_version=query.get("resourceVersion"),
            allow_bookmarks=list_options.flag(query, "allowWatchBookmarks"),
            initial_events=list_options.initial_events(query),
            user=request.user,
        )
        return watching, begun

    def event_object(self, resource: Resource, event: WatchEvent, media: Media) -> JSON:
        """The object of a watch event in the form that the client accepts."""
        if event.type == "ERROR":
            return event.object
        view = _view_of(resource)
        shown = event.object
        if view is not None and media.form is Form.WHOLE:
            shown = view.answer(shown)
        return self._formed(resource, shown, media)

    def namespace(self, request: Request) -> str:
        """The namespace of a request's path."""
        found = place(request.path)
        return found.namespace if found else ""

    # Discovery

    def _fixed(self, request: Request) -> Answer | None:
        if (found := health.answer(self._api.version, request)) is not None:
            return found
        path = request.path.rstrip("/")
        if path == "/version":
            if request.method != "GET":
                raise errors.method_not_allowed()
            negotiation.require_json(request.accept)
            return Answer(200, self._api.version.discovery["version"], media=Media(pretty=True))
        if path == "/api" or path == "/apis" or path.startswith(("/api/", "/apis/")):
            return self._discovery(request, path)
        version, resources = self._api.version, self._api.served()
        if request.path == "/openapi/v2":
            return self._openapi_v2(request, resources)
        if path == "/openapi/v3":
            return Answer(200, openapi.paths(version, resources))
        if path.startswith("/openapi/v3/"):
            base = path.removeprefix("/openapi/v3/")
            return self._openapi_v3(request, resources, base)
        return None

    def _openapi_v2(self, request: Request, resources: Iterable[Resource]) -> Answer:
        version, media_type = self._api.version, negotiation.of_openapi(request.accept, "v2")
        if not media_type:
            return Answer(406, b"")
        if media_type == negotiation.JSON_TYPE:
            return Answer(200, openapi.v2(version, resources, self._schema))
        content = openapi.v2_protobuf(version, resources, self._schema)
        return Answer(200, content, content_type=media_type)

    def _openapi_v3(self, request: Request, resources: Iterable[Resource], base: str) -> Answer:
        document = openapi.v3(self._api.version, resources, base, self._schema)
        if document is None:
            return Answer(404, b"")
        media_type = negotiation.of_openapi(request.accept, "v3")
        if not media_type:
            return Answer(406, b"")
        if media_type != negotiation.JSON_TYPE:
            raise errors.not_simulated("OpenAPI v3 in protocol buffers")
        return Answer(200, document)

    def _discovery(self, request: Request, path: str) -> Answer | None:
        found_place = place(request.path)
        if found_place is not None and found_place.resource:
            return None
        resources = self._api.served()
        if path in ("/api", "/apis"):
            media, version = negotiation.of_discovery(request.accept, routed=path == "/api")
            if version:
                found = discovery.aggregated(self._api.version, resources, path, version)
                return Answer(
                    200, found, media=media, content_type=media.type + discovery.named_as(version)
                )
            plain = (
                discovery.groups(self._api.version, resources)
                if path == "/apis"
                else discovery.versions(request.host)
            )
            return Answer(200, plain, media=media)
        parts = path.strip("/").split("/")
        document = None
        if len(parts) == 2 and parts[0] == "apis":
            document = discovery.group(self._api.version, resources, parts[1])
        elif found_place is not None:
            group, version = found_place.group, found_place.version
            document = discovery.resource_list(self._api.version, resources, group, version)
        else:
            return None
        if document is None:
            if found_place is not None and discovery.group(
                self._api.version, (), found_place.group
            ):
                raise errors.unknown_resource()
            return NOT_FOUND
        built_in = not any(r.custom and r.group in path for r in resources)
        routed = found_place is not None and built_in
        media = negotiation.of_documents(request.accept, routed=routed)
        return Answer(200, document, media=media)

    # Objects

    def _below(self, request: Request) -> Answer:
        found = place(request.path)
        if found is None:
            return NOT_FOUND
        review = REVIEWS.get((found.group, found.resource))
        if review is not None and found.version == review.version:
            return self._review(request, found, review)
        view = _view(found)
        if view is not None:
            return viewed.answer(self._api, view, request, found, self._below)
        resource = self._resource(found)
        if resource is None:
            version = self._api.version
            if discovery.named(version, found.group, found.version, found.resource):
                raise errors.not_simulated(f"{found.resource} of {found.group or 'core'}")
            listed = discovery.resource_list(version, (), found.group, found.version)
            if listed is not None:
                raise errors.unknown_resource()
            return NOT_FOUND
        if resource.custom and not _is_in_scope(found, resource, request.method):
            return NOT_FOUND
        answer = self._object_answer(request, found, resource)
        if isinstance(answer.body, dict):
            include = request.query.get("includeObject", "")
            shown = scale.SCALE if found.subresource == "scale" else resource
            body = self._formed(shown, answer.body, request.media, include)
            answer = replace(answer, body=body, media=request.media)
        return answer

    def _object_answer(self, request: Request, found: Place, resource: Resource) -> Answer:
        if resource is components.RESOURCE:
            return components.answer(request, found)
        if found.subresource:
            return self._subresource(request, found, resource)
        answers: dict[tuple[bool, str], Callable[[Request, Place, Resource], Answer]] = {
            (False, "GET"): self._list,
            (False, "POST"): self._create,
            (False, "DELETE"): self._delete_all,
            (True, "GET"): self._get,
            (True, "PUT"): self._update,
            (True, "PATCH"): self._patch,
            (True, "DELETE"): self._delete,
        }
        answer = answers.get((bool(found.name), request.method))
        if answer is None:
            raise errors.method_not_allowed()
        if resource.deprecation:
            request.warnings.append(resource.deprecation)
        return answer(request, found, resource)

    def _fields(self, request: Request, options: str) -> FieldValidation:
        """What the client wants of unknown fields."""
        write_options.validate(request, options)
        mode = request.query.get("fieldValidation") or WARN
        return FieldValidation(mode, request.warnings, patches=options == "PatchOptions")

    def _resource(self, found: Place) -> Resource | None:
        if (found.group, found.version, found.resource) == ("", "v1", components.RESOURCE.plural):
            return components.RESOURCE
        return self._api.served_as(found.resource, found.group, found.version)

    def _list(self, request: Request, found: Place, resource: Resource) -> Answer:
        options = list_options.of_list(request.query)
        page = self._api.list(
            resource.name,
            found.namespace,
            label_selector=request.query.get("labelSelector", ""),
            field_selector=request.query.get("fieldSelector", ""),
            version=options.version,
            exact=options.exact,
            limit=list_options.integer(request.query, "limit"),
            token=request.query.get("continue", ""),
            user=request.user,
        )
        metadata = page.metadata
        if {"labelSelector", "fieldSelector"} & request.query.keys():
            metadata.pop("remainingItemCount", None)
        if resource.custom:
            metadata = {"continue": "", **metadata}
        return Answer(200, list_of(resource, page.items, metadata))

    def _create(self, request: Request, found: Place, resource: Resource) -> Answer:
        fields = self._fields(request, "CreateOptions")
        created = self._api.create(
            resource.name,
            sent_object(request),
            namespace=found.namespace,
            user=request.user,
            manager=write_options.manager(request),
            fields=fields,
        )
        return Answer(201, created)

    def _get(self, request: Request, found: Place, resource: Resource) -> Answer:
        obj = self._api.get(resource.name, found.namespace, found.name, user=request.user)
        return Answer(200, obj)

    def _update(self, request: Request, found: Place, resource: Resource) -> Answer:
        body, fields = sent_object(request), self._fields(request, "UpdateOptions")
        meta = body.get("metadata") or {}
        validation.namespace(resource, meta, found.namespace)
        validation.name(meta, found.name)
        try:
            self._api.get(resource.name, found.namespace, found.name)
            code = 200
        except APIError:
            code = 201
        namespace = meta.get("namespace") or found.namespace
        sent = {**body, "metadata": {**meta, "namespace": namespace}}
        updated = self._api.update(
            resource.name,
            sent,
            subresource=found.subresource,
            user=request.user,
            manager=write_options.manager(request),
            fields=fields,
        )
        return Answer(code, updated)

    def _patch(self, request: Request, found: Place, resource: Resource) -> Answer:
        fields = self._fields(request, "PatchOptions")
        if request.content_type == apply_body.APPLY:
            return self._apply(request, found, resource, fields)
        patched = self._api.patch(
            resource.name,
            found.namespace,
            found.name,
            request.body,
            request.content_type,
            subresource=found.subresource,
            user=request.user,
            manager=write_options.manager(request),
            fields=fields,
        )
        return Answer(200, patched)

    def _apply(
        self, request: Request, found: Place, resource: Resource, fields: FieldValidation
    ) -> Answer:
        wanted, repeated = apply_body.parsed(request.body, self._api.version)
        mode = request.query.get("fieldValidation") or WARN
        applied, created = self._api.apply(
            resource.name,
            found.namespace,
            found.name,
            wanted,
            manager=write_options.manager(request),
            force=write_options.is_true(request.query.get("force", "")),
            refused=apply_body.refusal(repeated, self._api.version)
            if repeated and mode == STRICT
            else None,
            subresource=found.subresource,
            user=request.user,
            fields=fields,
        )
        if repeated and mode == WARN:
            request.warnings.extend(repeated)
        return Answer(201 if created else 200, applied)

    def _delete(self, request: Request, found: Place, resource: Resource) -> Answer:
        options = delete_options.read(request.body, request.query)
        deleted = self._api.delete(
            resource.name,
            found.namespace,
            found.name,
            grace_period_seconds=options.grace_period_seconds,
            uid=options.uid,
            resource_version=options.resource_version,
            propagation_policy=options.propagation_policy,
            user=request.user,
        )
        return Answer(200, deleted)

    def _delete_all(self, request: Request, found: Place, resource: Resource) -> Answer:
        if resource.qualified in _ONE_BY_ONE or (resource.namespaced and not found.namespace):
            raise errors.method_not_allowed()
        options = delete_options.read(request.body, {})
        listing = list_options.of_list(request.query)
        listed = self._api.delete_collection(
            resource.name,
            found.namespace,
            label_selector=request.query.get("labelSelector", ""),
            field_selector=request.query.get("fieldSelector", ""),
            version=listing.version,
            limit=list_options.integer(request.query, "limit"),
            token=request.query.get("continue", ""),
            grace_period_seconds=options.grace_period_seconds,
            uid=options.uid,
            resource_version=options.resource_version,
            propagation_policy=options.propagation_policy,
            user=request.user,
        )
        metadata = listed.metadata
        if resource.custom:
            metadata = {"continue": "", **metadata}
        return Answer(200, list_of(resource, listed.items, metadata))

    def _subresource(self, request: Request, found: Place, resource: Resource) -> Answer:
        if found.subresource not in resource.subresources:
            if resource.custom:
                raise errors.not_found(resource, found.name)
            raise errors.unknown_resource()
        if resource.custom and found.subresource == "scale":
            return self._scale(request, found, resource)
        if (resource.qualified, found.subresource) == ("serviceaccounts", "token"):
            if request.method != "POST":
                raise errors.method_not_allowed()
            body, user = sent_object(request), request.user
            token = token_request.answer(self._api, found.namespace, found.name, body, user)
            return Answer(201, token)
        own = subresources.answer(self._api, request, found, resource)
        if own is not None:
            return own
        if found.subresource not in _SIMULATED_SUBRESOURCES:
            self._api.get(resource.name, found.namespace, found.name, user=request.user)
            raise errors.not_simulated(f"{resource.plural}/{found.subresource}")
        user = request.user
        answers = {"GET": self._get, "PUT": self._update, "PATCH": self._patch}
        if request.method not in answers:
            raise errors.method_not_supported(resource, request.method)
        if request.method == "PUT":
            return replace(self._update(request, found, resource), code=200)
        return answers[request.method](request, found, resource)

    def _scale(self, request: Request, found: Place, resource: Resource) -> Answer:
        """The subresource scale of a custom resource."""
        at = (resource.name, found.namespace, found.name)
        if request.method == "GET":
            return Answer(200, self._api.get_scale(*at, user=request.user))
        if request.method == "PUT":
            validation.name(sent_object(request).get("metadata") or {}, found.name)
            sent, by = request.body, write_options.manager(request)
            scaled = self._api.update_scale(*at, sent, user=request.user, manager=by)
            return Answer(200, scaled)
        if request.method == "PATCH":
            kind, by = request.content_type, write_options.manager(request)
            if kind == apply_body.APPLY:
                wanted, _ = apply_body.parsed(request.body, self._api.version)
                force = write_options.is_true(request.query.get("force", ""))
                return Answer(
                    200,
                    self._api.apply_scale(*at, wanted, manager=by, force=force, user=request.user),
                )
            scaled = self._api.patch_scale(*at, request.body, kind, user=request.user, manager=by)
            return Answer(200, scaled)
        raise errors.method_not_supported(resource, request.method)

    def _review(self, request: Request, found: Place, resource: Resource) -> Answer:
        if found.name:
            raise errors.unknown_resource()
        if request.method != "POST":
            raise errors.method_not_allowed()
        request = decoded.request(request, found, resource, self._api.version)
        review = self._reviews.answer(
            resource,
            request.requester,
            found.namespace,
            sent_object(request),
            self._fields(request, "CreateOptions"),
        )
        asked = (review.get("spec") or {}).get("resourceAttributes") or {}
        what = "/".join(filter(None, (asked.get("resource"), asked.get("subresource"))))
        own = resource.plural == "selfsubjectaccessreviews"
        if own and not self.denials.allows(request.user, asked.get("verb", ""), what):
            review = {**review, "status": {"allowed": False}}
        return Answer(201, review, media=request.media)

    # Forms

    def _formed(self, resource: Resource, body: JSON, media: Media, include: str = "") -> JSON:
        """An object or a list in the form that was asked for."""
        form, listed = media.form, "items" in body and body["kind"] == resource.list_kind
        if form is Form.WHOLE or body["kind"] == "Status":
            return body
        body = without_versioned_notes(resource, body)
        if form is Form.TABLE:
            version = {"resourceVersion": body["metadata"].get("resourceVersion", "")}
            metadata = body["metadata"] if listed else version
            if metadata.get("continue") == "":
                metadata = {k: v for k, v in metadata.items() if k != "continue"}
            return self._table(resource, body, listed, metadata, media, include)
        if listed != (form is Form.METADATA_LIST):
            raise negotiation.wrong_form(form, listed, _internal_type(resource, listed))
        if not listed:
            return metadata_of(body, media.meta)
        items = [metadata_of(item, media.meta) for item in body["items"]]
        return {
            "kind": "PartialObjectMetadataList",
            "apiVersion": media.meta,
            "metadata": body["metadata"],
            "items": items,
        }

    def _table(
        self,
        resource: Resource,
        body: JSON,
        listed: bool,
        metadata: JSON,
        media: Media,
        include: str,
    ) -> JSON:
        crd = self._definition(resource) if resource.custom else None
        now = datetime.fromtimestamp(self._api.clock.unix_time, UTC)
        objects = in_order(resource, body["items"]) if listed else [body]
        found = table(
            columns_of(self._api.version, resource, crd), objects, now, metadata, media.meta
        )
        if include in ("Object", "None"):
            named = {"kind": resource.kind, "apiVersion": resource.api_version}
            for row, obj in zip(found["rows"], objects, strict=True):
                row["object"] = {**named, **obj} if include == "Object" else None
        return found

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


def refusal(request: Request, error: APIError | ImpersonationError) -> Answer:
    """The answer to a request that was not admitted."""
    if isinstance(error, APIError):
        media = negotiation.of_errors(request.accept)
        return Answer(error.code, error.status(), media=media)
    return Answer(500, f'Internal Server Error: "{request.path}": {error}\n')


def _view(found: Place | None) -> View | None:
    return None if found is None else VIEWS.get((found.group, found.version, found.resource))


def _view_of(resource: Resource) -> View | None:
    return VIEWS.get((resource.group, resource.version, resource.plural))


def _takes(method: str, found: Place) -> bool:
    """Whether bodies and media matter there; else it is refused, or a text of its own."""
    if found.subresource:
        return found.subresource not in ("log", "proxy", *pod_streams.STREAMS)
    return method in (
        ("GET", "PUT", "PATCH", "DELETE") if found.name else ("GET", "POST", "DELETE")
    )


def _internal_type(resource: Resource, listed: bool) -> str:
    """The Go type that a message names."""
    suffix = "List" if listed else ""
    if resource.custom:
        return f"*unstructured.Unstructured{suffix}"
    return f"*{resource.group.partition('.')[0] or 'core'}.{resource.kind}{suffix}"


_ACROSS_NAMESPACES = ("GET", "DELETE")


def _is_in_scope(found: Place, resource: Resource, method: str) -> bool:
    """Whether a path names a namespace where there is one, or lists what is in all of them."""
    if not resource.namespaced:
        return not found.namespace
    return bool(found.namespace) or (method in _ACROSS_NAMESPACES and not found.name)
