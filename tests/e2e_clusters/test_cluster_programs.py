"""Programs built from Go modules: what is built, how, and that it is built once."""

import re
from pathlib import Path

import pytest

from clusters import UnavailableError, build, k3d, k3s
from e2e_clusters.executables import Executables
from hourglass_operator.manifests.kubernetes_versions import TESTED

GO = """
case "$1" in
  version) echo go version go{version} linux/amd64 ;;
  build) while [ "$1" != -o ]; do shift; done; {build} ;;
esac
"""


@pytest.fixture
def go(executables: Executables, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Executables:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    executables.add("go", GO.format(version="1.26.8", build='echo built > "$2"'))
    return executables


def test_a_program_is_built_once(go: Executables, tmp_path: Path) -> None:
    logged = list[str]()
    first = build.program("kubelet", logged.append)
    assert first.read_text() == "built\n"
    assert first.is_relative_to(tmp_path / "cache" / "hourglass-cluster")
    assert logged[0].startswith("building kubelet (minutes")
    assert re.fullmatch(r"built kubelet in \d+ s", logged[1])

    logged.clear()
    go.add("go", "exit 1")
    assert build.program("kubelet", logged.append) == first
    assert logged == []


@pytest.mark.parametrize(
    ("kubernetes", "version", "minor"),
    [
        ("1.33", "v1.33.13", "33"),
        ("1.34", "v1.34.4", "34"),
        ("1.35", "v1.35.4", "35"),
        ("1.36", "v1.36.3", "36"),
        ("1.37", "v1.37.2", "37"),
    ],
)
def test_kubernetes_gets_its_version(
    go: Executables, kubernetes: str, version: str, minor: str
) -> None:
    build.program("kubelet", lambda _: None, kubernetes)
    (command,) = [call for call in go.calls() if call.startswith("go build")]
    assert f"-X k8s.io/component-base/version.gitVersion={version}" in command
    assert f"-X k8s.io/component-base/version.gitMinor={minor}" in command
    assert command.endswith(" k8s.io/kubernetes/cmd/kubelet")


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        pytest.param(
            GO.format(version="1.19.8", build="true"),
            "Go 1.24 or newer is needed, found: go version go1.19.8",
            id="a Go that is too old",
        ),
        pytest.param(
            GO.format(version="1.24.0", build="echo half > $2; echo a.go:1: broken >&2; exit 1"),
            "kubelet cannot be built: a.go:1: broken",
            id="a build that fails",
        ),
    ],
)
def test_no_program_from(go: Executables, script: str, reason: str) -> None:
    go.add("go", script)
    with pytest.raises(UnavailableError, match=re.escape(reason)):
        build.program("kubelet", lambda _: None, "1.34")
    # A later run must not take a half-built program for a whole one.
    go.add("go", GO.format(version="1.26.8", build='echo built > "$2"'))
    assert build.program("kubelet", lambda _: None).read_text() == "built\n"


def test_no_program_without_go(go: Executables) -> None:
    go.remove("go")
    with pytest.raises(UnavailableError, match="not installed"):
        build.program("kwok", lambda _: None)


@pytest.mark.parametrize("kubernetes", TESTED)
@pytest.mark.parametrize("name", build.PACKAGES)
def test_the_module_of_each_program_pins_it(name: str, kubernetes: str) -> None:
    _, package = build.PACKAGES[name]
    module = build.module_of(name, kubernetes)
    if package.startswith("./"):
        assert (module / package / "main.go").exists()
    else:
        assert re.search(rf"^(tool )?\s*{package}$", (module / "go.mod").read_text(), re.MULTILINE)
        assert (module / "go.sum").exists()


def test_other_providers_start_a_version_that_is_built_too() -> None:
    version = build.kubernetes_version((build.module_of("kubelet", "1.34") / "go.mod").read_text())
    assert f"rancher/k3s:{version}-k3s1" == k3s.IMAGE
    assert f"v{k3d.VERSION}" == version
