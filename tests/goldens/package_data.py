"""What is recorded as data of the simulator's package: a compressed JSON file a version and part.

Of the oldest version the file is the whole part, of a newer one a JSON merge patch on that of the
oldest (RFC 7386): most of it is the same.
"""

import json
import lzma
from pathlib import Path
from typing import Any

from hourglass_kube.mergepatch import merge_patch

FOLDER = Path(__file__).parents[2] / "simulator/hourglass_simulator/kubernetes"
OLDEST = "1.34"


def write(version: str, part: str, content: dict[str, Any]) -> None:
    """Write `1.37.discovery.json.xz` for the part `discovery` of 1.37."""
    if version != OLDEST:
        oldest = json.loads(lzma.decompress(_file(OLDEST, part).read_bytes()))
        patch = _patch(oldest, content)
        assert merge_patch(oldest, patch) == content, f"{part} has a null, which a patch cannot say"
        content = patch
    text = json.dumps(content, separators=(",", ":"))
    preset = 9 | lzma.PRESET_EXTREME
    _file(version, part).write_bytes(lzma.compress(text.encode(), preset=preset))


def _file(version: str, part: str) -> Path:
    return FOLDER / f"{version}.{part}.json.xz"


def _patch(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {name: None for name in before if name not in after}
    for name, value in after.items():
        old = before.get(name)
        if value == old:
            continue
        both = isinstance(value, dict) and isinstance(old, dict)
        found[name] = _patch(old, value) if both else value
    return found
