"""`hourglass-operator crd` and `hourglass-operator manifests`."""

from pathlib import Path

import yaml
from click.testing import CliRunner, Result

from hourglass_kube.types import JSON
from hourglass_operator.cli import main

ROOT = Path(__file__).parents[3]
CRD = ROOT / "crds" / "performers.hourglass.eigenlayer.io.yaml"
IMAGE = "registry.example.com/operator:v2@sha256:" + "0" * 64


def printed(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def kinds(text: str) -> list[str]:
    return [line.split()[1] for line in text.splitlines() if line.startswith("kind: ")]


def test_the_definition_is_the_file() -> None:
    assert printed("crd").stdout == CRD.read_text("utf-8")


def test_the_manifests_are_the_definition_and_the_base_with_the_image() -> None:
    text = printed("manifests", "--image", IMAGE).stdout
    base = ROOT / "deploy" / "base"
    (made,) = yaml.load_all((base / "deployment.yaml").read_text("utf-8"), yaml.CSafeLoader)
    made["spec"]["template"]["spec"]["containers"][0]["image"] = IMAGE
    found: list[JSON] = list(yaml.load_all(text, yaml.CSafeLoader))
    assert made in found
    assert text.startswith(CRD.read_text("utf-8"))
    files = yaml.safe_load((base / "kustomization.yaml").read_text("utf-8"))["resources"]
    shipped = [kind for name in files for kind in kinds((base / name).read_text("utf-8"))]
    assert [obj["kind"] for obj in found[1:]] == shipped


def test_the_policy_comes_on_demand() -> None:
    policy = ROOT / "deploy" / "policy" / "policies.yaml"
    assert printed("manifests", "--policy").stdout.endswith(policy.read_text("utf-8"))
    assert "ValidatingAdmissionPolicy" not in kinds(printed("manifests").stdout)


def test_an_image_that_is_none_is_refused() -> None:
    refused = printed("manifests", "--image", "Operator:v1\n---")
    assert refused.exit_code == 2
    assert "--image: expected [registry[:port]/]path[:tag][@sha256:digest]" in refused.stderr
