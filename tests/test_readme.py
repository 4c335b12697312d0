"""The commands of the README run."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
COMMANDS = re.findall(r"^\$ (.+?)(?:\s{2,}#.*)?$", README, flags=re.MULTILINE)
(ALL_SCENARIOS,) = (c for c in COMMANDS if " run scenarios " in c)
"""Played in test_scenarios.py."""
SNAPSHOT = """
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Node
  metadata: {name: gpu-1, labels: {accelerator: nvidia-tesla-a100}}
  status:
    allocatable: {cpu: "16", memory: 64Gi, pods: "110", nvidia.com/gpu: "2"}
    capacity: {cpu: "16", memory: 64Gi, pods: "110", nvidia.com/gpu: "2"}
    conditions: [{type: Ready, status: "True"}]
"""


def test_the_readme_has_commands() -> None:
    assert len(COMMANDS) >= 9


@pytest.mark.parametrize("command", [c for c in COMMANDS if c.startswith("make ")])
def test_make_target_exists(command: str) -> None:
    target = command.split()[1]
    made = subprocess.run(
        ["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stderr


@pytest.mark.parametrize(
    "command", [c for c in COMMANDS if "hourglass-sim" in c and c != ALL_SCENARIOS]
)
def test_command_runs(command: str, tmp_path: Path) -> None:
    for name in ("scenarios", "examples"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "cluster.json").write_text(json.dumps(yaml.safe_load(SNAPSHOT)))
    arguments = shlex.split(command)
    arguments[0] = str(Path(sys.executable).with_name("hourglass-sim"))
    done = subprocess.run(arguments, cwd=tmp_path, capture_output=True, text=True, check=False)
    expected = 1 if "--drain" in arguments else 0
    assert done.returncode == expected, done.stdout[-2000:] + done.stderr


@pytest.mark.parametrize("link", re.findall(r"\]\(([^)#:]+)\)", README))
def test_link_leads_somewhere(link: str) -> None:
    assert (ROOT / link).exists()
