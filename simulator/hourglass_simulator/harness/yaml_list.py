"""The items of a List in YAML, one at a time.

Made from the parser's events: to compose nodes and to construct values from them, as PyYAML does,
takes three times as long.
"""

from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, cast

import yaml

from hourglass_simulator.harness.list_errors import ListError, NotAListError
from hourglass_simulator.scenario.document import MAX_DEPTH, KubernetesLoader

_MAX_ALIASED = 100_000
"""So many values may be there only because aliases repeat them."""
_STR, _MERGE = "tag:yaml.org,2002:str", "tag:yaml.org,2002:merge"


def items(stream: BinaryIO) -> Iterator[Any]:
    """The values of the sequence `items` of the mapping that the only document is.

    Raises ListError, NotAListError.
    """
    try:
        yield from _Events(stream).items()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        why = " ".join(part for part in (error.problem, error.context) if part)
        raise ListError(f"not YAML: {why}", mark.line + 1 if mark else 1) from None
    except yaml.YAMLError as error:
        raise ListError(f"not YAML: {' '.join(str(error).split())}", 1) from None


class _Events:
    def __init__(self, stream: BinaryIO) -> None:
        self._loader = KubernetesLoader(stream)
        self._next = cast("Callable[[], yaml.Event]", self._loader.get_event)
        self._plain: dict[str, Any] = {}
        """What a text without quotes means."""
        self._anchored: dict[str, tuple[Any, int]] = {}
        """Values by their anchors, and how many values each consists of."""
        self._made = self._aliased = 0

    def items(self) -> Iterator[Any]:
        self._next()  # the stream begins
        if not isinstance(self._next(), yaml.DocumentStartEvent) or not isinstance(
            self._next(), yaml.MappingStartEvent
        ):
            raise NotAListError
        found = False
        while not isinstance(key := self._next(), yaml.MappingEndEvent):
            value = self._next()
            if self._value(key, 1) != "items":
                self._value(value, 1)
                continue
            if not isinstance(value, yaml.SequenceStartEvent):
                raise NotAListError
            found = True
            while not isinstance(item := self._next(), yaml.SequenceEndEvent):
                yield self._value(item, 2)
        self._next()  # the document ends
        if not isinstance(another := self._next(), yaml.StreamEndEvent):
            raise _error("expected a single document", another)
        if not found:
            raise NotAListError

    def _value(self, event: yaml.Event, depth: int) -> Any:
        self._made += 1
        before = self._made - 1
        if isinstance(event, yaml.AliasEvent):
            return self._repeated(event)
        if isinstance(event, yaml.ScalarEvent):
            value = self._scalar(event)
        elif depth > MAX_DEPTH:
            raise _error(f"nested more than {MAX_DEPTH} levels deep", event)
        elif isinstance(event, yaml.MappingStartEvent):
            value = self._mapping(depth)
        else:
            value = self._sequence(depth)
        assert isinstance(event, yaml.NodeEvent)  # no other begins a value
        if event.anchor is not None:
            self._anchored[event.anchor] = value, self._made - before
        return value

    def _scalar(self, event: yaml.ScalarEvent) -> Any:
        text = event.value
        if event.tag is not None:
            return self._constructed(event.tag, event)
        if not event.implicit[0]:
            return text  # in quotes
        if text not in self._plain:
            tag = self._loader.resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]
            self._plain[text] = text if tag in (_STR, _MERGE) else self._constructed(tag, event)
        return self._plain[text]

    def _constructed(self, tag: str, event: yaml.ScalarEvent) -> Any:
        mark = cast("yaml.Mark", event.start_mark)
        return self._loader.construct_object(yaml.ScalarNode(tag, event.value, mark, mark))

    def _mapping(self, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            key = self._value(event, depth + 1)
            value = self._value(self._next(), depth + 1)
            if not isinstance(key, str):
                raise _error(f"a key must be a text, found {key}", event)
            if key in found:
                raise _error(f"the key {key} occurs twice", event)
            if key == "<<" and isinstance(value, dict):
                merged |= value
            else:
                found[key] = value
        return merged | found if merged else found

    def _sequence(self, depth: int) -> list[Any]:
        found = []
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            found.append(self._value(event, depth + 1))
        return found

    def _repeated(self, alias: yaml.AliasEvent) -> Any:
        if alias.anchor not in self._anchored:
            raise _error(f"no value is anchored as {alias.anchor}", alias)
        value, made = self._anchored[alias.anchor]
        self._made += made - 1
        self._aliased += made
        if self._aliased > _MAX_ALIASED:
            raise _error("holds too much once its aliases (*name) are expanded", alias)
        return value


def _error(text: str, event: yaml.Event) -> ListError:
    assert event.start_mark is not None  # everything that a parser makes has one
    return ListError(text, event.start_mark.line + 1)
