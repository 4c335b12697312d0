"""The files of the bundle, of its image, and of the catalog with it."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from hourglass_kube.dumper import as_yaml
from hourglass_kube.types import JSON
from hourglass_operator.api import GROUP, PLURAL
from hourglass_operator.manifests.files import with_notice
from hourglass_operator.olm.catalog import catalog
from hourglass_operator.olm.csv import BUILDER, LAYOUT, cluster_service_version
from hourglass_operator.olm.objects import objects
from hourglass_operator.olm.release import PACKAGE, Release

CRD_FILE = f"{PLURAL}.{GROUP}.yaml"
_PREFIX = "operators.operatorframework.io"
_SCORECARD_IMAGE = "quay.io/operator-framework/scorecard-test:v1.41.1"


def bundle(root: Path, release: Release, before: Iterable[JSON] = ()) -> Mapping[str, str]:
    """Path below the bundle's folder → text.

    `root` is the project's folder, `before` the catalog that the release is added to. Raises
    CatalogError when it cannot be.
    """
    csv = cluster_service_version(root / "examples", release)
    crd = (root / "crds" / CRD_FILE).read_text(encoding="utf-8")
    files = {
        f"manifests/{PACKAGE}.clusterserviceversion.yaml": as_yaml(csv),
        **{f"manifests/{name}": as_yaml(obj) for name, obj in objects().items()},
        "metadata/annotations.yaml": as_yaml({"annotations": annotations(release)}),
        "tests/scorecard/config.yaml": as_yaml(_scorecard()),
        "bundle.Dockerfile": _dockerfile(release),
        f"catalog/{PACKAGE}/catalog.yaml": as_yaml(*catalog(csv, release, before)),
    }
    return {f"manifests/{CRD_FILE}": crd, **with_notice(files)}


def annotations(release: Release) -> dict[str, str]:
    """The annotations of the bundle, which are the labels of its image too.

    https://olm.operatorframework.io/docs/tasks/creating-operator-bundle/#bundle-annotations
    """
    return {
        f"{_PREFIX}.bundle.mediatype.v1": "registry+v1",
        f"{_PREFIX}.bundle.manifests.v1": "manifests/",
        f"{_PREFIX}.bundle.metadata.v1": "metadata/",
        f"{_PREFIX}.bundle.package.v1": PACKAGE,
        f"{_PREFIX}.bundle.channels.v1": ",".join(release.channels),
        f"{_PREFIX}.bundle.channel.default.v1": release.channels[0],
        f"{_PREFIX}.metrics.builder": BUILDER,
        f"{_PREFIX}.metrics.mediatype.v1": "metrics+v1",
        f"{_PREFIX}.metrics.project_layout": LAYOUT,
        f"{_PREFIX}.test.mediatype.v1": "scorecard+v1",
        f"{_PREFIX}.test.config.v1": "tests/scorecard/",
    }


def _dockerfile(release: Release) -> str:
    labels = "".join(f"LABEL {key}={value}\n" for key, value in annotations(release).items())
    return (
        f"FROM scratch\n\n{labels}\n"
        "COPY manifests /manifests/\nCOPY metadata /metadata/\n"
        "COPY tests/scorecard /tests/scorecard/\n"
    )


def _scorecard() -> JSON:
    """https://sdk.operatorframework.io/docs/testing-operators/scorecard/"""
    tests = ["basic-check-spec"] + [
        f"olm-{check}"
        for check in (
            "bundle-validation",
            "crds-have-validation",
            "crds-have-resources",
            "spec-descriptors",
            "status-descriptors",
        )
    ]
    return {
        "apiVersion": "scorecard.operatorframework.io/v1alpha3",
        "kind": "Configuration",
        "metadata": {"name": "config"},
        "stages": [
            {
                "parallel": True,
                "tests": [
                    {
                        "entrypoint": ["scorecard-test", test],
                        "image": _SCORECARD_IMAGE,
                        "labels": {"suite": test.partition("-")[0], "test": f"{test}-test"},
                    }
                    for test in tests
                ],
            }
        ],
    }
