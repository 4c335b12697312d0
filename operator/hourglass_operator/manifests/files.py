"""Generated files of manifests: their text, and writing them."""

from collections.abc import Mapping
from pathlib import Path

import yaml

from hourglass_kube.types import JSON

_NOTICE = "# Made from the code by `make generate`.\n"


def as_yaml(*documents: JSON) -> str:
    """YAML documents for people: fields in their order, nothing by reference."""
    return yaml.dump_all(
        documents, Dumper=_Plain, sort_keys=False, width=float("inf"), allow_unicode=True
    )


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


class _Plain(yaml.SafeDumper):
    def ignore_aliases(self, _: object) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    """Texts of several lines as such."""
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else "")


_Plain.add_representer(str, _text)
