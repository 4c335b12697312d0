"""A plan becomes as small as what it shows."""

from hourglass_simulator.search.chance import random_plan
from hourglass_simulator.search.plan import Plan, moment, step_of
from hourglass_simulator.search.shrink import shrink

PERFORMER = {
    "apiVersion": "hourglass.eigenlayer.io/v1alpha1",
    "kind": "Performer",
    "metadata": {"name": "a"},
    "spec": {"avsAddress": "0x1", "image": "avs/worker:v1", "version": "v1"},
}


def test_only_what_is_needed_stays_at_simple_times() -> None:
    """Of a plan with much in it: a crash some time after a deletion fails, whatever the rest."""
    steps = [
        step_of((0.0, "apply", PERFORMER)),
        step_of((3.217, "fault", {"watch-dropped": {"resource": "pods"}})),
        step_of((41.3, "delete", {"name": "a"})),
        step_of((41.303, "fault", {"operator-crash": {"write": 5, "down": "30s"}})),
        step_of((90.0, "heal", ["registry-down", "node-lost"])),
    ]

    def fails(plan: Plan) -> bool:
        names = [name for _, name, _ in plan.operations()]
        crashes = [step for step in plan.steps if step.fault and "operator-crash" in step.fault]
        return "delete" in names and any(
            moment(step) > 0 and step.fault["operator-crash"].get("write", 1) > 1
            for step in crashes
            if step.fault
        )

    smallest = shrink(random_plan(0).with_steps(steps), fails)
    assert list(smallest.operations()) == [
        (0.0, "delete", {"name": "a"}),
        (1.0, "fault", {"operator-crash": {"write": 2}}),
    ]
    assert len(smallest.scenario.cluster.nodes) == 1


def test_it_ends_when_nothing_helps_or_the_tries_are_over() -> None:
    plan = random_plan(1)
    tried = []

    def fails(candidate: Plan) -> bool:
        tried.append(candidate)
        return False

    assert shrink(plan, fails, tries=7) == plan
    assert len(tried) == 7
