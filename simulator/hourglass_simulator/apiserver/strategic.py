"""Strategic merge patches of built-in kinds; nothing is changed in place.

How a list merges is in the recorded OpenAPI: `x-kubernetes-patch-strategy` and
`x-kubernetes-patch-merge-key`.
https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/apimachinery/pkg/util/strategicpatch/patch.go
https://github.com/kubernetes/community/blob/master/contributors/devel/sig-api-machinery/strategic-merge-patch.md
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hourglass_kube.mergepatch import same
from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import go_format, openapi
from hourglass_simulator.apiserver.errors import bad_request, internal
from hourglass_simulator.apiserver.strategic_lists import identity, ordered, require_alike
from hourglass_simulator.kubernetes.version import Version

_DIRECTIVE = "$patch"
_ORDER = "$setElementOrder"
_DELETE_FROM = "$deleteFromPrimitiveList"
_RETAIN = "$retainKeys"


@dataclass(frozen=True, slots=True)
class Meta:
    """How the fields of a type are patched: its schema, and the schemas that it refers to."""

    schema: JSON
    schemas: Mapping[str, JSON]

    def field(self, name: str) -> "Field":
        """How a field is patched; 500 as on the real server for one that there is not."""
        properties = self.schema.get("properties") or {}
        found = properties.get(name)
        if found is None:
            others = self.schema.get("additionalProperties")
            if not isinstance(others, dict):
                # A map whose values are of any type, or a field that is not known.
                if not properties:
                    return Field(self._below({}), "", "")
                raise internal(f"unable to find api field in struct for the json field {name!r}")
            found = others
        strategies = found.get("x-kubernetes-patch-strategy", "").split(",")
        strategy = next((each for each in strategies if each not in ("", "retainKeys")), "")
        items = found.get("items")
        below = self._below(found if items is None else items)
        return Field(below, strategy, found.get("x-kubernetes-patch-merge-key", ""))

    def _below(self, schema: JSON) -> "Meta":
        for each in (schema, *schema.get("allOf", ())):
            if "$ref" in each:
                return Meta(self.schemas[each["$ref"].rpartition("/")[2]], self.schemas)
        return Meta(schema, self.schemas)


@dataclass(frozen=True, slots=True)
class Field:
    """`strategy` is merge, replace or empty; `key` is what items of a list are known by."""

    below: Meta
    strategy: str
    key: str


def meta_of(version: Version, obj: JSON) -> Meta:
    """How an object's kind is patched; of one that is not built in nothing is known."""
    name = openapi.schema_name(version, obj["apiVersion"], obj["kind"])
    if name is None:
        return Meta({}, {})
    schemas = openapi.schemas(version, openapi.path_of(obj["apiVersion"]))
    return Meta(schemas[name], schemas)


def merge(target: JSON, patch: Any, meta: Meta) -> JSON:
    """The patched object; `target` itself when nothing changes."""
    merged = _merge_map(target, patch, meta)
    return target if same(merged, target) else merged


def _merge_map(target: JSON, patch: JSON, meta: Meta) -> JSON:
    if _DIRECTIVE in patch:
        directive = patch[_DIRECTIVE]
        if directive == "replace":
            return {name: value for name, value in patch.items() if name != _DIRECTIVE}
        if directive == "delete":
            return {}
        raise internal(
            f"unknown patch type: {go_format.plain(directive)} in map: {go_format.plain(patch)}"
        )
    result = _retained(target, patch)
    rest = {name: value for name, value in patch.items() if name != _RETAIN}
    for name in [name for name in rest if name.startswith(_ORDER)]:
        _merge_in_order(result, rest, name, meta)
    for name, value in rest.items():
        if name.startswith(_DELETE_FROM):
            _delete_from(result, _listed(name, _DELETE_FROM), value)
        elif value is None:
            result.pop(name, None)
        else:
            _merge_field(result, name, value, meta)
    return result


def _listed(name: str, prefix: str) -> str:
    """The list that a directive is about; 400 when it names none."""
    head, slash, listed = name.partition("/")
    if not slash or head != prefix:
        what = "primitive" if prefix == _DELETE_FROM else "setElementOrder"
        raise bad_request(f"invalid patch format of {what} list")
    return listed


def _retained(target: JSON, patch: JSON) -> JSON:
    """A copy of the target, without what the patch does not retain."""
    if _RETAIN not in patch:
        return dict(target)
    keys = patch[_RETAIN]
    wanted = [
        name
        for name, value in patch.items()
        if value is not None and name != _RETAIN and not name.startswith((_ORDER, _DELETE_FROM))
    ]
    if not isinstance(keys, list) or any(name not in keys for name in wanted):
        raise bad_request("invalid patch format of retainKeys")
    return {name: value for name, value in target.items() if name in keys}


