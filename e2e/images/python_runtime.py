"""The Python that runs this, as files that work without the system they come from."""

import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path

_VERSION = f"python{sys.version_info.major}.{sys.version_info.minor}"
PROGRAM = f"/usr/local/bin/{_VERSION}"
STDLIB = f"/usr/local/lib/{_VERSION}"
LIBRARIES = "/usr/local/lib/shared"
"""In the image: the shared libraries; `LD_LIBRARY_PATH` must name it."""

_LEFT_OUT = (
    *("__pycache__", "site-packages", "dist-packages", "test", "tests", "config-*"),
    *("idlelib", "tkinter", "_tkinter*", "turtledemo", "ensurepip", "lib2to3"),
)


def copy_runtime(root: Path, packages: Path) -> None:
    """Copy interpreter, standard library and shared libraries below `root`.

    Extension modules below `packages` get the libraries that they need as well.
    """
    program, stdlib = _below(root, PROGRAM), _below(root, STDLIB)
    program.parent.mkdir(parents=True)
    shutil.copy(Path(sys.executable).resolve(), program)
    source = sysconfig.get_path("stdlib")
    shutil.copytree(source, stdlib, ignore=shutil.ignore_patterns(*_LEFT_OUT))
    libraries = _below(root, LIBRARIES)
    libraries.mkdir(parents=True)
    for path in shared_libraries([program, *stdlib.rglob("*.so"), *packages.rglob("*.so*")]):
        if path.is_relative_to(root):
            # A wheel brings its own libraries and knows where they are.
            continue
        is_loader = path.name.startswith("ld-")
        target = _below(root, str(path)) if is_loader else libraries / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)


def shared_libraries(binaries: Iterable[Path]) -> set[Path]:
    """What the loader would load for these programs and libraries, itself included.

    Errors: `LookupError` names libraries that this machine lacks.
    """
    printed = subprocess.run(
        ["ldd", *binaries], capture_output=True, text=True, env={"LC_ALL": "C", "PATH": "/usr/bin"}
    ).stdout
    if missing := set(re.findall(r"^\s+(\S+) => not found", printed, re.MULTILINE)):
        raise LookupError(f"shared libraries are missing: {', '.join(sorted(missing))}")
    return {
        Path(path) for path in re.findall(r"^\s+(?:\S+ => )?(/\S+) \(0x", printed, re.MULTILINE)
    }


def compile_modules(root: Path, *folders: str) -> None:
    """Compile the modules in these folders of the image, for good.

    By hash and unchecked: in the image all files are of the same, invented time.
    https://docs.python.org/3/reference/import.html#pyc-invalidation
    """
    options = ["-q", "-j", "0", "--invalidation-mode", "unchecked-hash"]
    paths = ["-s", str(root), "-p", "/", *(str(_below(root, folder)) for folder in folders)]
    subprocess.run([sys.executable, "-m", "compileall", *options, *paths], check=True)


def _below(root: Path, path: str) -> Path:
    return root / path.lstrip("/")
