"""Checks a rule against the type of its values, and estimates what it can cost.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel/compilation.go
"""

import re
from dataclasses import dataclass
from functools import cached_property

from cel_expr_python import cel  # type: ignore[import-untyped]

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import cel_literals, cel_types
from hourglass_simulator.apiserver.cel_cost import estimated_cost
from hourglass_simulator.apiserver.cel_literals import LiteralFault
from hourglass_simulator.apiserver.cel_source import OLD, Rewritten, checkable
from hourglass_simulator.apiserver.cel_types import DeclaredType

_WRAPPED = re.compile(r"^[A-Z_]+: (.*?) \[[A-Z_]+\]$", re.DOTALL)
_STRUCT = re.compile(r" not found in struct '[^']*'")


@dataclass(frozen=True, slots=True)
class Checked:
    """What is wrong with a rule and its message expression (may be empty), and what they cost."""

    error: str = ""
    cost: int = 0
    uses_old: bool = False
    message_error: str = ""
    message_cost: int | None = None


class Checker:
    """Checks the rules of one schema.

    `lists`: they may use the functions for lists that came with 1.34.
    """

    def __init__(self, of: DeclaredType, *, lists: bool = True) -> None:
        self._of = of
        self._lists = lists

    @cached_property
    def _environment(self) -> cel.Env:
        return cel_types.checking_environment(self._of, lists=self._lists)

    def check(self, rule: JSON) -> Checked:
        """Check a rule."""
        source = rule.get("rule") or ""
        if not source.strip():
            return Checked()
        optional = bool(rule.get("optionalOldSelf"))
        try:
            compiled = self._compiled(source, optional=optional)
        except ValueError as error:
            return Checked(error=f"compilation failed: {error}")
        if compiled.return_type() != cel.Type.BOOL:
            return Checked(error="cel expression must evaluate to a bool")
        cost, names = estimated_cost(compiled.serialize(), self._of)
        uses_old = bool(names & {"oldSelf", OLD})
        expression = rule.get("messageExpression")
        if not expression:
            return Checked(cost=cost, uses_old=uses_old)
        try:
            compiled = self._compiled(expression, optional=optional)
        except ValueError as error:
            why = f"messageExpression compilation failed: {error}"
            return Checked(cost=cost, uses_old=uses_old, message_error=why)
        if compiled.return_type() != cel.Type.STRING:
            why = "messageExpression must evaluate to a string"
            return Checked(cost=cost, uses_old=uses_old, message_error=why)
        message_cost, _ = estimated_cost(compiled.serialize(), self._of)
        return Checked(cost=cost, uses_old=uses_old, message_cost=message_cost)

    def serialized(self, rule: JSON) -> bytes:
        """A rule that is known to compile, as its cost is estimated from."""
        optional = bool(rule.get("optionalOldSelf"))
        return bytes(self._compiled(rule["rule"], optional=optional).serialize())

    def _compiled(self, source: str, *, optional: bool) -> cel.Expression:
        """ValueError with the text of cel-go when it does not compile."""
        written = checkable(source, optional=optional, sorts=self._lists, declared=True)
        return compiled(self._environment, written)


def compiled(environment: cel.Env, written: Rewritten) -> cel.Expression:
    """An expression whose types and literals are right; ValueError with the text of cel-go."""
    try:
        found = environment.compile(written.text)
    except RuntimeError as error:
        raise ValueError(written.original(as_in_go(error))) from None
    if wrong := cel_literals.faults(found.serialize()):
        shown = sorted({_shown(written.text, each) for each in wrong}, key=_place)
        raise ValueError(written.original("\n".join(shown)))
    return found


def _shown(text: str, fault: LiteralFault) -> str:
    before = text[: fault.offset].split("\n")
    line, column = len(before), len(before[-1])
    source, pointer = text.split("\n")[line - 1], "." * column + "^"
    return f"ERROR: <input>:{line}:{column + 1}: {fault.why}\n | {source}\n | {pointer}"


_OPTIONAL = re.compile(r"optional_type<[^>]*>\(")
_LITERAL = re.compile(
    r"ERROR: <input>:(\d+):(\d+): undeclared reference to '(\w+)' (.*)\n \| (.*)\n \| [.^]*"
)
_PLACE = re.compile(r"ERROR: <input>:(\d+):(\d+): ")
_IN_GO = (
    (re.compile(r"\bnull_type\b"), "null"),
    (re.compile(r"has\(\) argument must be a field selection"), "invalid argument to has() macro"),
    (
        re.compile(r"\b(?:all|exists|exists_one)\(\) variable name must be a simple identifier"),
        "argument must be a simple name",
    ),
    (
        re.compile(r"\b(?:map|filter)\(\) variable name must be a simple identifier"),
        "argument is not an identifier",
    ),
)
"""Words of the library and of cel-go."""


def as_in_go(error: RuntimeError) -> str:
    """What the compiler says, in the words and in the order of cel-go."""
    wrapped = _WRAPPED.match(str(error))
    text = wrapped[1] if wrapped else str(error)
    text = _OPTIONAL.sub("optional_type(", _STRUCT.sub("", text))
    for of_library, of_go in _IN_GO:
        text = of_library.sub(of_go, text)
    parts = (_of_method(_of_literal(part)) for part in re.split(r"\n(?=ERROR: )", text))
    return "\n".join(sorted(parts, key=_place))


def _of_literal(error: str) -> str:
    """cel-go has the type of an object literal where its braces open."""
    found = _LITERAL.fullmatch(error)
    if found is None:
        return error
    line, column, name, where, source = found.groups()
    place = int(column) - 1 + len(name)
    if source[place - len(name) : place + 1] != f"{name}{{":
        return error
    what = f"undeclared reference to '{name}' {where}"
    pointer = "." * place + "^"
    return f"ERROR: <input>:{line}:{place + 1}: {what}\n | {source}\n | {pointer}"


_NO_OVERLOAD = re.compile(
    r"(ERROR: <input>:\d+:(\d+): found no matching overload for '(\w+)' applied to )'\((.*)\)'"
    r"(\n \| (.*)\n \| [.^]*)"
)


def _of_method(error: str) -> str:
    """cel-go writes what a method is called on before its arguments."""
    found = _NO_OVERLOAD.fullmatch(error)
    if found is None:
        return error
    begins, column, name, kinds, ends, source = found.groups()
    if re.search(rf"\.\s*{name}\s*$", source[: int(column) - 1]) is None:
        return error
    target, _, arguments = kinds.partition(", ") if "(" not in kinds else _split(kinds)
    return f"{begins}'{target}.({arguments})'{ends}"


def _split(kinds: str) -> tuple[str, str, str]:
    """The first of several types, which may have parameters, and the others."""
    depth = 0
    for index, character in enumerate(kinds):
        depth += (character == "(") - (character == ")")
        if character == "," and depth == 0:
            return kinds[:index], ", ", kinds[index + 2 :]
    return kinds, "", ""


def _place(error: str) -> tuple[int, int]:
    found = _PLACE.match(error)
    return (int(found[1]), int(found[2])) if found else (0, 0)
