"""`kubectl performer` as a user meets it, on a simulated cluster: output and exit codes."""

import io
import json
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from builders import performer
from hourglass_operator.cli import kubectl_complete
from hourglass_operator.cli.plugin import main
from hourglass_simulator.cli import main as simulator
from hourglass_simulator.harness.backend import SimulatedBackend
from hourglass_simulator.http.served import served


def manifest(builder: Any) -> dict[str, Any]:
    built = builder.build()
    metadata = {"name": built["metadata"]["name"], "namespace": "default"}
    return {key: built[key] for key in ("apiVersion", "kind", "spec")} | {"metadata": metadata}


def hostile_event(performer: dict[str, Any]) -> dict[str, Any]:
    about = {key: performer["metadata"][key] for key in ("name", "namespace", "uid")}
    return {
        "metadata": {"name": "odd", "namespace": "default"},
        "involvedObject": {"kind": "Performer", **about},
        "reason": "Odd",
        "message": "\x1b[2J\n2026-01-01T00:00:00Z  all is well",
        "type": "Normal",
        "lastTimestamp": "2026-01-01T00:00:30Z",
    }


@pytest.fixture(scope="module")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Of a cluster with a Performer that serves and one without a GPU."""
    backend = SimulatedBackend()
    backend.cluster.add_node("plain")
    backend.cluster.images.push("*")
    backend.target.operator.start()
    backend.apply(manifest(performer("fine")))
    backend.apply(manifest(performer("waits").gpu("nvidia-a100", 2)))
    backend.cluster.run_until(60)
    fine = backend.cluster.api.get("performers", "default", "fine")
    backend.cluster.api.create("events", hostile_event(fine), namespace="default")
    file = tmp_path_factory.mktemp("plugin") / "kubeconfig"
    with served(backend.cluster) as there:
        there.write_kubeconfig(file)
        yield file


def run(kubeconfig: Path, *arguments: str) -> Result:
    command, *rest = arguments
    place = ["-n", "default", "--kubeconfig", str(kubeconfig)]
    return CliRunner().invoke(main, [command, *place, *rest])


SAYS: list[tuple[list[str], int, str]] = [
    (["hardware"], 0, "no node has a GPU or a TEE"),
    (["hardware", "-o", "json"], 0, "[]"),
    (["list"], 0, "HardwareUnavailable"),
    (["status", "fine"], 0, "History:"),
    (["why", "fine"], 0, "fine (Running, PodReady): "),
    (["why", "waits"], 1, "waits (Pending, HardwareUnavailable): needs 2 × nvidia-a100: "),
    (["wait", "fine", "--timeout", "5"], 0, "fine serves: Running: PodReady: pod performer-fine-"),
    (["wait", "waits", "--timeout", "0.2"], 1, "default/waits is not ready after 0.2 s\n"),
    (["list", "-o", "wide"], 0, "The scheduler says: "),
    (["list", "-o", "name"], 0, "performer.hourglass.eigenlayer.io/fine\n"),
    (["list", "-o", "yaml"], 0, "- namespace: default\n  name: fine\n"),
    (["status", "fine", "-o", "yaml"], 0, "namespace: default\nname: fine\n"),
    (["upgrade", "fine"], 2, "--image, --version or both are expected, found neither"),
    (["move", "waits"], 1, "default/waits is not moved, as no pod of it serves: Hardware"),
    (["restart", "waits"], 1, "default/waits is not restarted, as no pod of it serves: Hardware"),
    (["move", "nope"], 2, "nope"),
    (["why", "nope"], 2, "no Performer nope in namespace default; there are fine, waits"),
    (["status", "nope"], 2, "no Performer nope in namespace default; there are fine, waits"),
    (["logs", "nope"], 2, "no Performer nope in namespace default; there are fine, waits"),
    (["logs", "fine", "--tail", "-3"], 2, "'--tail'"),
    (["wait", "fine", "--timeout", "-5"], 2, "'--timeout'"),
    (["wait", "fine", "--timeout", "nan"], 2, "'nan' is not a number of seconds"),
    (["upgrade", "fine", "--version", "v2", "--timeout", "inf"], 2, "'inf' is not a number"),
]


def test_nodes_are_judged_by_the_catalogue_of_the_operator(
    kubeconfig: Path, tmp_path: Path
) -> None:
    file = tmp_path / "catalogue.yaml"
    file.write_text("gpus: [{names: [nvidia-a100], labels: {kubernetes.io/hostname: [plain]}}]")
    named = ["--hardware-catalogue", str(file)]
    assert "node plain offers no nvidia.com/gpu" in run(kubeconfig, "why", "waits", *named).output
    assert "node plain offers no nvidia.com/gpu" not in run(kubeconfig, "why", "waits").output


def test_a_mistake_in_the_catalogue_is_named(kubeconfig: Path, tmp_path: Path) -> None:
    file = tmp_path / "catalogue.yaml"
    file.write_text("gpus: [{names: [acme-1], resource: [wrong]}]")
    result = run(kubeconfig, "status", "waits", "--hardware-catalogue", str(file))
    assert (result.exit_code, "gpus[0].resource" in result.output) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "code", "said"), SAYS, ids=[" ".join(arguments) for arguments, *_ in SAYS]
)
def test_what_is_said_and_the_exit_code(
    kubeconfig: Path, arguments: list[str], code: int, said: str
) -> None:
    result = run(kubeconfig, *arguments)
    assert said in result.output
    assert result.exit_code == code


@pytest.mark.parametrize("command", ["list", "status fine", "why fine", "why waits", "wait fine"])
def test_programs_get_json(kubeconfig: Path, command: str) -> None:
    assert json.loads(run(kubeconfig, *command.split(), "-o", "json").stdout)


@pytest.mark.parametrize(
    "command", ["list", "status fine", "why fine", "status waits", "why waits"]
)
def test_nothing_that_a_terminal_acts_upon_is_printed(kubeconfig: Path, command: str) -> None:
    printed = run(kubeconfig, *command.split()).output
    assert all(line.isprintable() for line in printed.split("\n"))


def test_an_event_forges_no_line(kubeconfig: Path) -> None:
    assert (
        r"Odd: \x1b[2J\n2026-01-01T00:00:00Z  all is well"
        in run(kubeconfig, "status", "fine").output
    )


@pytest.mark.parametrize("command", ["list", "status waits", "why waits", "wait waits --timeout 0"])
def test_the_scheduler_is_not_quoted(kubeconfig: Path, command: str) -> None:
    printed = run(kubeconfig, *command.split()).output
    assert "needs 2 × nvidia-a100" in printed
    assert "The scheduler says" not in printed


def test_a_report_is_an_archive(kubeconfig: Path, tmp_path: Path) -> None:
    file = tmp_path / "report.tar.gz"
    said = json.loads(run(kubeconfig, "report", "--file", str(file), "-o", "json").stdout)
    with tarfile.open(file) as archive:
        cluster = json.load(archive.extractfile("performer-report/cluster.json") or io.BytesIO())
    assert said["contents"] == ["cluster.json", "events.json", "versions.json"]
    assert {"Node", "Performer", "Pod"} <= {item["kind"] for item in cluster["items"]}


def test_a_report_that_cannot_be_written_is_bad_input(kubeconfig: Path, tmp_path: Path) -> None:
    result = run(kubeconfig, "report", "--file", str(tmp_path / "nowhere" / "report.tar.gz"))
    assert (result.exit_code, "No such file or directory" in result.stderr) == (2, True)


@pytest.mark.parametrize("options", [[], ["--anonymize"]], ids=["as it is", "anonymized"])
def test_the_simulator_takes_snapshots(kubeconfig: Path, options: list[str]) -> None:
    command = ["snapshot", "--kubeconfig", str(kubeconfig), *options]
    items = json.loads(CliRunner().invoke(simulator, command).stdout)["items"]
    named = {item["metadata"]["name"] for item in items if item["kind"] == "Performer"}
    assert named == ({"worker-1", "worker-2"} if options else {"fine", "waits"})


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """The simulator's commands are run here: to start its program would take seconds."""

    def run(command: list[str], *, check: bool) -> subprocess.CompletedProcess[str]:
        result = CliRunner().invoke(simulator, command[1:])
        click.echo(result.output, nl=False)
        return subprocess.CompletedProcess(command, result.exit_code)

    monkeypatch.setattr("subprocess.run", run)


