"""Validation of the rules (`x-kubernetes-validations`) of a schema, and of what they may cost.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation/cel_validation.go
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import gates
from hourglass_simulator.apiserver.cel_check import Checker
from hourglass_simulator.apiserver.cel_cost import UNBOUNDED
from hourglass_simulator.apiserver.cel_library import LISTS_SINCE
from hourglass_simulator.apiserver.cel_types import MAX_REQUEST_BYTES, DeclaredType, declared
from hourglass_simulator.apiserver.definition_internal import shown_rule
from hourglass_simulator.apiserver.field_path import valid_path
from hourglass_simulator.apiserver.schema import compile_schema
from hourglass_simulator.apiserver.schema_error import ErrorType, FieldError, not_supported

RULES = "x-kubernetes-validations"
_REASONS = (
    "FieldValueDuplicate",
    "FieldValueForbidden",
    "FieldValueInvalid",
    "FieldValueRequired",
)
_RULE_LIMIT = 10_000_000
_DEFINITION_LIMIT = 100_000_000
_ADVICE = (
    "(try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays,"
    " maps, and strings are declared)"
)


class _RuleError(FieldError):
    """An error that shows a rule as Go prints it."""

    @property
    def message(self) -> str:
        """The text after the field's name."""
        return f"{self.type.value[1]}: {self.value}: {self.detail}"


@dataclass
class TotalCost:
    """What all rules of a definition can cost together."""

    total: int = 0
    expensive: list[tuple[int, str]] = field(default_factory=list)

    def add(self, cost: int, path: str) -> None:
        """Count a rule; the four most expensive are remembered."""
        self.total = min(self.total + cost, UNBOUNDED)
        if cost >= _DEFINITION_LIMIT // 100:
            self.expensive.append((cost, path))
            self.expensive = sorted(self.expensive, key=lambda each: -each[0])[:4]

    def faults(self, path: str) -> Iterator[FieldError]:
        """What is wrong when that is too much."""
        if self.total <= _DEFINITION_LIMIT:
            return
        why = "contributed to estimated rule cost total exceeding cost limit for entire"
        for _, at in self.expensive:
            yield FieldError(ErrorType.FORBIDDEN, at, None, f"{why} OpenAPIv3 schema")
        named = "x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema"
        yield FieldError(
            ErrorType.FORBIDDEN, path, None, _exceeds(named, self.total, _DEFINITION_LIMIT)
        )


@dataclass
class Cardinality:
    """How often the values of a schema can be there at most (None: without bound)."""

    schema: JSON
    most: int | None
    total: TotalCost
    is_root: bool = False
    parent: "Cardinality | None" = None
    step: str = ""

    @classmethod
    def of_root(cls, schema: JSON) -> "Cardinality":
        """That of a whole object: it is there once."""
        return cls(schema, 1, TotalCost(), is_root=True)

    def below(self, schema: JSON, child: JSON, step: str) -> "Cardinality":
        """That of a property, or of the `@items` or `@values` of a schema."""
        most = self.most
        kind = schema.get("type")
        factor: int | None = 1
        if kind == "array":
            factor = schema.get("maxItems")
        elif kind == "object" and schema.get("additionalProperties") is not None:
            factor = schema.get("maxProperties")
        most = None if most is None or factor is None else min(most * max(factor, 0), UNBOUNDED)
        return Cardinality(child, most, self.total, parent=self, step=step)

    def declared(self) -> DeclaredType | None:
        """The type of the values as CEL sees them."""
        root = self.is_root or bool(self.schema.get("x-kubernetes-embedded-resource"))
        return declared(compile_schema(self.schema), root=root)


