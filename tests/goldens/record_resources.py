"""Record what a real API server makes of the pod and the Service of Performers.

    kubectl apply -f examples/prerequisites.yaml
    kubectl create serviceaccount performer --namespace production
    KUBECONFIG=... python tests/goldens/record_resources.py

The objects are created with dryRun and read back with all that the server fills in, for the five
examples and resources/full.yaml.
"""

import json
import re
from pathlib import Path
from typing import Any

from kubernetes import client, config
from ruamel.yaml import YAML

from hourglass_kube.types import JSON
from hourglass_operator.api import PerformerSpec
from hourglass_operator.hardware.catalogue import read
from hourglass_operator.hardware.requirement import requirement
from hourglass_operator.resources.pod import build_pod, build_pod_spec
from hourglass_operator.resources.service import build_service
from hourglass_operator.resources.template import template_hash

HERE = Path(__file__).parent / "resources"
EXAMPLES = Path(__file__).parents[2] / "examples"
UID = "0f0e0d0c-0b0a-0908-0706-050403020100"
CATALOGUE = read((HERE / "catalogue.yaml").read_text())
NAMES = ("minimal", "env", "gpu", "tee", "complex", "full")


def performer(name: str) -> JSON:
    """The Performer of one of NAMES."""
    folder = HERE if name == "full" else EXAMPLES
    loaded: JSON = YAML(typ="safe").load(folder / f"{name}.yaml")
    return loaded


def built(name: str) -> tuple[JSON, JSON]:
    """The pod and the Service that the operator builds for one of NAMES."""
    meta = performer(name)["metadata"]
    spec = PerformerSpec.model_validate(performer(name)["spec"])
    whose = (meta["name"], meta["namespace"], UID)
    pod_spec = build_pod_spec(spec, requirement(spec, CATALOGUE))
    pod = build_pod(*whose, spec.avs_address, template_hash(spec), 0, pod_spec)
    return pod, build_service(*whose, spec)


def comparable(obj: JSON) -> JSON:
    """An object without what differs from run to run."""
    meta = {
        key: value
        for key, value in obj["metadata"].items()
        if key not in ("creationTimestamp", "managedFields", "uid")
    }
    spec = {k: v for k, v in obj["spec"].items() if k not in ("clusterIP", "clusterIPs")}
    text = json.dumps({**obj, "metadata": meta, "spec": spec})
    same: JSON = json.loads(re.sub(r"kube-api-access-\w{5}", "kube-api-access-xxxxx", text))
    return same


def main() -> None:
    """Write a golden for every Performer."""
    config.load_kube_config()  # type: ignore[no-untyped-call]
    core: Any = client.CoreV1Api()
    for name in NAMES:
        pod, service = built(name)
        answers = [
            create(
                obj["metadata"]["namespace"],
                obj,
                dry_run="All",
                field_validation="Strict",
                _preload_content=False,
            ).data
            for create, obj in (
                (core.create_namespaced_pod, pod),
                (core.create_namespaced_service, service),
            )
        ]
        stored = [comparable(json.loads(answer)) for answer in answers]
        golden = {"pod": stored[0], "service": stored[1]}
        text = json.dumps(golden, indent=1, sort_keys=True)
        (HERE / f"{name}.golden.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
