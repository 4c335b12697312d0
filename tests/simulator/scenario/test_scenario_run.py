"""Scenarios on a scripted backend: what is judged as met, and what is reported when it is not."""

from collections.abc import Callable
from typing import Any

import pytest
import yaml

from hourglass_kube.types import JSON
from hourglass_simulator.scenario import Result, Scenario, ScenarioFile, run
from scenario_backend import HEALTHY, UPGRADING, ScriptedBackend

PERFORMER = {
    "apiVersion": "hourglass.eigenlayer.io/v1alpha1",
    "kind": "Performer",
    "metadata": {"name": "w"},
    "spec": {"image": "a:v1"},
}


def play(
    steps: str = "", backend: ScriptedBackend | None = None, *, settles: str = "{}", **keys: Any
) -> Result:
    scenario: JSON = {
        "scenario": "s",
        "shows": "t",
        "manifests": [PERFORMER],
        "steps": yaml.safe_load(steps) or [],
        "settles": yaml.safe_load(settles),
        **keys,
    }
    parsed = Scenario.model_validate(scenario, by_alias=True, by_name=False)
    return run(ScenarioFile("s.yaml", parsed), backend or ScriptedBackend(), 7)


def failures(result: Result) -> list[str]:
    return [f"{step.where}: {failure}" for step, failure in result.failures]


RUNNING = "- eventually: {within: 60s, performers: {w: {phase: Running}}}\n"

HOLDS = {
    "every key of a Performer that serves": """
- eventually:
    within: 60s
    performers:
      w:
        exists: true
        phase: [Running, Upgrading]
        phases: [Pending, Running]
        ready: true
        conditions: {Available: True/PodReady, Degraded: False}
        reasons: [PodPending, PodReady]
        message: [serv, /^serving$/]
        messages: {Available: serving}
        pods: 1
        podsCreated: 1
        node: node-1
        services: 1
        lastUpgrade: unset
        serving: true
        events: {Anything: 0}
        has: {spec: {image: "a:v1"}, status: {lastUpgrade: null}}
    writes: {atMost: 4}
""",
    "a Performer by namespace and name": """
- eventually: {within: 60s, performers: {default/w: {phase: Running}}}
""",
    "phases with a gap": """
- eventually: {within: 60s, performers: {w: {phases: [..., Running]}}}
""",
    "a rolling upgrade": f"""
{RUNNING}
- after: 1m
  patch: {{name: w, merge: {{spec: {{image: "a:v2"}}}}}}
- eventually: {{within: 1m, performers: {{w: {{phase: Upgrading, pod: same}}}}}}
- eventually:
    within: 1m
    performers:
      w: {{phase: Running, pod: other, lastUpgrade: set, podsCreated: 2, servedThroughout: true}}
    writes: {{atMost: 2, resource: performers, verb: patch}}
""",
    "a deletion": f"""
{RUNNING}
- delete: {{name: w}}
- eventually: {{within: 1m, performers: {{w: {{phase: Terminating}}}}}}
- eventually:
    within: 1m
    performers:
      w: {{exists: false, pods: 0, services: 0, phases: [..., Running, Terminating]}}
""",
    "nothing while nothing happens": f"""
{RUNNING}
- always: {{for: 10m, performers: {{w: {{serving: true}}}}, writes: {{atMost: 0}}}}
- never: {{for: 10m, performers: {{w: {{phase: Failed}}}}}}
- expect: {{noWritesFor: 20m}}
""",
    "silence that is waited for": """
- eventually: {within: 5m, noWritesFor: 2m}
""",
    "objects": f"""
{RUNNING}
- expect:
    objects:
    - {{resource: pods, labels: {{performer-name: w}}}}
    - {{resource: services, name: performer-w, count: 1}}
    - {{resource: configmaps, count: 0}}
""",
}


@pytest.mark.parametrize("steps", HOLDS.values(), ids=HOLDS.keys())
def test_what_holds_is_met(steps: str) -> None:
    assert failures(play(steps)) == []


