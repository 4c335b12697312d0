"""CEL expressions as text: what the library does not know is written in other words.

- Optional values, which functions cannot return, are made of lists.
- `sortBy` sorts a list of keys with their items:
  https://pkg.go.dev/github.com/google/cel-go/ext#Lists
- Comprehensions of two variables become those of one over the pairs of a list or a map:
  https://pkg.go.dev/github.com/google/cel-go/ext#TwoVarComprehensions
- `Object.spec{replicas: 3}`, as admission policies mutate by, becomes a map that says its type:
  https://kubernetes.io/docs/reference/access-authn-authz/mutating-admission-policy/
"""

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

PAIRS: Final = "__pairs"
"""The items of a list or a map, each as a map of `k` (index or key) and `v`."""
FROM_PAIRS: Final = "__map"
"""A map of pairs, each a list of key and value."""
SORTED_BY: Final = "__sorted_by"
"""A list of pairs, each a list of a key and an item, as the items by the order of the keys."""
MERGED: Final = "__merged"
"""One map of several."""
OLD: Final = "__old"
"""A list with the old value, if there is one: what an optional `oldSelf` is made of."""
FAULTS: Final = "__faults"
FORMATS: Final = "__formats"
"""`validate` and `format.named` with a list in the place of an optional value."""
ROOT_OBJECT: Final = "__root"
ANY_OBJECT: Final = "__object"
"""Functions that make an object of a map where expressions are checked."""
TYPE: Final = "__type"
"""The key under which an object says its type where expressions are evaluated."""

_TOKEN = re.compile(
    r"(?P<space>\s+|//[^\n]*)"
    r"|(?P<string>[rRbB]{0,2}(?:\"{3}.*?\"{3}|'{3}.*?'{3}"
    r'|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'))'
    r"|(?P<word>[A-Za-z_]\w*)"
    r"|(?P<quoted>`[^`\n]*`)"
    r"|(?P<number>\d\w*)"
    r"|(?P<other>.)",
    re.DOTALL,
)
_MACROS = {
    "all": "all",
    "exists": "exists",
    "existsOne": "exists_one",
    "exists_one": "exists_one",
    "transformList": "map",
    "transformMap": "map",
    "transformMapEntry": "map",
}
_OF_ONE = ("all", "bind", "exists", "exists_one", "filter", "map")
_OPENING, _CLOSING = "([{", ")]}"
_PLACE = re.compile(r"^ERROR: <input>:(\d+):(\d+): (.*)\n \| .*\n \| [.^]*", re.MULTILINE)


class _Token(NamedTuple):
    kind: str
    text: str
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)


class _Edit(NamedTuple):
    start: int
    end: int
    text: str


class Rewritten:
    """An expression in other words; places in its text are places in its source, too."""

    def __init__(self, source: str, edits: Iterable[_Edit] = ()) -> None:
        self._source = source
        self._edits = sorted(edits)
        parts, at = [], 0
        for edit in self._edits:
            parts += [source[at : edit.start], edit.text]
            at = edit.end
        self.text = "".join([*parts, source[at:]])

    def original(self, errors: str) -> str:
        """Errors about the text as errors about the source."""
        return _PLACE.sub(self._placed, errors)

    def _placed(self, found: re.Match[str]) -> str:
        line, column, why = int(found[1]), int(found[2]), found[3]
        before = self.text.split("\n")[: line - 1]
        offset = self._offset(sum(len(each) + 1 for each in before) + column - 1)
        begun = self._source[:offset].split("\n")
        shown = self._source.split("\n")[len(begun) - 1]
        where = len(begun[-1])
        pointer = "." * where + "^"
        return f"ERROR: <input>:{len(begun)}:{where + 1}: {why}\n | {shown}\n | {pointer}"

    def _offset(self, offset: int) -> int:
        moved = 0
        for edit in self._edits:
            if offset < edit.start + moved:
                break
            grown = len(edit.text) - (edit.end - edit.start)
            if offset < edit.start + moved + len(edit.text):
                return edit.start
            moved += grown
        return min(offset - moved, len(self._source))


def checkable(
    source: str,
    *,
    optional: bool = False,
    objects: bool = False,
    sorts: bool = True,
    declared: bool = False,
) -> Rewritten:
    """An expression as it can be checked.

    `optional`: `oldSelf` is an optional value; `objects`: mutations may make objects; `sorts`:
    there is the macro `sortBy`; `declared`: the fields of values are those of a schema.
    """
    tokens = _significant(source)
    edits = _comprehensions(tokens, sorts=sorts)
    if declared:
        edits |= _reserved_fields(tokens)
    if optional:
        edits |= _old_values(tokens)
    if objects:
        edits |= _objects(tokens, checked=True)
    return Rewritten(source, edits.values())


def evaluable(
    source: str, *, optional: bool = False, objects: bool = False, declared: bool = False
) -> Rewritten:
    """An expression as it can be evaluated: functions cannot return optional values there."""
    tokens = _significant(source)
    edits = _comprehensions(tokens) | _optional_results(tokens) | _comparisons(tokens)
    if declared:
        edits |= _reserved_fields(tokens)
    if optional:
        edits |= _old_values(tokens)
    if objects:
        edits |= _objects(tokens, checked=False)
    return Rewritten(source, edits.values())


