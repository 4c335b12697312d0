"""The file-based catalog."""

from typing import Any

from hourglass_kube.types import JSON
from hourglass_operator.olm.checks.model import CATALOG, Bundle, Mistake, Mistakes, at


def catalog(bundle: Bundle) -> Mistakes:
    """Package, channels and bundles of the catalog fit together."""
    blobs: dict[str, list[JSON]] = {}
    for blob in bundle.catalog:
        blobs.setdefault(str(blob.get("schema")), []).append(blob)
    packages, channels, bundles = (
        blobs.pop(f"olm.{kind}", []) for kind in ("package", "channel", "bundle")
    )
    for schema in blobs:
        known = "olm.package, olm.channel or olm.bundle is expected"
        yield Mistake(CATALOG, "schema", f"{known}, found {schema!r}")
    if len(packages) != 1:
        yield Mistake(CATALOG, "olm.package", f"one is expected, found {len(packages)}")
        return
    package = packages[0]
    names = [channel.get("name") for channel in channels]
    if package.get("defaultChannel") not in names:
        found = package.get("defaultChannel")
        yield Mistake(CATALOG, "defaultChannel", f"one of {names} is expected, found {found!r}")
    for blob in (*channels, *bundles):
        if blob.get("package") != package.get("name"):
            where = f"{blob.get('schema')}.{blob.get('name')}.package"
            yield Mistake(CATALOG, where, f"{package.get('name')} is expected")
    present = {found.get("name") for found in bundles}
    for channel in channels:
        yield from _entries(channel, present)
    for found in bundles:
        yield from _catalog_bundle(found, bundle)


def _entries(channel: JSON, present: set[Any]) -> Mistakes:
    where = f"olm.channel.{channel.get('name')}.entries"
    entries = channel.get("entries") or []
    for entry in entries:
        if entry.get("name") not in present:
            yield Mistake(CATALOG, where, f"{entry.get('name')!r} is no bundle of the catalog")
    replaced = {entry.get("replaces") for entry in entries}
    heads = [entry.get("name") for entry in entries if entry.get("name") not in replaced]
    if len(heads) != 1:
        yield Mistake(CATALOG, where, f"one head is expected, found {heads}")


def _catalog_bundle(found: JSON, bundle: Bundle) -> Mistakes:
    where = f"olm.bundle.{found.get('name')}"
    if not found.get("image"):
        yield Mistake(CATALOG, f"{where}.image", "an image is expected, found none")
    values = {entry.get("type"): entry.get("value") for entry in found.get("properties") or []}
    package = values.get("olm.package")
    if at(package, "packageName") != found.get("package"):
        message = f"{found.get('package')} is expected, found {at(package, 'packageName')!r}"
        yield Mistake(CATALOG, f"{where}.properties[olm.package].packageName", message)
    if "olm.csv.metadata" not in values:
        missing = "a value is expected, found none: there would be no PackageManifest"
        yield Mistake(CATALOG, f"{where}.properties[olm.csv.metadata]", missing)
    csv = bundle.csv
    if found.get("name") == at(csv, "metadata.name"):
        version = at(csv, "spec.version")
        if at(package, "version") != version:
            message = f"{version} is expected, found {at(package, 'version')!r}"
            yield Mistake(CATALOG, f"{where}.properties[olm.package].version", message)
