"""Checks a rule against the type of its values, and estimates what it can cost.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel/compilation.go
"""

import re
from dataclasses import dataclass
from functools import cached_property

from cel_expr_python import cel  # type: ignore[import-untyped]

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import cel_types
from hourglass_simulator.apiserver.cel_cost import estimated_cost
from hourglass_simulator.apiserver.cel_source import OLD, checkable
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
    """Checks the rules of one schema."""

    def __init__(self, of: DeclaredType) -> None:
        self._of = of

    @cached_property
    def _environment(self) -> cel.Env:
        return cel_types.checking_environment(self._of)

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
        written = checkable(source, optional=optional)
        try:
            return self._environment.compile(written.text)
        except RuntimeError as error:
            raise ValueError(written.original(as_in_go(error))) from None


_OPTIONAL = re.compile(r"optional_type<[^>]*>\(")
_LITERAL = re.compile(
    r"ERROR: <input>:(\d+):(\d+): undeclared reference to '(\w+)' (.*)\n \| (.*)\n \| [.^]*"
)
_PLACE = re.compile(r"ERROR: <input>:(\d+):(\d+): ")


def as_in_go(error: RuntimeError) -> str:
    """What the compiler says, in the words and in the order of cel-go."""
    wrapped = _WRAPPED.match(str(error))
    text = wrapped[1] if wrapped else str(error)
    text = _OPTIONAL.sub("optional_type(", _STRUCT.sub("", text))
    parts = (_of_literal(part) for part in re.split(r"\n(?=ERROR: )", text))
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


def _place(error: str) -> tuple[int, int]:
    found = _PLACE.match(error)
    return (int(found[1]), int(found[2])) if found else (0, 0)
