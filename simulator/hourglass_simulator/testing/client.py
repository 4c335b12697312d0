"""The API of a simulated cluster, as a test calls it."""

import json
import threading
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from typing import Any

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIError, APIServer
from hourglass_simulator.apiserver.resources import Resource
from hourglass_simulator.apiserver.users import named
from hourglass_simulator.http.apply_body import APPLY
from hourglass_simulator.http.received import received
from hourglass_simulator.http.request import Request
from hourglass_simulator.http.router import Router
from hourglass_simulator.testing.manifests import Manifests, objects

JSON_TYPE, MERGE = "application/json", "application/merge-patch+json"
DEFAULT_NAMESPACE = "default"


class Client:
    """Makes requests in the name of a user; what it returns is the caller's to change.

    Kinds are named as for kubectl: `Deployment`, `deployments`, `deploy`, `deployments.apps`.
    A request that is refused raises APIError, with the code, the reason and the message.
    """

    def __init__(self, api: APIServer, router: Router, lock: threading.RLock, user: str) -> None:
        self.user = user
        self._api = api
        self._router = router
        self._lock = lock

    def as_user(self, name: str) -> "Client":
        """The same cluster for another user: an admin, or `system:serviceaccount:NS:NAME`."""
        return Client(self._api, self._router, self._lock, name)

    def apply(self, manifests: Manifests) -> list[JSON]:
        """As `kubectl apply --server-side --force-conflicts`; returns the objects."""
        query = {"fieldManager": self.user, "force": "true"}
        return [
            self._request("PATCH", self._path_of(obj, named=True), query, obj, APPLY)
            for obj in objects(manifests)
        ]

    def create(self, manifests: Manifests) -> list[JSON]:
        """As `kubectl create`; returns the objects."""
        return [
            self._request("POST", self._path_of(obj, named=False), {}, obj)
            for obj in objects(manifests)
        ]

    def update(self, obj: Mapping[str, Any], *, subresource: str = "") -> JSON:
        """Replace an object, or a subresource of it such as `status`."""
        path = self._path_of(obj, named=True)
        return self._request("PUT", _below(path, subresource), {}, dict(obj))

    def get(self, kind: str, name: str, namespace: str = DEFAULT_NAMESPACE) -> JSON:
        """One object; APIError with code 404 where there is none."""
        return self._request("GET", self._path(kind, namespace, name))

    def list(self, kind: str, namespace: str = "", *, labels: str = "") -> list[JSON]:
        """Objects of a namespace or of all, by a label selector."""
        query = {"labelSelector": labels} if labels else {}
        found = self._request("GET", self._path(kind, namespace), query)
        items: list[JSON] = found["items"]
        return items

    def patch(
        self,
        kind: str,
        name: str,
        merge: Mapping[str, Any],
        namespace: str = DEFAULT_NAMESPACE,
        *,
        subresource: str = "",
    ) -> JSON:
        """Change an object by a JSON merge patch."""
        path = _below(self._path(kind, namespace, name), subresource)
        return self._request("PATCH", path, {}, dict(merge), MERGE)

    def delete(self, kind: str, name: str, namespace: str = DEFAULT_NAMESPACE) -> None:
        """Begin to delete an object, as `kubectl delete --wait=false`."""
        self._request("DELETE", self._path(kind, namespace, name))

    def _request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: JSON | None = None,
        content_type: str = JSON_TYPE,
    ) -> JSON:
        data = b"" if body is None else json.dumps(body).encode()
        headers = {"Content-Type": content_type, "User-Agent": self.user}
        request = received(method, path, query or {}, headers, data)
        with self._lock:
            answer = self._router.answer(_by(self.user, request))
        found = answer.body
        if answer.code >= 400:
            status: JSON = found if isinstance(found, dict) else {"message": str(found).strip()}
            reason, message = status.get("reason", ""), status.get("message", "")
            raise APIError(answer.code, reason, message, status.get("details"))
        copied: JSON = deepcopy(found)
        return copied

    def _path_of(self, obj: Mapping[str, Any], *, named: bool) -> str:
        meta = obj.get("metadata") or {}
        resource = self._resource_of(obj["apiVersion"], obj["kind"])
        return _path(
            resource,
            meta.get("namespace") or DEFAULT_NAMESPACE,
            meta.get("name", "") if named else "",
        )

    def _path(self, kind: str, namespace: str, name: str = "") -> str:
        return _path(self.resource(kind), namespace, name)

    def _resource_of(self, api_version: str, kind: str) -> Resource:
        with self._lock:
            served = self._api.served()
        for resource in served:
            if (resource.api_version, resource.kind) == (api_version, kind):
                return resource
        raise _no_match(f'no matches for kind "{kind}" in version "{api_version}"')

    def resource(self, kind: str) -> Resource:
        """What a kind is called in full; APIError with code 404 where nothing is."""
        name, _, group = kind.lower().partition(".")
        with self._lock:
            served = self._api.served()
        found = [
            resource
            for resource in served
            if name in _names(resource) and group in ("", resource.group)
        ]
        if not found:
            raise _no_match(f'the server doesn\'t have a resource type "{kind}"')
        # Versions other than the stored one have longer names.
        return min(found, key=lambda resource: len(resource.name))


def _by(user: str, request: Request) -> Request:
    return replace(request, user=user, identity=named(user))


def _names(resource: Resource) -> tuple[str, ...]:
    return (resource.plural, resource.singular, resource.kind.lower(), *resource.short_names)


def _path(resource: Resource, namespace: str, name: str) -> str:
    root = f"/apis/{resource.api_version}" if resource.group else f"/api/{resource.version}"
    scope = f"/namespaces/{namespace}" if resource.namespaced and namespace else ""
    return _below(f"{root}{scope}/{resource.plural}", name)


def _below(path: str, part: str) -> str:
    return f"{path}/{part}" if part else path


def _no_match(text: str) -> APIError:
    return APIError(404, "NotFound", text)
