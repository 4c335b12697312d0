"""The performer of the tests: a gRPC server that misbehaves on request."""

from pathlib import Path

from clusters import Log, write_image
from images.go_program import go_program

MODULE = Path(__file__).parent / "performer"


def performer_image(archive: Path, tag: str, log: Log) -> Path:
    """Write the image `tag`, such as `localhost/performer:v2`, to `archive` and return that.

    Its answers carry what follows the tag's last colon as `x-performer-version`.

    Errors: `UnavailableError` when the program cannot be built.
    """
    files = {"/performer": go_program(MODULE, log)}
    version = tag.rpartition(":")[2]
    environment = {"VERSION": version}
    return write_image(
        archive, tag, files, entrypoint=["/performer"], environment=environment, user="65532"
    )
