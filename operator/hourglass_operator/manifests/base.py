"""`python -m hourglass_operator.manifests.base FOLDER` writes the kustomization `deploy/base`."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from hourglass_operator.manifests import roles, workload

JSON = dict[str, Any]

_MADE = "# Made from the code by `make generate`.\n"


def base() -> Mapping[str, str]:
    """File name → text."""
    why = "".join(f"# {line}\n" for line in roles.explained())
    files = {
        "namespace.yaml": _yaml(workload.namespace()),
        "rbac.yaml": f"#\n{why}{_yaml(*roles.rbac())}",
        "deployment.yaml": _yaml(workload.deployment()),
        "poddisruptionbudget.yaml": _yaml(workload.disruption_budget()),
        "service.yaml": _yaml(workload.metrics_service()),
    }
    kustomization = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": list(files),
    }
    files["kustomization.yaml"] = _yaml(kustomization)
    return {name: _MADE + text for name, text in files.items()}


def _yaml(*documents: JSON) -> str:
    return yaml.dump_all(documents, Dumper=_Plain, sort_keys=False)


class _Plain(yaml.SafeDumper):
    """Without anchors: people read it."""

    def ignore_aliases(self, _: object) -> bool:
        return True


def main(folder: Path) -> None:
    """Write the files of the base into `folder`."""
    for name, text in base().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