DEFAULT = "performer default/w"
FAILS = {
    "the phase is another": (
        "- expect: {performers: {w: {phase: Running}}}",
        f"steps[0]: {DEFAULT}: expected phase Running, found Pending",
    ),
    "it does not come in time": (
        "- eventually: {within: 2s, performers: {w: {phase: Running}}}",
        f"steps[0]: {DEFAULT}: expected phase Running within 2s, found Pending",
    ),
    "it does not last": (
        f"{RUNNING}- delete: {{name: w}}\n"
        "- always: {for: 1m, performers: {w: {phase: Running}}}",
        f"steps[2]: {DEFAULT}: expected phase Running for 1m, found Terminating at 4s",
    ),
    "it happens though it never must": (
        "- never: {for: 1m, performers: {w: {phase: Running}}}",
        "steps[0]: w is Running: expected never to hold for 1m, found it did at 3s",
    ),
    "the Performer does not exist": (
        "- expect: {performers: {v: {phase: Running}}}",
        "steps[0]: performer default/v: expected it exists, found no such Performer",
    ),
    "the Performer exists": (
        "- expect: {performers: {w: {exists: false}}}",
        f"steps[0]: {DEFAULT}: expected it is gone, found it exists",
    ),
    "the reason is another": (
        f"{RUNNING}- expect: {{performers: {{w: {{conditions: {{Ready: True/Scheduled}}}}}}}}",
        f"steps[1]: {DEFAULT}: expected Ready True/Scheduled, found True/PodReady",
    ),
    "there is no condition": (
        "- expect: {performers: {w: {conditions: {Ready: True}}}}",
        f"steps[0]: {DEFAULT}: expected Ready True, found no such condition",
    ),
    "the message does not say it": (
        f"{RUNNING}- expect: {{performers: {{w: {{message: /^erving/}}}}}}",
        f'steps[1]: {DEFAULT}: expected the message of Ready matches /^erving/, found "serving"',
    ),
    "the phases were others": (
        f"{RUNNING}- expect: {{performers: {{w: {{phases: [Pending]}}}}}}",
        f"steps[1]: {DEFAULT}: expected phases Pending, found Pending, Running",
    ),
    "the node is another": (
        f"{RUNNING}- expect: {{performers: {{w: {{node: gpu}}}}}}",
        f"steps[1]: {DEFAULT}: expected node gpu, found node-1",
    ),
    "there are more pods": (
        f"{RUNNING}- expect: {{performers: {{w: {{pods: 0}}}}}}",
        f"steps[1]: {DEFAULT}: expected 0 pods, found 1 (performer-w-aaaaaaaaaa-0)",
    ),
    "the pod is another": (
        f"{RUNNING}- expect: {{performers: {{w: {{pod: same}}}}}}",
        f"steps[1]: {DEFAULT}: expected pod none as before, found performer-w-aaaaaaaaaa-0",
    ),
    "the pod is the same": (
        f"{RUNNING}- cordon: a\n- expect: {{performers: {{w: {{pod: other}}}}}}",
        f"steps[2]: {DEFAULT}: expected another pod than performer-w-aaaaaaaaaa-0, "
        "found performer-w-aaaaaaaaaa-0",
    ),
    "it had not served from the start": (
        f"{RUNNING}- expect: {{performers: {{w: {{servedThroughout: true}}}}}}",
        f"steps[1]: {DEFAULT}: expected a ready endpoint at every moment, "
        "found moments without one",
    ),
    "the field is another": (
        f"{RUNNING}- expect: {{performers: {{w: {{has: {{spec: {{image: b}}}}}}}}}}",
        f"steps[1]: {DEFAULT}: expected has {{'spec': {{'image': 'b'}}}}, found spec.image is a:v1",
    ),
    "the event was not recorded": (
        f"{RUNNING}- expect: {{performers: {{w: {{events: {{Running: 1}}}}}}}}",
        f"steps[1]: {DEFAULT}: expected event Running × 1, found 0 (events: none)",
    ),
    "too much was written": (
        f"{RUNNING}- expect: {{writes: {{atMost: 1, verb: create}}}}",
        "steps[1]: writes (create): expected at most 1, found 2 (1 × create services, "
        "1 × create pods)",
    ),
    "it was written just now": (
        f"{RUNNING}- after: 7s\n  expect: {{noWritesFor: 8s}}",
        "steps[1]: writes: expected none for 8s, found patch performers 7s ago",
    ),
    "there are no such objects": (
        "- expect: {objects: [{resource: nodes, name: gpu}]}",
        "steps[0]: nodes gpu: expected at least 1, found 0",
    ),
    "a step comes too late": (
        "- after: 30s\n  cordon: a\n- at: 10s\n  cordon: b\n",
        "steps[1]: the step: expected to happen at 10s, found it is 30s",
    ),
    "nothing is refused": (
        "- cordon: a\n  refused: no way",
        'steps[0]: the API server: expected a refusal with "no way", found no refusal',
    ),
}