def static_faults(schema: JSON, path: str) -> Iterator[FieldError]:
    """What is wrong with rules whatever they say."""
    node = None
    for index, rule in enumerate(schema[RULES]):
        at = f"{path}.{RULES}[{index}]"
        source, message = rule.get("rule") or "", rule.get("message") or ""
        if not source.strip():
            yield FieldError(ErrorType.REQUIRED, f"{at}.rule", None, "rule is not specified")
        elif message and not message.strip():
            why = "must be non-empty if specified"
            yield FieldError(ErrorType.INVALID, f"{at}.message", message, why)
        elif re.search(r"[\n\r]", message.strip()):
            why = "must not contain line breaks"
            yield FieldError(ErrorType.INVALID, f"{at}.message", message, why)
        elif re.search(r"[\n\r]", source.strip()) and not message.strip():
            why = "message must be specified if rule contains line breaks"
            yield FieldError(ErrorType.REQUIRED, f"{at}.message", None, why)
        expression = rule.get("messageExpression") or ""
        if expression and not expression.strip():
            why = "messageExpression must be non-empty if specified"
            yield FieldError(ErrorType.REQUIRED, f"{at}.messageExpression", None, why)
        reason = rule.get("reason")
        if reason is not None and reason not in _REASONS:
            yield not_supported(f"{at}.reason", reason, _REASONS)
        if field_path := rule.get("fieldPath") or "":
            where = f"{at}.fieldPath"
            if not field_path.strip():
                why = "must be non-empty if specified"
                yield FieldError(ErrorType.INVALID, where, field_path, why)
            if re.search(r"[\n\r]", field_path):
                why = "must not contain line breaks"
                yield FieldError(ErrorType.INVALID, where, field_path, why)
            node = node or compile_schema(schema)
            try:
                valid_path(field_path, node)
            except ValueError:
                yield FieldError(ErrorType.INVALID, where, field_path, "must be a valid path")


def faults(
    schema: JSON, path: str, context: Cardinality, *, uncorrelatable: str, suppresses_costs: bool
) -> Iterator[FieldError]:
    """What is wrong with what rules say, and with what they can cost."""
    of = context.declared()
    if of is None:
        return
    checker = Checker(of, lists=gates.since(LISTS_SINCE))
    most = context.most
    if most is None:
        most = MAX_REQUEST_BYTES // (of.min_bytes + 1)
    for index, rule in enumerate(schema[RULES]):
        at = f"{path}.{RULES}[{index}]"
        found = checker.check(rule)
        cost = min(found.cost * most, UNBOUNDED)
        if cost > _RULE_LIMIT and not suppresses_costs:
            why = _exceeds("estimated rule cost", cost, _RULE_LIMIT)
            yield FieldError(ErrorType.FORBIDDEN, f"{at}.rule", None, why)
        context.total.add(cost, f"{at}.rule")
        if found.error:
            yield _RuleError(ErrorType.INVALID, f"{at}.rule", shown_rule(rule), found.error)
        if found.message_error:
            where = f"{at}.messageExpression"
            yield _RuleError(ErrorType.INVALID, where, shown_rule(rule), found.message_error)
        elif found.message_cost is not None:
            where = f"{at}.messageExpression"
            if found.message_cost > _RULE_LIMIT and not suppresses_costs:
                why = _exceeds("estimated messageExpression cost", found.message_cost, _RULE_LIMIT)
                yield FieldError(ErrorType.FORBIDDEN, where, None, why)
            context.total.add(found.message_cost, where)
        if found.uses_old:
            if uncorrelatable:
                why = "oldSelf cannot be used on the uncorrelatable portion of the schema within"
                source = rule["rule"]
                yield FieldError(ErrorType.INVALID, f"{at}.rule", source, f"{why} {uncorrelatable}")
        elif rule.get("optionalOldSelf") is not None:
            why = "may not be set if oldSelf is not used in rule"
            optional = rule["optionalOldSelf"]
            yield FieldError(ErrorType.INVALID, f"{at}.optionalOldSelf", optional, why)


def _exceeds(named: str, cost: int, limit: int) -> str:
    factor = cost / limit
    if factor > 100:
        shown = "more than 100x"
    elif factor < 1.5:
        shown = f"{factor:f}x"
    else:
        shown = f"{factor:.1f}x"
    return f"{named} exceeds budget by factor of {shown} {_ADVICE}"
