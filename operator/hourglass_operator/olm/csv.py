"""The ClusterServiceVersion.

https://olm.operatorframework.io/docs/concepts/crds/clusterserviceversion/
"""

import base64
import json
from collections.abc import Iterable
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

import yaml

from hourglass_kube.types import JSON
from hourglass_operator.api import GROUP, KIND, PLURAL, VERSION
from hourglass_operator.manifests.roles import EVERYWHERE, NAME, rules
from hourglass_operator.manifests.workload import deployment
from hourglass_operator.olm.descriptors import spec_descriptors, status_descriptors
from hourglass_operator.permissions import OWN_NAMESPACE

PACKAGE = NAME
RELEASE = version(NAME)
CSV_NAME = f"{PACKAGE}.v{RELEASE}"
CHANNEL = "alpha"
CREATED = "2026-11-23T00:00:00Z"
"""When this version was made: written by hand, so that generating twice gives the same."""
REPOSITORY = "https://github.com/Layr-Labs/hourglass-kubernetes-operator"
# The oldest version that the end-to-end tests have seen.
MIN_KUBE_VERSION = "1.34.0"

_EXAMPLES = ("minimal", "env", "gpu", "tee", "complex")
_DESCRIPTION = """\
Runs **Performers**, the containers that do the work of an EigenLayer AVS.

Executors create Performers through the Kubernetes API. The operator gives each a pod and a stable
address (`performer-{name}.{namespace}.svc.cluster.local:{grpcPort}`), places it on the hardware it
needs (GPU, TEE), upgrades it without downtime, and reports its real state in `status.phase` and
`status.conditions`: what is wrong, where, and what would help.

### Prerequisites

Kubernetes 1.34 or newer. Nothing else: no webhooks, no certificates.

### Afterwards

Create a namespace and a Performer, and look at it with `kubectl get performers -o wide`.
Uninstalling keeps all Performers and their pods.
"""


def cluster_service_version(examples: Path) -> JSON:
    """The whole object; `examples` is the folder with the example manifests."""
    image = deployment()["spec"]["template"]["spec"]["containers"][0]["image"]
    return {
        "apiVersion": "operators.coreos.com/v1alpha1",
        "kind": "ClusterServiceVersion",
        "metadata": {
            "name": CSV_NAME,
            "namespace": "placeholder",
            "annotations": {
                "alm-examples": json.dumps(list(_alm_examples(examples)), indent=2),
                "capabilities": "Deep Insights",
                "categories": "AI/Machine Learning, Application Runtime",
                "containerImage": image,
                "createdAt": CREATED,
                "description": "Runs the Performers of EigenLayer AVSs on the hardware they need.",
                "repository": REPOSITORY,
                "support": "Hourglass maintainers",
            },
        },
        "spec": {
            "displayName": "Hourglass Performer Operator",
            "description": _DESCRIPTION,
            "version": RELEASE,
            "minKubeVersion": MIN_KUBE_VERSION,
            "maturity": CHANNEL,
            "icon": [{"base64data": icon(), "mediatype": "image/svg+xml"}],
            "keywords": ["eigenlayer", "avs", "performer", "hourglass", "gpu", "tee"],
            "maintainers": [{"name": "Hourglass maintainers", "email": "hourglass@eigenlabs.org"}],
            "provider": {"name": "Hourglass", "url": REPOSITORY},
            "links": [
                {"name": "Documentation", "url": f"{REPOSITORY}/tree/main/docs"},
                {"name": "Source", "url": REPOSITORY},
            ],
            "relatedImages": [{"name": "operator", "image": image}],
            "installModes": [
                {"type": mode, "supported": mode == "AllNamespaces"}
                for mode in ("OwnNamespace", "SingleNamespace", "MultiNamespace", "AllNamespaces")
            ],
            "customresourcedefinitions": {"owned": [_owned()]},
            "install": {"strategy": "deployment", "spec": _install()},
        },
    }


def icon() -> str:
    """The icon, as base64."""
    svg = files("hourglass_operator.olm").joinpath("icon.svg").read_bytes()
    return base64.b64encode(svg).decode()


def _owned() -> JSON:
    return {
        "name": f"{PLURAL}.{GROUP}",
        "kind": KIND,
        "version": VERSION,
        "displayName": "Performer",
        "description": "A container that does the work of an AVS, behind a stable gRPC address.",
        "resources": [{"kind": kind, "version": "v1"} for kind in ("Pod", "Service", "Event")],
        "specDescriptors": spec_descriptors(),
        "statusDescriptors": status_descriptors(),
    }


def _install() -> JSON:
    made = deployment()
    labels = made["metadata"]["labels"]
    return {
        "clusterPermissions": [{"serviceAccountName": NAME, "rules": rules(EVERYWHERE)}],
        "permissions": [{"serviceAccountName": NAME, "rules": rules(OWN_NAMESPACE)}],
        "deployments": [{"name": NAME, "label": labels, "spec": made["spec"]}],
    }


def _alm_examples(folder: Path) -> Iterable[JSON]:
    for name in _EXAMPLES:
        text = (folder / f"{name}.yaml").read_text(encoding="utf-8")
        yield from (doc for doc in yaml.safe_load_all(text) if doc and doc["kind"] == KIND)