@pytest.mark.parametrize(("steps", "reported"), FAILS.values(), ids=FAILS.keys())
def test_what_does_not_hold_is_reported(steps: str, reported: str) -> None:
    gone = "{performers: {w: {exists: false}}}" if "delete" in steps else "{}"
    result = play(steps, settles=gone)
    assert failures(result) == [reported]
    assert not result.met


REFUSED = {**PERFORMER, "metadata": {"name": "bad", "labels": {"refuse": "yes"}}}
ANSWER = "bad is invalid: spec.image: Required value"


def test_a_refusal_that_is_expected_is_met() -> None:
    step = {"apply": [REFUSED], "refused": "spec.image"}
    assert play(yaml.safe_dump([step])).met


def test_a_refusal_that_is_not_expected_is_reported() -> None:
    reported = f'steps[0]: the API server: expected no refusal, found a refusal: "{ANSWER}"'
    assert failures(play(yaml.safe_dump([{"apply": [REFUSED]}]))) == [reported]


def test_a_refusal_with_another_text_is_reported() -> None:
    step = {"apply": [REFUSED], "refused": "spec.avs"}
    expected = f'a refusal with "spec.avs", found a refusal: "{ANSWER}"'
    assert failures(play(yaml.safe_dump([step]))) == [
        f"steps[0]: the API server: expected {expected}"
    ]


def test_steps_happen_in_time_and_reach_the_backend() -> None:
    backend = ScriptedBackend()
    steps = """
- at: 10s
  cordon: [a, b]
- after: 5s
  drain: a
- uncordon: b
- fault: {nodeLost: {node: a}, apiDown: {}}
- heal: [nodeLost, apiDown]
- create: {apiVersion: v1, kind: ConfigMap, metadata: {name: c}}
- delete: {resource: pods, name: p}
"""
    result = play(steps, backend)
    assert [step.started for step in result.steps[1:-1]] == [10, 15, 15, 15, 15, 15, 15]
    assert backend.calls == [
        "apply Performer w",
        "cordon a",
        "cordon b",
        "drain a",
        "uncordon b",
        "inject nodeLost {'node': 'a'}",
        "inject apiDown {}",
        "heal nodeLost",
        "heal apiDown",
        "create ConfigMap c",
        "delete pods p",
    ]


class Sluggish(ScriptedBackend):
    """Comes back from waiting a little late, as whatever waits in real time does."""

    @property
    def now(self) -> float:
        return super().now + 0.001 if super().now else 0.0


def test_a_step_is_not_late_because_the_wait_for_it_was_inexact() -> None:
    assert failures(play("[{at: 10s, cordon: a}, {at: 20s, uncordon: a}]", Sluggish())) == []


def test_a_step_that_fails_does_not_end_the_scenario() -> None:
    backend = ScriptedBackend()
    result = play("- expect: {performers: {w: {phase: Failed}}}\n- cordon: a\n", backend)
    assert backend.calls[-1] == "cordon a"
    assert [step.met for step in result.steps] == [True, False, True, True]


