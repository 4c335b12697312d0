"""The bundle as the real OLM judges it: installed, upgraded and uninstalled by its own processes.

Nodes are KWOK's, so the pods of the operator's Deployment are Ready and nothing runs in them: the
operator is a process of this machine, under the account that OLM made and with no other rights.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from clusters import Cluster, wait_until
from clusters.build import programs
from clusters.cluster import KubectlError
from clusters.errors import UnavailableError
from conftest import ClusterReport
from hourglass_kube.types import JSON
from hourglass_operator.manifests.roles import LEASE, NAME, NAMESPACE
from olm_installed import CATALOG, Olm, olm_installed
from olm_installed import NAMESPACE as OLM_NAMESPACE
from operators import SHORT_LEASE, Operator, Performers, account_kubeconfig
from operators.process import PROGRAM

ROOT = Path(__file__).parents[1]
FIRST = ROOT / "bundle"
CSV = FIRST / "manifests" / f"{NAME}.clusterserviceversion.yaml"
NEXT = "0.2.0"
NEXT_IMAGE = f"registry.example.com/{NAME}@sha256:{'2' * 64}"
NEXT_BUNDLE = f"registry.example.com/{NAME}-bundle@sha256:{'3' * 64}"
INSTALLED = ("deployment", "serviceaccount", "poddisruptionbudget", "service", "networkpolicy")
NODE = {"kubernetes.io/os": "linux", "kubernetes.io/arch": "arm64"}


@pytest.fixture(scope="module")
def control_plane(own_cluster: Cluster) -> Cluster:
    if own_cluster.provider != "control-plane":
        pytest.skip("the operator's image is on no node here: --cluster control-plane")
    return own_cluster


@pytest.fixture(scope="module")
def olm(
    control_plane: Cluster,
    cluster_report: ClusterReport,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Olm]:
    if os.geteuid() != 0:
        pytest.skip("OLM listens on every address: a network of its own needs root")
    try:
        built = programs(("olm", "catalog", "opm"), cluster_report.add)
    except UnavailableError as error:
        pytest.skip(str(error))
    with olm_installed(control_plane, built, tmp_path_factory.mktemp("olm")) as running:
        yield running


@pytest.fixture(scope="module")
def next_release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle of the next version, made as a release is, and the catalog with both."""
    folder = tmp_path_factory.mktemp("next")
    subprocess.run(
        [
            *(sys.executable, "-m", "hourglass_operator.olm.generate", ROOT),
            f"--output={folder}",
            f"--version={NEXT}",
            f"--image={NEXT_IMAGE}",
            f"--bundle-image={NEXT_BUNDLE}",
            f"--replaces={NAME}.v{version_of(FIRST)}",
            f"--skip-range=<{NEXT}",
            f"--catalog={catalog_of(FIRST) / NAME / 'catalog.yaml'}",
        ],
        check=True,
    )
    return folder


def version_of(bundle: Path) -> str:
    csv = yaml.safe_load((bundle / "manifests" / CSV.name).read_text())
    return str(csv["spec"]["version"])


def catalog_of(bundle: Path) -> Path:
    return bundle / "catalog"


def bundle_images(bundle: Path) -> dict[str, str]:
    """Version → image of the bundle, by its catalog."""
    text = (catalog_of(bundle) / NAME / "catalog.yaml").read_text()
    found = (blob for blob in yaml.safe_load_all(text) if blob["schema"] == "olm.bundle")
    return {blob["name"].partition(".v")[2]: blob["image"] for blob in found}


def test_the_api_server_takes_every_field_of_it(olm: Olm, control_plane: Cluster) -> None:
    with control_plane.namespace() as namespace:
        csv = yaml.safe_load(CSV.read_text())
        csv["metadata"]["namespace"] = namespace
        said = control_plane.kubectl(
            *("apply", "--server-side", "--validate=strict", "--dry-run=server", "-f", "-"),
            stdin=json.dumps(csv),
        )
        assert said == f"clusterserviceversion.operators.coreos.com/{NAME}.v{version_of(FIRST)}" + (
            " serverside-applied (server dry run)\n"
        )


def wait_succeeded(cluster: Cluster, olm: Olm, version: str) -> None:
    """OLM has installed this version and nothing else of the package."""

    def succeeded() -> bool:
        olm.unpack()
        there = csvs(cluster)
        return there == {f"{NAME}.v{version}": "Succeeded"}

    try:
        wait_until(f"{version} has been installed", succeeded, 120)
    except TimeoutError:
        for kind in ("csv", "installplan", "subscription", "catalogsource"):
            sys.stdout.write(cluster.kubectl("get", kind, "-A", "-o", "yaml"))
        raise


def csvs(cluster: Cluster) -> dict[str, str]:
    """Name → phase, in the operator's namespace."""
    items = cluster.get("clusterserviceversions", "-n", NAMESPACE)["items"]
    return {each["metadata"]["name"]: each.get("status", {}).get("phase", "") for each in items}