def _significant(source: str) -> list[_Token]:
    return [each for each in _tokens(source) if each.kind != "space"]


def _old_values(tokens: Sequence[_Token]) -> dict[int, _Edit]:
    return {
        each.start: _Edit(each.start, each.end, f"{OLD}[?0]")
        for index, each in enumerate(tokens)
        if each.text == "oldSelf" and (not index or tokens[index - 1].text != ".")
    }


def _optional_results(tokens: Sequence[_Token]) -> dict[int, _Edit]:
    """Functions that return an optional value return a list of one or none instead."""
    edits = {}
    for index in range(1, len(tokens) - 1):
        token, before = tokens[index], tokens[index - 1]
        if before.text != "." or tokens[index + 1].text != "(":
            continue
        if token.text == "validate":
            begin, name = token.start, FAULTS
        elif token.text == "named" and index > 1 and tokens[index - 2].text == "format":
            begin, name = tokens[index - 2].start, FORMATS
        else:
            continue
        closing = tokens[_arguments(tokens, index + 1)[-1][1]]
        edits[begin] = _Edit(begin, token.end, name)
        edits[closing.start] = _Edit(closing.start, closing.end, ")[?0]")
    return edits


def _tokens(source: str) -> Iterator[_Token]:
    for found in _TOKEN.finditer(source):
        assert found.lastgroup is not None
        yield _Token(found.lastgroup, found[0], found.start())


def _arguments(tokens: Sequence[_Token], opening: int) -> list[tuple[int, int]]:
    """Where the arguments between brackets begin and end, by the numbers of tokens."""
    depth, begins, found = 0, opening + 1, list[tuple[int, int]]()
    for index in range(opening, len(tokens)):
        text = tokens[index].text if tokens[index].kind == "other" else ""
        if text and text in _OPENING:
            depth += 1
        elif text and text in _CLOSING:
            depth -= 1
            if depth == 0:
                return [*found, (begins, index)]
        elif text == "," and depth == 1:
            found.append((begins, index))
            begins = index + 1
    return []


_RESERVED = frozenset(
    {
        *("as", "break", "const", "continue", "else", "for", "function", "if", "import", "let"),
        *("loop", "package", "namespace", "return", "var", "void", "while"),
    }
)


def _reserved_fields(tokens: Sequence[_Token]) -> dict[int, _Edit]:
    """Fields that are named by a reserved word: they may be escaped, and need not be."""
    edits: dict[int, _Edit] = {}
    for index, token in enumerate(tokens):
        before = tokens[index - 1].text if index else ""
        if before == "?" and index > 1:
            before = tokens[index - 2].text
        called = index + 1 < len(tokens) and tokens[index + 1].text == "("
        if token.text in _RESERVED and before == "." and not called:
            edits[token.start] = _Edit(token.start, token.end, f"__{token.text}__")
    return edits


def _comparisons(tokens: Sequence[_Token]) -> dict[int, _Edit]:
    """Fractions that are compared: the library compares two types of numbers if one is unknown."""
    edits: dict[int, _Edit] = {}
    for index, token in enumerate(tokens):
        if token.kind != "number":
            continue
        begin, end = index, index + 1
        while (
            end + 1 < len(tokens) and tokens[end].text == "." and tokens[end + 1].kind == "number"
        ):
            end += 2
        if begin and tokens[begin - 1].text == "-":
            begin -= 1
        before = tokens[begin - 1].text if begin else ""
        after = tokens[end].text if end < len(tokens) else ""
        compared = _is_comparison(tokens, begin - 1) and after in _AFTER_OPERAND
        compares = after in ("<", ">") and before in _BEFORE_OPERAND
        first, last = tokens[begin], tokens[end - 1]
        number = "".join(each.text for each in tokens[begin:end])
        if (compared or compares) and re.search(r"[.eE]", number):
            edits[first.start] = _Edit(first.start, last.end, f"dyn({number})")
    return edits


_AFTER_OPERAND = ("", ")", "]", "}", ",", "&", "|", "?", ":")
_BEFORE_OPERAND = ("", "(", "[", "{", ",", "&", "|", "?", ":", "!")


def _is_comparison(tokens: Sequence[_Token], index: int) -> bool:
    """Whether an operator that compares ends there."""
    if index < 0:
        return False
    text = tokens[index].text
    return text in ("<", ">") or (text == "=" and tokens[index - 1].text in ("<", ">"))


def _comprehensions(tokens: Sequence[_Token], *, sorts: bool = True) -> dict[int, _Edit]:
    """By the place of what is changed; inner ones come first, as they may hide names."""
    edits: dict[int, _Edit] = {}
    for index in range(len(tokens) - 2, 0, -1):
        name = tokens[index].text
        if tokens[index - 1].text != "." or tokens[index + 1].text != "(":
            continue
        arguments = _arguments(tokens, index + 1)
        names = list(itertools.takewhile(bool, (_name(tokens, each) for each in arguments[:2])))
        if name in _MACROS and len(names) == 2 and _takes_two(name, len(arguments)):
            _comprehension(tokens, index, arguments, edits)
        elif name == "sortBy" and sorts and names and len(arguments) == 2:
            _sorting(tokens, index, arguments, edits)
        elif name in _OF_ONE and names:
            _keep(tokens, arguments, names[0], edits)
    return edits


