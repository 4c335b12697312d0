"""The simulated API server and controllers behind the interface of record_controllers."""

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

from goldens.record_controllers import Reply
from hourglass_simulator.apiserver import APIServer
from hourglass_simulator.clock import Clock
from hourglass_simulator.controllers.controllermanager import ControllerManager
from hourglass_simulator.controllers.informer import Informers
from hourglass_simulator.controllers.nodereports import LeaseReports
from hourglass_simulator.http.received import received
from hourglass_simulator.http.router import Router
from hourglass_simulator.kubernetes.version import Version

SETTLE_SECONDS = 5.0


class SimulatedControllers:
    """No kubelet and no scheduler: pods become what is written of them."""

    def __init__(self, version: Version) -> None:
        self._clock = Clock()
        self.api = APIServer(self._clock, version)
        reports = LeaseReports(self._clock, self.api)
        ControllerManager(self._clock, self.api, Informers(self.api), reports)
        self._router = Router(self.api)

    def call(
        self, method: str, path: str, body: Any = None, *, content_type: str, accept: str
    ) -> Reply:
        url = urlsplit(path)
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        sent = {"Content-Type": content_type, "Accept": accept}
        text = "" if body is None else json.dumps(body)
        answer = self._router.answer(received(method, url.path, query, sent, text.encode()))
        reply: Reply = answer
        return reply

    def timestamp(self) -> str:
        return self._clock.timestamp()

    def settle(self, seconds: float) -> None:
        self._clock.run_until(self._clock.now + seconds + SETTLE_SECONDS)
