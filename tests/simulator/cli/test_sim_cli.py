"""`hourglass-sim` as a user meets it: output, files, exit codes."""

# ruff: noqa: E501 - the snapshots are what is printed

import json
import re
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from inline_snapshot import snapshot
from pydantic import BaseModel, ConfigDict, Field

from hourglass_simulator.cli import COMMANDS, main
from hourglass_simulator.cli.parts import Parts
from hourglass_simulator.cli.serve import writable
from hourglass_simulator.scenario.cluster import Cluster
from scenario_backend import ScriptedBackend

MET = """\
scenario: A Performer comes up
shows: That it does.
manifests:
- {apiVersion: hourglass.eigenlayer.io/v1alpha1, kind: Performer, metadata: {name: w}}
steps:
- eventually: {within: 60s, performers: {w: {phase: Running}}}
"""
NOT_MET = MET.replace("comes up", "never fails").replace("Running", "Failed")
BAD = MET.replace("eventually", "eventualy")


class _Parameters(BaseModel):
    model_config = ConfigDict(extra="forbid")

    node: str
    how_long: str = Field("5m", alias="for")


class _NodeLost:
    doc = "The node does not answer any more."
    parameters = _Parameters


Sim = Callable[..., Result]


@pytest.fixture
def sim(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sim:
    """Runs a command line in a directory with met.yaml, not-met.yaml, bad.yaml and many/."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "many").mkdir()
    for name, text in {
        "met": MET,
        "not-met": NOT_MET,
        "bad": BAD,
        "many/a": MET,
        "many/b": NOT_MET,
        "many/c": MET.replace("- eventually", "- fault: {nodeLost: {node: a}}\n- eventually"),
    }.items():
        (tmp_path / f"{name}.yaml").write_text(text)
    parts = Parts(backend=ScriptedBackend, faults={"nodeLost": _NodeLost()})

    def invoke(*words: str) -> Result:
        result = CliRunner().invoke(main, words, obj=parts)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return invoke


def test_a_scenario_that_is_met_shows_its_timeline_and_exits_with_0(sim: Sim) -> None:
    result = sim("run", "met.yaml")
    assert result.exit_code == 0
    assert "Pending → Running" in result.stdout
    assert result.stderr == ""


HOSTILE = r"\e]0;owned\a\e[2J\u202e"


@pytest.mark.parametrize(
    "command",
    ["run hostile.yaml", "run many", "explain hostile.yaml", "list many", "run worse.yaml"],
)
def test_nothing_that_a_terminal_acts_upon_is_printed(sim: Sim, command: str) -> None:
    hostile = MET.replace("A Performer comes up", f'"{HOSTILE}"').replace(
        "That it does.", f'"{HOSTILE}"'
    )
    Path("hostile.yaml").write_text(hostile)
    Path("many/d.yaml").write_text(hostile.replace("Running", "Failed"))
    Path("worse.yaml").write_text(MET.replace("eventually", f'"{HOSTILE}"'))
    result = sim(*command.split())
    printed = result.stdout + result.stderr
    assert all(line.isprintable() for line in printed.split("\n"))
    assert r"\x1b]0;owned\x07\x1b[2J\u202e" in printed


def test_a_scenario_that_is_not_met_exits_with_1(sim: Sim) -> None:
    result = sim("run", "not-met.yaml")
    assert result.exit_code == 1
    assert "expected phase Failed within 1m, found Running" in result.stdout


def test_many_scenarios_show_a_line_each_and_a_sum(sim: Sim) -> None:
    result = sim("run", "many", "--seed", "7")
    assert result.exit_code == 1
    assert result.stderr == ""
    assert result.stdout.splitlines() == snapshot(
        [
            "met     many/a.yaml  A Performer comes up  (5m3s)",
            "NOT MET many/b.yaml  A Performer never fails  (6m)",
            "          steps[0]: performer default/w: expected phase Failed within 1m, found Running",
            "met     many/c.yaml  A Performer comes up  (5m3s)",
            "2 of 3 scenarios met every expectation (seed 7)",
        ]
    )


def test_a_bad_scenario_exits_with_2_and_plays_nothing(sim: Sim) -> None:
    result = sim("run", "met.yaml", "bad.yaml")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("bad.yaml:6: steps[0].eventualy: unknown key; expected one of")


@pytest.mark.parametrize("command", ["run", "list", "explain"])
def test_every_command_refuses_bad_input_alike(sim: Sim, command: str) -> None:
    for path in ("bad.yaml", "none.yaml"):
        result = sim(command, path)
        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr.startswith(f"{path}:")


@pytest.mark.parametrize(
    "words",
    [
        ["run"],
        ["run", "met.yaml", "--sed", "1"],
        ["run", "met.yaml", "--seed", "x"],
        ["run", "met.yaml", "--seed", "-1"],
        ["run", "met.yaml", "-o", "xml"],
        ["run", "met.yaml", "--trace", "no/such/directory/t"],
        ["explain"],
        ["no-such-command"],
    ],
    ids=" ".join,
)
def test_a_wrong_command_line_exits_with_2_and_says_what_is_wrong(
    sim: Sim, words: list[str]
) -> None:
    result = sim(*words)
    assert result.exit_code == 2
    assert "Error: " in result.stderr
    assert "Traceback" not in result.stderr


def test_an_empty_directory_exits_with_2(sim: Sim) -> None:
    Path("empty").mkdir()
    result = sim("run", "empty")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "empty: a directory without scenarios (*.yaml)\n"


def test_reports_are_written(sim: Sim) -> None:
    sim("run", "many", "--junit", "j.xml", "--html", "h.html", "--trace", "t", "--summary", "s.md")
    assert "A Performer never fails" in Path("j.xml").read_text()
    assert "<html" in Path("h.html").read_text()
    assert Path("t").read_text().endswith("\n")
    assert Path("s.md").read_text().startswith("## ")


def test_the_same_seed_gives_the_same_trace(sim: Sim) -> None:
    for name in ("a", "b"):
        sim("run", "many", "--seed", "3", "--trace", name)
    assert Path("a").read_bytes() == Path("b").read_bytes()
    assert Path("a").stat().st_size > 0


def test_seed_and_version_reach_the_backend(tmp_path: Path) -> None:
    made: list[tuple[int, str]] = []

    def backend(seed: int, cluster: Cluster) -> ScriptedBackend:
        made.append((seed, cluster.kubernetes))
        return ScriptedBackend(seed)

    (tmp_path / "met.yaml").write_text(MET)
    parts = Parts(backend=backend, faults={})
    CliRunner().invoke(main, ["run", str(tmp_path), "--seed", "11"], obj=parts)
    assert made == [(11, "1.34")]


def test_json_is_for_programs(sim: Sim) -> None:
    result = sim("run", "many", "-o", "json")
    assert result.exit_code == 1
    rows = json.loads(result.stdout)
    assert [(row["file"], row["met"]) for row in rows] == [
        ("many/a.yaml", True),
        ("many/b.yaml", False),
        ("many/c.yaml", True),
    ]
    assert rows[1]["steps"][1] == snapshot(
        {
            "where": "steps[0]",
            "text": "eventually, within 1m: w is Failed",
            "started": 0.0,
            "ended": 60.0,
            "met": False,
            "failures": [
                {
                    "subject": "performer default/w",
                    "expected": "phase Failed within 1m",
                    "seen": "Running",
                }
            ],
        }
    )


def test_list_shows_a_table(sim: Sim) -> None:
    result = sim("list", "many")
    assert result.exit_code == 0
    assert [line.rstrip() for line in result.stdout.splitlines()] == snapshot(
        [
            "FILE         SCENARIO                 RUNS ON",
            "many/a.yaml  A Performer comes up     any cluster",
            "many/b.yaml  A Performer never fails  any cluster",
            "many/c.yaml  A Performer comes up     simulator",
        ]
    )


def test_list_looks_into_scenarios_by_default(sim: Sim) -> None:
    Path("many").rename("scenarios")
    assert "scenarios/a.yaml" in sim("list").stdout


def test_what_is_not_there_is_that_of_the_package(sim: Sim) -> None:
    name = "scenarios/first-performer.yaml"
    assert sim("list", name).stdout.splitlines()[1].startswith(f"{name} ")
    assert sim("explain", name).exit_code == 0


def test_what_is_there_goes_before_that_of_the_package(sim: Sim) -> None:
    Path("scenarios").mkdir()
    Path("met.yaml").rename("scenarios/demo.yaml")
    assert "A Performer comes up" in sim("explain", "scenarios/demo.yaml").stdout


def test_list_prints_json(sim: Sim) -> None:
    assert json.loads(sim("list", "many", "-o", "json").stdout)[0] == snapshot(
        {
            "file": "many/a.yaml",
            "scenario": "A Performer comes up",
            "shows": "That it does.",
            "steps": 1,
            "portable": True,
        }
    )


def test_explain_wraps_lines_for_the_terminal(sim: Sim, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    result = sim("explain", "met.yaml")
    assert result.exit_code == 0
    assert result.stdout == snapshot("""\
A Performer comes up

That it does.

The cluster
  - Kubernetes 1.34
  - nodes node-1 to node-3: 8 CPU, 32Gi

What happens
  At the start: apply Performer w.
  0. Eventually, within 1m:
       - w is Running

How it ends
  Within 15m everything settles, and for 5m after that it
  stays so and the operator writes nothing.
  Every Performer is as its spec asks.

It runs on a real cluster too: every step is a plain API
operation.
""")


def test_faults_lists_what_can_be_injected(sim: Sim) -> None:
    assert [line.rstrip() for line in sim("faults").stdout.splitlines()] == snapshot(
        [
            "FAULT     PARAMETERS   WHAT IT DOES",
            "nodeLost  node, [for]  The node does not answer any more.",
        ]
    )
    [row] = json.loads(sim("faults", "-o", "json").stdout)
    assert (row["fault"], row["doc"]) == ("nodeLost", "The node does not answer any more.")


def test_output_in_a_pipe_has_no_colour(sim: Sim) -> None:
    for words in (["run", "many"], ["run", "met.yaml"], ["list", "many"], ["faults"]):
        assert "\x1b" not in sim(*words).stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_says_what_it_is_for(name: str) -> None:
    command = main.get_command(click.Context(main), name)
    assert command is not None
    assert command.name == name
    result = CliRunner().invoke(command, ["--help"])
    assert result.exit_code == 0
    assert command.help
    assert len(command.help.splitlines()[0]) < 100


@pytest.mark.parametrize("name", ["run", "list", "explain"])
def test_help_teaches_with_examples(name: str) -> None:
    text = CliRunner().invoke(main, [name, "--help"]).stdout
    assert "Example" in text
    assert f"hourglass-sim {name}" in text


def test_an_error_in_the_simulator_itself_says_what_was_played(sim: Sim) -> None:
    class Broken(ScriptedBackend):
        def advance(self, until: float, stop: Callable[[], bool]) -> None:
            raise RuntimeError("a bug")

    result = CliRunner().invoke(
        main, ["run", "met.yaml", "--seed", "5"], obj=Parts(backend=Broken, faults={})
    )
    assert result.exit_code == 3
    assert re.fullmatch(
        r"main: an error of the program itself, not an answer: RuntimeError at "
        r"test_sim_cli\.py:\d+: a bug while met\.yaml was played with seed 5\n",
        result.stderr,
    )


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("where", ["a part of the cluster", "what is played"])
def test_serve_ends_when_its_cluster_fails(
    sim: Sim, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a bug")

    # Those of the tests stay.
    monkeypatch.setattr("signal.signal", lambda *_: None)
    if where == "what is played":
        # The name of the module is that of the command, too.
        monkeypatch.setattr(sys.modules["hourglass_simulator.cli.serve"], "set_up", fail)
    else:
        at_once = lambda cluster: cluster.clock.at(0.0, fail)  # noqa: E731
        monkeypatch.setattr("hourglass_simulator.cluster.Cluster.fill_namespaces", at_once)
    result = CliRunner().invoke(main, ["serve", "--kubeconfig", str(tmp_path / "kubeconfig")])
    assert result.exit_code == 3
    assert re.fullmatch(
        r"main: an error of the program itself, not an answer: RuntimeError at "
        r"test_sim_cli\.py:\d+: a bug in the simulated cluster, \S+ after its start",
        result.stderr.splitlines()[-1],
    )


OTHERS = [
    ("a text", "precious"),
    ("bytes that are no text", b"\xff\xfe"),
    ("a kubeconfig of another cluster", "contexts: [{name: production}]"),
    ("nesting without end", "[" * 1_000),
    ("contexts that are a number", "contexts: 5"),
    ("a value that is none of its type", "contexts: !!int x"),
    ("one that has other contexts too", "contexts: [{name: simulator}, {name: production}]"),
]


@pytest.mark.parametrize("content", [o[1] for o in OTHERS], ids=[o[0] for o in OTHERS])
def test_serve_does_not_write_over_what_is_not_its_own(
    sim: Sim, tmp_path: Path, content: str | bytes
) -> None:
    there = tmp_path / "kubeconfig"
    there.write_bytes(content if isinstance(content, bytes) else content.encode())
    before = there.read_bytes()
    result = sim("serve", "--kubeconfig", "kubeconfig")
    assert result.exit_code == 2
    assert "'--kubeconfig': kubeconfig: expected a new file or one that this" in result.output
    assert there.read_bytes() == before


@pytest.mark.parametrize("place", [".", "nowhere/kubeconfig"])
def test_serve_needs_a_file_in_a_directory(sim: Sim, place: str) -> None:
    result = sim("serve", "--kubeconfig", place)
    assert result.exit_code == 2
    assert "expected a file in a directory that exists" in result.output


def test_serve_writes_over_its_own_kubeconfig(tmp_path: Path) -> None:
    there = tmp_path / "kubeconfig"
    assert writable(there) == there
    there.write_text("contexts: [{name: simulator}]")
    assert writable(there) == there


@pytest.mark.parametrize("given", [["--rbac"], ["--tls"], []])
def test_serve_is_over_https_where_users_matter(
    sim: Sim, monkeypatch: pytest.MonkeyPatch, given: list[str]
) -> None:
    asked = []

    def served(_: object, **options: object) -> None:
        asked.append(options["authority"] is not None)
        raise OSError(98, "taken")

    monkeypatch.setattr(import_module("hourglass_simulator.cli.serve"), "served", served)
    sim("serve", *given)
    # Programs in Go send no credentials over HTTP.
    assert asked == [bool(given)]


@pytest.mark.parametrize("given", ["kubelets", "kubelet,etcd", "", "kubelet,"])
def test_serve_leaves_out_parts_that_there_are(sim: Sim, given: str) -> None:
    result = sim("serve", "--without", given)
    assert result.exit_code == 2
    wrong = given.rpartition(",")[2]
    text = f"expected some of kubelet, scheduler, controllers, found '{wrong}'"
    assert f"Invalid value for '--without': {text}" in " ".join(result.output.split())
