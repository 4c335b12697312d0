"""The simulated API server as bytes come and go, without sockets."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, unquote, urlsplit

from hourglass_simulator.apiserver import APIError, APIServer, WatchEvent
from hourglass_simulator.apiserver.resources import Resource
from hourglass_simulator.clock import Clock
from hourglass_simulator.http import bodies, negotiation
from hourglass_simulator.http.received import received
from hourglass_simulator.http.request import Answer, Request
from hourglass_simulator.http.router import Router
from hourglass_simulator.kubernetes.version import DEFAULT, Version


@dataclass
class RawReply:
    code: int
    headers: Mapping[str, list[str]]
    body: bytes


class SimulatedWire:
    """The simulated server behind the interface of the recorder."""

    def __init__(self, version: Version = DEFAULT) -> None:
        self._version = version
        self.api = APIServer(Clock(), version)
        self._router = Router(self.api)

    def fetch(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> RawReply:
        url = urlsplit(path)
        values = parse_qsl(url.query, keep_blank_values=True)
        excluded = [value for name, value in values if name == "exclude"]
        request = received(method, unquote(url.path), dict(reversed(values)), headers, body or b"")
        identifying = {name.lower(): [headers[name]] for name in headers if "Impersonate" in name}
        request = replace(request, headers=identifying, excluded=excluded)
        resource = self._router.watched(request)
        if resource is not None:
            return self._watch(request, resource, headers)
        answer = self._router.answer(request)
        return self._reply(replace(answer, body="") if method == "HEAD" else answer, headers)

    def _watch(self, request: Request, resource: Resource, headers: Mapping[str, str]) -> RawReply:
        events: list[WatchEvent] = []
        try:
            watching, watch = self._router.watch(request, resource, events.append)
        except APIError as error:
            media = negotiation.of_errors(request.accept)
            return self._reply(Answer(error.code, error.status(), media=media), headers)
        watch.stop()
        shown = [self._router.event_object(resource, each, watching.media) for each in events]
        sent = [
            bodies.event(event.type, obj, watching.media, self._version)
            for event, obj in zip(events, shown, strict=True)
        ]
        found = {"content-type": [watching.content_type], "transfer-encoding": ["chunked"]}
        return RawReply(200, found, b"".join(sent))

    def _reply(self, answer: Answer, asked: Mapping[str, str]) -> RawReply:
        response = bodies.sent(answer, asked, self._version)
        found: dict[str, list[str]] = {}
        for name, value in response.headers.items():
            found.setdefault(name.lower(), []).append(value)
        assert isinstance(response.body, bytes)
        return RawReply(response.status, found, response.body)
