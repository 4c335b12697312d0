"""A bundle's files, parsed, and what can be wrong with them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hourglass_kube.types import JSON

CSV, ANNOTATIONS, DOCKERFILE = "clusterserviceversion", "annotations.yaml", "bundle.Dockerfile"
PACKAGE_KEY = "operators.operatorframework.io.bundle.package.v1"
"""The annotation of a bundle that names its package."""
CATALOG, SCORECARD = "catalog.yaml", "scorecard/config.yaml"


@dataclass(frozen=True, slots=True)
class Bundle:
    """Everything that is checked."""

    csv: JSON
    crds: Mapping[str, JSON]
    """By file name."""
    objects: Mapping[str, JSON]
    """What else is in manifests/, by file name."""
    annotations: Mapping[str, Any]
    dockerfile: str
    scorecard: JSON
    catalog: tuple[JSON, ...]


@dataclass(frozen=True, slots=True)
class Mistake:
    """`file` is which of the bundle's files, `field` where in it."""

    file: str
    field: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}: {self.field}: {self.message}"


Mistakes = Iterator[Mistake]


def in_csv(field: str, message: str) -> Mistake:
    """A mistake in the ClusterServiceVersion."""
    return Mistake(CSV, field, message)


def at(obj: Any, path: str, default: Any = None) -> Any:
    """What is at a path of names and dots; the default if nothing is."""
    for part in path.split("."):
        if not isinstance(obj, dict) or part not in obj:
            return default
        obj = obj[part]
    return obj


def owned_definitions(bundle: Bundle) -> list[JSON]:
    """The definitions that the ClusterServiceVersion says it owns."""
    return at(bundle.csv, "spec.customresourcedefinitions.owned") or []
