"""The ClusterServiceVersion.

https://olm.operatorframework.io/docs/concepts/crds/clusterserviceversion/
"""

import base64
import json
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path

import yaml

from hourglass_kube.types import JSON
from hourglass_operator.api import GROUP, KIND, PLURAL, VERSION
from hourglass_operator.manifests.installation import Installation
from hourglass_operator.manifests.kubernetes_versions import OLDEST, RANGE
from hourglass_operator.manifests.roles import EVERYWHERE, NAME, NAMESPACE, rules
from hourglass_operator.manifests.workload import deployment, namespace
from hourglass_operator.olm.descriptors import spec_descriptors, status_descriptors
from hourglass_operator.olm.release import Release
from hourglass_operator.permissions import OWN_NAMESPACE

CREATED = "2026-11-23T00:00:00Z"
"""When this version was made: written by hand, so that generating twice gives the same."""
REPOSITORY = "https://github.com/Layr-Labs/hourglass-kubernetes-operator"
MATURITY = "alpha"
BUILDER = "hourglass_operator.olm"
LAYOUT = "python.kopf.dev"
"""What made the bundle, and how the project is laid out: for the statistics of catalogs."""

_PLATFORMS = {"arch": ("amd64", "arm64"), "os": ("linux",)}
"""What the image is built for."""
_MADE = {
    "pods": "Pod",
    "services": "Service",
    "poddisruptionbudgets": "PodDisruptionBudget",
    "events": "Event",
}
"""The kinds that are made of a Performer, by the names that the API server has for them."""
_EXAMPLES = ("minimal", "env", "gpu", "tee", "complex")
_DESCRIPTION = (
    """\
Runs **Performers**, the containers that do the work of an EigenLayer AVS.

Executors create Performers through the Kubernetes API. The operator gives each a pod and a stable
address (`performer-{name}.{namespace}.svc.cluster.local:{grpcPort}`), places it on the hardware it
needs (GPU, TEE), upgrades it without downtime, and reports its real state in `status.phase` and
`status.conditions`: what is wrong, where, and what would help.

### Prerequisites

"""
    f"Kubernetes {OLDEST} or newer (tested with {RANGE})."
    """ Nothing else: no webhooks, no certificates.

### Afterwards

Create a namespace and a Performer, and look at it with `kubectl get performers -o wide`.

### Uninstalling

Deleting the Subscription and the ClusterServiceVersion keeps all Performers and their pods. While
no operator runs a Performer that is deleted waits for its finalizer: `hourglass-operator
release-finalizers` removes it, and Kubernetes then removes the pods.
"""
)


def cluster_service_version(examples: Path, release: Release) -> JSON:
    """The whole object; `examples` is the folder with the example manifests."""
    replaces = {"replaces": release.replaces} if release.replaces else {}
    skips = {"olm.skipRange": release.skip_range} if release.skip_range else {}
    return {
        "apiVersion": "operators.coreos.com/v1alpha1",
        "kind": "ClusterServiceVersion",
        "metadata": {
            "name": release.csv_name,
            "namespace": "placeholder",
            "labels": {
                f"operatorframework.io/{what}.{name}": "supported"
                for what, names in _PLATFORMS.items()
                for name in names
            },
            "annotations": {
                "alm-examples": json.dumps(list(_alm_examples(examples)), indent=2),
                "capabilities": "Deep Insights",
                "categories": "AI/Machine Learning, Application Runtime",
                "containerImage": release.image,
                "createdAt": CREATED,
                "description": "Runs the Performers of EigenLayer AVSs on the hardware they need.",
                "repository": REPOSITORY,
                "support": "Hourglass maintainers",
                "operatorframework.io/suggested-namespace": NAMESPACE,
                "operatorframework.io/suggested-namespace-template": json.dumps(namespace()),
                "operators.operatorframework.io/builder": BUILDER,
                "operators.operatorframework.io/project_layout": LAYOUT,
                **skips,
            },
        },
        "spec": {
            "displayName": "Hourglass Performer Operator",
            "description": _DESCRIPTION,
            "version": release.version,
            **replaces,
            "minKubeVersion": f"{OLDEST}.0",
            "maturity": MATURITY,
            "icon": [{"base64data": icon(), "mediatype": "image/svg+xml"}],
            "keywords": ["eigenlayer", "avs", "performer", "hourglass", "gpu", "tee"],
            "maintainers": [{"name": "Hourglass maintainers", "email": "hourglass@eigenlabs.org"}],
            "provider": {"name": "Hourglass", "url": REPOSITORY},
            "links": [
                {"name": "Documentation", "url": f"{REPOSITORY}/tree/main/docs"},
                {"name": "Source", "url": REPOSITORY},
            ],
            "relatedImages": [{"name": "operator", "image": release.image}],
            "installModes": [
                {"type": mode, "supported": mode == "AllNamespaces"}
                for mode in ("OwnNamespace", "SingleNamespace", "MultiNamespace", "AllNamespaces")
            ],
            "customresourcedefinitions": {"owned": [_owned()]},
            "install": {"strategy": "deployment", "spec": _install(release.image)},
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
        "resources": [
            {"name": plural, "kind": kind, "version": "v1"} for plural, kind in _MADE.items()
        ],
        "specDescriptors": spec_descriptors(),
        "statusDescriptors": status_descriptors(),
    }


def _install(image: str) -> JSON:
    made = deployment(Installation(image=image))
    labels = made["metadata"]["labels"]
    made["spec"]["template"]["spec"]["affinity"]["nodeAffinity"] = _built_for()
    return {
        "clusterPermissions": [{"serviceAccountName": NAME, "rules": rules(EVERYWHERE)}],
        "permissions": [{"serviceAccountName": NAME, "rules": rules(OWN_NAMESPACE)}],
        "deployments": [{"name": NAME, "label": labels, "spec": made["spec"]}],
    }


def _built_for() -> JSON:
    """On which nodes the image runs, as OLM's validators look for it."""
    expressions = [
        {"key": f"kubernetes.io/{what}", "operator": "In", "values": list(names)}
        for what, names in _PLATFORMS.items()
    ]
    terms = [{"matchExpressions": expressions}]
    return {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}


def _alm_examples(folder: Path) -> Iterable[JSON]:
    for name in _EXAMPLES:
        text = (folder / f"{name}.yaml").read_text(encoding="utf-8")
        yield from (doc for doc in yaml.safe_load_all(text) if doc and doc["kind"] == KIND)
