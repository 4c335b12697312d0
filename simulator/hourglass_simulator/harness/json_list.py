"""The items of a List in JSON, one at a time.

By the decoder of the standard library, a value after the other: libraries that decode from a stream
(ijson) take ten times as long.
"""

import io
import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO, Never

from hourglass_simulator.harness.list_errors import ListError, NotAListError

_CHUNK = 1 << 20
_MAX_VALUE = 16 << 20
"""Characters; etcd's bound for an object is 1.5 MB: https://etcd.io/docs/v3.6/dev-guide/limit/"""
_SPACE = re.compile(r"[ \t\n\r]*")


def items(stream: BinaryIO) -> Iterator[Any]:
    """The values of the array `items` of the object that the text is.

    Raises ListError, NotAListError, UnicodeDecodeError.
    """
    text = _Text(stream)
    found = False
    text.expect("{")
    closed = text.skip("}")
    while not closed:
        name = text.value()
        text.expect(":")
        if name != "items":
            text.value()
        else:
            found = True
            yield from _array(text)
        closed = text.expect(",", "}") == "}"
    text.expect("")
    if not found:
        raise NotAListError


def _array(text: "_Text") -> Iterator[Any]:
    if not text.skip("["):
        raise NotAListError
    closed = text.skip("]")
    while not closed:
        yield text.value()
        closed = text.expect(",", "]") == "]"


class _Text:
    """What a stream has from here on."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = io.TextIOWrapper(stream, encoding="utf-8-sig")
        self._decoder = json.JSONDecoder(parse_constant=_refuse_constant)
        self._buffer, self._at = "", 0
        self._line = 1
        """The line that the buffer begins on."""

    def value(self) -> Any:
        """The next value."""
        self._next()
        while True:
            try:
                value, end = self._decoder.raw_decode(self._buffer, self._at)
            except json.JSONDecodeError as error:
                # A value of which the buffer has only the beginning reads like this as well.
                if len(self._buffer) - self._at > _MAX_VALUE or not self._more():
                    raise self._error(error.msg.lower(), error.pos) from None
            except (RecursionError, ValueError) as error:
                why = "nested too deeply" if isinstance(error, RecursionError) else str(error)
                raise self._error(why, self._at) from None
            else:
                if not self._may_go_on(value, end) or not self._more():
                    self._at = end
                    return value

    def _may_go_on(self, value: Any, end: int) -> bool:
        """Whether it is a number whose last digits may be beyond the buffer."""
        is_number = isinstance(value, int | float)
        return is_number and not self._buffer[end:].strip("0123456789+-.eE")

    def skip(self, character: str) -> bool:
        """Whether the next character is this one, which is gone then."""
        found = self._next() == character
        self._at += found
        return found

    def expect(self, *characters: str) -> str:
        """The next character, one of these; "" is the end of the text."""
        found = self._next()
        if found not in characters:
            wanted = " or ".join(characters) or "nothing more"
            raise self._error(f"expected {wanted}", self._at)
        self._at += len(found)
        return found

    def _next(self) -> str:
        while True:
            space = _SPACE.match(self._buffer, self._at)
            assert space is not None  # it matches the empty text too
            self._at = space.end()
            if self._at < len(self._buffer):
                return self._buffer[self._at]
            if not self._more():
                return ""

    def _more(self) -> bool:
        chunk = self._stream.read(_CHUNK)
        self._line += self._buffer.count("\n", 0, self._at)
        self._buffer, self._at = self._buffer[self._at :] + chunk, 0
        return bool(chunk)

    def _error(self, why: str, at: int) -> ListError:
        line = self._line + self._buffer.count("\n", 0, at)
        return ListError(f"not JSON: {why}", line)


def _refuse_constant(name: str) -> Never:
    raise ValueError(f"{name} is no number in JSON")
