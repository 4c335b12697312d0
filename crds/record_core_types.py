"""Record the schemas of Kubernetes' own types from a real API server's published OpenAPI.

    KUBECONFIG=... python crds/record_core_types.py

Rewrites operator/hourglass_operator/api/coretypes.json with the definitions that the Performer
uses and everything they refer to, as published: nothing is typed or corrected by hand.
"""

import json
import subprocess
from pathlib import Path
from typing import Any

ROOTS = (
    "io.k8s.api.core.v1.Affinity",
    "io.k8s.api.core.v1.EnvFromSource",
    "io.k8s.api.core.v1.EnvVar",
    "io.k8s.api.core.v1.LocalObjectReference",
    "io.k8s.api.core.v1.PodResourceClaim",
    "io.k8s.api.core.v1.PodSecurityContext",
    "io.k8s.api.core.v1.ResourceRequirements",
    "io.k8s.api.core.v1.SecurityContext",
    "io.k8s.api.core.v1.Toleration",
)
TARGET = Path(__file__).parent.parent / "operator/hourglass_operator/api/coretypes.json"


def published() -> dict[str, Any]:
    """All schemas of the core group, by definition name."""
    text = subprocess.run(
        ["kubectl", "get", "--raw", "/openapi/v3/api/v1"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    schemas: dict[str, Any] = json.loads(text)["components"]["schemas"]
    return schemas


def referenced(schema: Any) -> list[str]:
    """Names of the definitions that `schema` refers to."""
    if isinstance(schema, dict):
        here = [schema["$ref"].rpartition("/")[2]] if "$ref" in schema else []
        return here + [name for value in schema.values() for name in referenced(value)]
    if isinstance(schema, list):
        return [name for value in schema for name in referenced(value)]
    return []


def main() -> None:
    """Write the closure of ROOTS."""
    schemas = published()
    wanted: dict[str, Any] = {}
    pending = list(ROOTS)
    while pending:
        name = pending.pop()
        if name not in wanted:
            wanted[name] = schemas[name]
            pending += referenced(schemas[name])
    TARGET.write_text(json.dumps(wanted, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
