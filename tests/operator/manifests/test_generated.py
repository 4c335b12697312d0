"""deploy/ is what the code makes of it, and both ways of installing give the same."""

import json
import re
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import yaml

from hourglass_operator.api.crd import generate
from hourglass_operator.manifests.base import base
from hourglass_operator.manifests.chart import chart
from hourglass_operator.manifests.monitoring import monitoring
from hourglass_operator.manifests.policy import policy
from hourglass_operator.manifests.roles import LEASE, NAME
from hourglass_operator.manifests.security import page
from hourglass_operator.permissions import CLUSTER, OWN_NAMESPACE

DEPLOY = Path(__file__).parents[3] / "deploy"


MADE = [("base", base), ("chart", chart), ("monitoring", monitoring), ("policy", policy)]


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


@pytest.mark.parametrize("made", [base, policy])
def test_the_kustomization_names_every_other_file(made: Callable[[], Mapping[str, str]]) -> None:
    files = made()
    named = yaml.safe_load(files["kustomization.yaml"])["resources"]
    assert {*named, "kustomization.yaml"} == files.keys()


def rendered(template: str, values: dict[str, Any]) -> list[Any]:
    """What Helm makes of a template, as far as the chart uses its language."""

    def looked_up(path: str) -> Any:
        found: Any = values
        for name in path.removeprefix(".Values.").split("."):
            found = found[name]
        return found

    def value(match: re.Match[str]) -> str:
        if match["path"] == ".Release.Namespace":
            return "hourglass-system"
        found = looked_up(match["path"])
        if match["join"]:
            found = "\n".join(found)
        return json.dumps(found) if "toJson" in match[0] else str(found)

    # Settings and variables are none here; e2e/test_rendering.py has some.
    whole = re.sub(r"\[\{\{ range .*\]$", "[]", template, flags=re.MULTILINE)
    # Names that no value overrides.
    others = {"lease": LEASE, "leaseNamespace": "hourglass-system"}
    whole = re.sub(
        rf'(\{{\{{ )?\(?include "{NAME}\.(\w+)" \.\)?( \}}\}})?',
        lambda match: others.get(match[2], NAME),
        whole,
    )
    whole = re.sub(r"\{\{ merge \(dict (\S+) (\S+)\) .*\}\}", r"{\1: \2}", whole)
    whole = re.sub(
        r"\{\{-? if (\S+) \}\}(.*?)(?:\{\{ else \}\}(.*?))?\{\{-? end \}\}",
        lambda match: match[2] if looked_up(match[1]) else match[3] or "",
        whole,
        flags=re.DOTALL,
    )
    text = re.sub(
        r'\{\{ (?:toJson )?(?P<join>join "\\n" )?(?P<path>\S+)(?: \| toJson)? \}\}', value, whole
    )
    return [obj for obj in yaml.load_all(text, yaml.CSafeLoader) if obj]


def without_empty(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_empty(item) for key, item in value.items() if item not in ([], {}, "")}
    return [without_empty(item) for item in value] if isinstance(value, list) else value


def test_the_chart_with_its_own_values_is_the_base() -> None:
    files = chart()
    values = yaml.safe_load(files["values.yaml"])
    # Helm makes the namespace by itself.
    for name in base().keys() - {"namespace.yaml", "kustomization.yaml"}:
        charted = rendered(files[f"templates/{name}"], values)
        expected = list(yaml.safe_load_all(base()[name]))
        assert without_empty(charted) == without_empty(expected)


@pytest.mark.parametrize("name", ["policy", "servicemonitor"])
def test_the_chart_has_more_only_on_demand(name: str) -> None:
    files = chart()
    assert rendered(files[f"templates/{name}.yaml"], yaml.safe_load(files["values.yaml"])) == []


def test_the_definition_in_the_chart_is_kept_when_the_release_goes() -> None:
    template = chart()["templates/crd.yaml"]
    (charted,) = rendered(template, {"crds": {"install": True}})
    assert charted["metadata"].pop("annotations") == {"helm.sh/resource-policy": "keep"}
    assert charted == generate()
    assert rendered(template, {"crds": {"install": False}}) == []


def test_the_policy_of_the_chart_is_that_of_the_component() -> None:
    template = chart()["templates/policy.yaml"]
    lists = {"imageRegistries": ["docker.io", "registry.example.com"], "priorityClasses": []}
    values = {"enabled": True, **lists, "runtimeClasses": ["gvisor"]}
    limits, *policies = rendered(template, {"performerPolicy": values})
    assert limits["data"] == {
        "imageRegistries": "docker.io\nregistry.example.com",
        "priorityClasses": "",
        "runtimeClasses": "gvisor",
    }
    files = policy()
    assert policies == list(yaml.safe_load_all(files["policies.yaml"]))
    component = yaml.safe_load(files["limits.yaml"])
    assert limits | {"data": component["data"]} == component


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("registry:5000/a/b:v1", ("registry:5000/a/b", "v1", "")),
        ("registry:5000/a/b@sha256:0", ("registry:5000/a/b", version(NAME), "sha256:0")),
        ("registry:5000/a/b:v1@sha256:0", ("registry:5000/a/b", "v1", "sha256:0")),
    ],
    ids=["by its tag", "by its digest", "by both"],
)
def test_a_chart_is_made_for_an_image(image: str, expected: tuple[str, str, str]) -> None:
    values = yaml.safe_load(chart(image)["values.yaml"])["image"]
    assert (values["repository"], values["tag"], values["digest"]) == expected


def test_the_templates_use_every_value() -> None:
    files = chart()
    values = yaml.safe_load(files["values.yaml"])
    used = set(re.findall(r"\.Values\.(\w+)", "".join(files.values())))
    assert used == values.keys()
    assert used | {"global"} == json.loads(files["values.schema.json"])["properties"].keys()
