"""OLM's own validators on the bundle, and on bundles that are broken."""

import shutil
import subprocess
from pathlib import Path

import pytest

from clusters.build import program
from clusters.errors import UnavailableError
from conftest import ClusterReport

ROOT = Path(__file__).parents[1]
NAME = "hourglass-performer-operator"
CSV = f"manifests/{NAME}.clusterserviceversion.yaml"
CATALOG = f"catalog/{NAME}/catalog.yaml"
UNSEEN = ("unable to inspect the image", '"error/error"')
"""What warnings say of an image that is not there to be pulled, as that of no release is."""


@pytest.fixture(scope="module")
def validator(cluster_report: ClusterReport) -> Path:
    try:
        return program("validate", cluster_report.add)
    except UnavailableError as error:
        pytest.skip(str(error))


def validated(validator: Path, bundle: Path) -> tuple[int, list[str]]:
    """The exit code, and the lines."""
    done = subprocess.run([validator, bundle], capture_output=True, text=True)
    return done.returncode, (done.stdout + done.stderr).splitlines()


def test_they_find_no_errors_and_warn_of_nothing_but_the_image(validator: Path) -> None:
    code, lines = validated(validator, ROOT / "bundle")
    *warnings, last = lines
    assert (code, last) == (
        0,
        "13 validators of operator-framework/api and the catalog's: 0 errors",
    )
    assert [each for each in warnings if not any(text in each for text in UNSEEN)] == []


BROKEN = [
    ("a category of its own", CSV, "AI/Machine Learning", "Other", "set of standard categories"),
    ("no semantic version", CSV, "minKubeVersion: ", "minKubeVersion: x", "MinKubeVersion"),
    (
        "a budget that lets nothing go",
        f"manifests/{NAME}.poddisruptionbudget.yaml",
        "maxUnavailable: 1",
        "maxUnavailable: 0",
        "maxUnavailable field cannot be set to 0",
    ),
    ("no such channel", CATALOG, "defaultChannel: ", "defaultChannel: x", "error: catalog: "),
    ("no head of a channel", CATALOG, "entries:", "entries: []\nx:", "error: catalog: "),
]


@pytest.mark.parametrize(
    ("file", "old", "new", "said"), [b[1:] for b in BROKEN], ids=[b[0] for b in BROKEN]
)
def test_a_broken_bundle_is_refused(
    file: str, old: str, new: str, said: str, validator: Path, tmp_path: Path
) -> None:
    bundle = tmp_path / "bundle"
    shutil.copytree(ROOT / "bundle", bundle)
    text = (bundle / file).read_text()
    assert old in text
    (bundle / file).write_text(text.replace(old, new, 1))
    code, lines = validated(validator, bundle)
    assert code == 1, lines
    assert any(line.startswith("error: ") and said in line for line in lines), lines


def test_a_folder_without_a_bundle_ends_with_code_2(validator: Path, tmp_path: Path) -> None:
    code, lines = validated(validator, tmp_path)
    assert code == 2
    assert "unable to find a csv" in lines[0]
