"""Objects of a cluster that may be handed on: values of environment variables are left out."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from pydantic import ValidationError

from hourglass_kube.types import JSON
from hourglass_operator.api import KIND, PerformerSpec
from hourglass_operator.resources import names
from hourglass_operator.resources.template import former_hash, template_hash

MASK = "masked"
"""In the place of every value."""
_LISTS = ("env", "environmentFrom")
_MAP = "environment"
_REPEATS = "kubectl.kubernetes.io/last-applied-configuration"
_OF_STATUS = ("templateHash", "servingTemplateHash")


def masked(items: Iterable[JSON]) -> list[JSON]:
    """Objects as the API server lists them, without values of variables."""
    return handed_on(items, without_values)


def handed_on(items: Iterable[JSON], changed: Callable[[JSON], JSON]) -> list[JSON]:
    """Objects with what is changed of each part, and without what kubectl repeats of them.

    What counts in the template hashes of Performers may be changed: these are put right, so that a
    pod that is of the wanted template stays so.
    """
    found = list(items)
    performers = [each for each in found if each.get("kind") == KIND]
    hashes = {old: new for each in performers for old, new in _hashes(each, changed)}
    return [_rehashed(changed(_without_repeats(item)), hashes) for item in found]


def _without_repeats(item: JSON) -> JSON:
    meta = item["metadata"]
    if _REPEATS not in (meta.get("annotations") or {}):
        return item
    annotations = {key: value for key, value in meta["annotations"].items() if key != _REPEATS}
    return {**item, "metadata": {**meta, "annotations": annotations}}


def without_values(part: JSON) -> JSON:
    """Any part of an object, without values of variables."""
    return {key: _field(key, each) for key, each in part.items()}


def _masked(value: Any) -> Any:
    if isinstance(value, list):
        return [_masked(each) for each in value]
    return without_values(value) if isinstance(value, dict) else value


def _field(key: str, value: Any) -> Any:
    if key in _LISTS and isinstance(value, list):
        return [_variable(each) for each in value]
    if key == _MAP and isinstance(value, dict):
        return dict.fromkeys(value, MASK)
    return _masked(value)


def _variable(variable: Any) -> Any:
    if isinstance(variable, dict) and variable.get("value"):
        return {**variable, "value": MASK}
    return variable


def _hashes(performer: JSON, changed: Callable[[JSON], JSON]) -> Iterator[tuple[str, str]]:
    spec = performer.get("spec") or {}
    try:
        before = PerformerSpec.model_validate(spec)
        after = PerformerSpec.model_validate(changed(spec))
    except ValidationError:
        # The operator makes no pod of it either.
        return
    for digest in (former_hash, template_hash):
        yield digest(before), digest(after)


def _rehashed(item: JSON, hashes: dict[str, str]) -> JSON:
    labels = item["metadata"].get("labels") or {}
    if (label := labels.get(names.HASH_LABEL)) in hashes:
        labels = {**labels, names.HASH_LABEL: hashes[label]}
        return {**item, "metadata": {**item["metadata"], "labels": labels}}
    status = item.get("status") or {}
    if item.get("kind") == KIND and status:
        new = {f: hashes.get(status[f], status[f]) for f in _OF_STATUS if status.get(f)}
        return {**item, "status": {**status, **new}}
    return item
