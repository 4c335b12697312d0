"""Record the roles and bindings with which a real API server starts.

    PYTHONPATH=tests python -m goldens.record_bootstrap_rbac KUBE_APISERVER

They are written to the package's data: by resource the objects without what the server sets anew.
"""

import sys
from pathlib import Path
from typing import Any

from goldens.bare_apiserver import bare_apiserver
from goldens.package_data import write

RESOURCES = ("clusterroles", "clusterrolebindings", "roles", "rolebindings")
_SET_ANEW = ("creationTimestamp", "managedFields", "resourceVersion", "uid")


def _kept(obj: dict[str, Any]) -> dict[str, Any]:
    meta = {name: value for name, value in obj["metadata"].items() if name not in _SET_ANEW}
    return {**obj, "metadata": meta}


def main() -> None:
    """Write the data of the server's version."""
    with bare_apiserver(Path(sys.argv[1])) as server:
        version = server.call("GET", "/version").body
        found = {}
        for resource in RESOURCES:
            reply = server.call("GET", f"/apis/rbac.authorization.k8s.io/v1/{resource}")
            found[resource] = [_kept(each) for each in reply.body["items"]]
    write(f"{version['major']}.{version['minor']}", "rbac", found)


if __name__ == "__main__":
    main()
