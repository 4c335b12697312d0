"""Changes of YAML as text, so that comments, order and quotes stay as they are.

Who calls this must read the result again and compare: YAML has more ways to write things (anchors,
explicit keys) than are looked at here.
"""

from typing import NamedTuple

import yaml
from yaml.nodes import CollectionNode, MappingNode, Node, ScalarNode, SequenceNode

from hourglass_operator.migrate.plan import Move, Path, Remove


class Span(NamedTuple):
    """Characters to be replaced."""

    start: int
    end: int
    text: str


class Entry(NamedTuple):
    """A field: its mapping, and its place in it."""

    parent: MappingNode
    place: int

    @property
    def key(self) -> ScalarNode:
        """The node of its name."""
        key: ScalarNode = self.parent.value[self.place][0]
        return key

    @property
    def value(self) -> Node:
        """The node of its value."""
        value: Node = self.parent.value[self.place][1]
        return value


def edit(text: str, step: Remove | Move) -> str:
    """The text of one document after the step."""
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    entry = find(root, step.path)
    assert entry is not None  # the step was made from this document
    spans = [_removal(text, entry)]
    if isinstance(step, Move):
        target = find(root, step.into)
        if target is None:
            spans = [_wrapping(text, entry, str(step.into[-1]))]
        else:
            spans.append(_insertion(text, entry, target.value))
    for span in sorted(spans, reverse=True):
        text = text[: span.start] + span.text + text[span.end :]
    return text


def find(root: Node | None, path: Path) -> Entry | None:
    """The field at this path."""
    entry: Entry | None = None
    node: Node | None = root
    for key in path:
        if isinstance(node, SequenceNode) and isinstance(key, int):
            node = node.value[key]
        elif isinstance(node, MappingNode):
            names = [name.value for name, _ in node.value]
            if key not in names:
                return None
            entry = Entry(node, names.index(str(key)))
            node = entry.value
        else:
            return None
    return entry


def _removal(text: str, entry: Entry) -> Span:
    if not entry.parent.flow_style:
        return Span(*_lines(text, entry), "")
    fields = entry.parent.value
    if entry.place + 1 < len(fields):
        following = fields[entry.place + 1][0]
        return Span(entry.key.start_mark.index, following.start_mark.index, "")
    before = fields[entry.place - 1][1].end_mark if entry.place else entry.key.start_mark
    return Span(before.index, entry.value.end_mark.index, "")


def _wrapping(text: str, entry: Entry, name: str) -> Span:
    """Where it stands, but one level deeper."""
    if entry.parent.flow_style:
        start, end = entry.key.start_mark.index, entry.value.end_mark.index
        quote = entry.key.style or ""
        return Span(start, end, f"{quote}{name}{quote}: {{{text[start:end]}}}")
    start, end = _lines(text, entry)
    margin = " " * entry.key.start_mark.column
    return Span(start, end, f"{margin}{name}:{_line_end(text)}{_shifted(text[start:end], 2)}")


def _insertion(text: str, entry: Entry, target: Node) -> Span:
    """As the last field of the target."""
    assert isinstance(target, MappingNode)  # so it was planned
    assert target.value  # an empty one is removed first
    if target.flow_style:
        end = target.value[-1][1].end_mark.index
        return Span(end, end, f", {_in_flow(text, entry)}")
    column = target.value[0][0].start_mark.column
    _, end = _lines(text, Entry(target, len(target.value) - 1))
    line_end = _line_end(text)
    before = "" if text[:end].endswith("\n") else line_end
    if entry.parent.flow_style:
        return Span(end, end, f"{before}{' ' * column}{_in_flow(text, entry)}{line_end}")
    start, stop = _lines(text, entry)
    moved = _shifted(text[start:stop], column - entry.key.start_mark.column)
    return Span(end, end, before + moved + ("" if moved.endswith("\n") else line_end))


def _in_flow(text: str, entry: Entry) -> str:
    """A field as it can stand in braces; what is in block style is written anew."""
    if entry.parent.flow_style:
        return text[entry.key.start_mark.index : entry.value.end_mark.index]
    start, end = _lines(text, entry)
    value = yaml.safe_load(text[start:end])[entry.key.value]
    written = yaml.safe_dump(value, default_flow_style=True, width=float("inf")).strip()
    return f"{entry.key.value}: {written}"


def _lines(text: str, entry: Entry) -> tuple[int, int]:
    """Where the lines of a field in block style start and end."""
    lines = text.splitlines(keepends=True)
    first = entry.key.start_mark.line
    last = _last_line(lines, entry.value, first)
    return sum(map(len, lines[:first])), sum(map(len, lines[: last + 1]))


def _last_line(lines: list[str], node: Node, first: int) -> int:
    """Comments and empty lines after a value are not part of it."""
    if node.start_mark.line < first:
        # An alias: the node is the one that has the anchor.
        return first
    if isinstance(node, ScalarNode) and node.style in ("|", ">"):
        last: int = node.end_mark.line - 1
        while not lines[last].strip():
            last -= 1
        return last
    if isinstance(node, CollectionNode) and not node.flow_style and node.value:
        child = node.value[-1]
        return _last_line(lines, child[1] if isinstance(node, MappingNode) else child, first)
    end: int = node.end_mark.line
    return end


def _line_end(text: str) -> str:
    first, _, _ = text.partition("\n")
    return "\r\n" if first.endswith("\r") else "\n"


def _shifted(block: str, columns: int) -> str:
    lines = block.splitlines(keepends=True)
    if columns >= 0:
        return "".join(" " * columns + line if line.strip() else line for line in lines)
    return "".join(line[-columns:] if line[:-columns].isspace() else line for line in lines)
