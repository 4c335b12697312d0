"""The operator in the simulated cluster: the real workers, informers and election."""

import pytest

from builders import CATALOGUE, performer
from hourglass_kube.types import JSON
from hourglass_operator.api.crd import generate
from hourglass_operator.controller import Controller, Settings
from hourglass_operator.runtime.informers.informer import Informer
from hourglass_operator.runtime.leadership.lease import Candidate
from hourglass_simulator.apiserver import APIError
from hourglass_simulator.apiserver.calls import Audit, Call
from hourglass_simulator.cluster import Cluster
from hourglass_simulator.harness.operator import SimulatedOperator

DURATION, DEADLINE = 15.0, 10.0


class World:
    """A cluster with two replicas of the operator, and who has written what and when."""

    def __init__(self) -> None:
        self.cluster = Cluster(crd=generate())
        self.cluster.add_node("node")
        self.writes: list[tuple[float, str, str]] = []
        self.replicas = {name: self._replica(name) for name in ("one", "two")}
        self.cluster.api.auditors.append(self._audited)

    def _replica(self, name: str) -> SimulatedOperator:
        return SimulatedOperator(
            self.cluster.clock,
            self.cluster.api,
            catalogue=CATALOGUE,
            settings=Settings(),
            hook=lambda _, event: [(0.0, event)],
            user=name,
            candidate=Candidate(name, "operator", "default", DURATION, DEADLINE),
        )

    def _audited(self, audit: Audit) -> None:
        call = audit.call
        if call.user in ("one", "two") and call.resource != "leases":
            self.writes.append((audit.time, call.user, f"{call.verb} {call.resource}"))

    def create(self, name: str) -> None:
        made = performer(name).build()
        body = {key: made[key] for key in ("apiVersion", "kind", "spec")}
        self.cluster.api.create(
            "performers", {**body, "metadata": {"name": name}}, namespace="default"
        )

    def phase(self, name: str) -> str:
        found: JSON = self.cluster.api.get("performers", "default", name)
        return str(found["status"]["phase"])

    def writers(self, since: float = 0.0) -> set[str]:
        return {who for when, who, _ in self.writes if when >= since}


def test_one_of_two_replicas_writes() -> None:
    world = World()
    for replica in world.replicas.values():
        replica.start()
    world.create("ml")
    world.cluster.run_until(60.0)
    assert (world.phase("ml"), world.writers()) == ("Running", {"one"})


def test_the_other_one_takes_over_when_the_lease_of_a_killed_leader_has_run_out() -> None:
    world = World()
    for replica in world.replicas.values():
        replica.start()
    world.cluster.run_until(5.0)
    world.replicas["one"].crash()
    world.create("ml")
    world.cluster.run_until(60.0)
    began = world.writes[0][0]
    assert (world.phase("ml"), world.writers()) == ("Running", {"two"})
    assert DURATION - 2.0 <= began - 5.0 <= DURATION + 5.0


class NoLeases:
    """Refuses every call on Leases of one replica."""

    def __init__(self, user: str) -> None:
        self._user = user

    def before(self, call: Call) -> None:
        if call.resource == "leases" and call.user == self._user:
            raise APIError(503, "ServiceUnavailable", "no")

    def after(self, call: Call) -> None:
        """Nothing is lost."""


def test_a_leader_that_cannot_renew_stops_before_another_begins() -> None:
    world = World()
    for replica in world.replicas.values():
        replica.start()
    world.cluster.run_until(5.0)
    world.cluster.api.interceptors.append(NoLeases("one"))
    for number in range(60):
        # There is always something to do.
        world.cluster.clock.at(6.0 + number, lambda number=number: world.create(f"p{number}"))  # type: ignore[misc]
    world.cluster.run_until(90.0)
    last = max(when for when, who, _ in world.writes if who == "one")
    first = min(when for when, who, _ in world.writes if who == "two")
    assert last < first
    assert {world.phase(f"p{number}") for number in range(60)} == {"Running"}


@pytest.mark.parametrize("resource", ["pods", "services", "endpointslices", "nodes", "performers"])
def test_nothing_is_written_before_everything_is_listed(resource: str) -> None:
    class NoList:
        """Lists of the resource fail for twenty seconds."""

        def before(self, call: Call) -> None:
            if (call.verb, call.resource) == ("list", resource) and world.cluster.clock.now < 20:
                raise APIError(500, "InternalError", "no")

        def after(self, call: Call) -> None:
            """Nothing is lost."""

    world = World()
    world.cluster.api.interceptors.append(NoList())
    world.create("ml")
    world.replicas["one"].start()
    world.cluster.run_until(60.0)
    assert world.phase("ml") == "Running"
    assert min(when for when, _, _ in world.writes) >= 20.0


@pytest.mark.parametrize("write", range(1, 6))
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_crash_around_any_write_is_made_up_for_by_the_next_life(moment: str, write: int) -> None:
    world = World()
    operator = world.replicas["one"]
    seen = 0

    def crash(when: str, _: object) -> None:
        nonlocal seen
        seen += when == moment
        if when == moment and seen == write:
            operator.crash()
            world.cluster.clock.after(2.0, operator.start)

    operator.on_write.append(crash)
    operator.start()
    world.create("ml")
    world.cluster.run_until(120.0)
    pods = world.cluster.api.list("pods").items
    assert (world.phase("ml"), len(pods)) == ("Running", 1)


def raises(*_: object) -> None:
    raise ZeroDivisionError


@pytest.mark.parametrize(
    "part",
    [(Informer, "_list"), (Controller, "plan"), (Controller, "_take_in")],
    ids=["an informer", "a pass", "the end of a pass"],
)
def test_a_mistake_in_the_operator_is_raised_out_of_the_simulation(
    part: tuple[type, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(*part, raises)
    world = World()
    world.replicas["one"].start()
    world.create("ml")
    with pytest.raises(ZeroDivisionError):
        world.cluster.run_until(60.0)
