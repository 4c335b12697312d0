"""deploy/base is what the code makes of it."""

from pathlib import Path

import yaml

from hourglass_operator.manifests.base import base

FOLDER = Path(__file__).parents[3] / "deploy/base"


def test_the_files_are_up_to_date() -> None:
    files = {file.name: file.read_text(encoding="utf-8") for file in FOLDER.iterdir()}
    assert files == base(), "run `make generate`"


def test_the_kustomization_names_every_other_file() -> None:
    files = base()
    named = yaml.safe_load(files["kustomization.yaml"])["resources"]
    assert {*named, "kustomization.yaml"} == files.keys()
