"""The GitHub Action and the GitLab template do in the example repository what they say."""

import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples" / "ci"
PATH = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
REPORTS = {"junit.xml", "scenarios.html", "summary.md"}
# Every single trouble takes too long here.
SEARCH = "--seeds 0..1"


def loaded(file: Path) -> list[Any]:
    # In YAML 1.1 `on` is true.
    return list(yaml.load_all(file.read_text("utf-8"), yaml.BaseLoader))


def github() -> tuple[dict[str, Any], dict[str, str]]:
    """The action, and what the example gives it."""
    (action,) = loaded(ROOT / "action.yml")
    (workflow,) = loaded(EXAMPLE / ".github" / "workflows" / "performers.yaml")
    (given,) = (step["with"] for step in workflow["jobs"]["performers"]["steps"] if "with" in step)
    return action, given


def gitlab() -> tuple[dict[str, Any], dict[str, Any], dict[str, str]]:
    """The inputs of the template, its job, and what the example gives it."""
    head, jobs = loaded(ROOT / "ci" / "gitlab.yml")
    (include,) = loaded(EXAMPLE / ".gitlab-ci.yml")[0]["include"]
    return head["spec"]["inputs"], jobs["hourglass"], include["inputs"]


def chosen(inputs: dict[str, Any], given: dict[str, str]) -> dict[str, str]:
    assert given.keys() <= inputs.keys()
    return {name: each["default"] for name, each in inputs.items()} | given | {"search": SEARCH}


def scripts_of_github() -> list[tuple[str, dict[str, str]]]:
    """Each script with its variables."""
    action, given = github()
    values = chosen(action["inputs"], given)
    steps = [step for step in action["runs"]["steps"] if "hourglass-sim" in step.get("run", "")]
    return [
        (step["run"], {name: filled(text, values) for name, text in step["env"].items()})
        for step in steps
    ]


def scripts_of_gitlab() -> list[tuple[str, dict[str, str]]]:
    inputs, job, given = gitlab()
    values = chosen(inputs, given)
    variables = {name: filled(text, values) for name, text in job["variables"].items()}
    prepare = [line for line in job["before_script"] if not line.startswith("pip ")]
    return [(line, variables) for line in (*prepare, *job["script"])]


def filled(text: str, values: dict[str, str]) -> str:
    """With the values of the inputs that it names."""
    return re.sub(r"\$(?:\{\{|\[\[) inputs\.(\w+) (?:\}\}|\]\])", lambda m: values[m[1]], text)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    shutil.copytree(EXAMPLE, tmp_path / "repository")
    return tmp_path / "repository"


def commands(scripts: list[tuple[str, dict[str, str]]]) -> list[str]:
    lines = (line for script, _ in scripts for line in script.splitlines())
    return re.findall(r"hourglass-sim .*?(?= \|\||$)", "\n".join(lines), flags=re.MULTILINE)


def test_both_run_the_same_commands() -> None:
    assert len(commands(scripts_of_github())) == 3
    assert commands(scripts_of_github()) == commands(scripts_of_gitlab())


def test_the_commands_run_in_the_example(repository: Path) -> None:
    for script, variables in scripts_of_gitlab():
        done = subprocess.run(
            ["bash", "-e", "-c", script],
            cwd=repository,
            env={"PATH": PATH, **variables},
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    results = repository / "hourglass-results"
    assert {file.name for file in results.iterdir() if file.is_file()} == REPORTS
    assert (results / "summary.md").read_text().startswith("## 1 of 1 scenarios met")


def test_a_scenario_that_fails_fails_the_step_of_github_and_is_in_its_summary(
    repository: Path,
) -> None:
    scenario = repository / "scenarios" / "upgrade.yaml"
    scenario.write_text(scenario.read_text().replace("phase: Running", "phase: Failed"))
    script, variables = scripts_of_github()[0]
    environment = {"PATH": PATH, "GITHUB_STEP_SUMMARY": "shown.md", **variables}
    done = subprocess.run(
        ["bash", "-e", "-c", script], cwd=repository, env=environment, capture_output=True
    )
    assert done.returncode == 1
    assert "**NOT MET**" in (repository / "shown.md").read_text()


def test_they_name_the_version_that_this_is() -> None:
    inputs, _, _ = gitlab()
    assert inputs["version"]["default"] == version("hourglass-performer-operator")
    texts = [file.read_text() for file in EXAMPLE.rglob("*.y*ml")] + [
        (ROOT / "ci" / "gitlab.yml").read_text()
    ]
    named = {found for text in texts for found in re.findall(r"[@/](v\d+\.\d+\.\d+)\b", text)}
    assert named == {f"v{version('hourglass-performer-operator')}"}
