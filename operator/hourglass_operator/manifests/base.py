"""`python -m hourglass_operator.manifests.base FOLDER` writes the kustomization `deploy/base`."""

import sys
from collections.abc import Mapping
from pathlib import Path

from hourglass_kube.dumper import as_yaml
from hourglass_operator.manifests import roles, workload
from hourglass_operator.manifests.files import with_notice, write
from hourglass_operator.manifests.installation import DEFAULT, Installation
from hourglass_operator.manifests.user_roles import user_roles


def base(chosen: Installation = DEFAULT) -> Mapping[str, str]:
    """File name → text."""
    files = {
        "namespace.yaml": as_yaml(workload.namespace()),
        "rbac.yaml": roles.explanation() + as_yaml(*roles.rbac()),
        "user-roles.yaml": as_yaml(*user_roles()),
        "deployment.yaml": as_yaml(workload.deployment(chosen)),
        "poddisruptionbudget.yaml": as_yaml(workload.disruption_budget(chosen)),
        "service.yaml": as_yaml(workload.metrics_service(chosen)),
        "networkpolicy.yaml": as_yaml(workload.network_policy(chosen)),
    }
    kustomization = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": list(files),
    }
    return with_notice(files | {"kustomization.yaml": as_yaml(kustomization)})


if __name__ == "__main__":
    write(base(), Path(sys.argv[1]))
