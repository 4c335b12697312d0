"""Paths and bodies as a real API server takes them, led to the simulated one."""

import json
from urllib.parse import parse_qs, urlsplit

from goldens.record_apiserver import Answer, Call
from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIError, APIServer, WatchEvent
from hourglass_simulator.apiserver.resources import Resource
from hourglass_simulator.http.negotiation import PLAIN
from hourglass_simulator.http.request import Request
from hourglass_simulator.http.router import Router


class SimulatedServer:
    """The simulated API server behind the interface of the recorder."""

    def __init__(self, api: APIServer) -> None:
        self.api = api
        self._router = Router(api)

    def call(self, call: Call) -> Answer:
        url = urlsplit(call.path)
        request = Request(
            method="GET" if call.method == "WATCH" else call.method,
            path=url.path,
            query={key: values[0] for key, values in parse_qs(url.query).items()},
            body=call.body,
            content_type=call.content_type,
        )
        if self._router.watched(request) is not None:
            return self._watch(request)
        answer = self._router.answer(request)
        body = answer.body
        return Answer(answer.code, body if isinstance(body, str) else json.loads(json.dumps(body)))

    def _watch(self, request: Request) -> Answer:
        resource = self._router.watched(request)
        assert resource is not None
        events: list[WatchEvent] = []
        try:
            self.api.watch(
                resource.plural,
                namespace=self._router.namespace(request),
                label_selector=request.query.get("labelSelector", ""),
                field_selector=request.query.get("fieldSelector", ""),
                resource_version=request.query["resourceVersion"],
                sink=events.append,
            ).stop()
        except APIError as error:
            return Answer(error.code, error.status())
        return Answer(200, [self._shown(resource, event) for event in events])

    def _shown(self, resource: Resource, event: WatchEvent) -> JSON:
        shown = self._router.event_object(resource, event, PLAIN)
        return {"type": event.type, "object": shown}
