"""Files of a bundle that hold something else than the rules take for granted."""

import shutil
from pathlib import Path

import pytest
import yaml

from hourglass_operator.olm.validate import INVALID, UNREADABLE, validate

ROOT = Path(__file__).parents[3]

MISSHAPEN: list[tuple[str, str, str, str, str]] = [
    (
        "annotations that are a list",
        "metadata/annotations.yaml",
        "annotations",
        "[a]",
        "annotations.yaml: annotations: a mapping is expected, found ['a']",
    ),
    (
        "tests of the scorecard that are texts",
        "tests/scorecard/config.yaml",
        "stages",
        "[{tests: [x]}]",
        "config.yaml: stages[0].tests[0]: a mapping is expected, found 'x'",
    ),
    (
        "install modes that are a number",
        "manifests/hourglass-performer-operator.clusterserviceversion.yaml",
        "spec",
        "{installModes: 5}",
        "clusterserviceversion.yaml: spec.installModes: a list is expected, found 5",
    ),
    (
        "a name that is a number",
        "manifests/hourglass-performer-operator.clusterserviceversion.yaml",
        "metadata",
        "{name: 5}",
        "clusterserviceversion.yaml: metadata.name: a text is expected, found 5",
    ),
    (
        "keys that are numbers",
        "metadata/annotations.yaml",
        "annotations",
        "{5: a}",
        "annotations.yaml: annotations: texts are expected as keys, found 5",
    ),
    (
        "a value that is none of its type",
        "metadata/annotations.yaml",
        "annotations",
        "!!int x",
        "annotations.yaml: not YAML: x is no int",
    ),
]


@pytest.mark.parametrize(
    ("file", "field", "value", "said"), [m[1:] for m in MISSHAPEN], ids=[m[0] for m in MISSHAPEN]
)
def test_a_file_of_another_shape_ends_with_code_2(
    file: str,
    field: str,
    value: str,
    said: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    shutil.copytree(ROOT / "bundle", tmp_path / "bundle")
    path = tmp_path / "bundle" / file
    rest = yaml.safe_load(path.read_text(encoding="utf-8"))
    del rest[field]
    text = yaml.safe_dump(rest) if rest else ""
    path.write_text(f"{text}{field}: {value}\n", encoding="utf-8")
    assert validate(tmp_path / "bundle") == UNREADABLE
    assert said in capsys.readouterr().err


def test_what_olm_may_leave_out_is_no_reason_to_stop(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "bundle", tmp_path / "bundle")
    for path in (tmp_path / "bundle" / "manifests").glob("*.yaml"):
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
        path.write_text(yaml.safe_dump(found | {"spec": None}), encoding="utf-8")
    assert validate(tmp_path / "bundle") == INVALID
