"""The providers up to the programs they call, and what they leave behind: nothing."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import psutil
import pytest

from clusters import ImageImportError, UnavailableError, runs
from clusters.components import Components
from clusters.control_plane import control_plane
from clusters.k3d import k3d
from clusters.k3s import k3s
from clusters.kubeconfig import kubeconfig
from clusters.native import native
from e2e_clusters.executables import Executables

NODES = """{"items": [{"metadata": {"name": "n"}, "spec": {},
"status": {"conditions": [{"type": "Ready", "status": "True"}]}}]}"""
# Answers as soon as there is something in the kubeconfig.
KUBECTL = f"""
[ -s "$2" ] || exit 1
case "$*" in
  *readyz*) echo readyz check passed ;;
  *" get crd "*) ;;
  *) echo '{NODES}' ;;
esac
"""
K3D = """
case "$*" in
  --version) echo k3d version v5.8.3 ;;
  "cluster list --output json") echo '[{"name": "pytest-hourglass-e2e-DEAD"}, {"name": "a"}]' ;;
  "cluster create"*) CREATE ;;
  "kubeconfig get"*) echo apiVersion: v1 ;;
esac
"""
CREATE = (
    "k3d cluster create {name} --kubeconfig-update-default=0"
    " --image rancher/k3s:v1.34.4-k3s1 --wait --timeout=240s"
)


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where runs keep their folders."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    monkeypatch.setattr("clusters.lock.NODE", tmp_path / "lock")
    return folder


@pytest.fixture(scope="module")
def dead() -> int:
    """The pid of a process that is no more."""
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


@pytest.fixture
def k3d_program(
    executables: Executables, temporary: Path, dead: int, monkeypatch: pytest.MonkeyPatch
) -> Executables:
    monkeypatch.setattr("pytest_kubernetes.providers.base.sleep", lambda _: None)
    executables.add("kubectl", KUBECTL)
    executables.add("k3d", K3D.replace("DEAD", str(dead)).replace("CREATE", ":"))
    return executables


def issued(executables: Executables) -> list[str]:
    calls = [call for call in executables.calls() if call.startswith("k3d")]
    return [call for call in calls if call != "k3d --version"]


def test_k3d_is_asked_to_create_import_and_delete(
    k3d_program: Executables, temporary: Path, dead: int
) -> None:
    name = f"pytest-{runs.own_name()}"
    with k3d(lambda _: None) as cluster:
        assert cluster.kubeconfig.read_text() == "apiVersion: v1\n"
        cluster.import_image(Path("/image.tar"))
    assert issued(k3d_program) == [
        "k3d cluster list --output json",
        f"k3d cluster delete pytest-hourglass-e2e-{dead}",
        CREATE.format(name=name),
        f"k3d kubeconfig get {name}",
        f"k3d image import /image.tar --cluster {name}",
        f"k3d cluster delete {name}",
    ]
    assert list(temporary.iterdir()) == []


def test_a_k3d_cluster_that_does_not_start_is_deleted(
    k3d_program: Executables, temporary: Path
) -> None:
    k3d_program.add("k3d", K3D.replace("CREATE", "echo no such image >&2; exit 1"))
    with pytest.raises(UnavailableError, match="no such image"), k3d(lambda _: None):
        pass
    assert issued(k3d_program)[-1] == f"k3d cluster delete pytest-{runs.own_name()}"
    assert list(temporary.iterdir()) == []


def test_k3d_is_not_available_without_its_program(executables: Executables) -> None:
    with pytest.raises(UnavailableError, match="no `k3d` on the PATH"), k3d(lambda _: None):
        pass


def test_k3s_is_not_available_without_docker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///no/such/socket")
    with pytest.raises(UnavailableError, match="no Docker engine"), k3s(lambda _: None):
        pass


def test_native_is_not_available_to_everybody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(UnavailableError, match="needs root"), native(lambda _: None):
        pass


def test_a_control_plane_is_not_available_without_etcd(
    executables: Executables, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    executables.add("openssl", "")
    with (
        pytest.raises(UnavailableError, match=r"no apt-get to install it: etcd-server$"),
        control_plane(lambda _: None),
    ):
        pass


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        pytest.param(
            "echo no current-context >&2; exit 1",
            "KUBECONFIG: no current-context",
            id="a kubeconfig that names no cluster",
        ),
        pytest.param(
            "case $1 in config) ;; *) echo connection refused >&2; exit 1 ;; esac",
            "not a cluster with an admin's rights: .*connection refused",
            id="a cluster that does not answer",
        ),
        pytest.param(
            "case $3 in auth) echo no; exit 1 ;; esac",
            "not a cluster with an admin's rights: .*auth can-i",
            id="a user who may not do everything",
        ),
        pytest.param(
            'case "$*" in *" get crd "*) echo theirs ;; esac',
            "the cluster has performers.hourglass.eigenlayer.io already",
            id="a cluster in which Performers are in use",
        ),
    ],
)
def test_kubeconfig_is_not_available_with(
    executables: Executables,
    temporary: Path,
    monkeypatch: pytest.MonkeyPatch,
    script: str,
    reason: str,
) -> None:
    monkeypatch.setenv("KUBECONFIG", "/theirs")
    executables.add("kubectl", script)
    with pytest.raises(UnavailableError, match=reason), kubeconfig(lambda _: None):
        pass
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize(
    ("command", "error"),
    [
        pytest.param(None, "E2E_IMPORT_IMAGE is not set", id="without a command"),
        pytest.param("load --archive {}", None, id="by the command that is given"),
        pytest.param("refuse {}", "refuse '/my image.tar': disk full", id="which may fail"),
    ],
)
def test_kubeconfig_imports_images(
    executables: Executables,
    temporary: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: str | None,
    error: str | None,
) -> None:
    monkeypatch.setenv("KUBECONFIG", "/theirs")
    monkeypatch.delenv("E2E_IMPORT_IMAGE", raising=False)
    if command:
        monkeypatch.setenv("E2E_IMPORT_IMAGE", command)
    executables.add("kubectl", KUBECTL.replace('[ -s "$2" ] || exit 1', ""))
    executables.add("load", "")
    executables.add("refuse", "echo disk full >&2; exit 1")
    with kubeconfig(lambda _: None) as cluster:
        if error:
            with pytest.raises(ImageImportError, match=re.escape(error)):
                cluster.import_image(Path("/my image.tar"))
        else:
            cluster.import_image(Path("/my image.tar"))
            assert executables.calls()[-1] == "load --archive /my image.tar"


@pytest.mark.parametrize("provider", [k3s, k3d], ids=["k3s", "k3d"])
def test_a_provider_of_one_version_does_not_start_another(provider: Any) -> None:
    with (
        pytest.raises(UnavailableError, match=r"starts Kubernetes 1\.34 only"),
        provider(lambda _: None, kubernetes="1.37"),
    ):
        pass


def test_kubeconfig_is_not_available_with_another_version_than_was_asked_for(
    executables: Executables, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", "/theirs")
    version = """case "$*" in *" /version"*) echo '{"gitVersion": "v1.36.3"}'; exit ;; esac"""
    executables.add("kubectl", version + KUBECTL.replace('[ -s "$2" ] || exit 1', ""))
    with (
        pytest.raises(UnavailableError, match=r"runs Kubernetes v1\.36\.3, not 1\.37"),
        kubeconfig(lambda _: None, kubernetes="1.37"),
    ):
        pass
    assert list(temporary.iterdir()) == []


def test_kubeconfig_leaves_nothing_in_the_cluster(
    executables: Executables, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", "/theirs")
    is_new = 'case "$*" in *" get -f "*) exit ;; esac'
    executables.add("kubectl", is_new + KUBECTL.replace('[ -s "$2" ] || exit 1', ""))
    with kubeconfig(lambda _: None) as cluster:
        cluster.apply({"kind": "ConfigMap"})
    kubeconfig_file = temporary / runs.own_name() / "kubeconfig"
    assert executables.calls()[-1] == (
        f"kubectl --kubeconfig {kubeconfig_file} delete -f - --ignore-not-found"
    )


def test_kwok_runs_on_this_machine_until_the_run_ends(
    executables: Executables, temporary: Path
) -> None:
    executables.add("kwok", "exec sleep 600")
    with runs.run_folder() as folder:
        start = runs.kwok_starter(folder, Path("/kubeconfig"), lambda _: None)
        start()
        start()
        (child,) = psutil.Process().children()
    assert not child.is_running()
    assert list(temporary.iterdir()) == []


def test_what_a_killed_run_left_goes_and_what_a_live_one_has_stays(
    executables: Executables, temporary: Path, dead: int
) -> None:
    left = temporary / f"hourglass-e2e-{dead}"
    Components(left).run("kwok", ["sleep", "600"])
    (child,) = psutil.Process().children()
    live = temporary / f"hourglass-e2e-{os.getppid()}"
    live.mkdir()
    with runs.run_folder():
        assert not child.is_running()
        assert sorted(temporary.iterdir()) == sorted([live, temporary / runs.own_name()])


@pytest.mark.parametrize(
    ("name", "abandoned"),
    [
        pytest.param("hourglass-e2e-{dead}", True, id="the folder of a dead run is abandoned"),
        pytest.param("pytest-hourglass-e2e-{dead}", True, id="so is its k3d cluster"),
        pytest.param("hourglass-e2e-{live}", False, id="what a live run has is not"),
        pytest.param("hourglass-e2e-notes", False, id="nor is what has no pid"),
        pytest.param("theirs-{dead}", False, id="nor is what has another name"),
    ],
)
def test_names_show_whether_their_run_is_dead(name: str, abandoned: bool, dead: int) -> None:
    assert runs.is_abandoned(name.format(dead=dead, live=os.getpid())) is abandoned
