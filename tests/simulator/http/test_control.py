"""The calls below /_simulator: time, faults and snapshots of a cluster that is served."""

import json
import threading
from collections.abc import Mapping
from typing import Any

import pytest

from hourglass_simulator.cluster import Cluster
from hourglass_simulator.http.control import Called, Control, ControlError
from hourglass_simulator.http.denials import Denials
from hourglass_simulator.http.pace import Driver, Pace


class Faults:
    """Notes what is asked of it, and knows one fault."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Mapping[str, Any], str]] = []

    def inject(self, name: str, parameters: Mapping[str, Any], user: str) -> None:
        if name != "known":
            raise ValueError(f"{name}: unknown fault")
        self.asked.append((name, parameters, user))

    def heal(self, name: str) -> None:
        raise ValueError(f"{name}: nothing to heal")

    def active(self) -> list[str]:
        return [name for name, _, _ in self.asked]


class Here:
    """A cluster whose wall clock is at `wall`."""

    def __init__(self) -> None:
        self.wall = 0.0
        self.dropped = 0
        self.cluster = Cluster()
        lock = threading.RLock()
        self.faults = Faults()
        self.pace = Pace(1.0, lambda: self.wall)
        self.control = Control(self.cluster.api, lock, Denials({}), self._drop)
        self.control.driver = Driver(self.cluster.clock, self.pace, lock)
        self.control.faults = self.faults

    def __call__(self, call: str, body: str = "", **query: str) -> Any:
        method, what = call.split(" ")
        return self.control.answer(Called(method, what, query, body.encode(), "alice"))

    def _drop(self) -> None:
        self.dropped += 1


@pytest.fixture
def here() -> Here:
    return Here()


def test_time_is_advanced_at_once(here: Here) -> None:
    due: list[float] = []
    here.cluster.clock.at(250, lambda: due.append(here.cluster.clock.now))
    assert here("POST clock/advance", by="5m") == {
        "time": "2026-01-01T00:05:00Z",
        "elapsed": "5m",
        "speed": 1.0,
        "paused": False,
    }
    assert due == [250]
    here.wall = 2.0
    assert here.pace.now() == 302


def test_time_stands_still_until_it_is_resumed(here: Here) -> None:
    here.wall = 10.0
    assert here("POST clock/pause")["paused"]
    here.wall = 100.0
    assert here.pace.now() == 10
    assert here("POST clock/speed", factor="3")["speed"] == 3
    here.wall = 200.0
    assert here.pace.now() == 10
    resumed = here("POST clock/resume")
    assert (resumed["speed"], resumed["paused"]) == (3, False)
    here.wall = 201.0
    assert here.pace.now() == 13
    assert here("GET clock") == {**resumed}


def test_a_fault_strikes_whom_the_call_names_or_who_makes_it(here: Here) -> None:
    here("POST faults/known", '{"times": 3}')
    here("POST faults/known", user="bob")
    assert here.faults.asked == [("known", {"times": 3}, "alice"), ("known", {}, "bob")]
    assert here("GET faults") == ["known", "known"]


CASES = [
    ("a duration that is none", "POST clock/advance", "", {"by": "5"}, 400, "is not a duration"),
    ("no duration", "POST clock/advance", "", {}, 400, "is not a duration"),
    ("a speed of zero", "POST clock/speed", "", {"factor": "0"}, 400, "found '0'"),
    ("a speed that is no number", "POST clock/speed", "", {"factor": "x"}, 400, "found 'x'"),
    ("a speed that is infinite", "POST clock/speed", "", {"factor": "inf"}, 400, "found 'inf'"),
    ("something else of the clock", "POST clock/stop", "", {}, 404, "clock/stop: see docs"),
    ("an unknown fault", "POST faults/odd", "", {}, 400, "odd: unknown fault"),
    ("parameters that are a list", "POST faults/known", "[]", {}, 400, "as a JSON object"),
    ("parameters that are no JSON", "POST faults/known", "{", {}, 400, "as a JSON object"),
    ("what does not last", "DELETE faults/known", "", {}, 400, "known: nothing to heal"),
    ("a rule without a user", "POST deny", "", {"verb": "get"}, 400, "query: user, resource"),
    ("another call", "GET deny", "", {}, 404, "/_simulator/deny: see docs/serve.md"),
]


@pytest.mark.parametrize(
    ("call", "body", "query", "code", "text"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_what_cannot_be_done_is_refused(
    here: Here, call: str, body: str, query: dict[str, str], code: int, text: str
) -> None:
    with pytest.raises(ControlError) as refused:
        here(call, body, **query)
    assert refused.value.code == code
    assert text in str(refused.value)


def test_what_nobody_has_given_is_not_there(here: Here) -> None:
    here.control.driver = here.control.faults = None
    for call in ("GET clock", "POST clock/pause", "GET faults", "POST faults/known"):
        with pytest.raises(ControlError) as refused:
            here(call)
        assert refused.value.code == 404


def test_a_snapshot_has_neither_events_nor_managed_fields_nor_values_of_secrets() -> None:
    api = Cluster(managed_fields=True).api
    applied = {"kubectl.kubernetes.io/last-applied-configuration": '{"data": {"key": "dmFsdWU="}}'}
    secret = {"metadata": {"name": "s", "annotations": applied}, "data": {"key": "dmFsdWU="}}
    api.create("secrets", secret, namespace="default")
    api.create("configmaps", {"metadata": {"name": "m"}, "data": {"k": "v"}}, namespace="default")
    about = {"kind": "Pod", "name": "p", "namespace": "default"}
    event = {"metadata": {"name": "e"}, "involvedObject": about, "reason": "R", "message": "m"}
    api.create("events", event, namespace="default")
    control = Control(api, threading.RLock(), Denials({}), lambda: None)
    found = control.answer(Called("GET", "snapshot", {}, b"", "alice"))
    text = json.dumps(found)
    assert (found["apiVersion"], found["kind"]) == ("v1", "List")
    assert "managedFields" not in text
    assert "dmFsdWU=" not in text
    items = {item["kind"]: item for item in found["items"]}
    assert items["Secret"]["data"] == {"key": ""}
    assert items["ConfigMap"]["data"] == {"k": "v"}
    assert "Event" not in items
