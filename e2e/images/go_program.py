"""The programs in Go that the tests' images hold."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from clusters import Log, UnavailableError
from clusters.build import cache_folder


def go_program(module: Path, log: Log) -> Path:
    """The path of a module's static program, built first unless the cache holds it.

    Errors: `UnavailableError` when it cannot be built.
    """
    name = module.name
    digest = hashlib.sha256()
    for file in sorted(module.iterdir()):
        digest.update(f"{file.name}\n".encode() + file.read_bytes())
    program = cache_folder() / f"{name}-{digest.hexdigest()[:12]}" / name
    if program.exists():
        return program
    if shutil.which("go") is None:
        raise UnavailableError("Go 1.24 or newer is not installed (no `go` on the PATH)")
    log(f"building the {name} of the tests")
    program.parent.mkdir(parents=True, exist_ok=True)
    unfinished = program.with_suffix(f".{os.getpid()}")
    built = subprocess.run(
        ["go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", unfinished, "."],
        cwd=module,
        env=os.environ | {"CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly", "GOWORK": "off"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if built.returncode:
        raise UnavailableError(f"the {name} cannot be built: {built.stderr.strip()[-2000:]}")
    return unfinished.rename(program)
