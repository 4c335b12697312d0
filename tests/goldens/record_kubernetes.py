"""Record what a version of Kubernetes serves, as data of the simulator.

    PYTHONPATH=tests python -m goldens.record_kubernetes 1.34 KUBE_APISERVER MODULES

The version may be another one: `package_data` says how it is kept. KUBE_APISERVER is the program;
MODULES is the folder that has `k8s.io/api@v0.34.4` and the like, `$(go env GOMODCACHE)`. Five files
come out, in simulator/hourglass_simulator/kubernetes:

- `1.34.discovery.json.xz`: /version, the discovery documents as they are, the columns of tables;
- `1.34.types.json.xz`: the Go types of all kinds (see `go_types.py`) with what OpenAPI knows of
  their fields: enums, types and keys of lists;
- `1.34.openapi-v3.json.xz`, `1.34.openapi-v2.json.xz`: the OpenAPI documents;
- `1.34.features.json.xz`: the feature gates, each with whether it is on.
"""

import re
import sys
from pathlib import Path
from typing import Any

from goldens.bare_apiserver import BareServer, bare_apiserver
from goldens.go_types import PACKAGES, Types
from goldens.package_data import write

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
_FEATURE = re.compile(r'^kubernetes_feature_enabled\{name="(\w+)".*\} (\d)$', re.MULTILINE)


def main() -> None:
    """Write the four files."""
    version, program, modules = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    with bare_apiserver(program) as server:
        found = discovery(server)
        documents = openapi(server)
        swagger = server.call("GET", "/openapi/v2").body
        gates = features(server)
    assert found["version"]["gitVersion"].startswith(f"v{version}."), found["version"]
    write(version, "discovery", found)
    write(version, "types", types(documents, found["version"]["gitVersion"], modules))
    write(version, "openapi-v3", documents)
    write(version, "openapi-v2", swagger)
    write(version, "features", gates)


def discovery(server: BareServer) -> dict[str, Any]:
    """Everything that says which resources there are, and the columns of each."""
    aggregated = {
        path: server.call("GET", path, accept=AGGREGATED).body for path in ("/api", "/apis")
    }
    groups = server.call("GET", "/apis").body
    paths = ["/api/v1"]
    paths += [f"/apis/{v['groupVersion']}" for g in groups["groups"] for v in g["versions"]]
    lists = {path: server.call("GET", path).body for path in paths}
    for document in aggregated.values():
        document.get("metadata", {}).pop("resourceVersion", None)
    return {
        "version": server.call("GET", "/version").body,
        "aggregated": aggregated,
        "groups": groups,
        "lists": lists,
        "columns": {
            f"{path}/{each['name']}": columns(server, f"{path}/{each['name']}")
            for path, listed in lists.items()
            for each in listed["resources"]
            if "list" in each["verbs"]
        },
    }


def columns(server: BareServer, path: str) -> list[dict[str, Any]]:
    """The column definitions of a table."""
    found: list[dict[str, Any]] = server.call("GET", path, accept=TABLE).body["columnDefinitions"]
    return found


def features(server: BareServer) -> dict[str, bool]:
    """Every feature gate, and whether it is on by default.

    https://kubernetes.io/docs/reference/command-line-tools-reference/feature-gates/
    """
    found = _FEATURE.findall(server.call("GET", "/metrics").body)
    return {name: value == "1" for name, value in sorted(found)}


def openapi(server: BareServer) -> dict[str, Any]:
    """The OpenAPI v3 documents of all groups and versions, by their path."""
    paths = server.call("GET", "/openapi/v3").body["paths"]
    return {
        path: server.call("GET", entry["serverRelativeURL"]).body
        for path, entry in sorted(paths.items())
    }


def types(documents: dict[str, Any], version: str, modules: Path) -> dict[str, Any]:
    """The kinds by group, version and kind, and all types that they are made of."""
    found = Types(modules, "v0" + version.removeprefix("v1"))
    kinds = {}
    for path, document in documents.items():
        for name, schema in sorted(document.get("components", {}).get("schemas", {}).items()):
            package, _, short = name.rpartition(".")
            if package not in PACKAGES:
                continue
            for kind in schema.get("x-kubernetes-group-version-kind", ()):
                base = f"apis/{kind['group']}/{kind['version']}" if kind["group"] else "api/v1"
                if base == path and "metadata" in schema.get("properties", {}):
                    key = f"{base}/{kind['kind']}"
                    kinds[key] = found.add(f"{PACKAGES[package]}.{short}")
    for document in documents.values():
        for name, schema in sorted(document.get("components", {}).get("schemas", {}).items()):
            package, _, short = name.rpartition(".")
            found.describe(f"{PACKAGES.get(package)}.{short}", schema.get("properties", {}))
    return {"kinds": kinds, "types": found.types}


if __name__ == "__main__":
    main()
