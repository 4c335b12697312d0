"""Bad scenario files: each problem with file, line, what is wrong and what is expected."""

from pathlib import Path
from typing import get_args

import pytest
import yaml
from pydantic import BaseModel, ConfigDict

from hourglass_simulator.kubernetes.version import VERSIONS
from hourglass_simulator.scenario import (
    Problem,
    Scenario,
    UnreadableError,
    dump,
    find,
    load,
    load_all,
)
from hourglass_simulator.scenario.document import MAX_BYTES, KubernetesLoader, parse
from hourglass_simulator.scenario.expectation import PhaseName, ReasonName
from hourglass_simulator.scenario.strict import resources
from hourglass_statemachine import Phase, Reason

ROOT = Path(__file__).parents[3]
HEAD = "scenario: s\nshows: t\n"


class Node(BaseModel):
    """Parameters of a fault."""

    model_config = ConfigDict(extra="forbid")

    node: str
    count: int = 1


class _Fault:
    doc = "Something breaks."
    parameters = Node


FAULTS = {"gpuUnhealthy": _Fault(), "nodeLost": _Fault()}


def problems(tmp_path: Path, text: str | bytes) -> list[Problem]:
    file = tmp_path / "bad.yaml"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(UnreadableError) as caught:
        load(file, FAULTS)
    assert {problem.file for problem in caught.value.problems} == {str(file)}
    return caught.value.problems


