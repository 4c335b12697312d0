"""Reads YAML files safely and remembers where everything stands.

Refused before they can do harm: large files, deep nesting (libyaml's composer crashes on it),
aliases that expand to very much, keys that occur twice.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from hourglass_kube.loader import Constructor

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 64
MAX_NODES = 100_000

_TOO_DEEP = f"nested more than {MAX_DEPTH} levels deep"
# Scanning ahead for the end of a key, libyaml may meet its own bound before it reports any depth.
_LIBYAML_TOO_DEEP = "exceeded maximum nesting depth"

Location = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """What is wrong with a file, and where; lines count from 1, line 0 is the file as a whole."""

    file: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}" if self.line else f"{self.file}: {self.text}"


class UnreadableError(Exception):
    """Files that cannot be used, with every problem that was found in them."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML document: JSON-like values, and the lines that they stand on."""

    value: Any
    root: yaml.Node | None

    @property
    def line(self) -> int:
        """The line that the document begins on."""
        return _line(self.root) if self.root is not None else 1

    def resolve(self, location: Location) -> tuple[int, str]:
        """The line of a location and how to write it (`steps[3].patch`), as far as it exists.

        The last key of the location is written even if it is missing from the file.
        """
        node, line, path = self.root, self.line, ""
        for part in location:
            if isinstance(part, int) and not isinstance(node, yaml.SequenceNode):
                continue  # one item that was written without the list around it
            path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
            node, line = _child(node, part, line)
        return line, path


class _Constructor(Constructor):
    pass


def _whole(constructor: Any, node: Any) -> int | str:
    value: int = constructor.construct_yaml_int(node)
    written: str = node.value
    is_hexadecimal = written.lstrip("+-").lower().startswith("0x")
    return written if is_hexadecimal and value.bit_length() > 64 else value


_Constructor.add_constructor("tag:yaml.org,2002:int", _whole)


class KubernetesLoader(_Constructor, yaml.CSafeLoader):
    """YAML as Kubernetes understands it.

    What looks like a date is a text, and so is a number in hexadecimal digits that 64 bits do not
    hold: https://pkg.go.dev/sigs.k8s.io/yaml. kubectl prints addresses without quotes.
    """


KubernetesLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":timestamp")]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


def read(path: Path, *, shown: str = "") -> list[Document]:
    """Every document of a YAML file, which messages call `shown`. Raises UnreadableError."""
    shown = shown or str(path)
    try:
        if not path.is_file():
            raise _unreadable(
                shown, "no such file or directory" if not path.exists() else "not a file"
            )
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise _unreadable(shown, error.strerror or "cannot be read") from None
    if len(content) > MAX_BYTES:
        raise _unreadable(shown, "larger than 1 MB; no scenario or manifest is")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _unreadable(shown, "not a text file in UTF-8") from None
    return parse(text, shown)


def parse(text: str, shown: str) -> list[Document]:
    """Every document of a YAML text; raises UnreadableError."""
    try:
        _measure_depth(text, shown)
        roots = list(yaml.compose_all(text, Loader=KubernetesLoader))
        problems = [problem for root in roots for problem in _check(root, shown)]
        if problems:
            raise UnreadableError(sorted(set(problems)))
        return [Document(_plain(root), root) for root in roots]
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 0
        if error.problem == _LIBYAML_TOO_DEEP:
            raise _unreadable(shown, _TOO_DEEP, line) from None
        why = " ".join(part for part in (error.problem, error.context) if part)
        raise _unreadable(shown, f"not YAML: {why}", line) from None
    except yaml.YAMLError as error:
        why = str(error).splitlines()[0]
        raise _unreadable(shown, f"not YAML: {why}") from None


def _line(part: yaml.Node | yaml.Event) -> int:
    assert part.start_mark is not None  # everything that a parser makes has one
    return part.start_mark.line + 1


def _unreadable(shown: str, text: str, line: int = 0) -> UnreadableError:
    return UnreadableError([Problem(shown, line, text)])


def _measure_depth(text: str, shown: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=KubernetesLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise _unreadable(shown, _TOO_DEEP, _line(event))
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _check(root: yaml.Node, shown: str) -> Iterator[Problem]:
    """Keys that are no texts or occur twice, and what aliases blow up."""
    seen = 0
    stack: list[tuple[yaml.Node, int]] = [(root, 0)]
    while stack:
        node, depth = stack.pop()
        seen += 1
        line = _line(node)
        if seen > MAX_NODES or depth > MAX_DEPTH:
            yield Problem(shown, line, "holds too much once its aliases (*name) are expanded")
            return
        if isinstance(node, yaml.MappingNode):
            yield from _check_keys(node, shown)
            stack.extend((value, depth + 1) for _, value in node.value)
        elif isinstance(node, yaml.SequenceNode):
            stack.extend((value, depth + 1) for value in node.value)


def _check_keys(node: yaml.MappingNode, shown: str) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for key, _ in node.value:
        line = _line(key)
        if not isinstance(key, yaml.ScalarNode):
            yield Problem(shown, line, "a key must be a text")
        elif key.tag == "tag:yaml.org,2002:merge":
            continue
        elif key.tag != "tag:yaml.org,2002:str":
            yield Problem(shown, line, f'the key {key.value} must be a text; write "{key.value}"')
        elif key.value in first:
            where = first[key.value]
            yield Problem(shown, line, f"the key {key.value} occurs twice; first in line {where}")
        else:
            first[key.value] = line


def _plain(root: yaml.Node) -> Any:
    constructor = _Constructor()
    return constructor.construct_document(root)


def _child(node: yaml.Node | None, part: str | int, line: int) -> tuple[yaml.Node | None, int]:
    """The node under a key or index and its line; of a key, the line of the key itself."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == part:
                return value, _line(key)
    elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        found = node.value[part]
        return found, _line(found)
    return None, line
