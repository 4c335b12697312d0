"""Paths and bodies as a real API server takes them, led to the simulated one."""

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

from goldens.record_apiserver import Answer, Call
from hourglass_simulator.apiserver import APIError, APIServer, WatchEvent, errors
from hourglass_simulator.apiserver.resources import Resource

JSON = dict[str, Any]
_VERBS = {
    True: ("GET", "PUT", "PATCH", "DELETE"),
    False: ("GET", "POST", "DELETE"),
}


class SimulatedServer:
    """The simulated API server behind the interface of the recorder."""

    def __init__(self, api: APIServer) -> None:
        self.api = api

    def call(self, call: Call) -> Answer:
        try:
            return self._route(call)
        except APIError as error:
            return Answer(error.code, json.loads(json.dumps(error.status())))

    def _route(self, call: Call) -> Answer:
        url = urlsplit(call.path)
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        parts = url.path.strip("/").split("/")
        group, rest = ("", parts[2:]) if parts[0] == "api" else (parts[1], parts[3:])
        namespace = ""
        if rest[0] == "namespaces" and len(rest) > 2:
            namespace, rest = rest[1], rest[2:]
        plural, name, subresource = [*rest, "", ""][:3]
        served = {r.plural: r for r in self.api.resources()}
        resource = served.get(plural)
        if resource is None or resource.group != group:
            return Answer(404, "404 page not found\n" if group == "example.com" else _unknown())
        method = "GET" if call.method == "WATCH" else call.method
        if subresource:
            return self._subresource(call, resource, namespace, name, subresource)
        if method not in _VERBS[bool(name)]:
            raise errors.method_not_allowed()
        if query.get("watch"):
            return self._watch(resource, namespace, query)
        return self._object(call, method, resource, namespace, name, query)

    def _object(
        self,
        call: Call,
        method: str,
        resource: Resource,
        namespace: str,
        name: str,
        query: dict[str, str],
    ) -> Answer:
        api, plural = self.api, resource.plural
        if method == "POST":
            return Answer(201, api.create(plural, call.body, namespace=namespace))
        if method == "PUT":
            return Answer(
                self._code(plural, namespace, name),
                self._update(resource, call.body, namespace, name, ""),
            )
        if method == "PATCH":
            patched = api.patch(plural, namespace, name, call.body, call.content_type)
            return Answer(200, patched)
        if method == "DELETE":
            options = call.body or {}
            preconditions = options.get("preconditions") or {}
            answer = api.delete(
                plural,
                namespace,
                name,
                grace_period_seconds=options.get("gracePeriodSeconds"),
                uid=preconditions.get("uid"),
                resource_version=preconditions.get("resourceVersion"),
                propagation_policy=options.get("propagationPolicy"),
            )
            return Answer(200, answer)
        if name:
            return Answer(200, api.get(plural, namespace, name))
        found = api.list(
            plural,
            namespace,
            label_selector=query.get("labelSelector", ""),
            field_selector=query.get("fieldSelector", ""),
        )
        body = {
            "apiVersion": resource.api_version,
            "kind": f"{resource.kind}List",
            "metadata": {"resourceVersion": found.resource_version},
            "items": [_bare(item) for item in found.items],
        }
        return Answer(200, body)

    def _code(self, plural: str, namespace: str, name: str) -> int:
        """201 for an update that creates."""
        try:
            self.api.get(plural, namespace, name)
        except APIError:
            return 201
        return 200

    def _update(
        self, resource: Resource, body: JSON, namespace: str, name: str, subresource: str
    ) -> JSON:
        meta = body["metadata"]
        if meta["name"] != name:
            why = f"the name of the object ({meta['name']}) does not match the name on the URL"
            raise errors.bad_request(f"{why} ({name})")
        sent = {**body, "metadata": {"namespace": namespace, **meta}}
        return self.api.update(resource.plural, sent, subresource=subresource)

    def _subresource(
        self, call: Call, resource: Resource, namespace: str, name: str, subresource: str
    ) -> Answer:
        if subresource not in resource.subresources:
            return Answer(404, _unknown() if not resource.custom else "404 page not found\n")
        if subresource == "binding":
            return Answer(201, self.api.bind(namespace, name, call.body["target"]["name"]))
        if subresource == "eviction":
            return Answer(201, self.api.evict(namespace, name))
        if call.method == "PUT":
            return Answer(200, self._update(resource, call.body, namespace, name, subresource))
        if call.method != "PATCH":
            raise errors.method_not_allowed()
        patched = self.api.patch(
            resource.plural,
            namespace,
            name,
            call.body,
            call.content_type,
            subresource=subresource,
        )
        return Answer(200, patched)

    def _watch(self, resource: Resource, namespace: str, query: dict[str, str]) -> Answer:
        events: list[WatchEvent] = []
        self.api.watch(
            resource.plural,
            namespace=namespace,
            label_selector=query.get("labelSelector", ""),
            field_selector=query.get("fieldSelector", ""),
            resource_version=query["resourceVersion"],
            sink=events.append,
        ).stop()
        return Answer(200, [{"type": event.type, "object": event.object} for event in events])


def _bare(item: JSON) -> JSON:
    """As an item of a list of a built-in kind."""
    if "." in item["apiVersion"].partition("/")[0].removesuffix(".k8s.io"):
        return item
    return {name: value for name, value in item.items() if name not in ("apiVersion", "kind")}


def _unknown() -> JSON:
    return errors.unknown_resource().status()
