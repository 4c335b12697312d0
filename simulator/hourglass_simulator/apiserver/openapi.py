"""The recorded OpenAPI schemas of built-in kinds."""

from collections.abc import Mapping
from functools import cache

from hourglass_kube.types import JSON
from hourglass_simulator.kubernetes.version import Version

CORE = "api/v1"


def schemas(version: Version, path: str) -> Mapping[str, JSON]:
    """The schemas of a group and version, e.g. `apis/apps/v1`, by name."""
    found: Mapping[str, JSON] = version.openapi_v3[path]["components"]["schemas"]
    return found


def path_of(api_version: str) -> str:
    """Under which path the schemas of `apps/v1` are."""
    return f"apis/{api_version}" if "/" in api_version else f"api/{api_version}"


def schema_name(version: Version, api_version: str, kind: str) -> str | None:
    """The name of the schema of a kind; None if it is not built in."""
    path = path_of(api_version)
    if path not in version.openapi_v3:
        return None
    group, _, short = api_version.rpartition("/")
    return _names(version, path).get((group, short, kind))


@cache
def _names(version: Version, path: str) -> dict[tuple[str, str, str], str]:
    return {
        (each["group"], each["version"], each["kind"]): name
        for name, schema in schemas(version, path).items()
        for each in schema.get("x-kubernetes-group-version-kind", ())
    }
