"""`hourglass-sim search` as a user meets it: what is said, what is written, exit codes."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hourglass_simulator.cli import main

PLAN = """\
scenario: Never ready
shows: The image has no readiness.
manifests: []
steps:
- at: 0s
  apply:
    apiVersion: hourglass.eigenlayer.io/v1alpha1
    kind: Performer
    metadata: {name: a}
    spec: {avsAddress: "0x1234567890abcdef1234567890abcdef12345678", image: "avs/worker:v1"}
- at: 0s
  fault: {never-ready: {image: "*"}}
settles: {within: 1m, quietFor: 1m}
"""


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "never-ready.yaml").write_text(PLAN)
    (tmp_path / "ready.yaml").write_text(PLAN.replace('"*"', '"other:*"'))
    (tmp_path / "checks.yaml").write_text(PLAN + "x: 1\n")
    (tmp_path / "relative.yaml").write_text(PLAN.replace("at: 0s\n  fault", "after: 0s\n  fault"))
    return tmp_path


def sim(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["search", *arguments])


def rows(result: Result) -> list[dict[str, dict[str, object]]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_nothing_found(files: Path) -> None:
    result = sim("ready.yaml", "--only", "crashes", "-o", "json")
    assert result.exit_code == 0
    (end,) = rows(result)
    counts = end["end"]
    assert (counts["plans"], counts["findings"]) == (13, 0)


def test_a_finding_is_shrunk_written_and_played_again(files: Path) -> None:
    result = sim("never-ready.yaml", "--only", "errors", "--out", "found", "-o", "json")
    assert result.exit_code == 1
    (finding,) = [row["finding"] for row in rows(result) if "finding" in row]
    assert finding["oracle"] == "settles"
    assert [name for _, name, _ in finding["plan"]] == ["apply", "fault"]  # type: ignore[attr-defined]
    assert str(finding["file"]) == "found/001-settles.yaml"
    again = sim("--plan", str(finding["file"]))
    assert again.exit_code == 1
    assert "settles: performer default/a" in again.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--seeds", "5"], "expected A..B"),
        (["--seeds", "9..3"], "expected A..B"),
        (["--shard", "4/4"], "expected I/N"),
        (["--for", "ten"], "is not a duration"),
        (["--for", "1s", "--seeds", "0..1"], "exclude each other"),
        (["missing.yaml"], "missing.yaml"),
        (["checks.yaml"], "checks.yaml"),
        (["--plan", "relative.yaml"], "each step of a plan has `at`"),
    ],
    ids=lambda case: " ".join(case) if isinstance(case, list) else "",
)
def test_bad_input(files: Path, arguments: list[str], says: str) -> None:
    result = sim(*arguments)
    assert result.exit_code == 2
    assert says in result.output


def test_shards_have_nothing_in_common_and_leave_nothing_out(files: Path) -> None:
    counts = [
        rows(sim("ready.yaml", "--only", "crashes", "--shard", f"{part}/3", "-o", "json"))[-1]
        for part in range(3)
    ]
    assert sum(int(str(count["end"]["plans"])) for count in counts) == 13
