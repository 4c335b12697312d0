"""Images of the operator and of the example executor, out of this machine's Python.

That needs no engine and no base image. What users run is made by the Containerfiles, which give the
same entrypoints, users and Python packages.
"""

import hashlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path

from clusters import Log, write_image
from clusters.build import cache_folder
from images import python_runtime
from images.python_runtime import LIBRARIES, PROGRAM, STDLIB, compile_modules, copy_runtime

NAME = "hourglass-performer-operator"
PROJECT = Path(__file__).parent.parent.parent
EXECUTOR = PROJECT / "examples" / "executor"
SOURCES = (
    "pyproject.toml",
    "README.md",
    "LICENSE",
    "kube",
    "operator",
    "statemachine",
    "simulator",
)
USER = 65532

PACKAGES = "/usr/local/lib/packages"
"""In the image: where Python finds what is installed."""

_COMMAND = f"""\
#!{PROGRAM}
from hourglass_operator.cli import main

main()
"""
_PASSWD = f"nonroot:x:{USER}:{USER}:nonroot:/nonexistent:/sbin/nologin\n"


def operator_image(archive: Path, tag: str, log: Log) -> Path:
    """Write the image `tag` of the operator as it is in this checkout, and return `archive`.

    Errors: `CalledProcessError` when pip fails; what it says is printed.
    """
    return _image(archive, tag, ["/usr/local/bin/hourglass-operator", "run"], {}, log)


def executor_image(archive: Path, tag: str, log: Log) -> Path:
    """The same of the example executor."""
    program = "/executor.py"
    return _image(archive, tag, [PROGRAM, program], {program: EXECUTOR / "executor.py"}, log)


def _image(
    archive: Path, tag: str, entrypoint: Sequence[str], more: Mapping[str, Path], log: Log
) -> Path:
    base = _base(log)
    with tempfile.TemporaryDirectory(prefix="hourglass-image-") as folder:
        root = Path(folder)
        shutil.copytree(base, root, symlinks=True, dirs_exist_ok=True)
        log("installing the operator into the image")
        _install_project(root)
        files = {f"/{entry.name}": entry for entry in root.iterdir()}
        return write_image(
            archive,
            tag,
            files | dict(more),
            entrypoint=entrypoint,
            environment={
                "PATH": "/usr/local/bin",
                "LD_LIBRARY_PATH": LIBRARIES,
                "PYTHONPATH": PACKAGES,
                "PYTHONUNBUFFERED": "1",
            },
            user=f"{USER}:{USER}",
        )


def _base(log: Log) -> Path:
    """A folder with Python and the packages that the project needs, from the cache if it can be.

    The versions are those of this environment: what the tests have run with.
    """
    pins = sorted(f"{found.name}=={found.version}" for found in metadata.distributions())
    made_of = [sys.version, (PROJECT / "pyproject.toml").read_text(), *_dependencies(), *pins]
    made_of += [Path(source).read_text() for source in (__file__, python_runtime.__file__)]
    key = hashlib.sha256("\n".join(made_of).encode()).hexdigest()[:12]
    base = cache_folder() / f"operator-base-{key}"
    if base.exists():
        return base
    log("installing Python and the operator's dependencies into the image (half a minute)")
    base.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=base.parent, prefix="unfinished-") as folder:
        root = Path(folder) / "root"
        packages = root / PACKAGES.lstrip("/")
        packages.mkdir(parents=True)
        constraints = Path(folder) / "constraints.txt"
        constraints.write_text("".join(f"{pin}\n" for pin in pins if not pin.startswith(NAME)))
        _install("--constraint", str(constraints), "--target", str(packages), *_dependencies())
        copy_runtime(root, packages)
        compile_modules(root, PACKAGES, STDLIB)
        (root / "etc").mkdir()
        (root / "etc/passwd").write_text(_PASSWD)
        command = root / "usr/local/bin/hourglass-operator"
        command.write_text(_COMMAND)
        command.chmod(0o755)
        # As in the image that users run; `helm test` calls it.
        (root / "usr/local/bin/python").symlink_to(Path(PROGRAM).name)
        try:
            root.rename(base)
        except OSError:
            # Another process was faster.
            if not base.exists():
                raise
    return base


def _dependencies() -> list[str]:
    """What the project requires without any extra, and the example executor."""
    required = metadata.requires(NAME) or []
    of_executor = (EXECUTOR / "requirements.txt").read_text().splitlines()
    return [*(each for each in required if "extra ==" not in each), *of_executor]


def project_wheel(folder: Path) -> Path:
    """The wheel of this checkout, built into a folder.

    Errors: `CalledProcessError` when pip fails; what it says is printed.
    """
    # Not in the checkout: setuptools leaves a build folder, and packs what is left in an old one.
    with tempfile.TemporaryDirectory(prefix="hourglass-source-") as sources:
        for name in SOURCES:
            source, copy = PROJECT / name, Path(sources) / name
            if source.is_dir():
                shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, copy)
        _pip("wheel", "--no-deps", "--wheel-dir", str(folder), sources)
    (wheel,) = folder.glob("*.whl")
    return wheel


def _install_project(root: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="hourglass-wheel-") as wheels:
        project_wheel(Path(wheels))
        # By its name: pip would note the path of the folder in the image.
        found = ("--no-index", "--find-links", wheels, NAME)
        _install("--no-deps", "--target", str(root / PACKAGES.lstrip("/")), *found)
    compile_modules(root, PACKAGES)


def _install(*arguments: str) -> None:
    _pip("install", "--no-compile", "--root-user-action=ignore", "--upgrade", *arguments)


def _pip(command: str, *arguments: str) -> None:
    options = ("--quiet", "--disable-pip-version-check")
    subprocess.run(
        [sys.executable, "-m", "pip", command, *options, *arguments],
        check=True,
        stdin=subprocess.DEVNULL,
    )