def image_of_the_operator(cluster: Cluster) -> str:
    deployment = cluster.get("deployment", NAME, "-n", NAMESPACE)
    return str(deployment["spec"]["template"]["spec"]["containers"][0]["image"])


def may(cluster: Cluster, *question: str) -> bool:
    account = f"--as=system:serviceaccount:{NAMESPACE}:{NAME}"
    asked = ("auth", "can-i", "-q", *question, account)
    try:
        cluster.kubectl(*asked)
    except KubectlError:
        return False
    return True


def left(cluster: Cluster) -> list[str]:
    """What there still is of what OLM made."""
    kinds = ",".join(INSTALLED)
    found: list[JSON] = cluster.get(kinds, "-n", NAMESPACE)["items"]
    own = [each for each in found if each["metadata"]["name"] == NAME]
    owned = "olm.owner.kind=ClusterServiceVersion"
    own += cluster.get("clusterroles,clusterrolebindings", "-l", owned)["items"]
    return [f"{each['kind']}/{each['metadata']['name']}" for each in own]


def wait_uninstalled(cluster: Cluster) -> None:
    there: list[str] = []

    def gone() -> bool:
        there[:] = left(cluster)
        return not there

    try:
        wait_until("what OLM has installed is gone", gone, 180)
    except TimeoutError as error:
        raise AssertionError(f"{error}: {there}") from None


def test_it_is_installed_upgraded_and_uninstalled(
    olm: Olm, control_plane: Cluster, next_release: Path, tmp_path: Path
) -> None:
    cluster, first = control_plane, version_of(FIRST)
    olm.images |= {bundle_images(FIRST)[first]: FIRST, NEXT_BUNDLE: next_release}
    olm.serve(catalog_of(FIRST))
    cluster.add_fake_nodes(2, labels=NODE)
    cluster.apply(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        {
            "apiVersion": "operators.coreos.com/v1",
            "kind": "OperatorGroup",
            "metadata": {"name": "all", "namespace": NAMESPACE},
        },
        {
            "apiVersion": "operators.coreos.com/v1alpha1",
            "kind": "Subscription",
            "metadata": {"name": NAME, "namespace": NAMESPACE},
            "spec": {"name": NAME, "source": CATALOG, "sourceNamespace": OLM_NAMESPACE},
        },
    )

    wait_succeeded(cluster, olm, first)
    for kind in INSTALLED:
        cluster.kubectl("get", kind, NAME, "-n", NAMESPACE)
    # OLM makes its rights in its own namespace hold everywhere.
    leases = "leases.coordination.k8s.io"
    assert may(cluster, "update", f"{leases}/{LEASE}", "-n", "default")
    assert not may(cluster, "update", f"{leases}/another", "-n", "default")

    kubeconfig = tmp_path / "operator.kubeconfig"
    account_kubeconfig(cluster, NAMESPACE, NAME, kubeconfig)
    flags = (f"--lease-namespace={NAMESPACE}", *SHORT_LEASE)
    operator = Operator(kubeconfig, tmp_path / "operator.log", flags)
    with cluster.namespace() as namespace:
        performers = Performers.of(cluster, namespace)
        try:
            operator.start()
            operator.wait_leading()
            wanted = {"kept": "x:v1", "deleted": "x:v1"}
            for name, image in wanted.items():
                performers.create(name, image)
            performers.wait_settled(wanted)
            uids = {name: uids_of(performers, name) for name in wanted}

            olm.serve(catalog_of(next_release))
            wait_succeeded(cluster, olm, NEXT)
            assert image_of_the_operator(cluster) == NEXT_IMAGE
            performers.wait_settled(wanted)
            assert {name: uids_of(performers, name) for name in wanted} == uids
            assert not operator.missed()
            operator.stop()

            cluster.kubectl("delete", "subscription", NAME, "-n", NAMESPACE)
            cluster.kubectl("delete", "clusterserviceversion", "--all", "-n", NAMESPACE)
            wait_uninstalled(cluster)
            assert {name: uids_of(performers, name) for name in wanted} == uids

            performers.delete("deleted")
            assert performers.get("deleted")["metadata"]["deletionTimestamp"]
            release = ("release-finalizers", "-n", namespace, "--kubeconfig", cluster.kubeconfig)
            subprocess.run([PROGRAM, *release], check=True)
            wait_until("its pod is gone too", lambda: names_of_pods(performers) == {"kept"}, 60)
            assert uids_of(performers, "kept") == uids["kept"]
        finally:
            if operator.runs:
                operator.kill()
            performers.delete_all()


def uids_of(performers: Performers, name: str) -> list[str]:
    return [pod["metadata"]["uid"] for pod in performers.pods(name)]


def names_of_pods(performers: Performers) -> set[str]:
    """The Performers that have pods."""
    return {pod["metadata"]["labels"]["performer-name"] for pod in performers.items("pods")}
