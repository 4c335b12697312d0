"""What a Job does with failed pods, and when it has succeeded.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/apis/batch/validation/validation.go
"""

import json
import re

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.rules import names
from hourglass_simulator.apiserver.rules.fault import (
    OMITTED,
    Faults,
    duplicate,
    each,
    invalid,
    non_negative,
    not_supported,
    required,
    too_long,
    too_many,
)
from hourglass_simulator.apiserver.rules.go_text import printed

_ACTIONS = ("Count", "FailIndex", "FailJob", "Ignore")
_OPERATORS = ("In", "NotIn")
_STATES = ("False", "True", "Unknown")
_MOST_RULES, _MOST_CODES, _MOST_PATTERNS = 20, 255, 20
_LONGEST_INDEXES = 64 * 1024


def _valid(values: tuple[str, ...]) -> str:
    return f"valid values: [{' '.join(json.dumps(value) for value in values)}]"


def _given(field: str, value: str, values: tuple[str, ...]) -> Faults:
    if not value:
        yield required(field, _valid(values))
    elif value not in values:
        yield not_supported(field, value, values)


def failure(path: str, spec: JSON) -> Faults:
    """A podFailurePolicy."""
    policy = spec.get("podFailurePolicy")
    if policy is None:
        return
    rules, inner = policy.get("rules") or [], (spec.get("template") or {}).get("spec") or {}
    if len(rules) > _MOST_RULES:
        yield too_many(f"{path}.rules", len(rules), _MOST_RULES)
    kinds = ("containers", "initContainers")
    known = {c.get("name") for kind in kinds for c in inner.get(kind) or ()}
    for index, rule in enumerate(rules):
        yield from _rule(f"{path}.rules[{index}]", rule, spec, known)


def _rule(path: str, rule: JSON, spec: JSON, known: set[str]) -> Faults:
    action = rule.get("action") or ""
    if action == "FailIndex":
        if spec.get("backoffLimitPerIndex") is None:
            why = "requires the backoffLimitPerIndex to be set"
            yield invalid(f"{path}.action", action, why)
    else:
        yield from _given(f"{path}.action", action, _ACTIONS)
    codes, patterns = rule.get("onExitCodes"), rule.get("onPodConditions") or []
    if codes is not None:
        yield from _codes(f"{path}.onExitCodes", codes, known)
    if len(patterns) > _MOST_PATTERNS:
        yield too_many(f"{path}.onPodConditions", len(patterns), _MOST_PATTERNS)
    for index, pattern in enumerate(patterns):
        where, kind = f"{path}.onPodConditions[{index}]", pattern.get("type") or ""
        yield from each(f"{where}.type", kind, names.qualified_name(kind))
        yield from _given(f"{where}.status", pattern.get("status", ""), _STATES)
    if codes is not None and patterns:
        why = "specifying both OnExitCodes and OnPodConditions is not supported"
        yield invalid(path, OMITTED, why)
    if codes is None and not patterns:
        why = "specifying one of OnExitCodes and OnPodConditions is required"
        yield invalid(path, OMITTED, why)


def _codes(path: str, codes: JSON, known: set[str]) -> Faults:
    operator, container = codes.get("operator") or "", codes.get("containerName")
    yield from _given(f"{path}.operator", operator, _OPERATORS)
    if container is not None and container not in known:
        why = "must be one of the container or initContainer names in the pod template"
        yield invalid(f"{path}.containerName", container, why)
    values, field = codes.get("values") or [], f"{path}.values"
    if not values:
        yield invalid(field, [], "at least one value is required")
    elif len(values) > _MOST_CODES:
        yield too_many(field, len(values), _MOST_CODES)
    seen: set[int] = set()
    for index, value in enumerate(values):
        if operator == "In" and value == 0:
            yield invalid(f"{field}[{index}]", value, "must not be 0 for the In operator")
        if value in seen:
            yield duplicate(f"{field}[{index}]", value)
        seen.add(value)
    if values != sorted(values):
        yield invalid(field, values, "must be ordered")


def success(path: str, spec: JSON) -> Faults:
    """A successPolicy."""
    policy = spec.get("successPolicy")
    if policy is None:
        return
    if spec.get("completionMode") != "Indexed":
        shown = printed("batch.SuccessPolicy", policy)
        yield invalid(path, shown, "requires indexed completion mode")
        return
    rules = policy.get("rules") or []
    if not rules:
        why = "at least one rules must be specified when the successPolicy is specified"
        yield required(f"{path}.rules", why)
    if len(rules) > _MOST_RULES:
        yield too_many(f"{path}.rules", len(rules), _MOST_RULES)
    for index, rule in enumerate(rules):
        yield from _success_rule(f"{path}.rules[{index}]", rule, spec.get("completions") or 0)


def _success_rule(path: str, rule: JSON, completions: int) -> Faults:
    count, indexes = rule.get("succeededCount"), rule.get("succeededIndexes")
    if count is None and indexes is None:
        why = "at least one of succeededCount or succeededIndexes must be specified"
        yield required(path, why)
    total = 0
    if indexes is not None:
        if len(indexes) > _LONGEST_INDEXES:
            yield too_long(f"{path}.succeededIndexes", _LONGEST_INDEXES)
        try:
            total = number_of(indexes, completions)
        except ValueError as error:
            why = f"error parsing succeededIndexes: {error}"
            yield invalid(f"{path}.succeededIndexes", indexes, why)
    if count is None:
        return
    field = f"{path}.succeededCount"
    yield from non_negative(field, count)
    if count > completions:
        why = f"{completions} (the number of specified completions)"
        yield invalid(field, count, f"must be less than or equal to {why}")
    if indexes is not None and count > total:
        why = f"{total} (the number of indexes in the specified succeededIndexes field)"
        yield invalid(field, count, f"must be less than or equal to {why}")


def replacement(path: str, spec: JSON) -> Faults:
    """A podReplacementPolicy."""
    policy = spec.get("podReplacementPolicy")
    if policy is None:
        return
    if spec.get("podFailurePolicy") is not None:
        if policy != "Failed":
            yield not_supported(path, policy, ("Failed",))
    elif policy not in ("Failed", "TerminatingOrFailed"):
        yield not_supported(path, policy, ("Failed", "TerminatingOrFailed"))


def number_of(indexes: str, completions: int) -> int:
    """How many indexes `1,3-5` are."""
    last, total = None, 0
    for text in indexes.split(",") if indexes else ():
        start, end = interval(text, completions)
        if last is not None and last >= start:
            msg = f"non-increasing order, previous: {last}, current: {start}"
            raise ValueError(msg)
        total += end - start + 1
        last = end
    return total


def interval(text: str, completions: int) -> tuple[int, int]:
    """The first and the last index of `3-5` or `3`."""
    limits = text.split("-")
    if len(limits) > 2:
        msg = (
            f"the fragment {json.dumps(text)} violates the requirement that an index interval"
            " can have at most two parts separated by '-'"
        )
        raise ValueError(msg)
    numbers = []
    for limit in limits:
        if not re.fullmatch(r"[+-]?\d+", limit):
            msg = f"cannot convert string to integer for index: {json.dumps(limit)}"
            raise ValueError(msg)
        if int(limit) >= completions:
            msg = f"too large index: {json.dumps(limit)}"
            raise ValueError(msg)
        numbers.append(int(limit))
    if len(numbers) > 1 and numbers[0] >= numbers[1]:
        msg = f"non-increasing order, previous: {numbers[0]}, current: {numbers[1]}"
        raise ValueError(msg)
    return numbers[0], numbers[-1]