def test_resources_that_are_expected_are_observed() -> None:
    backend = ScriptedBackend()
    play("- expect: {objects: [{resource: leases, count: 0}]}\n", backend)
    assert "leases" in backend.resources
    assert backend.resources == sorted(backend.resources)


Script = Callable[[ScriptedBackend], object]


def breaks(when: float, action: Script) -> ScriptedBackend:
    backend = ScriptedBackend()
    return backend.later(when, lambda: action(backend))


UNSETTLED: dict[str, tuple[float, Script, str]] = {
    "the phase is not Running": (
        4,
        lambda b: b.status("w", UPGRADING, "m", phase="Upgrading"),
        f"{DEFAULT}: expected phase Running within 15m, found Upgrading",
    ),
    "the status is behind the spec": (
        4,
        lambda b: b.status("w", HEALTHY, "m", observedGeneration=0),
        f"{DEFAULT}: expected observedGeneration 1 within 15m, found 0",
    ),
    "pods of another template serve": (
        4,
        lambda b: b.status("w", HEALTHY, "m", templateHash="z"),
        f"{DEFAULT}: expected pods of template z serve within 15m, found a",
    ),
    "nothing serves": (
        4,
        lambda b: b.endpoint("w", False),
        f"{DEFAULT}: expected a ready endpoint within 15m, found none",
    ),
    "there is a pod too many": (
        4,
        lambda b: b.pod("w", 5),
        f"{DEFAULT}: expected 1 pods within 15m, found 2 (performer-w-aaaaaaaaaa-0, "
        "performer-w-aaaaaaaaaa-5)",
    ),
    "an object of a Performer is left that is gone": (
        4,
        lambda b: b.emit(
            "pods",
            {
                "metadata": {
                    "name": "old",
                    "ownerReferences": [{"kind": "Performer", "name": "v", "uid": "u"}],
                },
                "spec": {},
            },
        ),
        "performer default/v: expected nothing is left of it within 15m, found pod old is left",
    ),
}


@pytest.mark.parametrize(("when", "action", "reported"), UNSETTLED.values(), ids=UNSETTLED.keys())
def test_what_does_not_settle_is_reported(when: float, action: Script, reported: str) -> None:
    assert f"settles: {reported}" in failures(play(RUNNING, breaks(when, action)))


def test_writes_that_go_on_and_on_are_reported() -> None:
    backend = ScriptedBackend()
    for minute in range(1, 60):
        backend.later(minute * 60, lambda: backend.write("patch", "performers", "w"))
    [reported] = failures(play(RUNNING, backend))
    assert reported == (
        "settles: writes: expected none for 5m after it has settled, found patch performers w"
    )


def test_a_write_before_it_has_settled_for_good_is_forgiven() -> None:
    result = play(RUNNING, breaks(200, lambda b: b.write("patch", "performers", "w")))
    assert result.met
    assert result.duration == pytest.approx(500)


def test_keeping_a_lease_is_no_write() -> None:
    assert play(RUNNING, breaks(200, lambda b: b.write("update", "leases", "l"))).duration < 310


def test_an_interruption_of_no_time_at_all_is_one() -> None:
    def interrupt(backend: ScriptedBackend) -> None:
        backend.endpoint("w", False)
        backend.endpoint("w", True)

    steps = f"{RUNNING}- cordon: a\n- after: 1m\n  expect: " + (
        "{performers: {w: {serving: true, servedThroughout: true}}}"
    )
    [reported] = failures(play(steps, breaks(20, interrupt)))
    assert "moments without one" in reported


def test_a_new_performer_of_the_same_name_has_no_past() -> None:
    steps = f"{RUNNING}- delete: {{name: w}}\n- after: 1m\n  apply: " + yaml.safe_dump(
        PERFORMER, default_flow_style=True
    )
    steps += "- after: 1m\n  expect: {performers: {w: {phases: [Pending, Running]}}}\n"
    assert failures(play(steps)) == []


