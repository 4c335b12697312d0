"""The simulated API server behind the interface of the recorders of a bare one."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

from goldens import record_kinds
from goldens.bare_apiserver import TOKEN
from hourglass_simulator.apiserver import APIServer
from hourglass_simulator.apiserver.users import AUTHENTICATED, MASTERS, User
from hourglass_simulator.clock import Clock
from hourglass_simulator.http.bodies import warning_headers
from hourglass_simulator.http.received import received
from hourglass_simulator.http.router import Router
from hourglass_simulator.kubernetes.version import DEFAULT, Version


@dataclass
class Reply:
    code: int
    body: Any
    headers: Mapping[str, list[str]] = field(default_factory=dict)


class Simulated:
    """The simulated server behind the interface of the recorder."""

    def __init__(
        self,
        version: Version = DEFAULT,
        *,
        rbac: bool = False,
        managed_fields: bool = False,
        has_flow_control: bool = False,
    ) -> None:
        self.clock = Clock()
        self.api = api = APIServer(self.clock, version, managed_fields=managed_fields)
        api.create("namespaces", {"metadata": {"name": record_kinds.NAMESPACE}})
        self._router = Router(api, names=not rbac)
        self._credentials: Mapping[str, list[str]] | None = None
        self.settles = False
        """After every call controllers do what is to be done at once."""
        if has_flow_control:
            api.make_flow_control()
        if rbac:
            api.enable_rbac()
            groups = (MASTERS, AUTHENTICATED)
            self._router.authenticator.tokens[TOKEN] = User("admin", groups, "admin")
            self._credentials = {"authorization": [f"Bearer {TOKEN}"]}

    def wait(self, seconds: float) -> None:
        """Nothing is late here; time passes."""
        self.clock.run_until(self.clock.now + seconds)

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        content_type: str,
        accept: str,
        headers: Mapping[str, list[str]] | None = None,
    ) -> Reply:
        url = urlsplit(path)
        query = {key: values[0] for key, values in parse_qs(url.query, True).items()}
        text = body if isinstance(body, str) else "" if body is None else json.dumps(body)
        given = {name.lower(): values for name, values in (headers or {}).items()}
        agent = (*given.pop("user-agent", ()), "recorder")[0]
        sent = {"Content-Type": content_type, "Accept": accept, "User-Agent": agent}
        request = received(method, url.path, query, sent, text.encode())
        if self._credentials is not None:
            request = replace(request, headers={**self._credentials, **given})
        answer = self._router.answer(request)
        if self.settles:
            self.wait(0.1)
        shown = answer.body if isinstance(answer.body, str) else json.loads(json.dumps(answer.body))
        return Reply(answer.code, shown, {"warning": warning_headers(answer)})
