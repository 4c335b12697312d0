"""What people read of the operator before they install it."""

import base64
import binascii
import re

from hourglass_operator.olm.checks.model import PACKAGE_KEY, Bundle, Mistakes, at, in_csv

SEMVER = re.compile(
    r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?"
)
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
_URL = re.compile(r"https?://[^\s/]+\.[^\s]+")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_TIME = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)?)?")

CAPABILITIES = (
    "Basic Install",
    "Seamless Upgrades",
    "Full Lifecycle",
    "Deep Insights",
    "Auto Pilot",
)
CATEGORIES = (
    *("AI/Machine Learning", "Application Runtime", "Big Data", "Cloud Provider", "Database"),
    *("Developer Tools", "Integration & Delivery", "Logging & Tracing"),
    *("Modernization & Migration", "Monitoring", "Networking", "Observability"),
    *("OpenShift Optional", "Security", "Storage", "Streaming & Messaging"),
)
_SHOWN = ("containerImage", "description", "support")
_FOR_CATALOGS = (
    "operatorframework.io/suggested-namespace",
    "operators.operatorframework.io/builder",
    "operators.operatorframework.io/project_layout",
)
_PLATFORM = "operatorframework.io/"
MEDIA_TYPES = ("image/svg+xml", "image/png", "image/jpeg", "image/gif")


def identity(bundle: Bundle) -> Mistakes:
    """Kind, name and version belong together."""
    csv = bundle.csv
    wanted = {
        "apiVersion": "operators.coreos.com/v1alpha1",
        "kind": "ClusterServiceVersion",
    }
    for field, value in wanted.items():
        if csv.get(field) != value:
            yield in_csv(field, f"{value} is expected, found {csv.get(field)!r}")
    name, version = at(csv, "metadata.name", ""), str(at(csv, "spec.version", ""))
    if not SEMVER.fullmatch(version):
        yield in_csv("spec.version", f"a semantic version is expected, found {version!r}")
    if not _LABEL.fullmatch(name):
        yield in_csv("metadata.name", f"a DNS-1123 subdomain is expected, found {name!r}")
    package = bundle.annotations.get(PACKAGE_KEY, "")
    if name != f"{package}.v{version}":
        yield in_csv("metadata.name", f"{package}.v{version} is expected, found {name!r}")


def texts(bundle: Bundle) -> Mistakes:
    """What a person reads before the installation is there."""
    for field in ("displayName", "description"):
        if not str(at(bundle.csv, f"spec.{field}", "")).strip():
            yield in_csv(f"spec.{field}", "a text is expected, found none")
    if not at(bundle.csv, "spec.keywords"):
        yield in_csv("spec.keywords", "at least one is expected, found none")


def people(bundle: Bundle) -> Mistakes:
    """Maintainers, provider and links can be reached."""
    maintainers = at(bundle.csv, "spec.maintainers") or []
    if not maintainers:
        yield in_csv("spec.maintainers", "at least one is expected, found none")
    for index, person in enumerate(maintainers):
        where = f"spec.maintainers[{index}]"
        if not person.get("name"):
            yield in_csv(f"{where}.name", "a name is expected, found none")
        if not _EMAIL.fullmatch(str(person.get("email", ""))):
            found = person.get("email")
            yield in_csv(f"{where}.email", f"an address is expected, found {found!r}")
    if not at(bundle.csv, "spec.provider.name"):
        yield in_csv("spec.provider.name", "a name is expected, found none")
    links = at(bundle.csv, "spec.links") or []
    if not links:
        yield in_csv("spec.links", "at least one is expected, found none")
    for index, link in enumerate(links):
        if not link.get("name"):
            yield in_csv(f"spec.links[{index}].name", "a name is expected, found none")
        if not _URL.fullmatch(str(link.get("url", ""))):
            found = link.get("url")
            yield in_csv(f"spec.links[{index}].url", f"a URL is expected, found {found!r}")


def icon(bundle: Bundle) -> Mistakes:
    """There is one, of a known type, and it is base64."""
    icons = at(bundle.csv, "spec.icon") or []
    if not icons:
        yield in_csv("spec.icon", "an icon is expected, found none")
    for index, found in enumerate(icons):
        if found.get("mediatype") not in MEDIA_TYPES:
            expected = ", ".join(MEDIA_TYPES)
            yield in_csv(
                f"spec.icon[{index}].mediatype",
                f"one of {expected} is expected, found {found.get('mediatype')!r}",
            )
        try:
            data = base64.b64decode(found.get("base64data", ""), validate=True)
        except (binascii.Error, ValueError):
            data = b""
        if not data:
            yield in_csv(f"spec.icon[{index}].base64data", "base64 is expected, found none")


def annotations(bundle: Bundle) -> Mistakes:
    """What catalogs show."""
    found = at(bundle.csv, "metadata.annotations") or {}
    if found.get("capabilities") not in CAPABILITIES:
        yield in_csv(
            "metadata.annotations.capabilities",
            f"one of {', '.join(CAPABILITIES)} is expected, found {found.get('capabilities')!r}",
        )
    for category in str(found.get("categories", "")).split(","):
        if category.strip() not in CATEGORIES:
            yield in_csv(
                "metadata.annotations.categories",
                f"OperatorHub's categories are expected, found {category.strip()!r}",
            )
    for field in (*_SHOWN, *_FOR_CATALOGS):
        if not found.get(field):
            yield in_csv(f"metadata.annotations.{field}", "a text is expected, found none")
    if not _TIME.fullmatch(str(found.get("createdAt", ""))):
        value = found.get("createdAt")
        yield in_csv("metadata.annotations.createdAt", f"a time is expected, found {value!r}")
    if not _URL.fullmatch(str(found.get("repository", ""))):
        value = found.get("repository")
        yield in_csv("metadata.annotations.repository", f"a URL is expected, found {value!r}")


def kubernetes(bundle: Bundle) -> Mistakes:
    """The oldest Kubernetes is named."""
    version = str(at(bundle.csv, "spec.minKubeVersion", ""))
    if not SEMVER.fullmatch(version):
        yield in_csv("spec.minKubeVersion", f"such as 1.30.0 is expected, found {version!r}")


def platforms(bundle: Bundle) -> Mistakes:
    """Which processors and systems it runs on: without labels amd64 and Linux are assumed.

    https://olm.operatorframework.io/docs/advanced-tasks/ship-operator-supporting-multiarch/
    """
    found = at(bundle.csv, "metadata.labels") or {}
    for part in ("arch", "os"):
        there = [value for key, value in found.items() if key.startswith(f"{_PLATFORM}{part}.")]
        if not there or set(map(str, there)) != {"supported"}:
            where = f"metadata.labels.{_PLATFORM}{part}.*"
            yield in_csv(where, f"at least one 'supported' is expected, found {there}")
