"""deploy/ is what the code makes of it, and both ways of installing give the same."""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from hourglass_operator.manifests.base import base
from hourglass_operator.manifests.chart import chart
from hourglass_operator.manifests.monitoring import monitoring
from hourglass_operator.manifests.security import page
from hourglass_operator.permissions import CLUSTER, OWN_NAMESPACE

DEPLOY = Path(__file__).parents[3] / "deploy"


MADE = [("base", base), ("chart", chart), ("monitoring", monitoring)]


@pytest.mark.parametrize(("folder", "made"), MADE)
def test_the_files_are_up_to_date(folder: str, made: Callable[[], Mapping[str, str]]) -> None:
    there = (file for file in (DEPLOY / folder).rglob("*") if file.is_file())
    files = {str(file.relative_to(DEPLOY / folder)): file.read_text("utf-8") for file in there}
    assert files == made(), "run `make generate`"


def test_the_page_on_security_is_up_to_date() -> None:
    written = (DEPLOY.parent / "docs" / "security.md").read_text("utf-8")
    lost = json.loads((DEPLOY.parent / "e2e" / "permissions.json").read_text("utf-8"))
    assert written == page(lost), "run `make generate`"


def test_what_breaks_was_recorded_for_each_permission() -> None:
    lost = json.loads((DEPLOY.parent / "e2e" / "permissions.json").read_text("utf-8"))
    permissions = [*CLUSTER, *OWN_NAMESPACE]
    assert list(lost) == [f"{verb} {it.qualified}" for it in permissions for verb in it.verbs]


def test_the_kustomization_names_every_other_file() -> None:
    files = base()
    named = yaml.safe_load(files["kustomization.yaml"])["resources"]
    assert {*named, "kustomization.yaml"} == files.keys()


def rendered(template: str, values: dict[str, Any]) -> list[Any]:
    """What Helm makes of a template, as far as the chart uses its language."""

    def value(match: re.Match[str]) -> str:
        if match["path"] == ".Release.Namespace":
            return "hourglass-system"
        found: Any = values
        for name in match["path"].removeprefix(".Values.").split("."):
            found = found[name]
        return json.dumps(found) if match["json"] else str(found)

    text = re.sub(r"\{\{ (?P<json>toJson )?(?P<path>\S+) \}\}", value, template)
    return list(yaml.safe_load_all(text))


def without_empty(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_empty(item) for key, item in value.items() if item != []}
    return [without_empty(item) for item in value] if isinstance(value, list) else value


def test_the_chart_with_its_own_values_is_the_base() -> None:
    files = chart()
    values = yaml.safe_load(files["values.yaml"])
    templates = {name.removeprefix("templates/") for name in files if name.startswith("templates/")}
    for name in templates:
        charted = rendered(files[f"templates/{name}"], values)
        assert without_empty(charted) == list(yaml.safe_load_all(base()[name]))
    # Helm makes the namespace by itself.
    assert base().keys() - templates == {"namespace.yaml", "kustomization.yaml"}


def test_the_templates_use_every_value() -> None:
    files = chart()
    values = yaml.safe_load(files["values.yaml"])
    used = set(re.findall(r"\.Values\.(\w+)", "".join(files.values())))
    assert used == values.keys()
    assert used | {"global"} == json.loads(files["values.schema.json"])["properties"].keys()