def test_a_performer_may_end_otherwise_if_the_scenario_says_so() -> None:
    fails = breaks(10, lambda b: b.status("w", UPGRADING, "m", phase="Failed"))
    assert play(RUNNING, fails, settles="{performers: {w: {phase: Failed}}}").met


def test_a_performer_that_must_end_otherwise_and_does_not_is_reported() -> None:
    settles = "{within: 1m, performers: {w: {phase: Failed}}}"
    [reported] = failures(play(RUNNING, settles=settles))
    assert reported == f"settles: {DEFAULT}: expected phase Failed within 1m, found Running"


def test_a_performer_that_is_not_named_must_settle_all_the_same() -> None:
    settles = "{performers: {v: {exists: false}}}"
    fails = breaks(10, lambda b: b.status("w", UPGRADING, "m", phase="Failed"))
    assert not play(RUNNING, fails, settles=settles).met


def test_the_timeline_shows_who_did_what_when() -> None:
    result = play("- after: 10s\n  delete: {name: w}\n")
    reported = [f"{e.time:g} {e.kind} {e.subject}: {e.text}" for e in result.timeline]
    assert reported[:12] == [
        "0 step manifests: apply Performer w",
        "0 performer default/w: created",
        "0 performer default/w: Pending",
        "1 write default/performer-w: create services",
        "1 pod default/performer-w-aaaaaaaaaa-0: created",
        "1 write default/performer-w-aaaaaaaaaa-0: create pods",
        "1 performer default/w: PodPending: the pod waits",
        "1 write default/w: patch performers",
        "3 performer default/w: Pending → Running (PodReady: serving)",
        "3 write default/w: patch performers",
        "10 step steps[0]: delete Performer w",
        "10 performer default/w: being deleted",
    ]
    assert reported[12].startswith("10 step settles: Within 15m everything settles")
    assert reported[-1] == "12 performer default/w: deleted"


def test_an_event_is_shown_for_the_performer_that_it_is_about() -> None:
    def happens(backend: ScriptedBackend) -> None:
        uid = backend.objects["performers", "default", "w"]["metadata"]["uid"]
        about = {"kind": "Performer", "namespace": "default", "name": "w", "uid": uid}
        event = {"metadata": {"name": "w.1"}, "involvedObject": about, "count": 1}
        backend.emit("events", {**event, "type": "Normal", "reason": "Running", "message": "m"})

    steps = "- at: 6s\n  expect: {performers: {w: {events: {Running: 1}}}}\n"
    result = play(steps, breaks(5, happens))
    assert failures(result) == []
    [entry] = [entry for entry in result.timeline if entry.kind == "event"]
    assert (entry.subject, entry.text) == ("default/w", "Normal Running: m")


def test_the_result_names_file_seed_and_steps() -> None:
    result = play(RUNNING)
    assert (result.file, result.seed, result.met) == ("s.yaml", 7, True)
    assert [step.where for step in result.steps] == ["manifests", "steps[0]", "settles"]
    assert (result.steps[1].started, result.steps[1].ended) == (0, 3)


def test_silence_ends_the_wait_at_the_very_moment_it_has_lasted_long_enough() -> None:
    result = play("- eventually: {within: 5m, noWritesFor: 2m}\n")
    assert result.steps[1].ended == pytest.approx(123)


def test_no_pod_at_all_is_not_another_pod() -> None:
    steps = f"{RUNNING}- after: 1s\n  cordon: a\n- after: 10s\n  expect: "
    loses = breaks(8, lambda b: b.status("w", HEALTHY, "m", podName=""))
    reported = failures(play(steps + "{performers: {w: {pod: other}}}", loses))
    assert reported == [
        f"steps[2]: {DEFAULT}: expected another pod than performer-w-aaaaaaaaaa-0, found none"
    ]
