"""The operator as users install it: in the cluster, under its own account, in two replicas.

The same tests for the kustomization and for what OLM makes of the bundle.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from clusters import Cluster, wait_until
from conftest import OPERATOR_IMAGE, ClusterReport
from hourglass_kube.types import JSON
from hourglass_operator.manifests.roles import NAME, NAMESPACE
from operators import Performers

ROOT = Path(__file__).parents[1]
NODES: tuple[JSON, ...] = (
    {"prefix": "plain"},
    {
        "prefix": "with-gpu",
        "labels": {"accelerator": "nvidia-tesla-a100"},
        "capacity": {"nvidia.com/gpu": "2"},
    },
    {
        "prefix": "with-tee",
        "labels": {
            "intel.feature.node.kubernetes.io/sgx": "true",
            "sgx.intel.com/epc": "128Mi",
        },
    },
    {
        "prefix": "premium",
        "labels": {
            "node.kubernetes.io/instance-type": "m5.4xlarge",
            "kubernetes.io/arch": "amd64",
            "workload-type": "compute-intensive",
            "performance-tier": "premium",
            "network-bandwidth": "10gbps",
        },
    },
)
"""Nodes on which the five examples of the API reference fit."""
EXAMPLES = {
    "minimal": "my-avs-project/minimal-performer",
    "env": "my-avs-project/env-performer",
    "gpu": "ml-workloads/gpu-performer",
    "tee": "secure-compute/tee-performer",
    "complex": "production/complex-performer",
}


def by_kustomization(cluster: Cluster) -> list[JSON]:
    text = cluster.kubectl("kustomize", str(ROOT / "deploy" / "base"))
    return [obj for obj in yaml.safe_load_all(text) if obj]


def by_olm(_: Cluster) -> list[JSON]:
    """The objects that OLM makes of a ClusterServiceVersion for all namespaces.

    https://olm.operatorframework.io/docs/concepts/crds/clusterserviceversion/
    """
    files = (ROOT / "bundle" / "manifests").glob(f"{NAME}.*.yaml")
    objects = {
        obj["kind"]: obj for obj in map(yaml.safe_load, (file.read_text() for file in files))
    }
    spec = objects.pop("ClusterServiceVersion")["spec"]["install"]["spec"]
    place = {"name": NAME, "namespace": NAMESPACE}
    made: list[JSON] = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": place},
    ]
    for kind, granted in (
        ("ClusterRole", spec["clusterPermissions"]),
        ("Role", spec["permissions"]),
    ):
        group = {"apiVersion": "rbac.authorization.k8s.io/v1"}
        metadata = {"name": NAME} if kind == "ClusterRole" else place
        account = {"kind": "ServiceAccount", **place}
        reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": NAME}
        made += [
            {**group, "kind": kind, "metadata": metadata, "rules": granted[0]["rules"]},
            {
                **group,
                "kind": f"{kind}Binding",
                "metadata": metadata,
                "roleRef": reference,
                "subjects": [account],
            },
        ]
    for deployment in spec["deployments"]:
        metadata = {"name": deployment["name"], "namespace": NAMESPACE}
        metadata["labels"] = deployment["label"]
        made.append(
            {
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "metadata": metadata,
                "spec": deployment["spec"],
            }
        )
    for obj in objects.values():
        made.append(obj | {"metadata": obj["metadata"] | {"namespace": NAMESPACE}})
    return made


WAYS: dict[str, Callable[[Cluster], list[JSON]]] = {
    "the kustomization": by_kustomization,
    "the bundle": by_olm,
}


class Installation:
    """The installed operator; `log_level` is what an upgrade of it changes here."""

    def __init__(self, cluster: Cluster, objects: list[JSON]) -> None:
        self.cluster = cluster
        self.objects = objects

    def apply(self, log_level: str = "info") -> None:
        objects = json.loads(json.dumps(self.objects))
        for obj in objects:
            if obj["kind"] == "Deployment":
                container = obj["spec"]["template"]["spec"]["containers"][0]
                container["image"] = OPERATOR_IMAGE
                container["args"].append(f"--log-level={log_level}")
        text = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
        # A namespace that is new must be there before what is in it.
        namespaces = [obj for obj in objects if obj["kind"] == "Namespace"]
        for stdin in (json.dumps(namespaces[0]), text):
            self.cluster.kubectl("apply", "--server-side", "-f", "-", stdin=stdin)

    def wait_rolled_out(self) -> None:
        arguments = ("status", f"deployment/{NAME}", "-n", NAMESPACE, "--timeout=120s")
        self.cluster.kubectl("rollout", *arguments, timeout=130)

    def delete(self) -> None:
        text = json.dumps({"apiVersion": "v1", "kind": "List", "items": self.objects})
        arguments = ("--ignore-not-found", "--timeout=90s")
        self.cluster.kubectl("delete", "-f", "-", *arguments, stdin=text, timeout=100)

    def logged(self) -> str:
        """What all replicas have logged."""
        selector = f"--selector=app.kubernetes.io/name={NAME}"
        return self.cluster.kubectl("logs", selector, "-n", NAMESPACE, "--tail=-1")

    def pods(self) -> list[JSON]:
        selector = f"app.kubernetes.io/name={NAME}"
        found: list[JSON] = self.cluster.get("pods", "-n", NAMESPACE, "-l", selector)["items"]
        return found


@pytest.fixture(scope="module", params=list(WAYS))
def installed(
    request: pytest.FixtureRequest, own_cluster: Cluster, custom_resource: str, operator_image: str
) -> Iterator[Installation]:
    cluster = own_cluster
    if not cluster.has_root_certificate():
        pytest.skip("this cluster gives pods no certificate by which they know the API server")
    installation = Installation(cluster, WAYS[request.param](cluster))
    installation.apply()
    try:
        installation.wait_rolled_out()
        yield installation
    finally:
        installation.delete()


def test_both_replicas_are_ready_and_one_leads(installed: Installation) -> None:
    pods = installed.pods()
    assert [pod["status"]["containerStatuses"][0]["ready"] for pod in pods] == [True, True]
    names = [pod["metadata"]["name"] for pod in pods]

    def one_leads() -> bool:
        # A Lease that an earlier operator has left is watched for its whole duration first.
        lease = installed.cluster.get("lease", NAME, "-n", NAMESPACE)
        return str(lease["spec"].get("holderIdentity", "")).startswith(tuple(names))

    wait_until("one of them leads", one_leads)


def test_it_runs_with_the_least_that_kubernetes_can_give(installed: Installation) -> None:
    for pod in installed.pods():
        spec, container = pod["spec"], pod["spec"]["containers"][0]
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert container["securityContext"]["allowPrivilegeEscalation"] is False
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
    # The API server itself says whether the pods are within the standard.
    enforce = "pod-security.kubernetes.io/enforce=restricted"
    arguments = ("--overwrite", "--dry-run=server")
    warned = installed.cluster.kubectl("label", "ns", NAMESPACE, enforce, *arguments)
    assert "violate" not in warned


def test_an_upgrade_of_the_operator_restarts_nobody(
    installed: Installation, performers: Performers
) -> None:
    installed.cluster.add_fake_nodes(1, prefix="upgraded")
    performers.create("ml", "x:v1")
    performers.wait_settled({"ml": "x:v1"})
    before = [pod["metadata"]["uid"] for pod in performers.pods("ml")]
    installed.apply(log_level="debug")
    installed.wait_rolled_out()
    # What the new release does with an old Performer shows when it works on a new one.
    performers.create("later", "x:v1")
    performers.wait_settled({"ml": "x:v1", "later": "x:v1"})
    assert [pod["metadata"]["uid"] for pod in performers.pods("ml")] == before


def test_without_the_operator_performers_stay_and_with_it_none_is_stuck(
    installed: Installation, performers: Performers
) -> None:
    installed.cluster.add_fake_nodes(1, prefix="kept")
    performers.create("ml", "x:v1")
    performers.wait_settled({"ml": "x:v1"})
    before = [pod["metadata"]["uid"] for pod in performers.pods("ml")]
    installed.delete()
    assert [pod["metadata"]["uid"] for pod in performers.pods("ml")] == before
    performers.delete("ml")
    installed.apply()
    installed.wait_rolled_out()
    performers.wait_settled({})


def test_the_five_examples_come_to_serve(
    installed: Installation, cluster_report: ClusterReport
) -> None:
    cluster = installed.cluster
    nodes = [name for node in NODES for name in cluster.add_fake_nodes(1, **node)]
    files = [ROOT / "examples" / f"{name}.yaml" for name in ("prerequisites", *EXAMPLES)]
    try:
        for file in files:
            cluster.kubectl("apply", "-f", str(file))
        wait_until("all five are Running", lambda: _phases(cluster) == {"Running"}, 60)
        assert "the API server warns" not in installed.logged()
        cluster_report.add("the operator in the cluster: the five examples came to serve")
    finally:
        for file in reversed(files):
            arguments = ("--ignore-not-found", "--timeout=60s")
            cluster.kubectl("delete", "-f", str(file), *arguments, timeout=70)
        cluster.kubectl("delete", "node", *nodes)


def _phases(cluster: Cluster) -> set[str]:
    phases = set()
    for place in EXAMPLES.values():
        namespace, name = place.split("/")
        performer = cluster.get("performer", name, "-n", namespace)
        phases.add(performer["status"].get("phase"))
    return phases
