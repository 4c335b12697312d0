"""Plans are data, and playing one says what should not have been."""

from itertools import islice
from pathlib import Path

import pytest

from hourglass_simulator.faults import REGISTRY
from hourglass_simulator.harness.backend import SimulatedBackend
from hourglass_simulator.scenario import dump, load, run
from hourglass_simulator.search.census import Census
from hourglass_simulator.search.chance import random_plan
from hourglass_simulator.search.plan import Plan, plan_of, read_plan, step_of
from hourglass_simulator.search.play import play
from hourglass_simulator.search.systematic import crashes, errors, events, struck

UPGRADE = Path(__file__).parents[3] / "scenarios/rolling-upgrade.yaml"


@pytest.fixture(scope="module")
def upgrade() -> Plan:
    return plan_of(run(load(UPGRADE, REGISTRY), SimulatedBackend()))


def test_a_scenario_becomes_a_plan_of_what_it_does(upgrade: Plan) -> None:
    assert [(when, name) for when, name, _ in upgrade.operations()] == [
        (0.0, "apply"),
        (62.197, "patch"),
    ]


def test_a_plan_is_a_scenario_file_and_back(tmp_path: Path, upgrade: Plan) -> None:
    for plan in (random_plan(7), next(crashes(upgrade, census_of(upgrade)))):
        file = tmp_path / "found.yaml"
        file.write_text(dump(plan.as_scenario("Found", "What was found.")))
        read = read_plan(load(file, REGISTRY).scenario)
        assert read is not None
        assert list(read.operations()) == list(plan.operations())
        assert play(read) == play(plan)


def census_of(plan: Plan) -> Census:
    census = Census()
    assert not play(plan, census=census).findings
    return census


def test_every_write_call_and_event_is_struck(upgrade: Plan) -> None:
    census = census_of(upgrade)
    writes, seen = census.writes, sum(census.events.values())
    creates = census.verbs.count("create")
    reads = sum(census.reads.values())
    assert (writes, creates, seen) == (13, 6, 26)
    assert len(list(crashes(upgrade, census))) == 2 * writes
    assert len(list(errors(upgrade, census))) == 5 * writes - creates + reads
    assert len(list(events(upgrade, census))) == 3 * seen
    for plan in islice(crashes(upgrade, census), 4):
        assert not play(plan).findings


def test_the_same_plan_and_seed_give_the_same_digest() -> None:
    plan = random_plan(3)
    assert play(plan, 3) == play(plan, 3)
    assert play(plan, 3).digest != play(plan, 4).digest


def test_what_does_not_end_well_is_found(upgrade: Plan) -> None:
    broken = upgrade.with_steps(
        (*upgrade.steps, step_of((70.0, "fault", {"never-ready": {"image": "*"}})))
    )
    (finding, *_) = play(broken).findings
    assert (finding.oracle, finding.subject) == ("settles", "performer default/worker")


def test_what_is_not_possible_is_said(upgrade: Plan) -> None:
    plan = struck(upgrade, "node-lost", {"node": "nowhere"})
    assert play(plan).refused == {0}


def test_of_two_replicas_the_second_takes_over(upgrade: Plan) -> None:
    """The first is suspended during an upgrade and finds the Lease taken when it goes on."""
    cluster = upgrade.scenario.cluster.model_copy(update={"operator_replicas": 2})
    scenario = upgrade.scenario.model_copy(update={"cluster": cluster})
    plan = struck(Plan(scenario, upgrade.steps), "operator-suspended", {"write": 9, "for": "2m"})
    played = play(plan)
    assert not played.findings
    assert not scenario.portable
    assert played.duration > play(upgrade).duration + 10
