"""The documentation names what there is, and its links lead somewhere."""

import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from hourglass_operator.runtime.process.preflight import Exit
from hourglass_simulator.faults import REGISTRY
from hourglass_simulator.harness.backend import SimulatedBackend
from hourglass_simulator.scenario import load, run
from hourglass_statemachine import Phase, Reason

DOCS = Path(__file__).parents[1] / "docs"
MADE = [
    ("crd.md", "hourglass_operator.api.reference"),
    ("cli.md", "hourglass_operator.cli.reference"),
    ("cli-simulator.md", "hourglass_simulator.cli.reference"),
]
PAGES = sorted(DOCS.glob("*.md"))
LINKS = [
    (page.name, link)
    for page in PAGES
    for link in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
]


@pytest.mark.parametrize(("page", "link"), LINKS, ids=[f"{page}: {link}" for page, link in LINKS])
def test_a_link_leads_somewhere(page: str, link: str) -> None:
    assert (DOCS / link).exists()


ROOT_LINKS = [
    (page.name, link)
    for page in sorted(DOCS.parent.glob("*.md"))
    if page.name != "README.md"
    for link in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
]


@pytest.mark.parametrize(
    ("page", "link"), ROOT_LINKS, ids=[f"{page}: {link}" for page, link in ROOT_LINKS]
)
def test_a_link_of_the_root_leads_somewhere(page: str, link: str) -> None:
    assert (DOCS.parent / link).exists()


@pytest.mark.parametrize("page", ["README.md", "deploy/README.md", "docs/getting-started.md"])
def test_the_version_is_that_of_the_package(page: str) -> None:
    text = (DOCS.parent / page).read_text(encoding="utf-8")
    named = r"hourglass-performer-operator:(\d[\w.]*\w)|\?ref=v(\d[\w.]*\w)"
    found = {"".join(groups) for groups in re.findall(named, text)}
    assert found == {version("hourglass-performer-operator")}


@pytest.mark.parametrize(("name", "module"), MADE, ids=[name for name, _ in MADE])
def test_a_page_that_is_made_from_the_code_is_up_to_date(name: str, module: str) -> None:
    # In a process of its own: Click remembers how a command was called first.
    command = [sys.executable, "-m", module]
    made = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert (DOCS / name).read_text(encoding="utf-8") == made, "run `make generate`"


def first_cells(page: str) -> list[str]:
    text = (DOCS / page).read_text(encoding="utf-8")
    return re.findall(r"^\| `?([\w-]+)`? \|", text, flags=re.MULTILINE)


def test_every_reason_is_explained_once() -> None:
    explained = [cell for cell in first_cells("reasons.md") if cell != "reason"]
    assert sorted(explained) == sorted(str(reason) for reason in Reason)


def test_every_phase_is_explained() -> None:
    assert set(map(str, Phase)) <= set(first_cells("concepts.md"))


def test_every_exit_code_is_explained() -> None:
    codes = [int(cell) for cell in first_cells("operations.md") if cell.isdigit()]
    assert codes == [int(code) for code in Exit]


def test_the_scenario_of_the_document_goes_as_it_says(tmp_path: Path) -> None:
    text = (DOCS / "scenarios.md").read_text(encoding="utf-8")
    block = re.search(r"```yaml\n(scenario:.*?)```", text, flags=re.DOTALL)
    assert block is not None
    file = tmp_path / "scenario.yaml"
    file.write_text(block[1], encoding="utf-8")
    result = run(load(file, REGISTRY), SimulatedBackend())
    assert result.met, [failure for _, failure in result.failures]


def test_the_test_of_an_operator_in_kopf_is_that_of_the_example() -> None:
    text = (DOCS / "any-operator.md").read_text(encoding="utf-8")
    block = re.search(r"```python\n(.*?)```", text, flags=re.DOTALL)
    assert block is not None
    example = (DOCS.parent / "examples/kopf-operator/test_websites.py").read_text(encoding="utf-8")
    parts = block[1].strip().split("\n\n\n")
    assert len(parts) == 3
    assert [part for part in parts if part not in example] == []
