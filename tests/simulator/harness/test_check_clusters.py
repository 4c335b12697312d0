"""`hourglass-sim check` of a cluster on which Performers run: all of them, and many manifests."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from builders import performer
from hourglass_kube.types import JSON
from hourglass_simulator.cli import main
from hourglass_simulator.harness.backend import SimulatedBackend

PRINTED = ("nodes", "namespaces", "performers", "pods", "poddisruptionbudgets")
NVIDIA = {"nvidia.com/gpu.product": "NVIDIA-A100-SXM4-40GB"}
BUDGET = {
    "metadata": {"name": "careful", "namespace": "default"},
    "spec": {"minAvailable": 2, "selector": {"matchLabels": {"app": "performer"}}},
}


def manifest(name: str, version: str = "v1", gpus: int = 0, **spec: Any) -> JSON:
    built = performer(name).build()
    hardware = {"gpuType": "nvidia-a100", "gpuCount": gpus} if gpus else {}
    return {
        "apiVersion": built["apiVersion"],
        "kind": built["kind"],
        "metadata": {"name": name, "namespace": "default"},
        "spec": {**built["spec"], "version": version, "hardwareRequirements": hardware, **spec},
    }


@cache
def running(*, budget: bool) -> str:
    """A node with two GPUs that `model` holds, and one without; on both runs `web` or could."""
    backend = SimulatedBackend()
    cluster = backend.cluster
    cluster.add_node("gpu", labels=NVIDIA, devices={"nvidia.com/gpu": 2})
    cluster.add_node("plain")
    cluster.images.push("*")
    if budget:
        cluster.api.create("poddisruptionbudgets", BUDGET, namespace="default")
    backend.target.operator.start()
    backend.apply(manifest("model", gpus=2))
    backend.apply(manifest("web"))
    cluster.run_until(60)
    kinds = {resource.name: resource for resource in cluster.api.resources()}
    items = [
        {"apiVersion": kinds[name].api_version, "kind": kinds[name].kind, **item}
        for name in PRINTED
        for item in cluster.api.list(name).items
    ]
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": items})


RECREATE = {"upgradeStrategy": {"type": "Recreate"}}
ROLLING = {"upgradeStrategy": {"type": "RollingUpdate"}}

CASES: list[tuple[str, list[list[JSON]], list[str], int, list[str]]] = [
    ("all of the cluster run", [], [], 0, ["default/model", "default/web"]),
    ("one of the cluster has no node left", [], ["--without", "gpu"], 1, ["nvidia-a100"]),
    (
        "what serves would be lost without a node",
        [],
        ["--without", "gpu"],
        1,
        ["no, loses v1", "your running version would be lost: v1 serves now"],
    ),
    (
        "a budget blocks the drain of a node with a Performer",
        [],
        ["--drain", "gpu"],
        1,
        ["not evicted", "The disruption budget careful needs 2 healthy pods"],
    ),
    (
        "several manifests in two files run",
        [[manifest("a"), manifest("b")], [manifest("c")]],
        [],
        0,
        ["default/a", "default/b", "default/c"],
    ),
    (
        "one of two files would not run",
        [[manifest("a")], [manifest("b", gpus=1)]],
        [],
        1,
        ["default/a", "needs 1 × nvidia-a100"],
    ),
    (
        "an upgrade gives up its hardware for a version that does not run",
        [[manifest("model", "v2", gpus=4, **RECREATE)]],
        [],
        1,
        ["no, loses v1", "your running version would be lost: v1 serves now"],
    ),
    (
        "an upgrade waits beside the version that serves",
        [[manifest("model", "v2", gpus=2, **ROLLING)]],
        [],
        1,
        ["v1 serves on"],
    ),
    ("an upgrade takes over its hardware", [[manifest("model", "v2", gpus=2)]], [], 0, ["yes"]),
]


def check(tmp_path: Path, files: list[list[JSON]], *options: str, budget: bool = False) -> Result:
    cluster = tmp_path / "cluster.json"
    cluster.write_text(running(budget=budget))
    named = []
    for number, documents in enumerate(files):
        file = tmp_path / f"{number}.yaml"
        file.write_text(yaml.safe_dump_all(documents))
        named += ["-f", str(file)]
    return CliRunner().invoke(main, ["check", "--cluster", str(cluster), *named, *options])


@pytest.mark.parametrize(
    ("files", "options", "code", "says"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_what_would_run(
    tmp_path: Path, files: list[list[JSON]], options: list[str], code: int, says: list[str]
) -> None:
    result = check(tmp_path, files, *options, budget="--drain" in options)
    assert result.exit_code == code, result.output
    for text in says:
        assert text in result.output


LONG = "a-performer-with-a-name-as-long-as-names-may-be-abc"


@pytest.mark.parametrize("width", ["80", "120", "200"])
def test_names_are_not_cut_whatever_the_width(
    tmp_path: Path, width: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", width)
    rows = [line.split() for line in check(tmp_path, [[manifest(LONG)]]).stdout.splitlines()]
    assert rows[:2] == [
        ["PERFORMER", "WOULD", "RUN", "NODE", "PHASE"],
        [f"default/{LONG}", "yes", "plain", "Running"],
    ]


def test_a_version_that_serves_on_is_not_lost(tmp_path: Path) -> None:
    assert "lose" not in check(tmp_path, [[manifest("model", "v2", gpus=2, **ROLLING)]]).output


@pytest.mark.parametrize(("form", "load"), [("json", json.loads), ("yaml", yaml.safe_load)])
def test_programs_read_the_same_in_either_form(tmp_path: Path, form: str, load: Any) -> None:
    lost = manifest("model", "v2", gpus=4, **RECREATE)
    (answer,) = load(check(tmp_path, [[lost]], "-o", form).stdout)
    assert (answer["kind"], answer["served"], answer["serves"]) == ("Performer", "v1", False)


def test_a_cluster_without_performers_is_nothing_to_check(tmp_path: Path) -> None:
    (tmp_path / "empty.yaml").write_text("items: []")
    command = ["check", "--cluster", str(tmp_path / "empty.yaml")]
    result = CliRunner().invoke(main, command)
    assert (result.exit_code, "nothing to check" in result.stderr) == (2, True)


def test_a_mistake_in_the_second_file_is_named_with_its_line(tmp_path: Path) -> None:
    wrong = manifest("b", image="")
    result = check(tmp_path, [[manifest("a")], [wrong]])
    assert result.exit_code == 2
    assert f"{tmp_path}/1.yaml:" in result.stderr
    assert "spec.image" in result.stderr


def test_an_error_of_the_program_is_no_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise KeyError("nobody thought of this")

    monkeypatch.setattr("hourglass_simulator.cli.check.serving", broken)
    result = check(tmp_path, [])
    assert (result.exit_code, "Traceback" in result.output) == (3, False)
