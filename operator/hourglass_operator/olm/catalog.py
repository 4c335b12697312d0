"""The file-based catalog: the package, its channels, and a bundle for each release.

https://olm.operatorframework.io/docs/reference/file-based-catalogs/
"""

from collections.abc import Iterable

from hourglass_kube.types import JSON
from hourglass_operator.api import GROUP, KIND, VERSION
from hourglass_operator.olm.release import PACKAGE, Release

_OF_SPEC = (
    *("customresourcedefinitions", "description", "displayName", "installModes", "keywords"),
    *("links", "maintainers", "maturity", "minKubeVersion", "provider"),
)
_RENAMED = {"customresourcedefinitions": "crdDescriptions"}


class CatalogError(Exception):
    """A release that cannot be added to a catalog; the text says why."""


def catalog(csv: JSON, release: Release, before: Iterable[JSON] = ()) -> list[JSON]:
    """The catalog with this release added to what there was `before`.

    Raises CatalogError when it is there already, or what it replaces is not.
    """
    earlier = list(before)
    bundles = [blob for blob in earlier if blob["schema"] == "olm.bundle"]
    names = [blob["name"] for blob in bundles]
    if release.csv_name in names:
        raise CatalogError(f"{release.csv_name} is in the catalog already")
    if earlier and release.replaces not in names:
        expected = f"one of {', '.join(names)} is expected"
        raise CatalogError(f"replaces: {expected}, found {release.replaces}")
    channels = {blob["name"]: blob for blob in earlier if blob["schema"] == "olm.channel"}
    for name in release.channels:
        entries = channels.get(name, {"entries": []})["entries"]
        channels[name] = {
            "schema": "olm.channel",
            "package": PACKAGE,
            "name": name,
            "entries": [*entries, _entry(release)],
        }
    return [_package(csv, release), *channels.values(), *bundles, _bundle(csv, release)]


def _package(csv: JSON, release: Release) -> JSON:
    (icon,) = csv["spec"]["icon"]
    return {
        "schema": "olm.package",
        "name": PACKAGE,
        "defaultChannel": release.channels[0],
        "description": csv["metadata"]["annotations"]["description"],
        "icon": icon,
    }


def _entry(release: Release) -> JSON:
    ways = {"replaces": release.replaces, "skipRange": release.skip_range}
    return {"name": release.csv_name, **{way: value for way, value in ways.items() if value}}


def _bundle(csv: JSON, release: Release) -> JSON:
    package = {"packageName": PACKAGE, "version": release.version}
    return {
        "schema": "olm.bundle",
        "package": PACKAGE,
        "name": release.csv_name,
        "image": release.bundle_image,
        "properties": [
            {"type": "olm.package", "value": package},
            {"type": "olm.gvk", "value": {"group": GROUP, "kind": KIND, "version": VERSION}},
            {"type": "olm.csv.metadata", "value": _metadata(csv)},
        ],
        "relatedImages": [
            *csv["spec"]["relatedImages"],
            {"name": "bundle", "image": release.bundle_image},
        ],
    }


def _metadata(csv: JSON) -> JSON:
    """What PackageManifests are made of, and with them the pages of OpenShift's console.

    https://github.com/operator-framework/operator-registry/blob/v1.73.0/alpha/property/property.go
    """
    meta, spec = csv["metadata"], csv["spec"]
    return {
        "annotations": meta["annotations"],
        "labels": meta["labels"],
        **{_RENAMED.get(field, field): spec[field] for field in _OF_SPEC},
    }
