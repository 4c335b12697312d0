"""The wheel stands alone: its programs run in an empty folder, without the repository."""

import json
import os
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import pytest
import yaml

from clusters import wait_until
from hourglass_operator.manifests.roles import NAME as OPERATOR
from images import project_wheel
from processes import process
from requirements import NAME, needed

Run = Callable[..., str]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the wheel, what it requires, and pytest, all of this one's."""
    folder = tmp_path_factory.mktemp("wheel")
    made = folder / "environment"
    venv.create(made, symlinks=True)
    python = str(made / "bin" / "python")
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps"]
    subprocess.run([*pip, str(project_wheel(folder / "wheels"))], check=True)
    (packages,) = made.glob("lib/python*/site-packages")
    here = Path(sysconfig.get_path("purelib"))
    for name in sorted(needed(NAME, extras=False) | {"pytest"} | needed("pytest", extras=False)):
        for top in {file.parts[0] for file in metadata.files(name) or ()} - {"..", "__pycache__"}:
            if not (packages / top).exists():
                (packages / top).symlink_to(here / top)
    return made


@pytest.fixture
def run(environment: Path, tmp_path: Path) -> Run:
    """Runs a program of the wheel in an empty folder; returns what it prints."""

    def output(program: str, *arguments: str) -> str:
        done = subprocess.run(
            [str(environment / "bin" / program), *arguments],
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr
        return done.stdout

    return output


def test_the_code_is_that_of_the_wheel(run: Run, environment: Path) -> None:
    for package in ("hourglass_kube", "hourglass_operator", "hourglass_simulator"):
        found = run("python", "-c", f"import {package}; print({package}.__path__[0])").strip()
        assert Path(found).is_relative_to(environment)


def test_the_demo_plays(run: Run) -> None:
    assert "met: every expectation" in run("hourglass-sim", "demo")


def test_the_scenarios_are_listed_and_can_be_played_by_these_names(run: Run) -> None:
    listed = [line.split()[0] for line in run("hourglass-sim", "list").splitlines()[1:]]
    assert len(listed) > 200
    name = "scenarios/rolling-upgrade.yaml"
    assert name in listed
    assert "met: every expectation" in run("hourglass-sim", "run", name)
    assert "--simulated-kubernetes" in run("python", "-m", "pytest", "--help")


def test_the_operator_prints_what_a_cluster_needs(run: Run) -> None:
    definition = yaml.safe_load(run("hourglass-operator", "crd"))
    text = run("hourglass-operator", "manifests", "--image", "registry.example.com/operator:v1")
    found = [obj for obj in yaml.safe_load_all(text) if obj]
    assert found[0] == definition
    (deployment,) = (obj for obj in found if obj["kind"] == "Deployment")
    assert deployment["metadata"]["name"] == OPERATOR
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "registry.example.com/operator:v1"


def test_a_manifest_is_checked_against_a_cluster(run: Run, tmp_path: Path) -> None:
    node = {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": "a"},
        "status": {
            "allocatable": {"cpu": "4", "memory": "8Gi", "pods": "110"},
            "conditions": [{"type": "Ready", "status": "True"}],
        },
    }
    listed = {"apiVersion": "v1", "kind": "List", "items": [node]}
    (tmp_path / "cluster.json").write_text(json.dumps(listed))
    checked = run("hourglass-sim", "check", "examples/minimal.yaml", "--cluster", "cluster.json")
    assert "my-avs-project/minimal-performer  yes        a" in checked


def test_a_simulated_cluster_is_served_to_the_plugin(
    run: Run, environment: Path, tmp_path: Path
) -> None:
    kubeconfig, log = tmp_path / "kubeconfig", tmp_path / "serve.log"
    serve = environment / "bin" / "hourglass-sim"
    scenario = ("--scenario", "scenarios/first-performer.yaml")
    with process([serve, "serve", *scenario, "--kubeconfig", kubeconfig], log, HOME=str(tmp_path)):
        wait_until("it serves", lambda: "serving Kubernetes" in log.read_text())
        said = run("kubectl-performer", "list", "-A", "--kubeconfig", str(kubeconfig))
    assert said.splitlines()[0].split()[:2] == ["NAMESPACE", "NAME"]


def test_the_plugin_of_kubectl_runs(run: Run) -> None:
    assert "why" in run("kubectl-performer", "--help")
