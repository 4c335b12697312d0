"""Images that behave as a scenario says of them."""

import json
from dataclasses import asdict
from pathlib import Path

from clusters import Log, write_image
from hourglass_simulator.kubelet.images import qualified
from hourglass_simulator.scenario.cluster import Image
from images.go_program import go_program

MODULE = Path(__file__).parent / "container"

ABSENT = "/performer"
"""The command of an image that lacks its own, as in the simulator."""
NOT_PLAYED = frozenset(
    {"missing", "unauthorized", "pull", "start", "builds", "command_not_permitted"}
)
"""What an image on the node cannot do."""


def container_image(archive: Path, name: str, image: Image, log: Log) -> Path:
    """Write an image that behaves like `image` to `archive` and return that.

    Errors: `ValueError` if the image is to do what cannot be played; `UnavailableError` when the
    program cannot be built.
    """
    if not_played := sorted(image.model_fields_set & NOT_PLAYED):
        raise ValueError(f"{name}: a real node does not play {', '.join(not_played)}")
    return write_image(
        archive,
        qualified(name),
        {"/container": go_program(MODULE, log)},
        entrypoint=[ABSENT if image.command_missing else "/container"],
        environment={"BEHAVIOUR": json.dumps(asdict(image.workload))},
        user=image.user or "65532",
    )