STEP_KEYS = (
    "at, after, note, refused, apply, create, patch, delete, cordon, uncordon, drain, fault, heal, "
    "expect, eventually, always, never"
)
ACTIONS = STEP_KEYS.removeprefix("at, after, note, refused, ")
TABLE = {
    "a misspelt key": (
        "steps:\n- cordon: a\n- eventualy: {within: 5s}\n",
        5,
        f"steps[1].eventualy: unknown key; expected one of {STEP_KEYS}; did you mean eventually?",
    ),
    "a misspelt key of the file": (
        "step: []\n",
        3,
        "step: unknown key; expected one of scenario, shows, namespace, cluster, manifests, steps, "
        "settles; did you mean steps?",
    ),
    "a misspelt key deep inside": (
        "steps:\n- expect:\n    performers:\n      w:\n        fase: Running\n",
        7,
        "steps[0].expect.performers.w.fase: unknown key; expected one of exists, phase, phases, "
        "ready, conditions, reasons, message, messages, pods, podsCreated, pod, node, services, "
        "service, endpoint, lastUpgrade, serving, servedThroughout, events, has; did you mean "
        "phase?",
    ),
    "a Python name instead of the key": (
        "steps:\n- always: {for: 5s, no_writes_for: 1s}\n",
        4,
        "steps[0].always.no_writes_for: unknown key; expected one of performers, objects, writes, "
        "noWritesFor, for; did you mean noWritesFor?",
    ),
    "a text instead of a list": (
        "steps: now\n",
        3,
        'steps: expected a list, found "now"',
    ),
    "a list instead of keys": (
        "cluster: []\n",
        3,
        "cluster: expected keys with values, found a list",
    ),
    "nothing instead of keys": (
        "cluster:\n",
        3,
        "cluster: expected keys with values, found nothing",
    ),
    "a text instead of a number": (
        "cluster:\n  nodes:\n  - {name: a, count: many}\n",
        5,
        'cluster.nodes[0].count: expected a whole number, found "many"',
    ),
    "a number below the least": (
        "cluster:\n  nodes:\n  - {name: a, count: 0}\n",
        5,
        "cluster.nodes[0].count: input should be greater than or equal to 1",
    ),
    "a text instead of true": (
        "steps:\n- expect: {performers: {w: {ready: maybe}}}\n",
        4,
        'steps[0].expect.performers.w.ready: expected true or false, found "maybe"',
    ),
    "a number as a duration": (
        "steps:\n- after: 30\n  cordon: a\n",
        4,
        "steps[0].after: 30 is not a duration; write it as 30s, 5m or 1h30m",
    ),
    "a duration that no clock can show": (
        "steps:\n- after: .nan\n  cordon: a\n",
        4,
        "steps[0].after: nan is not a duration; write it as 30s, 5m or 1h30m",
    ),
    "a version of Kubernetes that is not recorded": (
        "cluster:\n  kubernetes: 1.9\n",
        4,
        f"cluster.kubernetes: 1.9 is not a version that is simulated: {', '.join(VERSIONS)}",
    ),
    "a quantity that is none": (
        "cluster:\n  nodes:\n  - name: a\n    cpu: fast\n",
        6,
        "cluster.nodes[0].cpu: 'fast' is not a quantity; write it as 500m, 2 or 8Gi",
    ),
    "a taint that is none": (
        "cluster:\n  nodes:\n  - {name: a, taints: [gpu]}\n",
        5,
        "cluster.nodes[0].taints[0]: 'gpu' is not a taint; write it as key=value:NoSchedule or "
        "key:NoSchedule (effects: NoSchedule, PreferNoSchedule, NoExecute)",
    ),
    "a phase that is none": (
        "steps:\n- expect: {performers: {w: {phase: Runing}}}\n",
        4,
        'steps[0].expect.performers.w.phase: "Runing" is not one of Pending, Running, Upgrading, '
        "Terminating, Failed; did you mean Running?",
    ),
    "a reason that is none": (
        "steps:\n- expect: {performers: {w: {conditions: {Ready: True/PodRedy}}}}\n",
        4,
        "steps[0].expect.performers.w.conditions.Ready: unknown reason; expected one of "
        f"{', '.join(sorted(Reason))}; did you mean PodReady?",
    ),
    "a list with a reason that is none": (
        "steps:\n- expect: {performers: {w: {reasons: [..., PodPendin]}}}\n",
        4,
        'steps[0].expect.performers.w.reasons[1]: "PodPendin" is not one of '
        f"{', '.join(sorted(Reason))}, ...; did you mean PodPending?",
    ),
    "a condition type that is none": (
        "steps:\n- expect: {performers: {w: {conditions: {Availabel: True}}}}\n",
        4,
        'steps[0].expect.performers.w.conditions.Availabel: "Availabel" is not one of Available, '
        "Progressing, Degraded, Reconciling, Stalled, Ready; did you mean Available?",
    ),
    "a condition status that is none": (
        "steps:\n- expect: {performers: {w: {conditions: {Ready: yep/PodReady}}}}\n",
        4,
        "steps[0].expect.performers.w.conditions.Ready: 'yep/PodReady' is not a condition; write "
        "it as True/PodReady or True",
    ),
    "a regular expression that is none": (
        "steps:\n- expect: {performers: {w: {message: /(/}}}\n",
        4,
        "steps[0].expect.performers.w.message: /(/ is not a regular expression: missing ), "
        "unterminated subpattern at position 0",
    ),
    "a resource that is none": (
        "steps:\n- delete: {resource: pod, name: w}\n",
        4,
        f'steps[0].delete.resource: "pod" is not one of {", ".join(resources())}',
    ),
    "a check without its time": (
        "steps:\n- eventually: {performers: {w: {phase: Running}}}\n",
        4,
        "steps[0].eventually.within: required, but missing",
    ),
    "a check that expects nothing": (
        "steps:\n- eventually: {within: 5s}\n",
        4,
        "steps[0].eventually: nothing is expected; add performers, objects, writes or noWritesFor",
    ),
    "a step that does nothing": (
        "steps:\n- note: hello\n",
        4,
        f"steps[0]: a step does one of {ACTIONS}; it has none",
    ),
    "a step that does two things": (
        "steps:\n- cordon: a\n  drain: a\n",
        4,
        f"steps[0]: a step does one of {ACTIONS}; it has cordon and drain",
    ),
    "a step with two times": (
        "steps:\n- {at: 5s, after: 5s, cordon: a}\n",
        4,
        "steps[0]: a step has `at` or `after`, not both",
    ),
    "a list of nothing": ("steps:\n- drain: []\n", 4, "steps[0].drain: must not be empty"),
    "no fault at all": ("steps:\n- fault: {}\n", 4, "steps[0].fault: must not be empty"),
    "a number instead of a text": ("namespace: 5\n", 3, "namespace: expected a text, found 5"),
    "a fault that is to be refused": (
        "steps:\n- {fault: {nodeLost: {node: a}}, refused: no}\n",
        4,
        "steps[0].refused: expected a text, found false",
    ),
    "a check that is to be refused": (
        "steps:\n- {expect: {writes: {atMost: 1}}, refused: text}\n",
        4,
        "steps[0]: only calls to the API server can be refused, not expect",
    ),
    "an unknown fault": (
        "steps:\n- fault:\n    nodeLst: {node: a}\n",
        5,
        "steps[0].fault.nodeLst: unknown fault; expected one of gpuUnhealthy, nodeLost; did you "
        "mean nodeLost?",
    ),
    "an unknown parameter of a fault": (
        "steps:\n- fault:\n    nodeLost:\n      node: a\n      cont: 2\n",
        7,
        "steps[0].fault.nodeLost.cont: unknown key; expected one of node, count; did you mean "
        "count?",
    ),
    "a fault without a parameter that it needs": (
        "steps:\n- fault: nodeLost\n",
        4,
        "steps[0].fault.nodeLost.node: required, but missing",
    ),
    "a fault whose parameters are a text": (
        "steps:\n- fault: {nodeLost: gpu-1}\n",
        4,
        'steps[0].fault.nodeLost: expected keys with values, found "gpu-1"',
    ),
    "a cure without a fault": (
        "steps:\n- heal: nodeLost\n",
        4,
        "steps[0].heal: nothing to heal: no step before this one injects the fault nodeLost",
    ),
    "a manifest file that is missing": (
        "manifests:\n- a.yaml\n",
        4,
        "manifests[0]: a.yaml: no such file or directory",
    ),
    "a manifest file that is missing, in a step": (
        "steps:\n- apply: a.yaml\n",
        4,
        "steps[0].apply: a.yaml: no such file or directory",
    ),
    "a manifest without a kind": (
        "manifests:\n- apiVersion: v1\n",
        4,
        "manifests[0]: an object needs kind (a text)",
    ),
    "a manifest without a name": (
        "manifests:\n- {apiVersion: v1, kind: Pod, metadata: {}}\n",
        4,
        "manifests[0]: an object needs metadata.name (a text)",
    ),
    "a key that occurs twice": ("shows: u\n", 3, "the key shows occurs twice; first in line 2"),
    "a key that YAML takes for a truth value": (
        "steps:\n- expect: {performers: {on: {phase: Running}}}\n",
        4,
        'the key on must be a text; write "on"',
    ),
    "not YAML": (
        "steps: [\n",
        4,
        "not YAML: did not find expected node content while parsing a flow node",
    ),
    "a tab for indentation": (
        "steps:\n\t- cordon: a\n",
        4,
        "not YAML: found character that cannot start any token while scanning for the next token",
    ),
    "a tag that makes a Python object": (
        "steps: !!python/object/apply:os.system [ls]\n",
        3,
        "not YAML: could not determine a constructor for the tag "
        "'tag:yaml.org,2002:python/object/apply:os.system'",
    ),
    "two documents": (
        "---\nscenario: b\n",
        4,
        "2 documents (separated by ---); a scenario file holds one",
    ),
    "a number that is none": ("steps: !!int x\n", 3, "not YAML: x is no int"),
    "an alias that is unknown": ("steps: *none\n", 3, "not YAML: found undefined alias"),
}


