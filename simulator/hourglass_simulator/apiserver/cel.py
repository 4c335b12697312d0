"""The CRD's CEL rules (`x-kubernetes-validations`), evaluated by Google's own CEL library.

https://kubernetes.io/docs/reference/using-api/cel/
https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel/validation.go

What a rule may cost is checked when the definition is made, and again when it is run.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from cel_expr_python import cel  # type: ignore[import-untyped]

from hourglass_kube.mergepatch import same
from hourglass_simulator.apiserver import gates
from hourglass_simulator.apiserver.cel_budget import PER_CALL, Budget, measured, run
from hourglass_simulator.apiserver.cel_check import Checker
from hourglass_simulator.apiserver.cel_cost import estimated_cost
from hourglass_simulator.apiserver.cel_environment import evaluating_environment
from hourglass_simulator.apiserver.cel_source import OLD, evaluable
from hourglass_simulator.apiserver.cel_types import DeclaredType, aligned, converter, declared
from hourglass_simulator.apiserver.field_path import field_path
from hourglass_simulator.apiserver.schema import Node
from hourglass_simulator.apiserver.schema_error import OMITTED, ErrorType, FieldError
from hourglass_simulator.apiserver.schema_validation import ABSENT, correlated

_REASONS = {
    "FieldValueInvalid": ErrorType.INVALID,
    "FieldValueForbidden": ErrorType.FORBIDDEN,
    "FieldValueRequired": ErrorType.REQUIRED,
    "FieldValueDuplicate": ErrorType.DUPLICATE,
}
_MAX_MESSAGE_BYTES = 5 * 1024
_REMEMBERED = 10_000
_NO_OVERLOAD = re.compile(r"No matching overloads found")
_RUN_TIME = (
    (re.compile(r'Key not found in map : "(.*)"', re.DOTALL), r"no such key: \1"),
    (re.compile(r"Key not found in map : (.*)", re.DOTALL), r"no such key: \1"),
    (re.compile(r"Index error: index=(-?\d+) size=\d+"), r"index out of bounds: \1"),
    (re.compile(r"divide by zero"), "division by zero"),
    (re.compile(r"modulus by zero"), "modulus by zero"),
)
_STATUS = re.compile(r"^[A-Z_]+: ")


@dataclass(frozen=True)
class Rule:
    """One entry of `x-kubernetes-validations`, at a schema."""

    source: dict[str, Any]
    node: Node
    root: bool = False

    @cached_property
    def _costing(self) -> tuple[bytes, DeclaredType] | None:
        """What its cost is estimated from; None where rules do not see the values."""
        of = declared(self.node, root=self.root)
        if of is None:
            return None
        serialized = Checker(of).serialized(self.source)
        if self.reads:
            read = {name: each for name, each in of.fields.items() if name in self.reads}
            of = replace(of, fields=read)
        return serialized, of

    @cached_property
    def _most(self) -> int:
        """What it can cost at most."""
        return 0 if self._costing is None else estimated_cost(*self._costing)[0]

    def cost(self, value: Any, budget: Budget) -> int:
        """What it costs to run it on `value`, or can cost at most where that is enough to know."""
        if self._costing is None or (self._most <= PER_CALL and not budget.exact):
            return self._most
        serialized, of = self._costing
        size = measured(of, value)
        key = repr(size)
        if key not in self._costs:
            if len(self._costs) >= _REMEMBERED:
                self._costs.clear()
            self._costs[key] = estimated_cost(serialized, size)[0]
        return self._costs[key]

    @cached_property
    def _costs(self) -> dict[str, int]:
        """By the sizes of values."""
        return {}

    @cached_property
    def _program(self) -> cel.Expression:
        return self._compiled(self.source["rule"])

    @cached_property
    def _message_program(self) -> cel.Expression | None:
        source = self.source.get("messageExpression")
        return self._compiled(source) if source else None

    def _compiled(self, source: str) -> cel.Expression:
        optional = bool(self.source.get("optionalOldSelf"))
        written = evaluable(source, optional=optional, declared=True)
        return evaluating_environment().compile(written.text)

    @cached_property
    def needs_old(self) -> bool:
        """Whether it compares with the value before."""
        return re.search(r"\boldSelf\b", self.source["rule"]) is not None

    @cached_property
    def reads(self) -> frozenset[str]:
        """The fields of `self` that the rule looks at; empty when it looks at all of it."""
        source = self.source["rule"] + self.source.get("messageExpression", "")
        if self.needs_old:
            return frozenset()
        named = re.findall(r"\bself\b(?:\.(\w+)\b(?!\())?", source)
        return frozenset(named) if all(named) else frozenset()

    def check(
        self,
        value: Any,
        kind: str,
        path: str,
        convert: Callable[[Any], Any] | None,
        old: Any,
        budget: Budget,
    ) -> FieldError | None:
        """The error of this rule for `value`, whose schema is of type `kind`."""
        optional = bool(self.source.get("optionalOldSelf"))
        if self.needs_old and old in (ABSENT, None) and not optional:
            return None
        if self.reads and isinstance(value, dict) and convert is None:
            value = {name: value[name] for name in sorted(self.reads) if name in value}
        if too_much := budget.fault(self.cost(value, budget), self._named):
            field = path.removeprefix(".") or "<nil>"
            return FieldError(ErrorType.INVALID, field, kind, too_much)
        if self.needs_old:
            broken = self._broken(self._data(value, convert, old))
        else:
            key = repr(value)
            if key in self._met:
                return None
            broken = self._broken(self._data(value, convert, old))
            if broken is None:
                if len(self._met) < _REMEMBERED:
                    self._met.add(key)
                return None
        if broken is None:
            return None
        detail, failed = broken
        relative = field_path(self.source.get("fieldPath", ""), self.node) if failed else ""
        field = f"{path}{relative}".removeprefix(".") or "<nil>"
        reason = self.source.get("reason", "FieldValueInvalid") if failed else "FieldValueInvalid"
        detail = "" if reason == "FieldValueDuplicate" else detail
        # Since 1.37 a broken rule shows the value where that is a scalar.
        found: Any = kind
        if failed and gates.since(37):
            found = OMITTED if isinstance(value, dict | list) else value
        return FieldError(_REASONS[reason], field, found, detail)

    def _data(self, value: Any, convert: Callable[[Any], Any] | None, old: Any) -> dict[str, Any]:
        data = {"self": value if convert is None else convert(value)}
        if self.needs_old:
            if old not in (ABSENT, None):
                before = aligned(old, value, self.node)
                data["oldSelf"] = before if convert is None else convert(before)
            data[OLD] = [data["oldSelf"]] if "oldSelf" in data else []
        return data

    @cached_property
    def _met(self) -> set[str]:
        """Values that meet the rule: the library compiles regular expressions at every call."""
        return set()

    @property
    def _named(self) -> str:
        """How it is called where it cannot be run."""
        return str(self.source.get("message") or self.source["rule"]).strip()

    def _broken(self, data: dict[str, Any]) -> tuple[str, bool] | None:
        """What is wrong, and whether that is what the rule says and no error of it; or None."""
        named = self._named
        result = run(self._program, data)
        if result.type() == cel.Type.ERROR:
            why = str(result.value())
            if _NO_OVERLOAD.search(why):
                why = "call arguments did not match a supported operator, function or macro"
                return f"'no such overload': {why} signature for rule: {named}", False
            return f"{_as_in_go(why)} evaluating rule: {named}", False
        return None if result.value() is True else (self._message(data), True)

    def _message(self, data: dict[str, Any]) -> str:
        """What messageExpression says, or message when that yields no single line."""
        if self._message_program is not None:
            result = run(self._message_program, data)
            if result.type() == cel.Type.STRING:
                text = str(result.value()).strip()
                if text and "\n" not in text and len(text.encode()) <= _MAX_MESSAGE_BYTES:
                    return text
        default = f"failed rule: {self.source['rule'].strip()}"
        return str(self.source.get("message") or default).strip()


def _as_in_go(why: str) -> str:
    """An error of the library in the words of cel-go."""
    why = _STATUS.sub("", why)
    for pattern, text in _RUN_TIME:
        if pattern.search(why):
            return pattern.sub(text, why)
    return why


class Rules:
    """All rules of a schema, found once."""

    def __init__(self, node: Node, *, root: bool = False) -> None:
        self._node = node
        self._rules = tuple(Rule(source, node, root) for source in node.rules)
        self._convert = converter(node, root=root) if self._rules else None
        self._kind = "" if len(node.types) > 1 or not node.types else node.types[0]
        below = {name: Rules(child, root=child.embedded) for name, child in node.properties.items()}
        self._properties = {name: rules for name, rules in below.items() if rules.any}
        self._additional = _rules_below(node.additional)
        self._items = _rules_below(node.items)

    @property
    def any(self) -> bool:
        """Whether there is any rule here or below."""
        return bool(self._rules or self._properties or self._additional or self._items)

    def check(self, value: Any, path: str = "", old: Any = ABSENT) -> list[FieldError]:
        """Errors of all rules for `value`; what is unchanged is not complained about."""
        if value is None or not self.any:
            return []
        budget = Budget()
        found = list(self._check(value, path, old, budget))
        if not budget.is_spent:
            return found
        return list(self._check(value, path, old, Budget(exact=True)))

    def _check(self, value: Any, path: str, old: Any, budget: Budget) -> Iterator[FieldError]:
        if value is None or not self.any:
            return
        unchanged = old is not ABSENT and same(value, old)
        if unchanged and not self.need_old:
            return
        for rule in self._rules:
            if not rule.needs_old and (unchanged or (rule.reads == _NAMES and old is not ABSENT)):
                continue
            error = rule.check(value, self._kind, path, self._convert, old, budget)
            if error is not None:
                yield error
            if budget.is_spent:
                return
        if isinstance(value, list) and self._items:
            old_items = correlated(value, self._node, old)
            for index, (item, old_item) in enumerate(zip(value, old_items, strict=True)):
                # Items of other lists cannot be matched: they are as unchanged as their list.
                if unchanged and old_item is ABSENT:
                    continue
                yield from self._items._check(item, f"{path}[{index}]", old_item, budget)
                if budget.is_spent:
                    return
        elif isinstance(value, dict) and (self._properties or self._additional):
            olds = old if isinstance(old, dict) else {}
            for name in sorted(value):
                rules = self._properties.get(name)
                old_value = olds.get(name, ABSENT)
                if rules is not None:
                    here = f"{path}.{name}" if path else name
                    yield from rules._check(value[name], here, old_value, budget)
                elif self._additional and name not in self._node.properties:
                    here = f"{path}[{name}]"
                    yield from self._additional._check(value[name], here, old_value, budget)
                if budget.is_spent:
                    return

    def ratcheted(self, value: Any, path: str, old: Any) -> Iterator[FieldError]:
        """What rules say of unchanged values, which `check` passes over."""
        if value is None or not self.any or old is ABSENT:
            return
        if same(value, old):
            for rule in self._rules:
                if not rule.needs_old:
                    error = rule.check(value, self._kind, path, self._convert, old, Budget())
                    if error is not None:
                        yield error
        if isinstance(value, list) and self._items:
            old_items = correlated(value, self._node, old)
            for index, (item, old_item) in enumerate(zip(value, old_items, strict=True)):
                yield from self._items.ratcheted(item, f"{path}[{index}]", old_item)
        elif isinstance(value, dict) and isinstance(old, dict):
            for name in sorted(value):
                rules = self._properties.get(name)
                here = f"{path}.{name}" if path else name
                if rules is None and name not in self._node.properties:
                    rules, here = self._additional, f"{path}[{name}]"
                if rules is not None:
                    yield from rules.ratcheted(value[name], here, old.get(name, ABSENT))

    @cached_property
    def need_old(self) -> bool:
        """Whether any rule here or below compares with the value before."""
        below = [*self._properties.values(), self._additional, self._items]
        return any(rule.needs_old for rule in self._rules) or any(
            rules.need_old for rules in below if rules is not None
        )


def _rules_below(node: Node | None) -> Rules | None:
    rules = Rules(node, root=node.embedded) if node is not None else None
    return rules if rules is not None and rules.any else None


_NAMES = frozenset({"metadata"})
"""What never changes."""
