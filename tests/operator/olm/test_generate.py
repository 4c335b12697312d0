"""A release after another: its bundle, and the catalog with both."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from hourglass_operator.olm.checks import PUBLISHED, check
from hourglass_operator.olm.generate import main
from hourglass_operator.olm.validate import read

ROOT = Path(__file__).parents[3]
FIRST = ROOT / "bundle" / "catalog" / "hourglass-performer-operator" / "catalog.yaml"
NAME = "hourglass-performer-operator"
IMAGE = f"registry.example.com/{NAME}@sha256:{'1' * 64}"
BUNDLE = f"registry.example.com/{NAME}-bundle@sha256:{'2' * 64}"


def generated(folder: Path, *options: str, catalog: Path = FIRST) -> Result:
    arguments = (str(ROOT), f"--output={folder}", f"--catalog={catalog}", *options)
    return CliRunner().invoke(main, arguments, catch_exceptions=False)


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("second")
    made = generated(
        folder,
        "--version=0.2.0",
        f"--image={IMAGE}",
        f"--bundle-image={BUNDLE}",
        f"--replaces={NAME}.v0.1.0",
        "--skip-range=>=0.1.0 <0.2.0",
        "--channel=stable-v0",
        "--channel=candidate-v0",
    )
    assert made.exit_code == 0, made.output
    return folder


def blobs(folder: Path, schema: str) -> list[Any]:
    text = (folder / "catalog" / NAME / "catalog.yaml").read_text()
    return [blob for blob in yaml.safe_load_all(text) if blob["schema"] == schema]


def test_the_catalog_has_both_and_the_way_from_one_to_the_other(second: Path) -> None:
    next_one = {
        "name": f"{NAME}.v0.2.0",
        "replaces": f"{NAME}.v0.1.0",
        "skipRange": ">=0.1.0 <0.2.0",
    }
    entries = {blob["name"]: blob["entries"] for blob in blobs(second, "olm.channel")}
    assert entries == {
        "candidate-v0": [{"name": f"{NAME}.v0.1.0"}, next_one],
        "stable-v0": [next_one],
    }
    assert [blob["name"] for blob in blobs(second, "olm.bundle")] == [
        f"{NAME}.v0.1.0",
        f"{NAME}.v0.2.0",
    ]
    assert [blob["defaultChannel"] for blob in blobs(second, "olm.package")] == ["stable-v0"]


def test_the_bundle_says_what_it_replaces_and_what_it_runs(second: Path) -> None:
    csv = read(second).csv
    assert csv["spec"]["version"] == "0.2.0"
    assert csv["spec"]["replaces"] == f"{NAME}.v0.1.0"
    assert csv["metadata"]["annotations"]["olm.skipRange"] == ">=0.1.0 <0.2.0"
    (deployment,) = csv["spec"]["install"]["spec"]["deployments"]
    assert deployment["spec"]["template"]["spec"]["containers"][0]["image"] == IMAGE


def test_nothing_but_the_first_release_is_wrong_with_it(second: Path) -> None:
    wrong = [f"{each.field}" for each in check(read(second), PUBLISHED)]
    assert wrong == [f"olm.bundle.{NAME}.v0.1.0.image"]


REFUSED = [
    (
        "a release that is there already",
        (),
        f"{NAME}.v0.1.0 is in the catalog already",
    ),
    (
        "a release that replaces nothing of the catalog",
        ("--version=0.2.0", f"--replaces={NAME}.v0.0.9"),
        f"replaces: one of {NAME}.v0.1.0 is expected, found {NAME}.v0.0.9",
    ),
    (
        "a release that does not say what it replaces",
        ("--version=0.2.0",),
        f"replaces: one of {NAME}.v0.1.0 is expected, found None",
    ),
]


@pytest.mark.parametrize(("options", "said"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED])
def test_what_does_not_fit_is_refused(options: tuple[str, ...], said: str, tmp_path: Path) -> None:
    made = generated(tmp_path, *options)
    assert (made.exit_code, made.output) == (2, f"{FIRST}: {said}\n")
    assert not list(tmp_path.iterdir())


UNREAD = [
    ("no YAML", "a: [", "while parsing a flow node"),
    ("no objects", "- 1", "[0]: a mapping is expected, found [1]"),
    ("a blob without a schema", "name: x", "[0].schema: a text is expected, found none"),
]


@pytest.mark.parametrize(("text", "said"), [u[1:] for u in UNREAD], ids=[u[0] for u in UNREAD])
def test_a_catalog_that_cannot_be_read_ends_with_code_2(
    text: str, said: str, tmp_path: Path
) -> None:
    file = tmp_path / "catalog.yaml"
    file.write_text(text)
    made = generated(tmp_path / "bundle", catalog=file)
    assert made.exit_code == 2
    assert made.output.startswith(f"{file}: {said}")
