"""The versions of Kubernetes that were tested are the same wherever they are said."""

import re
from pathlib import Path

import pytest

from hourglass_operator.manifests.kubernetes_versions import OLDEST, RANGE, TESTED
from hourglass_simulator.kubernetes.version import VERSIONS

ROOT = Path(__file__).parents[3]
DOCUMENTS = [
    "README.md",
    "Makefile",
    "deploy/README.md",
    "deploy/chart/Chart.yaml",
    "docs/getting-started.md",
    "e2e/README.md",
    "bundle/manifests/hourglass-performer-operator.clusterserviceversion.yaml",
]


def test_no_version_between_is_left_out() -> None:
    minors = [int(version.removeprefix("1.")) for version in TESTED]
    assert minors == list(range(minors[0], minors[-1] + 1))


def test_each_is_a_module_that_is_built() -> None:
    modules = ROOT / "e2e" / "native" / "kubernetes"
    assert sorted(folder.name for folder in modules.iterdir()) == list(TESTED)


def test_those_that_are_simulated_are_among_them() -> None:
    assert set(VERSIONS) <= set(TESTED)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_range_is_that_of(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    assert RANGE in text
    said = re.findall(r"1\.\d+ to 1\.\d+|(?<=Kubernetes )1\.\d+(?= or newer)", text)
    assert set(said) <= {RANGE, OLDEST}