@pytest.mark.parametrize(("text", "line", "message"), TABLE.values(), ids=TABLE.keys())
def test_a_bad_file_is_reported_by_line(tmp_path: Path, text: str, line: int, message: str) -> None:
    found = problems(tmp_path, HEAD + text)
    assert [(problem.line, problem.text) for problem in found] == [(line, message)]


def test_all_problems_of_a_file_are_reported_at_once_in_order(tmp_path: Path) -> None:
    text = "scenario: s\nmanifests: a.yaml\nsteps:\n- fault: x\n- after: 1\n  cordon: a\n  x: 1\n"
    reported = [(problem.line, problem.text.split(":")[0]) for problem in problems(tmp_path, text)]
    assert reported == [
        (1, "shows"),
        (2, "manifests"),
        (4, "steps[0].fault.x"),
        (5, "steps[1].after"),
        (7, "steps[1].x"),
    ]


WHOLE_FILE = {
    "an empty file": (b"", "empty; see docs/scenarios.md for what to write"),
    "only comments": (b"# nothing\n", "empty; see docs/scenarios.md for what to write"),
    "bytes": (b"\xff\xfe\x00\x01", "not a text file in UTF-8"),
    "a picture's zero bytes": (
        b"\x00\x00\x00",
        "not YAML: unacceptable character #x0000: control characters are not allowed",
    ),
    "fifty megabytes": (b"a" * 50 * 1024 * 1024, "larger than 1 MB; no scenario or manifest is"),
    "a byte too many": (b"a" * (MAX_BYTES + 1), "larger than 1 MB; no scenario or manifest is"),
}


