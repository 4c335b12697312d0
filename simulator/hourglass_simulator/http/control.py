"""The calls below /_simulator, which are beside Kubernetes' own: docs/serve.md."""

import json
import threading
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

from hourglass_kube import time
from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIServer
from hourglass_simulator.apiserver.calls import Audit
from hourglass_simulator.http import snapshot
from hourglass_simulator.http.denials import Denials
from hourglass_simulator.http.pace import Driver
from hourglass_simulator.scenario import duration


class ControlError(Exception):
    """A call that cannot be done; `code` is the HTTP status, the text says why."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


class Faults(Protocol):
    """Begins and ends faults; both raise ValueError with what is wrong."""

    def inject(self, name: str, parameters: Mapping[str, Any], user: str) -> None:
        """Begin a fault; calls and watches of this user are those that it strikes."""

    def heal(self, name: str) -> None:
        """End every fault of this name."""

    def active(self) -> list[str]:
        """The names of those that last, one for each time that it was injected."""


class Called(NamedTuple):
    """A call: what is below /_simulator, without slashes at its ends, and by whom."""

    method: str
    what: str
    query: Mapping[str, str]
    body: bytes
    user: str


class Control:
    """Answers such calls with JSON (None: nothing); everything happens under the lock."""

    def __init__(
        self,
        api: APIServer,
        lock: threading.RLock,
        denials: Denials,
        drop_watches: Callable[[], None],
    ) -> None:
        self.driver: Driver | None = None
        """The clock's, once there is one."""
        self.faults: Faults | None = None
        """None where faults are somebody else's."""
        self._api = api
        self._lock = lock
        self._denials = denials
        self._drop_watches = drop_watches
        self._audit: list[Audit] = []
        api.auditors.append(self._audit.append)

    def answer(self, called: Called) -> Any:
        """What a call is answered with; raises ControlError."""
        with self._lock:
            match called.method, called.what.split("/"):
                case "GET", ["audit"]:
                    return [_entry(audit) for audit in self._audit]
                case "GET", ["snapshot"]:
                    return snapshot.of(self._api)
                case "GET", ["clock"]:
                    return self._time(self._driver())
                case "POST", ["clock", how]:
                    return self._clock(how, called.query)
                case "GET", ["faults"]:
                    return self._faults().active()
                case "POST", ["faults", name]:
                    return self._inject(name, called)
                case "DELETE", ["faults", name]:
                    return _valid(lambda: self._faults().heal(name))
                case "POST", ["watches", "drop"]:
                    return self._drop(called.query)
                case "POST", ["deny" | "allow" as how]:
                    return self._permit(called.query, deny=how == "deny")
        raise ControlError(404, f"/_simulator/{called.what}: see docs/serve.md")

    # Time

    def _clock(self, how: str, query: Mapping[str, str]) -> JSON:
        driver = self._driver()
        if how == "advance":
            driver.advance(_valid(lambda: duration.parse(query.get("by"))))
        elif how == "pause":
            driver.pause()
        elif how == "resume":
            driver.resume()
        elif how == "speed":
            driver.run_at(_valid(lambda: _speed(query.get("factor", ""))))
        else:
            raise ControlError(404, f"/_simulator/clock/{how}: see docs/serve.md")
        return self._time(driver)

    def _time(self, driver: Driver) -> JSON:
        clock = self._api.clock
        return {
            "time": time.from_seconds(clock.unix_time),
            "elapsed": duration.text(clock.now),
            "speed": driver.speed,
            "paused": driver.paused,
        }

    def _driver(self) -> Driver:
        if self.driver is None:
            raise ControlError(404, "the clock of this cluster is not driven by the wall clock")
        return self.driver

    # Faults

    def _inject(self, name: str, called: Called) -> None:
        try:
            parameters = json.loads(called.body or b"{}")
        except ValueError:
            parameters = None
        if not isinstance(parameters, dict):
            raise ControlError(400, "expected the fault's parameters as a JSON object")
        user = called.query.get("user", called.user)
        _valid(lambda: self._faults().inject(name, parameters, user))

    def _faults(self) -> Faults:
        if self.faults is None:
            raise ControlError(404, "faults of this cluster are injected by its program")
        return self.faults

    # Calls and watches

    def _drop(self, query: Mapping[str, str]) -> None:
        if query.get("forget"):
            for resource in self._api.resources():
                self._api.compact(resource.name)
        self._drop_watches()

    def _permit(self, query: Mapping[str, str], *, deny: bool) -> None:
        missing = [key for key in ("user", "verb", "resource") if key not in query]
        if missing:
            raise ControlError(400, f"expected in the query: {', '.join(missing)}")
        rule = (query["user"], query["verb"], query["resource"])
        denied = self._denials.denied
        denied.add(rule) if deny else denied.discard(rule)


MOST_SPEED = 1e6


def _speed(text: str) -> float:
    try:
        factor = float(text)
    except ValueError:
        factor = 0.0
    if not 0 < factor <= MOST_SPEED:
        raise ValueError(f"factor: expected a number above 0 and up to 1000000, found {text!r}")
    return factor


def _valid(work: Callable[[], Any]) -> Any:
    try:
        return work()
    except ValueError as error:
        raise ControlError(400, str(error)) from error


def _entry(audit: Audit) -> JSON:
    return {"time": audit.time, **audit.call._asdict(), "code": audit.code}
