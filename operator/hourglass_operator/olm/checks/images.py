"""Images, which clusters pull."""

import re
from collections.abc import Iterator

from hourglass_operator.olm.checks.model import CATALOG, CSV, Bundle, Mistake, Mistakes, at

_WITH_REGISTRY = re.compile(r"[^/\s]*[.:][^/\s]*/\S+")
"""https://github.com/distribution/reference: a host has a dot or a port."""
_WITH_DIGEST = re.compile(r"\S+@sha256:[0-9a-f]{64}")


def images(bundle: Bundle) -> Mistakes:
    """Each says which registry it is in, and what is installed is what is listed."""
    for file, field, image in _all(bundle):
        if not _WITH_REGISTRY.fullmatch(image):
            yield Mistake(file, field, f"an image with its registry is expected, found {image!r}")
    listed = [related.get("image") for related in at(bundle.csv, "spec.relatedImages") or []]
    for field, image in _installed(bundle):
        if image not in listed:
            expected = f"one of spec.relatedImages ({', '.join(map(str, listed))}) is expected"
            yield Mistake(CSV, field, f"{expected}, found {image!r}")


def digests(bundle: Bundle) -> Mistakes:
    """Each is named by its digest: a tag may mean something else tomorrow.

    https://olm.operatorframework.io/docs/best-practices/common/
    """
    for file, field, image in _all(bundle):
        if not _WITH_DIGEST.fullmatch(image):
            yield Mistake(file, field, f"an image by digest is expected, found {image!r}")


def _all(bundle: Bundle) -> Iterator[tuple[str, str, str]]:
    """(file, field, image)."""
    for field, image in _installed(bundle):
        yield CSV, field, image
    for index, related in enumerate(at(bundle.csv, "spec.relatedImages") or []):
        yield CSV, f"spec.relatedImages[{index}].image", str(related.get("image", ""))
    for blob in bundle.catalog:
        if blob.get("schema") == "olm.bundle":
            yield CATALOG, f"olm.bundle.{blob.get('name')}.image", str(blob.get("image", ""))


def _installed(bundle: Bundle) -> Iterator[tuple[str, str]]:
    """(field, image) of what runs, and of what catalogs show."""
    field = "metadata.annotations.containerImage"
    yield field, str((at(bundle.csv, "metadata.annotations") or {}).get("containerImage", ""))
    for index, made in enumerate(at(bundle.csv, "spec.install.spec.deployments") or []):
        for container in at(made, "spec.template.spec.containers") or []:
            where = f"spec.install.spec.deployments[{index}].containers[{container.get('name')}]"
            yield f"{where}.image", str(container.get("image", ""))
