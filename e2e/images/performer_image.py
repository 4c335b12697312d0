"""The performer of the tests: a gRPC server that misbehaves on request."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from clusters import Log, UnavailableError, write_image
from clusters.build import cache_folder

MODULE = Path(__file__).parent / "performer"


def performer_image(archive: Path, tag: str, log: Log) -> Path:
    """Write the image `tag`, such as `localhost/performer:v2`, to `archive` and return that.

    Its answers carry what follows the tag's last colon as `x-performer-version`.

    Errors: `UnavailableError` when the program cannot be built.
    """
    files = {"/performer": performer_program(log)}
    version = tag.rpartition(":")[2]
    environment = {"VERSION": version}
    return write_image(
        archive, tag, files, entrypoint=["/performer"], environment=environment, user="65532"
    )


def performer_program(log: Log) -> Path:
    """The path of the static program, built first unless the cache holds it."""
    digest = hashlib.sha256()
    for file in sorted(MODULE.iterdir()):
        digest.update(f"{file.name}\n".encode() + file.read_bytes())
    program = cache_folder() / f"performer-{digest.hexdigest()[:12]}" / "performer"
    if program.exists():
        return program
    if shutil.which("go") is None:
        raise UnavailableError("Go 1.24 or newer is not installed (no `go` on the PATH)")
    log("building the performer of the tests")
    program.parent.mkdir(parents=True, exist_ok=True)
    unfinished = program.with_suffix(f".{os.getpid()}")
    built = subprocess.run(
        ["go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", unfinished, "."],
        cwd=MODULE,
        env=os.environ | {"CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly", "GOWORK": "off"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if built.returncode:
        raise UnavailableError(f"the performer cannot be built: {built.stderr.strip()[-2000:]}")
    return unfinished.rename(program)
