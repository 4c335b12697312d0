"""`python -m hourglass_operator.olm.bundle ROOT` writes `bundle/` of the project in ROOT."""

import sys
from collections.abc import Mapping
from pathlib import Path

from hourglass_kube.dumper import as_yaml
from hourglass_kube.types import JSON
from hourglass_operator.api import GROUP, KIND, PLURAL, VERSION
from hourglass_operator.manifests.files import with_notice, write
from hourglass_operator.olm.csv import (
    CHANNEL,
    CSV_NAME,
    PACKAGE,
    RELEASE,
    cluster_service_version,
    icon,
)

CRD_FILE = f"{PLURAL}.{GROUP}.yaml"
_PREFIX = "operators.operatorframework.io"
_SCORECARD_IMAGE = "quay.io/operator-framework/scorecard-test:v1.41.1"


def bundle(root: Path) -> Mapping[str, str]:
    """Path below `bundle/` → text."""
    csv = cluster_service_version(root / "examples")
    crd = (root / "crds" / CRD_FILE).read_text(encoding="utf-8")
    files = {
        f"manifests/{PACKAGE}.clusterserviceversion.yaml": as_yaml(csv),
        "metadata/annotations.yaml": as_yaml({"annotations": annotations()}),
        "tests/scorecard/config.yaml": as_yaml(_scorecard()),
        "bundle.Dockerfile": _dockerfile(),
        f"catalog/{PACKAGE}/catalog.yaml": as_yaml(*_catalog(csv)),
    }
    return {f"manifests/{CRD_FILE}": crd, **with_notice(files)}


def annotations() -> dict[str, str]:
    """The annotations of the bundle, which are the labels of its image too.

    https://olm.operatorframework.io/docs/tasks/creating-operator-bundle/#bundle-annotations
    """
    return {
        f"{_PREFIX}.bundle.mediatype.v1": "registry+v1",
        f"{_PREFIX}.bundle.manifests.v1": "manifests/",
        f"{_PREFIX}.bundle.metadata.v1": "metadata/",
        f"{_PREFIX}.bundle.package.v1": PACKAGE,
        f"{_PREFIX}.bundle.channels.v1": CHANNEL,
        f"{_PREFIX}.bundle.channel.default.v1": CHANNEL,
        f"{_PREFIX}.test.mediatype.v1": "scorecard+v1",
        f"{_PREFIX}.test.config.v1": "tests/scorecard/",
    }


def _dockerfile() -> str:
    labels = "".join(f"LABEL {key}={value}\n" for key, value in annotations().items())
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


def _catalog(csv: JSON) -> list[JSON]:
    """https://olm.operatorframework.io/docs/reference/file-based-catalogs/"""
    image = f"{PACKAGE}-bundle:v{RELEASE}"
    operator = csv["metadata"]["annotations"]["containerImage"]
    return [
        {
            "schema": "olm.package",
            "name": PACKAGE,
            "defaultChannel": CHANNEL,
            "description": csv["metadata"]["annotations"]["description"],
            "icon": {"base64data": icon(), "mediatype": "image/svg+xml"},
        },
        {
            "schema": "olm.channel",
            "package": PACKAGE,
            "name": CHANNEL,
            "entries": [{"name": CSV_NAME}],
        },
        {
            "schema": "olm.bundle",
            "package": PACKAGE,
            "name": CSV_NAME,
            "image": image,
            "properties": [
                {"type": "olm.package", "value": {"packageName": PACKAGE, "version": RELEASE}},
                {"type": "olm.gvk", "value": {"group": GROUP, "kind": KIND, "version": VERSION}},
            ],
            "relatedImages": [
                {"name": "operator", "image": operator},
                {"name": "bundle", "image": image},
            ],
        },
    ]


if __name__ == "__main__":
    root = Path(sys.argv[1])
    write(bundle(root), root / "bundle")