@pytest.mark.parametrize(("content", "message"), WHOLE_FILE.values(), ids=WHOLE_FILE.keys())
def test_a_file_that_is_bad_as_a_whole(tmp_path: Path, content: bytes, message: str) -> None:
    [problem] = problems(tmp_path, content)
    assert (problem.line, problem.text) == (0, message)


def bomb() -> str:
    levels = (f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9))
    return "\n".join(["a0: &a0 [x, x, x, x, x, x, x, x, x, x]", *levels])


HARMFUL = {
    "aliases that expand without end": (
        "a: &a [*a]\n",
        "holds too much once its aliases (*name) are expanded",
    ),
    "a billion laughs": (bomb(), "holds too much once its aliases (*name) are expanded"),
    "nesting that crashes parsers": ("a: " + "[" * 500_000, "nested more than 64 levels deep"),
    "nesting in keys": ("{" * 100, "nested more than 64 levels deep"),
}


@pytest.mark.parametrize(("text", "message"), HARMFUL.values(), ids=HARMFUL.keys())
def test_harmful_yaml_is_refused(tmp_path: Path, text: str, message: str) -> None:
    [problem] = problems(tmp_path, text)
    assert problem.text == message


def test_a_text_instead_of_a_scenario(tmp_path: Path) -> None:
    [problem] = problems(tmp_path, "just words\n")
    assert str(problem).endswith('bad.yaml:1: expected keys with values, found "just words"')


def test_what_is_wrong_in_a_manifest_file_is_reported_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text("kind: A\nkind: B\n")
    [problem] = problems(tmp_path, HEAD + "manifests: m.yaml\n")
    assert problem.text == "manifests: m.yaml:2: the key kind occurs twice; first in line 1"


def test_a_file_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match="no such file or directory"):
        load(tmp_path / "none.yaml", FAULTS)


def test_a_directory_without_scenarios(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match="a directory without scenarios"):
        find([tmp_path])