CHECKED: list[tuple[str, list[str], int, str]] = [
    ("all that there are", [], 1, "default/waits"),
    ("all that there are, as JSON", ["-o", "json"], 1, '"name": "waits"'),
    ("all that there are, as YAML", ["-o", "yaml"], 1, "name: waits\n"),
    ("the drain of a node that is not there", ["--drain", "nope"], 2, "no node nope"),
    ("a file that is not there", ["-f", "nope.yaml"], 2, "nope.yaml"),
]


@pytest.mark.usefixtures("in_this_process")
@pytest.mark.parametrize(
    ("arguments", "code", "said"), [c[1:] for c in CHECKED], ids=[c[0] for c in CHECKED]
)
def test_the_cluster_that_there_is_can_be_checked(
    kubeconfig: Path, arguments: list[str], code: int, said: str
) -> None:
    result = run(kubeconfig, "check", *arguments)
    assert (result.exit_code, said in result.output) == (code, True), result.output


COMPLETED: list[tuple[list[str], list[str]]] = [
    (["wh"], ["why"]),
    (["list", "-o", "w"], ["wide"]),
    (["completion", ""], ["bash", "zsh", "fish"]),
]


@pytest.mark.parametrize(("words", "found"), COMPLETED, ids=[str(words) for words, _ in COMPLETED])
def test_kubectl_is_told_what_completes(words: list[str], found: list[str]) -> None:
    assert kubectl_complete.lines(words) == [*found, ":4"]


