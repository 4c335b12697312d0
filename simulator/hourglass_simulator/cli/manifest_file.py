"""Performers in files, and where in them a field stands."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kubernetes import client

from hourglass_kube.types import JSON
from hourglass_operator.api import GROUP
from hourglass_simulator.cli.input import refuse
from hourglass_simulator.cli.snapshot_file import bad
from hourglass_simulator.harness import printed
from hourglass_simulator.harness.check import NotAcceptedError, is_performer
from hourglass_simulator.scenario.document import Document, Location, UnreadableError, read
from hourglass_simulator.scenario.mistakes import mistakes

_UNKNOWN = re.compile(r'unknown field "([^"]+)"')
_PART = re.compile(r"\[(\d+)\]|([^.\[\]]+)")


@dataclass(frozen=True, slots=True)
class Written:
    """An object and where it stands."""

    path: Path
    document: Document
    location: Location
    object: JSON

    def faults(self, error: NotAcceptedError) -> Iterator[str]:
        """What the API server refuses of it, each with its line; without a field, that of all."""
        faults = [
            *error.fields,
            *((name, "unknown field") for name in _UNKNOWN.findall(str(error))),
        ]
        for field, message in faults:
            line, place = self.document.resolve((*self.location, *_location(field)))
            yield f"{self.path}:{line}: {place}: {message}"
        if not faults:
            line, place = self.document.resolve(self.location)
            yield ": ".join(filter(None, (f"{self.path}:{line}", place, str(error))))


def _location(field: str) -> Location:
    """Of `spec.config.env[0].name`."""
    return tuple(int(n) if n else key for n, key in _PART.findall(field))


def performers(path: Path) -> list[Written]:
    """All in a file; what is wrong with it ends the process."""
    try:
        documents = read(path)
    except UnreadableError as error:
        refuse(error)
    objects: list[Written] = []
    for document in documents:
        for location, item in _listed(document.value):
            if item is None:
                continue
            line, place = document.resolve(location)
            where = f"{path}:{line}: {place}" if place else f"{path}:{line}"
            if not printed.is_named(item) or "apiVersion" not in item:
                bad(f"{where}: expected an object with apiVersion, kind and metadata.name")
            for field, text in mistakes(client.V1ObjectMeta, item["metadata"], extra="ignore"):
                line, place = document.resolve((*location, "metadata", *field))
                bad(f"{path}:{line}: {place}: {text}")
            objects.append(Written(path, document, location, item))
    found = [each for each in objects if is_performer(each.object)]
    if not found:
        kinds = ", ".join(f"{e.object['apiVersion']}/{e.object['kind']}" for e in objects)
        bad(f"{path}: no Performer of {GROUP} in it, found {kinds or 'nothing'}")
    return [replace(each, object=printed.as_written(each.object)) for each in found]


def _listed(found: Any) -> list[tuple[Location, Any]]:
    """The items if it is a List, or itself; with their locations in it."""
    if not isinstance(found, dict) or not str(found.get("kind")).endswith("List"):
        return [((), found)]
    items = found.get("items")
    if not isinstance(items, list):
        return [(("items",), items)]
    return [(("items", number), item) for number, item in enumerate(items)]