def test_problems_of_several_files_are_reported_together(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.yaml").write_text("x: 1\n")
    with pytest.raises(UnreadableError) as caught:
        load_all(find([tmp_path]), FAULTS)
    assert len({problem.file for problem in caught.value.problems}) == 2


def test_directories_are_searched_in_order_and_files_found_once(tmp_path: Path) -> None:
    for name in ("b.yaml", "a/c.yaml", "a.yml", "a/b.yaml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = find([tmp_path / "b.yaml", tmp_path])
    assert [str(path.relative_to(tmp_path)) for path in found] == ["b.yaml", "a/b.yaml", "a/c.yaml"]


NUMBERS: list[tuple[str, object]] = [
    ("0x1234567890abcdef1234567890abcdef12345678", "0x1234567890abcdef1234567890abcdef12345678"),
    ("0X10000000000000000", "0X10000000000000000"),
    ("0xffffffffffffffff", 2**64 - 1),
    ("0x10", 16),
    ("90", 90),
]


@pytest.mark.parametrize(("written", "value"), NUMBERS, ids=[number[0] for number in NUMBERS])
def test_numbers_are_what_they_are_to_kubernetes(written: str, value: object) -> None:
    assert parse(f"{written}\n", "a.yaml")[0].value == value
    assert yaml.load(written, Loader=KubernetesLoader) == value


def test_manifest_files_are_found_beside_the_scenario_and_may_hold_several(tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text(
        "apiVersion: v1\nkind: A\nmetadata: {name: a}\n---\n"
        "apiVersion: v1\nkind: B\nmetadata: {name: 2026-01-01}\n---\n"
    )
    (tmp_path / "s.yaml").write_text(HEAD + "manifests: m.yaml\n")
    [manifest] = load(tmp_path / "s.yaml", FAULTS).scenario.manifests
    assert manifest.file == "m.yaml"
    assert [obj["metadata"]["name"] for obj in manifest.objects] == ["a", "2026-01-01"]


def test_a_fault_can_be_healed_after_it_was_injected(tmp_path: Path) -> None:
    steps = "steps:\n- fault: {nodeLost: {node: a}}\n- heal: nodeLost\n"
    (tmp_path / "s.yaml").write_text(HEAD + steps)
    assert load(tmp_path / "s.yaml", FAULTS).scenario.steps[1].heal == ("nodeLost",)


def test_anchors_and_merge_keys_work(tmp_path: Path) -> None:
    text = "cluster:\n  nodes:\n  - &gpu {name: a, cpu: 4}\n  - {<<: *gpu, name: b}\n"
    (tmp_path / "s.yaml").write_text(HEAD + text)
    nodes = load(tmp_path / "s.yaml", FAULTS).scenario.cluster.nodes
    assert [(node.name, node.cpu) for node in nodes] == [("a", "4"), ("b", "4")]


def test_a_scenario_survives_being_written_and_read_again() -> None:
    for path in find([ROOT / "scenarios"]):
        scenario = load(path, _AnyFault()).scenario
        again = Scenario.model_validate(
            yaml.load(dump(scenario), Loader=yaml.CSafeLoader),
            by_alias=True,
            by_name=False,
            context={"directory": path.parent},
        )
        assert again == scenario


class _AnyFault(dict[str, _Fault]):
    """Knows every fault: the faults of the repository's files are not this test's business."""

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> type:
        class Anything:
            class parameters(BaseModel):  # noqa: N801
                model_config = ConfigDict(extra="allow")

        return Anything


@pytest.mark.parametrize(
    ("step", "portable"),
    [
        ("cordon: a", True),
        ("patch: {name: w, merge: {}}", True),
        ("expect: {writes: {atMost: 1}}", True),
        ("fault: {nodeLost: {node: a}}", False),
    ],
)
def test_only_faults_tie_a_scenario_to_the_simulator(
    tmp_path: Path, step: str, portable: bool
) -> None:
    (tmp_path / "s.yaml").write_text(f"{HEAD}steps:\n- {step}\n")
    assert load(tmp_path / "s.yaml", FAULTS).scenario.portable is portable


def test_phases_and_reasons_are_those_of_the_state_machine() -> None:
    assert get_args(PhaseName) == tuple(Phase)
    assert get_args(ReasonName) == tuple(sorted(Reason))