def test_names_are_completed_from_the_cluster(kubeconfig: Path, tmp_path: Path) -> None:
    place = ["why", "-n", "default", "--kubeconfig"]
    assert kubectl_complete.lines([*place, str(kubeconfig), "w"]) == ["waits", ":4"]
    assert kubectl_complete.lines([*place, str(tmp_path / "missing"), "w"]) == [":4"]


def test_a_script_completes_the_program() -> None:
    script = CliRunner().invoke(main, ["completion", "bash"]).output
    assert "_KUBECTL_PERFORMER_COMPLETE=bash_complete" in script


KUBECONFIGS = [
    ("bytes that are no text", b"\xff\xfe\x00", "not a kubeconfig"),
    ("no YAML", b"a: [b", "not a kubeconfig"),
    ("nesting without end", b"[" * 1_000, "not a kubeconfig"),
    ("a list", b"- a", "not a kubeconfig"),
    ("nothing", b"", "not a kubeconfig"),
    ("no contexts", b"contexts: 5", "kubeconfig"),
    ("a context that is a number", b"contexts: [{name: a, context: 5}]\ncurrent-context: a", "a"),
    ("a value that is none of its type", b"a: !!bool x", "not a kubeconfig"),
]


@pytest.mark.parametrize(
    ("content", "said"), [k[1:] for k in KUBECONFIGS], ids=[k[0] for k in KUBECONFIGS]
)
@pytest.mark.parametrize("command", ["list", "why fine", "wait fine", "logs fine"])
def test_a_broken_kubeconfig_is_named(
    command: str, content: bytes, said: str, tmp_path: Path
) -> None:
    file = tmp_path / "config"
    file.write_bytes(content)
    name, *rest = command.split()
    result = CliRunner().invoke(main, [name, *rest, "--kubeconfig", str(file)])
    assert result.exit_code == 2, result.exception
    assert str(file) in result.output
    assert said in result.output