def _name(tokens: Sequence[_Token], argument: tuple[int, int]) -> str:
    """The name that an argument is; empty when it is something else."""
    begin, end = argument
    return tokens[begin].text if end == begin + 1 and tokens[begin].kind == "word" else ""


def _takes_two(macro: str, arguments: int) -> bool:
    return arguments == 3 or (arguments == 4 and macro.startswith("transform"))


def _within(
    tokens: Sequence[_Token], arguments: Sequence[tuple[int, int]], name: str
) -> Iterator[_Token]:
    for place in range(arguments[0][0], arguments[-1][1]):
        if tokens[place].text == name and tokens[place - 1].text != ".":
            yield tokens[place]


def _keep(
    tokens: Sequence[_Token],
    arguments: Sequence[tuple[int, int]],
    name: str,
    edits: dict[int, _Edit],
) -> None:
    """Leave a name alone that hides one from outside."""
    for token in _within(tokens, arguments, name):
        edits.setdefault(token.start, _Edit(token.start, token.end, token.text))


def _comprehension(
    tokens: Sequence[_Token],
    index: int,
    arguments: Sequence[tuple[int, int]],
    edits: dict[int, _Edit],
) -> None:
    """One variable, named like the first, stands for both."""
    macro, closing = tokens[index], tokens[arguments[-1][1]]
    key, value = (tokens[begin] for begin, _ in arguments[:2])

    def edit(token: _Token, text: str) -> None:
        edits[token.start] = _Edit(token.start, token.end, text)

    edit(macro, f"{PAIRS}().{_MACROS[macro.text]}")
    edit(key, key.text)
    edit(tokens[arguments[0][1]], "")
    edit(value, "")
    for name, field in ((key.text, "k"), (value.text, "v")):
        for token in _within(tokens, arguments[2:], name):
            if token.start not in edits:
                edit(token, f"{key.text}.{field}")
    if macro.text == "transformMap":
        edit(tokens[arguments[-1][0] - 1], f", [{key.text}.k, ")
        edit(closing, f"]).{FROM_PAIRS}()")
    elif macro.text == "transformMapEntry":
        edit(closing, f").{MERGED}()")


def _sorting(
    tokens: Sequence[_Token],
    index: int,
    arguments: Sequence[tuple[int, int]],
    edits: dict[int, _Edit],
) -> None:
    macro, item = tokens[index], tokens[arguments[0][0]]
    comma, closing = tokens[arguments[0][1]], tokens[arguments[1][1]]
    _keep(tokens, arguments, item.text, edits)
    edits[macro.start] = _Edit(macro.start, macro.end, "map")
    edits[comma.start] = _Edit(comma.start, comma.end, ", [")
    edits[closing.start] = _Edit(closing.start, closing.end, f", {item.text}]).{SORTED_BY}()")


def literal_type(source: str) -> str:
    """The type of the object that an expression is as a whole; empty when it is none."""
    found = re.match(r"\s*(Object(?:\.\w+)*)\s*{", source)
    tokens = _significant(source)
    opening = next((i for i, each in enumerate(tokens) if each.text == "{"), 0)
    arguments = _arguments(tokens, opening) if found else []
    whole = bool(arguments) and arguments[-1][1] == len(tokens) - 1
    return found[1] if found is not None and whole else ""


def _objects(tokens: Sequence[_Token], *, checked: bool) -> dict[int, _Edit]:
    edits: dict[int, _Edit] = {}
    for index, token in enumerate(tokens):
        made = ("Object",) if checked else ("Object", "JSONPatch")
        if token.text not in made or (index and tokens[index - 1].text == "."):
            continue
        end = index
        while end + 2 < len(tokens) and tokens[end + 1].text == ".":
            end += 2
        if end + 1 >= len(tokens) or tokens[end + 1].text != "{":
            continue
        opening, named = end + 1, "".join(each.text for each in tokens[index : end + 1])
        fields = _arguments(tokens, opening)
        if not fields:
            continue
        closing = tokens[fields[-1][1]]
        place = token.start, tokens[opening].end
        if checked:
            function = ROOT_OBJECT if named == "Object" else ANY_OBJECT
            edits[token.start] = _Edit(*place, f"{function}({{")
            edits[closing.start] = _Edit(closing.start, closing.end, "})")
        else:
            edits[token.start] = _Edit(*place, f'{{"{TYPE}": "{named}",')
        for begin, stop in fields:
            if begin < stop:
                at = begin + (tokens[begin].text == "?")
                field = tokens[at]
                text = f'"{field.text.strip("`")}"'
                edits[field.start] = _Edit(field.start, field.end, text)
    return edits
