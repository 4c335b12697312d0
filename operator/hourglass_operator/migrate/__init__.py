"""Manifests of the previous architecture, turned into those of this one; pure text in, text out."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import yaml

from hourglass_kube.loader import SafeLoader
from hourglass_operator.api import GROUP
from hourglass_operator.migrate.edit import edit, find
from hourglass_operator.migrate.plan import (
    Move,
    Note,
    Path,
    Refuse,
    Remove,
    carry_out,
    dotted,
    plan,
)

__all__ = ["Migration", "NotYamlError", "Remark", "migrate"]


@dataclass(frozen=True, slots=True)
class Remark:
    """A remark for the user about a field; lines count from 1."""

    line: int
    field: str
    text: str


@dataclass(frozen=True, slots=True)
class Migration:
    """The new text, what was changed, and what could not be; usable only if nothing is refused.

    `notes`: what stays as it is, but does not mean what it meant to the Go operator.
    """

    text: str
    changes: tuple[Remark, ...]
    refused: tuple[Remark, ...]
    notes: tuple[Remark, ...] = ()


class NotYamlError(ValueError):
    """The text is not YAML; `line` counts from 1."""

    def __init__(self, error: yaml.YAMLError | RecursionError, before: int = 0) -> None:
        """`before`: lines of the file before the text in which the error occurred."""
        mark = getattr(error, "problem_mark", None)
        self.line: int = before + (mark.line + 1 if mark else 1)
        super().__init__(getattr(error, "problem", None) or str(error).splitlines()[0])


def migrate(text: str) -> Migration:
    """Convert every Performer in a file of any number of YAML or JSON documents.

    Documents without such Performers stay as they are, to the byte; in the others comments, order,
    quotes and the end of each line stay. Lines that are added end as the document's first line
    does. Raises NotYamlError.
    """
    result: list[str] = []
    changes: list[Remark] = []
    refused: list[Remark] = []
    notes: list[Remark] = []
    line = 0
    for part in _documents(text):
        done = _document(part, line)
        result.append(done.text)
        changes += done.changes
        refused += done.refused
        notes += done.notes
        line += part.count("\n")
    return Migration("".join(result), tuple(changes), tuple(refused), tuple(notes))


def _documents(text: str) -> list[str]:
    """The text, cut before each document's `---`."""
    try:
        starts = [
            event.start_mark.index if event.start_mark else 0
            for event in yaml.parse(text, Loader=yaml.SafeLoader)
            if isinstance(event, yaml.DocumentStartEvent)
        ]
    except yaml.YAMLError as error:
        raise NotYamlError(error) from None
    cuts = [0, *starts[1:], len(text)]
    return [text[start:end] for start, end in pairwise(cuts)]


def _document(text: str, before: int) -> Migration:
    """`before`: lines of the file before this document."""
    if GROUP not in text:
        # Others may use tags that are not known here.
        return Migration(text, (), ())
    try:
        expected: Any = yaml.load(text, Loader=SafeLoader)
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError) as error:
        raise NotYamlError(error, before) from None
    planned = list(plan(expected))

    def remark(path: Path, text: str) -> Remark:
        entry = find(root, path)
        line = entry.key.start_mark.line if entry else 0
        return Remark(before + line + 1, dotted(path), text)

    refused = [remark(step.path, step.why) for step in planned if isinstance(step, Refuse)]
    notes = tuple(remark(step.path, step.text) for step in planned if isinstance(step, Note))
    steps = [step for step in planned if isinstance(step, Remove | Move)]
    if refused or not steps:
        return Migration(text, (), tuple(refused), notes)
    changes = []
    for step in steps:
        carry_out(expected, step)
        if isinstance(step, Move):
            changes.append(remark(step.path, f"moved to {dotted((*step.into, step.path[-1]))}"))
        elif step.why:
            changes.append(remark(step.path, step.why))
    new = _edited(text, steps)
    if new is None or yaml.load(new, Loader=SafeLoader) != expected:
        layout = remark(steps[0].path, "cannot be changed in this layout; write it without anchors")
        return Migration(text, (), (layout,))
    return Migration(new, tuple(changes), (), notes)


def _edited(text: str, steps: Iterable[Remove | Move]) -> str | None:
    """None if the edits went wrong."""
    try:
        for step in steps:
            text = edit(text, step)
        yaml.load(text, Loader=SafeLoader)
    except yaml.YAMLError:
        return None
    return text
