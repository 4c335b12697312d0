"""Record the objects with which a real API server starts.

    PYTHONPATH=tests python -m goldens.record_bootstrap KUBE_APISERVER

They are written to the package's data, by resource, without what the server sets anew: `rbac` are
roles and bindings, `objects` what else it makes, but for what record_health.py records. The server
is said to be at ADDRESS:PORT, and `<time>` stands for times.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

from goldens.bare_apiserver import bare_apiserver
from goldens.package_data import write
from goldens.record_kinds import TIME

_RBAC = "/apis/rbac.authorization.k8s.io/v1"
_NETWORKING = "/apis/networking.k8s.io/v1"
PARTS = {
    "rbac": dict.fromkeys(("clusterroles", "clusterrolebindings", "roles", "rolebindings"), _RBAC),
    "objects": {
        "apiservices": "/apis/apiregistration.k8s.io/v1",
        "servicecidrs": _NETWORKING,
        "services": "/api/v1",
        "ipaddresses": _NETWORKING,
        "endpoints": "/api/v1",
        "endpointslices": "/apis/discovery.k8s.io/v1",
    },
}
"""Resources and where they are, in the order in which they are made."""
ADDRESS, PORT = "192.0.2.1", 16443
"""Of the documentation's network: https://www.rfc-editor.org/rfc/rfc5737."""
_AT = ("--endpoint-reconciler-type=lease", f"--advertise-address={ADDRESS}")
_SET_ANEW = ("creationTimestamp", "resourceVersion", "uid")
_STARTED_SECONDS = 15.0


def _kept(obj: dict[str, Any], dropped: tuple[str, ...], port: str) -> dict[str, Any]:
    meta = {name: value for name, value in obj["metadata"].items() if name not in dropped}
    text = TIME.sub("<time>", json.dumps({**obj, "metadata": meta}))
    found: dict[str, Any] = json.loads(re.sub(rf"\b{port}\b", str(PORT), text))
    return found


def main() -> None:
    """Write the data of the server's version."""
    with bare_apiserver(Path(sys.argv[1]), *_AT) as server:
        server.wait(_STARTED_SECONDS)
        version = server.call("GET", "/version").body
        for part, resources in PARTS.items():
            dropped = (*_SET_ANEW, *(("managedFields",) if part == "rbac" else ()))
            found = {
                resource: [
                    _kept(each, dropped, str(server.port))
                    for each in server.call("GET", f"{base}/{resource}").body["items"]
                ]
                for resource, base in resources.items()
            }
            write(f"{version['major']}.{version['minor']}", part, found)


if __name__ == "__main__":
    main()