def _delete_from(result: JSON, name: str, value: Any) -> None:
    before = result.get(name)
    if isinstance(before, list) and isinstance(value, list):
        result[name] = [item for item in before if item not in value]


def _merge_field(result: JSON, name: str, value: Any, meta: Meta) -> None:
    before = result.get(name)
    if isinstance(before, dict) and isinstance(value, dict):
        field = meta.field(name)
        replaces = field.strategy == "replace"
        result[name] = value if replaces else _merge_map(before, value, field.below)
    elif isinstance(before, list) and isinstance(value, list):
        result[name] = _merge_list(before, value, meta.field(name))
    else:
        kept, stays = _bare(value, nulls=False)
        if stays:
            result[name] = kept
        else:
            result.pop(name, None)


def _merge_list(before: list[Any], patch: list[Any], field: Field) -> list[Any]:
    if field.strategy != "merge":
        return patch
    if not before and not patch:
        return before
    require_alike(before, patch)
    if not isinstance((before or patch)[0], dict):
        merged = list(dict.fromkeys([*before, *patch]))
        return ordered(merged, patch, before, "")
    if not field.key:
        raise internal("cannot merge lists without merge key for struct")
    before, patch = _without_directives(before, patch, field.key)
    merged = list(before)
    for item in patch:
        wanted = identity(item, field.key)
        place = _place(merged, field.key, wanted)
        if place is None:
            merged.append(item)
        else:
            merged[place] = _merge_map(merged[place], item, field.below)
    return ordered(merged, patch, before, field.key)


def _without_directives(
    before: list[Any], patch: list[Any], key: str
) -> tuple[list[Any], list[Any]]:
    """The list without what the patch deletes, and the patch without its directives."""
    plain = [item for item in patch if _DIRECTIVE not in item]
    for item in patch:
        directive = item.get(_DIRECTIVE, "replace")
        if directive == "delete":
            gone = identity(item, key)
            before = [each for each in before if each.get(key) != gone]
        elif directive == "merge":
            raise internal("merging lists cannot yet be specified in the patch")
        elif directive != "replace":
            shown = go_format.plain(item)
            raise internal(f"unknown patch type: {go_format.plain(directive)} in map: {shown}")
    replaces = any(item.get(_DIRECTIVE) == "replace" for item in patch)
    return (plain, []) if replaces else (before, plain)


def _place(items: list[Any], key: str, wanted: Any) -> int | None:
    return next((i for i, item in enumerate(items) if item.get(key) == wanted), None)


def _merge_in_order(result: JSON, rest: JSON, directive: str, meta: Meta) -> None:
    """Merge a list that the patch wants in an order, and take both out of the patch."""
    order = rest.pop(directive)
    name = _listed(directive, _ORDER)
    before, patch = result.get(name), rest.get(name)
    for value in (order, before, patch):
        if value is not None and not isinstance(value, list):
            shown = go_format.type_of(value)
            raise internal(f"expected a []interface {{}}, but received a {shown}")
    field = meta.field(name)
    _require_order(patch or [], order or [], field.key)
    if before is None and patch is None:
        return
    if before is None:
        merged, _ = _bare(patch, nulls=True)
    else:
        merged = before if patch is None else _merge_list(before, patch, field)
    rest.pop(name, None)
    result[name] = ordered(merged, order, before or [], field.key)


def _require_order(patch: list[Any], order: list[Any], key: str) -> None:
    """The patched items are among those in order, and in that order."""
    items = [item for item in patch if not (isinstance(item, dict) and _DIRECTIVE in item)]
    if not items or not order:
        return
    left = [identity(item, key) for item in items]
    for each in order:
        if left and identity(each, key) == left[0]:
            left.pop(0)
    if left:
        lists = go_format.plain(patch), go_format.plain(order)
        raise internal(
            f"The order in patch list:\n{lists[0]}\n doesn't match {_ORDER} list:\n{lists[1]}\n"
        )


def _bare(value: Any, *, nulls: bool) -> tuple[Any, bool]:
    """What is taken over as it is, without directives, and whether it is; nulls as is asked."""
    if isinstance(value, dict):
        if _DIRECTIVE in value:
            return None, False
        kept = {}
        for name, each in value.items():
            if each is None and not nulls:
                continue
            below, stays = _bare(each, nulls=nulls)
            if stays:
                kept[name] = below
        return kept, True
    if isinstance(value, list):
        found = [_bare(item, nulls=nulls) for item in value]
        return [item for item, stays in found if stays], True
    return value, True
