"""The workflows of GitHub as actionlint judges them: what cannot be run here, checked."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from clusters.build import program
from clusters.errors import UnavailableError
from conftest import ClusterReport

ROOT = Path(__file__).parents[1]
WORKFLOWS = [
    *sorted((ROOT / ".github" / "workflows").glob("*.yaml")),
    *sorted((ROOT / "examples" / "ci" / ".github" / "workflows").glob("*.yaml")),
]


@pytest.fixture(scope="module")
def actionlint(cluster_report: ClusterReport) -> Path:
    try:
        return program("actionlint", cluster_report.add)
    except UnavailableError as error:
        pytest.skip(str(error))


def complaints(actionlint: Path, workflow: Path, folder: Path) -> str:
    """What it says of a workflow; scripts are looked at where shellcheck is."""
    # Workflows of the repository call each other, and are looked for below it.
    place = folder / ".github" / "workflows"
    place.mkdir(parents=True)
    for other in workflow.parent.iterdir():
        shutil.copy(other, place)
    (folder / ".git").mkdir()
    done = subprocess.run(
        [actionlint, "-no-color", place / workflow.name],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda file: str(file.relative_to(ROOT)))
def test_actionlint_has_nothing_to_say(workflow: Path, actionlint: Path, tmp_path: Path) -> None:
    assert complaints(actionlint, workflow, tmp_path) == ""


def test_actionlint_would_see_a_mistake(actionlint: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    text = (ROOT / ".github" / "workflows" / "test.yaml").read_text()
    (broken / "test.yaml").write_text(text.replace("matrix.python", "matrix.snake"))
    assert "snake" in complaints(actionlint, broken / "test.yaml", tmp_path / "checked")


def test_the_release_needs_no_secret_but_the_token_of_its_run() -> None:
    text = (ROOT / ".github" / "workflows" / "release.yaml").read_text()
    assert text.count("secrets.") == text.count("secrets.GITHUB_TOKEN") == 2
    jobs = yaml.safe_load(text)["jobs"]
    published = {"wheel", "image", "chart-and-bundle"}
    assert jobs.keys() == {"test", *published}
    assert all(
        "test" in jobs[name]["needs"] or jobs[name]["needs"] == "image" for name in published
    )
