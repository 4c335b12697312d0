"""Goldens of newer versions of Kubernetes: what they answer otherwise than the oldest.

`answers.golden.json` is what the oldest version answered. `answers.1.37.golden.json` beside it has
those of its entries that 1.37 answers in another way; null stands for an entry that it has not.
"""

import json
from pathlib import Path
from typing import Any, Protocol

from hourglass_simulator.kubernetes.version import VERSIONS

OLDEST = VERSIONS[0]


class Server(Protocol):
    """A real API server."""

    def call(self, method: str, path: str, /) -> Any: ...


def whole(golden: Path, version: str) -> dict[str, Any]:
    """All that a version answered."""
    oldest: dict[str, Any] = json.loads(golden.read_text())
    return oldest if version == OLDEST else laid_over(oldest, _read(file_of(golden, version)))


def recorded(golden: Path) -> list[str]:
    """The versions whose answers are there, the oldest first."""
    return [OLDEST, *(v for v in VERSIONS[1:] if file_of(golden, v).exists())]


def write(golden: Path, version: str, recorded: dict[str, Any]) -> None:
    """Keep what a newer version answered otherwise."""
    oldest = json.loads(golden.read_text())
    found = differences(oldest, recorded)
    assert laid_over(oldest, found) == recorded
    file_of(golden, version).write_text(json.dumps(found, indent=1) + "\n")


def save(golden: Path, version: str, recorded: dict[str, Any], text: str) -> None:
    """Keep what a version answered; `text` is how the golden of the oldest is written."""
    if version == OLDEST:
        golden.write_text(text)
    else:
        write(golden, version, recorded)


def version_of(server: Server) -> str:
    """The minor version of a server that is being recorded, such as `1.37`."""
    found = server.call("GET", "/version").body
    return f"{found['major']}.{found['minor']}"


def file_of(golden: Path, version: str) -> Path:
    """`answers.1.37.golden.json` for `answers.golden.json`, which is the oldest version's own."""
    if version == OLDEST:
        return golden
    return golden.with_name(golden.name.replace(".golden.", f".{version}.golden."))


def differences(oldest: dict[str, Any], newer: dict[str, Any], depth: int = 2) -> dict[str, Any]:
    """The entries of `newer` that are not those of `oldest`; below `depth` they stay whole."""
    found: dict[str, Any] = {name: None for name in oldest if name not in newer}
    for name, value in newer.items():
        before = oldest.get(name)
        if value == before:
            continue
        if depth > 1 and isinstance(value, dict) and isinstance(before, dict):
            value = differences(before, value, depth - 1)
        found[name] = value
    return found


def laid_over(oldest: dict[str, Any], found: dict[str, Any], depth: int = 2) -> dict[str, Any]:
    """The other way round."""
    whole = dict(oldest)
    for name, value in found.items():
        before = oldest.get(name)
        if value is None:
            del whole[name]
        elif depth > 1 and isinstance(value, dict) and isinstance(before, dict):
            whole[name] = laid_over(before, value, depth - 1)
        else:
            whole[name] = value
    return whole


def _read(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    return found
