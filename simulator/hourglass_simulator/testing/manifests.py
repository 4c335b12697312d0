"""Objects as a test gives them: mappings, YAML text or files."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from hourglass_kube.types import JSON
from hourglass_simulator.scenario.document import parse

Manifests = Mapping[str, Any] | str | Path
"""An object, YAML text with any number of them, or a YAML file."""


def objects(given: Manifests) -> list[JSON]:
    """The objects, those of a List one by one.

    Raises UnreadableError for what is no YAML, ValueError for what is no object.
    """
    if isinstance(given, Mapping):
        return list(_unpacked(dict(given), "the object"))
    shown = str(given) if isinstance(given, Path) else "the text"
    text = given.read_text(encoding="utf-8") if isinstance(given, Path) else given
    documents = [document.value for document in parse(text, shown) if document.value is not None]
    if not documents:
        raise ValueError(f"{shown} holds no object")
    return [obj for document in documents for obj in _unpacked(document, shown)]


def _unpacked(document: Any, shown: str) -> Iterable[JSON]:
    if isinstance(document, dict) and document.get("kind") == "List":
        for item in document.get("items") or ():
            yield from _unpacked(item, shown)
        return
    for key in ("apiVersion", "kind"):
        if not isinstance(document, dict) or not isinstance(document.get(key), str):
            raise ValueError(f"{shown}: expected an object with {key}, found {document!r:.80}")
    yield document
