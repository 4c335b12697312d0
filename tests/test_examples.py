import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from hourglass_operator.api import PerformerSpec

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
HEADINGS = {
    "minimal": "Minimal Performer",
    "env": "Performer with Environment Variables from Secrets/ConfigMaps",
    "gpu": "GPU-Enabled Performer",
    "tee": "TEE-Enabled Performer",
    "complex": "Complex Performer with All Features",
    "restricted": "Performer in a Restricted Namespace",
}


def load(name: str) -> list[dict[str, Any]]:
    return list(YAML(typ="safe").load_all(EXAMPLES / f"{name}.yaml"))


@pytest.mark.parametrize(("name", "heading"), HEADINGS.items(), ids=list(HEADINGS))
def test_an_example_is_the_documents_letter_by_letter(name: str, heading: str) -> None:
    document = (ROOT / "docs/api-reference.md").read_text()
    block = re.search(rf"^### {re.escape(heading)}\n\n```yaml\n(.*?)^```$", document, re.M | re.S)
    assert block is not None
    assert (EXAMPLES / f"{name}.yaml").read_text() == block[1]


def test_the_document_has_no_other_performers() -> None:
    document = (ROOT / "docs/api-reference.md").read_text()
    assert len(re.findall(r"^  avsAddress:", document, re.M)) == len(HEADINGS)
    assert {path.stem for path in EXAMPLES.glob("*.yaml")} == {*HEADINGS, "prerequisites"}


@pytest.mark.parametrize("name", HEADINGS)
def test_what_an_example_refers_to_is_among_the_prerequisites(name: str) -> None:
    prepared = {
        (o["kind"], o["metadata"].get("namespace", ""), o["metadata"]["name"])
        for o in load("prerequisites")
    }
    [performer] = load(name)
    namespace = performer["metadata"]["namespace"]
    assert references(PerformerSpec.model_validate(performer["spec"]), namespace) <= prepared


def references(spec: PerformerSpec, namespace: str) -> set[tuple[str, str, str]]:
    """Kind, namespace and name of the objects that a spec names."""
    sources = [variable.get("valueFrom") or {} for variable in spec.config.env]
    named = {
        ("Namespace", "", namespace),
        *(("Secret", namespace, s["secretKeyRef"]["name"]) for s in sources if "secretKeyRef" in s),
        *(
            ("ConfigMap", namespace, s["configMapKeyRef"]["name"])
            for s in sources
            if "configMapKeyRef" in s
        ),
        *(("Secret", namespace, secret["name"]) for secret in spec.image_pull_secrets),
        ("PriorityClass", "", spec.scheduling.priority_class_name),
        ("RuntimeClass", "", spec.scheduling.runtime_class),
    }
    return {(kind, where, name) for kind, where, name in named if name}
