"""The CRD's CEL rules (`x-kubernetes-validations`), evaluated by Google's own CEL library.

https://kubernetes.io/docs/reference/using-api/cel/

Kubernetes' quantity functions are added; rules that compare with `oldSelf` are not simulated. The
cost budget is the real server's business: it refuses a CRD whose rules could be too expensive.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

from cel_expr_python import cel  # type: ignore[import-untyped]
from cel_expr_python.ext.ext_strings import ExtStrings  # type: ignore[import-untyped]

from hourglass_kube import quantity
from hourglass_simulator.apiserver.schema import Node, same
from hourglass_simulator.apiserver.schema_error import ErrorType, FieldError
from hourglass_simulator.apiserver.schema_validation import ABSENT, correlated

_REASONS = {
    "FieldValueInvalid": ErrorType.INVALID,
    "FieldValueForbidden": ErrorType.FORBIDDEN,
    "FieldValueRequired": ErrorType.REQUIRED,
    "FieldValueDuplicate": ErrorType.DUPLICATE,
}
_MAX_MESSAGE_BYTES = 5 * 1024
_REMEMBERED = 10_000


_QUANTITY = re.compile(
    r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?", re.ASCII
)


def _is_quantity(text: str) -> bool:
    return _QUANTITY.fullmatch(text) is not None


def _compare(one: str, other: str) -> int:
    left, right = quantity.parse(one), quantity.parse(other)
    return (left > right) - (left < right)


@cache
def _environment() -> cel.Env:
    """A quantity is represented by its text; `compareTo` and `isLessThan` parse it."""
    kinds = cel.Type
    pair = [kinds.STRING, kinds.STRING]

    def function(
        name: str, parameters: list[cel.Type], result: cel.Type, implementation: Any
    ) -> cel.FunctionDecl:
        member = len(parameters) == 2
        overload = cel.Overload(f"{name}_quantity", result, parameters, member, implementation)
        return cel.FunctionDecl(name, [overload])

    return cel.NewEnv(
        variables={"self": kinds.DYN},
        extensions=[ExtStrings()],
        functions=[
            function("isQuantity", pair[:1], kinds.BOOL, _is_quantity),
            function("quantity", pair[:1], kinds.STRING, lambda text: text),
            function("compareTo", pair, kinds.INT, _compare),
            function("isLessThan", pair, kinds.BOOL, lambda a, b: _compare(a, b) < 0),
        ],
    )


@dataclass(frozen=True)
class Rule:
    """One entry of `x-kubernetes-validations`."""

    source: dict[str, Any]

    @cached_property
    def _program(self) -> cel.Expression:
        return _environment().compile(self.source["rule"])

    @cached_property
    def _message_program(self) -> cel.Expression | None:
        source = self.source.get("messageExpression")
        return _environment().compile(source) if source else None

    @cached_property
    def reads(self) -> frozenset[str]:
        """The fields of `self` that the rule looks at; empty when it looks at all of it."""
        source = self.source["rule"] + self.source.get("messageExpression", "")
        named = re.findall(r"\bself\b(?:\.(\w+)\b(?!\())?", source)
        return frozenset(named) if all(named) else frozenset()

    def check(self, value: Any, kind: str, path: str) -> FieldError | None:
        """The error of this rule for `value`, whose schema is of type `kind`."""
        if self.reads and isinstance(value, dict):
            value = {name: value[name] for name in sorted(self.reads) if name in value}
        key = repr(value)
        if key in self._met:
            return None
        broken = self._broken(value)
        if broken is None:
            if len(self._met) < _REMEMBERED:
                self._met.add(key)
            return None
        field = f"{path}{self.source.get('fieldPath', '')}".removeprefix(".") or "<nil>"
        reason = _REASONS[self.source.get("reason", "FieldValueInvalid")]
        return FieldError(reason, field, kind, broken)

    @cached_property
    def _met(self) -> set[str]:
        """Values that meet the rule: the library compiles regular expressions at every call."""
        return set()

    def _broken(self, value: Any) -> str | None:
        """What is wrong with `value`, or None."""
        result = self._program.eval(data={"self": value})
        if result.type() == cel.Type.ERROR:
            # The library phrases run-time errors differently; a CRD should not run into them.
            return f"{result.value()} evaluating rule: {self.source['message'].strip()}"
        return None if result.value() is True else self._message(value)

    def _message(self, value: Any) -> str:
        """What messageExpression says, or message when that yields no single line."""
        if self._message_program is not None:
            text = self._message_program.eval(data={"self": value}).value()
            if isinstance(text, str):
                text = text.strip()
                if text and "\n" not in text and len(text.encode()) <= _MAX_MESSAGE_BYTES:
                    return text
        default = f"failed rule: {self.source['rule'].strip()}"
        return str(self.source.get("message", default)).strip()


class Rules:
    """All rules of a schema, found once."""

    def __init__(self, node: Node) -> None:
        if any("oldSelf" in source["rule"] for source in node.rules):
            raise ValueError("rules with oldSelf are not simulated")
        self._node = node
        self._rules = tuple(Rule(source) for source in node.rules)
        self._kind = "" if len(node.types) > 1 else node.types[0]
        below = {name: Rules(child) for name, child in node.properties.items()}
        self._properties = {name: rules for name, rules in below.items() if rules.any}
        self._additional = _rules_below(node.additional)
        self._items = _rules_below(node.items)

    @property
    def any(self) -> bool:
        """Whether there is any rule here or below."""
        return bool(self._rules or self._properties or self._additional or self._items)

    def check(self, value: Any, path: str = "", old: Any = ABSENT) -> Iterator[FieldError]:
        """Errors of all rules for `value`; unchanged parts are not looked at."""
        if value is None or (old is not ABSENT and same(value, old)):
            return
        for rule in self._rules:
            if _reads_only_what_is_unchanged(rule, value, old):
                continue
            error = rule.check(value if path else _as_rules_see_it(value), self._kind, path)
            if error is not None:
                yield error
        if isinstance(value, list) and self._items:
            old_items = correlated(value, self._node, old)
            for index, (item, old_item) in enumerate(zip(value, old_items, strict=True)):
                yield from self._items.check(item, f"{path}[{index}]", old_item)
        elif isinstance(value, dict) and (self._properties or self._additional):
            olds = old if isinstance(old, dict) else {}
            for name in sorted(value):
                rules = self._properties.get(name)
                if rules is not None:
                    here = f"{path}.{name}" if path else name
                    yield from rules.check(value[name], here, olds.get(name, ABSENT))
                elif self._additional and name not in self._node.properties:
                    old_value = olds.get(name, ABSENT)
                    yield from self._additional.check(value[name], f"{path}[{name}]", old_value)


def _rules_below(node: Node | None) -> Rules | None:
    rules = Rules(node) if node is not None else None
    return rules if rules is not None and rules.any else None


def _as_rules_see_it(root: Any) -> Any:
    """The whole object; of its metadata, rules see nothing but the names."""
    if not isinstance(root, dict) or "metadata" not in root:
        return root
    metadata = root["metadata"]
    names = {name: metadata[name] for name in ("name", "generateName") if name in metadata}
    return {**root, "metadata": names}


def _reads_only_what_is_unchanged(rule: Rule, value: Any, old: Any) -> bool:
    """A rule that held keeps holding; this spares the name rule at every status write."""
    if not (rule.reads and isinstance(value, dict) and isinstance(old, dict)):
        return False
    # Names never change.
    return all(name == "metadata" or same(value.get(name), old.get(name)) for name in rule.reads)
