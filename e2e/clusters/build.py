"""Programs built from the Go modules below `e2e/native` and `examples`, kept in a cache."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import time
from pathlib import Path

from clusters.errors import UnavailableError
from clusters.lock import alone
from clusters.log import Log
from hourglass_operator.manifests.kubernetes_versions import NEWEST

MODULES = Path(__file__).parent.parent / "native"
_EXAMPLES = Path(__file__).parents[2] / "examples"
DEFAULT = NEWEST
"""The minor version of Kubernetes that is built where none is named."""
_OF_KUBERNETES = (
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubelet",
    "kube-proxy",
    "kubectl",
)
PACKAGES = {
    **{name: ("kubernetes", f"k8s.io/kubernetes/cmd/{name}") for name in _OF_KUBERNETES},
    "coredns": ("coredns", "github.com/coredns/coredns"),
    "kwok": ("kwok", "sigs.k8s.io/kwok/cmd/kwok"),
    "helm": ("helm", "helm.sh/helm/v3/cmd/helm"),
    "pause": ("containers", "./pause"),
    "lookup": ("containers", "./lookup"),
    "clientgo": ("clientgo", "./"),
    "go-operator": ("go-operator", "./"),
    "cert-manager": ("cert-manager", "./"),
    "prometheus-operator": (
        "prometheus-operator",
        "github.com/prometheus-operator/prometheus-operator/cmd/operator",
    ),
    "olm": ("olm", "github.com/operator-framework/operator-lifecycle-manager/cmd/olm"),
    "catalog": ("olm", "github.com/operator-framework/operator-lifecycle-manager/cmd/catalog"),
    "opm": ("olm", "./opm"),
    "validate": ("olm", "./validate"),
    "actionlint": ("actionlint", "github.com/rhysd/actionlint/cmd/actionlint"),
    "kstatus": ("kstatus", "./"),
    "task": ("containers", "./task"),
    "device-plugin": ("devices", "./plugin"),
    "dra-driver": ("devices", "./driver"),
}
"""Program → the module's folder and the package in it; Kubernetes has a module a minor version."""


def cache_folder() -> Path:
    """`hourglass-cluster` in the user's cache folder."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hourglass-cluster"


def program(name: str, log: Log, kubernetes: str = DEFAULT) -> Path:
    """The path of a program, built first unless the cache holds it.

    `kubernetes` is the minor version of those that are Kubernetes' own. Errors:
    `UnavailableError` without a Go that is new enough, or when the build fails.
    """
    family, package = PACKAGES[name]
    module = module_of(name, kubernetes)
    folder = cache_folder() / f"{family}-{_key(module)}"
    path = folder / name
    if path.exists():
        return path
    _check_go((module / "go.mod").read_text())
    folder.mkdir(parents=True, exist_ok=True)
    with alone(cache_folder() / "build.lock", f"building {name}", log):
        if not path.exists():
            _build(name, package, module, path, log)
    return path


def programs(names: tuple[str, ...], log: Log, kubernetes: str = DEFAULT) -> dict[str, Path]:
    """The paths of several programs, see `program`."""
    return {name: program(name, log, kubernetes) for name in names}


def module_of(name: str, kubernetes: str = DEFAULT) -> Path:
    """The folder of the module that a program is built from."""
    family, _ = PACKAGES[name]
    if family == "kubernetes":
        return MODULES / family / kubernetes
    return (_EXAMPLES if family == "go-operator" else MODULES) / family


def module_folder(name: str, path: str) -> Path:
    """Where the files are of a module that a program is built from, downloaded where they are not.

    `path` is the module's, such as `github.com/cert-manager/cert-manager`. Errors:
    `UnavailableError` when it cannot be had.
    """
    found = subprocess.run(
        ["go", "mod", "download", "-json", path],
        cwd=module_of(name),
        env=os.environ | {"GOFLAGS": "-mod=readonly", "GOWORK": "off"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if found.returncode:
        raise UnavailableError(f"{path} cannot be had: {found.stdout} {found.stderr.strip()}")
    return Path(json.loads(found.stdout)["Dir"])


def kubernetes_version(go_mod: str) -> str:
    """The pinned version, such as `v1.34.4`, in the text of a go.mod."""
    found = re.search(r"^\s*(?:require )?k8s\.io/kubernetes (v\S+)", go_mod, re.MULTILINE)
    if found is None:
        raise ValueError("go.mod: no requirement of k8s.io/kubernetes")
    return found[1]


def version_flags(version: str) -> str:
    """The linker flags that set the version of Kubernetes programs, as its own build does."""
    major, minor, _ = version.removeprefix("v").split(".", 2)
    package = "k8s.io/component-base/version"
    values = {"gitVersion": version, "gitMajor": major, "gitMinor": minor}
    return " ".join(f"-X {package}.{name}={value}" for name, value in values.items())


def _key(module: Path) -> str:
    """Changes with the versions, the sums and the sources of a module."""
    digest = hashlib.sha256()
    for file in sorted(module.rglob("*")):
        if file.is_file():
            digest.update(f"{file.relative_to(module)}\n".encode() + file.read_bytes())
    return digest.hexdigest()[:12]


def _check_go(go_mod: str) -> None:
    oldest = _go_version(r"^go ", go_mod)
    wanted = ".".join(map(str, oldest))
    if shutil.which("go") is None:
        raise UnavailableError(f"Go {wanted} or newer is not installed (no `go` on the PATH)")
    version = subprocess.run(["go", "version"], capture_output=True, text=True).stdout
    if _go_version("go", version) < oldest:
        raise UnavailableError(f"Go {wanted} or newer is needed, found: {version.strip()}")


def _go_version(before: str, text: str) -> tuple[int, int]:
    """The first major and minor version that follows, (0, 0) without one."""
    found = re.search(rf"{before}(\d+)\.(\d+)", text, re.MULTILINE)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _build(name: str, package: str, module: Path, path: Path, log: Log) -> None:
    log(f"building {name} (minutes the first time, from the cache afterwards)")
    flags = "-s -w"
    if package.startswith("k8s.io/kubernetes/"):
        flags += " " + version_flags(kubernetes_version((module / "go.mod").read_text()))
    unfinished = path.with_suffix(".unfinished")
    began = time.monotonic()
    built = subprocess.run(
        [
            # Other tests may run meanwhile, some of which look at the time.
            "nice",
            "go",
            "build",
            "-trimpath",
            "-buildvcs=false",
            "-ldflags",
            flags,
            "-o",
            unfinished,
            package,
        ],
        cwd=module,
        env=os.environ | {"CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly", "GOWORK": "off"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if built.returncode:
        raise UnavailableError(f"{name} cannot be built: {built.stderr.strip()[-2000:]}")
    unfinished.rename(path)
    log(f"built {name} in {time.monotonic() - began:.0f} s")
