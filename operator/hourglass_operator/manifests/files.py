"""Writes the generated files of manifests."""

from collections.abc import Mapping
from pathlib import Path

_NOTICE = "# Made from the code by `make generate`.\n"


def with_notice(files: Mapping[str, str]) -> dict[str, str]:
    """The same files; where there can be comments, a first line says that they are generated."""
    return {
        name: text if name.endswith(".json") else _NOTICE + text for name, text in files.items()
    }


def write(files: Mapping[str, str], folder: Path) -> None:
    """Write texts by file name below `folder`; folders are made."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
