"""How much evaluating an expression can cost at most, in the units of CEL.

https://github.com/google/cel-go/blob/v0.26.0/checker/cost.go
https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/apiserver/pkg/cel/library/cost.go
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from hourglass_simulator.apiserver.cel_messages import OWN_TYPES
from hourglass_simulator.apiserver.cel_source import OLD, PAIRS
from hourglass_simulator.apiserver.cel_syntax import checked_expression
from hourglass_simulator.apiserver.cel_types import DeclaredType

UNBOUNDED = 2**64 - 1
_TRAVERSAL, _REGEX = 0.1, 0.25
_MAX_NAME_REGEX = 128
_OF_PAIRS = {"@list": {"k": "@indices", "v": "@items"}, "@map": {"k": "@keys", "v": "@values"}}
"""The steps to what two variables stand for, which are one where expressions are checked."""
_SCALARS = frozenset({"bool", "double", "duration", "int", "timestamp", "uint"})
_PRIMITIVES = {1: "bool", 2: "int", 3: "uint", 4: "double", 5: "string", 6: "bytes"}
_WELL_KNOWN = {1: "any", 2: "timestamp", 3: "duration"}


class Range(NamedTuple):
    """The least and the most of a size or a cost; sums and products stop at UNBOUNDED."""

    least: int
    most: int

    def plus(self, other: "Range") -> "Range":
        """The sum."""
        return Range(_bounded(self.least + other.least), _bounded(self.most + other.most))

    def times(self, other: "Range") -> "Range":
        """The product."""
        return Range(_bounded(self.least * other.least), _bounded(self.most * other.most))

    def scaled(self, factor: float) -> "Range":
        """The product with a factor, rounded up."""
        return Range(_scaled(self.least, factor), _scaled(self.most, factor))

    def union(self, other: "Range") -> "Range":
        """The least range that has both."""
        return Range(min(self.least, other.least), max(self.most, other.most))


def _bounded(value: int) -> int:
    return min(value, UNBOUNDED)


def _scaled(value: int, factor: float) -> int:
    if value > 0 and factor > 0 and float(value) > float(UNBOUNDED) / factor:
        return UNBOUNDED
    found = math.ceil(float(value) * factor)
    return UNBOUNDED if found >= 2**64 else int(found)


_UNKNOWN = Range(0, UNBOUNDED)
_NOTHING, _ONE = Range(0, 0), Range(1, 1)


class _Node(NamedTuple):
    """An expression with what is known of it."""

    expr: Any
    path: tuple[str, ...]
    kind: str
    size: Range | None


class _Estimate(NamedTuple):
    cost: Range
    size: Range | None = None


class _Local(NamedTuple):
    path: tuple[str, ...]
    size: Range | None
    entry: "tuple[str, Range, Range] | None"


def estimated_cost(serialized: bytes, of: DeclaredType) -> tuple[int, frozenset[str]]:
    """The most that a checked expression can cost, and the names that it refers to."""
    checked = checked_expression(serialized)
    names = frozenset(each.value.name for each in checked.reference_map if each.value.name)
    return _Coster(checked, of).cost(checked.expr).most, names


class _Coster:
    def __init__(self, checked: Any, of: DeclaredType) -> None:
        self._of = of
        self._types = {each.key: each.value for each in checked.type_map}
        self._overloads = {each.key: list(each.value.overload_id) for each in checked.reference_map}
        self._paths: dict[int, tuple[str, ...]] = {}
        self._sizes: dict[int, Range] = {}
        self._entries: dict[int, tuple[str, Range, Range]] = {}
        self._locals: dict[str, list[_Local]] = {}

    # Expressions

    def cost(self, expr: Any) -> Range:
        which = _which(expr)
        if which == "ident_expr":
            name = expr.ident_expr.name
            local = self._local(name)
            self._paths[expr.id] = local.path if local else (name,)
            return _ONE
        if which == "select_expr":
            return self._select(expr)
        if which == "call_expr":
            return self._call(expr)
        if which == "list_expr":
            return self._list(expr)
        if which == "struct_expr":
            return self._struct(expr)
        if which == "comprehension_expr":
            return self._comprehension(expr)
        return _NOTHING

    def _select(self, expr: Any) -> Range:
        select = expr.select_expr
        cost = self.cost(select.operand)
        pair = self._path(select.operand)
        if pair and pair[-1] in _OF_PAIRS:
            # A second variable is an identifier, too.
            self._paths[expr.id] = (*pair[:-1], _OF_PAIRS[pair[-1]][select.field])
            return cost
        if select.test_only:
            return cost
        self._paths[expr.id] = (*self._path(select.operand), select.field)
        if self._kind(select.operand) in ("map", "object", "type_param"):
            cost = cost.plus(_ONE)
        return cost

    def _list(self, expr: Any) -> Range:
        total, item = _NOTHING, Range(UNBOUNDED, 0)
        elements = expr.list_expr.elements
        if not elements:
            item = _NOTHING
        for each in elements:
            total = total.plus(self.cost(each))
            item = item.union(self._size(each) or _UNKNOWN)
        self._entries[expr.id] = ("list", _ONE, item)
        return total.plus(Range(10, 10))

    def _struct(self, expr: Any) -> Range:
        struct = expr.struct_expr
        total = _NOTHING
        if struct.message_name:
            for each in struct.entries:
                total = total.plus(self.cost(each.value))
            return total.plus(Range(40, 40))
        key, value = Range(UNBOUNDED, 0), Range(UNBOUNDED, 0)
        if not struct.entries:
            key = value = _NOTHING
        for each in struct.entries:
            total = total.plus(self.cost(each.map_key)).plus(self.cost(each.value))
            key = key.union(self._size(each.map_key) or _UNKNOWN)
            value = value.union(self._size(each.value) or _UNKNOWN)
        self._entries[expr.id] = ("map", key, value)
        return total.plus(Range(30, 30))

    def _comprehension(self, expr: Any) -> Range:
        loop = expr.comprehension_expr
        over = loop.iter_range
        total = self.cost(over).plus(self.cost(loop.accu_init))
        accu = _Local(
            self._path(loop.accu_init), self._size(loop.accu_init), self._entry(loop.accu_init)
        )
        self._locals.setdefault(loop.accu_var, []).append(accu)
        self._push(loop)
        every = self.cost(loop.loop_condition).plus(self.cost(loop.loop_step))
        self._locals[loop.iter_var].pop()
        total = total.plus(self.cost(loop.result))
        self._locals[loop.accu_var].pop()
        times = self._size(over) or _UNKNOWN
        which = _which(loop.accu_init)
        if which == "const_expr":
            if (size := self._size(loop.accu_init)) is not None:
                self._sizes[expr.id] = size
        elif which in ("list_expr", "struct_expr"):
            self._sizes[expr.id] = times
            if (entry := self._entry(loop.loop_step)) is not None:
                self._entries[expr.id] = entry
        return total.plus(times.times(every))

    def _push(self, loop: Any) -> None:
        over = loop.iter_range
        entry, path = self._entry(over), self._path(over)
        if path and path[-1] in _OF_PAIRS:
            self._locals.setdefault(loop.iter_var, []).append(_Local(path, None, None))
            return
        key, value = (entry[1], entry[2]) if entry else (None, None)
        is_list = self._container(over) == "list"
        step, size = ("@items", value) if is_list else ("@keys", key)
        self._locals.setdefault(loop.iter_var, []).append(_Local((*path, step), size, None))

    def _container(self, expr: Any) -> str:
        """Of what is gone through: list or map."""
        entry = self._entry(expr)
        return entry[0] if entry else self._kind(expr)

    # Calls

    def _call(self, expr: Any) -> Range:
        call = expr.call_expr
        if call.function == "dyn" and call.args:
            cost = self.cost(call.args[0]).plus(_ONE)
            self._copy(expr, call.args[0])
            return cost
        if call.function == PAIRS:
            cost = self.cost(call.target)
            self._copy(expr, call.target)
            pairs = "@list" if self._container(call.target) == "list" else "@map"
            self._paths[expr.id] = (*self._path(call.target), pairs)
            return cost
        costs = [self.cost(each) for each in call.args]
        if self._old_value(expr):
            return Range(1, 1)
        args = [self._node(each) for each in call.args]
        overloads = self._overloads.get(expr.id) or []
        if not overloads:
            return _NOTHING
        total, target = _NOTHING, None
        if call.HasField("target"):
            total = self.cost(call.target)
            target = self._node(call.target)
        spent = _NOTHING
        for each in costs:
            spent = spent.plus(each)
        cost, size = Range(UNBOUNDED, 0), None
        for overload in overloads:
            found = self._function(expr, call.function, overload, target, args, costs, spent)
            cost = cost.union(found.cost)
            if found.size is not None:
                size = found.size if size is None else size.union(found.size)
            if overload in ("index_list", "index_map") and call.args:
                entry = self._entry(call.args[0])
                size = entry[2] if entry else None
                step = "@items" if overload == "index_list" else "@values"
                self._paths[expr.id] = (*self._path(call.args[0]), step)
            if size is None:
                size = self._size(expr)
        if size is not None:
            self._sizes[expr.id] = size
        return total.plus(cost)

    def _old_value(self, expr: Any) -> bool:
        """An optional `oldSelf`, as it is written to be checked, costs what an identifier does."""
        args = expr.call_expr.args
        is_old = bool(args) and _which(args[0]) == "ident_expr" and args[0].ident_expr.name == OLD
        if is_old:
            self._paths[expr.id] = ("oldSelf",)
        return is_old

    def _function(
        self,
        expr: Any,
        function: str,
        overload: str,
        target: _Node | None,
        args: list[_Node],
        costs: list[Range],
        spent: Range,
    ) -> _Estimate:
        own = _OWN.get(function)
        if own is not None and (found := own(self, overload, target, args)) is not None:
            return _Estimate(found.cost.plus(spent), found.size)
        found = self._standard(expr, overload, target, args, costs)
        if found is not None:
            adds = overload not in ("logical_and", "logical_or", "conditional")
            return _Estimate(found.cost.plus(spent) if adds else found.cost, found.size)
        return _Estimate(spent.plus(_ONE))

    def _standard(
        self,
        expr: Any,
        overload: str,
        target: _Node | None,
        args: list[_Node],
        costs: list[Range],
    ) -> _Estimate | None:
        sizes = [each.size or _UNKNOWN for each in args]
        of_target = (target.size or _UNKNOWN) if target else _UNKNOWN
        if overload in ("logical_and", "logical_or"):
            return _Estimate(Range(costs[0].least, costs[0].plus(costs[1]).most))
        if overload == "conditional":
            one, other = (self._entry(each.expr) for each in args[1:])
            if one is not None and other is not None:
                self._entries[expr.id] = (one[0], one[1].union(other[1]), one[2].union(other[2]))
            cost = costs[0].plus(costs[1].union(costs[2]))
            return _Estimate(cost, sizes[1].union(sizes[2]))
        if overload in ("add_string", "add_bytes", "add_list"):
            return self._added(expr, overload, args, sizes)
        if overload in _COMPARISONS:
            smallest = min(sizes[0].most, sizes[1].most)
            return _Estimate(Range(1 if smallest > 0 else 0, smallest).scaled(_TRAVERSAL))
        if overload in ("starts_with_string", "ends_with_string") and len(args) == 1:
            return _Estimate(sizes[0].scaled(_TRAVERSAL))
        if overload == "in_list":
            return _Estimate(sizes[1])
        if overload == "matches_string" and target and len(args) == 1:
            text = of_target.plus(_ONE).scaled(_TRAVERSAL)
            return _Estimate(text.times(sizes[0].scaled(_REGEX)))
        if overload == "contains_string" and target:
            return _Estimate(of_target.scaled(_TRAVERSAL).times(sizes[0].scaled(_TRAVERSAL)))
        if overload in ("string_format", "format") and target:
            return _Estimate(of_target.scaled(_TRAVERSAL))
        if overload == "string_to_bytes":
            size = Range(sizes[0].least, _bounded(sizes[0].most * 4))
            return _Estimate(sizes[0].scaled(_TRAVERSAL), size)
        if overload == "bytes_to_string":
            return _Estimate(sizes[0].scaled(_TRAVERSAL), Range(sizes[0].least // 4, sizes[0].most))
        if overload == "strings_quote":
            size = Range(_bounded(sizes[0].least + 2), _bounded(sizes[0].most * 2 + 2))
            return _Estimate(sizes[0].scaled(_TRAVERSAL), size)
        return None

    def _added(self, expr: Any, overload: str, args: list[_Node], sizes: list[Range]) -> _Estimate:
        size = sizes[0].plus(sizes[1])
        one, other = (self._entry(each.expr) for each in args)
        if one is not None and other is not None:
            self._entries[expr.id] = (other[0], one[1].union(other[1]), one[2].union(other[2]))
        cost = _ONE if overload == "add_list" else size.scaled(_TRAVERSAL)
        return _Estimate(cost, size)

    # What is known

    def _local(self, name: str) -> _Local | None:
        found = self._locals.get(name)
        return found[-1] if found else None

    def _path(self, expr: Any) -> tuple[str, ...]:
        if _which(expr) == "ident_expr" and (local := self._local(expr.ident_expr.name)):
            return local.path
        return self._paths.get(expr.id, ())

    def _node(self, expr: Any) -> _Node:
        path = self._path(expr)
        if path and path[0] in ("__result__", "@result"):
            path = ()
        return _Node(expr, path, self._kind(expr), self._size(expr))

    def _declared(self, path: tuple[str, ...]) -> DeclaredType | None:
        if not path:
            return None
        # As in Kubernetes any name stands for the value itself.
        current: DeclaredType | None = self._of
        for step in path[1:]:
            if current is None:
                return None
            if step in ("@items", "@values"):
                current = current.element
            elif step == "@keys":
                current = DeclaredType("string", 2) if current.kind == "map" else None
            else:
                current = current.fields.get(step)
        return current

    def _kind(self, expr: Any) -> str:
        """The kind of a value; where a message does not say, the schema does."""
        found = _kind_of(self._types.get(expr.id))
        if found == "dyn" and (known := self._declared(self._path(expr))) is not None:
            return known.kind
        return found

    def _size(self, expr: Any) -> Range | None:
        if expr.id in self._sizes:
            return self._sizes[expr.id]
        if (literal := _literal_size(expr)) is not None:
            return literal
        known = self._declared(self._path(expr))
        if known is not None:
            self._sizes[expr.id] = size = Range(0, known.max_elements)
            return size
        if _is_scalar(self._types.get(expr.id)):
            return _ONE
        if _which(expr) == "ident_expr" and (local := self._local(expr.ident_expr.name)):
            return local.size
        return None

    def _entry(self, expr: Any) -> tuple[str, Range, Range] | None:
        if expr.id in self._entries:
            return self._entries[expr.id]
        if _which(expr) == "ident_expr" and (local := self._local(expr.ident_expr.name)):
            return local.entry
        return None

    def _copy(self, to: Any, source: Any) -> None:
        if (size := self._size(source)) is not None:
            self._sizes[to.id] = size
        if (entry := self._entry(source)) is not None:
            self._entries[to.id] = entry

    def element_size(self, node: _Node) -> tuple[str, Range] | None:
        """Of a list: the kind and the size of what is in it."""
        kind = self._types.get(node.expr.id)
        known = self._declared((*node.path, "@items")) if node.path else None
        if known is not None:
            return known.kind, Range(0, known.max_elements)
        if kind is not None and kind.HasField("list_type"):
            return _kind_of(kind.list_type.elem_type), _UNKNOWN
        return None


_COMPARISONS = frozenset(
    {
        "equals",
        "not_equals",
        *(f"{name}_{kind}" for name in ("less", "greater") for kind in ("string", "bytes")),
        *(f"{name}_equals_{kind}" for name in ("less", "greater") for kind in ("string", "bytes")),
    }
)
_EXPRESSIONS = (
    "const_expr",
    "ident_expr",
    "select_expr",
    "call_expr",
    "list_expr",
    "struct_expr",
    "comprehension_expr",
)


def _which(expr: Any) -> str:
    return next((name for name in _EXPRESSIONS if expr.HasField(name)), "")


def _kind_of(kind: Any) -> str:
    if kind is None:
        return "dyn"
    if kind.HasField("primitive"):
        return _PRIMITIVES.get(kind.primitive, "dyn")
    if kind.HasField("well_known"):
        return _WELL_KNOWN.get(kind.well_known, "dyn")
    if kind.HasField("list_type"):
        return "list"
    if kind.HasField("map_type"):
        return "map"
    if kind.HasField("message_type"):
        return kind.message_type if kind.message_type in OWN_TYPES else "object"
    if kind.HasField("type_param"):
        return "type_param"
    if kind.HasField("abstract_type"):
        return "optional"
    return "dyn"


def _is_scalar(kind: Any) -> bool:
    if kind is not None and kind.HasField("abstract_type"):
        below = kind.abstract_type.parameter_types
        return len(below) == 1 and _is_scalar(below[0])
    return _kind_of(kind) in _SCALARS


def _literal_size(expr: Any) -> Range | None:
    which = _which(expr)
    if which == "list_expr":
        size = len(expr.list_expr.elements)
    elif which == "struct_expr" and not expr.struct_expr.message_name:
        size = len(expr.struct_expr.entries)
    elif which == "const_expr":
        constant = expr.const_expr
        if constant.HasField("string_value"):
            size = len(constant.string_value)
        else:
            size = len(constant.bytes_value) if constant.HasField("bytes_value") else 1
    else:
        return None
    return Range(size, size)


# The functions that Kubernetes estimates by itself

_Own = Callable[[_Coster, str, _Node | None, list[_Node]], _Estimate | None]


def _constant(_: _Coster, __: str, ___: _Node | None, ____: list[_Node]) -> _Estimate:
    return _Estimate(_ONE)


def _over_list(coster: _Coster, _: str, target: _Node | None, __: list[_Node]) -> _Estimate | None:
    if target is None:
        return None
    size = target.size or _UNKNOWN
    element = coster.element_size(target) if target.kind != "string" else None
    if element is None:
        return _Estimate(size.scaled(_TRAVERSAL))
    kind, each = element
    one = _ONE.plus(each.scaled(_TRAVERSAL)) if kind in ("string", "bytes") else _ONE
    return _Estimate(size.times(one))


def _argument(factor: float, *, keeps_size: bool = False) -> _Own:
    def estimate(
        _: _Coster, overload: str, __: _Node | None, args: list[_Node]
    ) -> _Estimate | None:
        if overload == "cidr_ip":
            return _Estimate(_ONE)
        if not args:
            return None
        size = args[0].size or _UNKNOWN
        return _Estimate(size.scaled(factor), size if keeps_size else None)

    return estimate


def _transformed(_: _Coster, __: str, target: _Node | None, ___: list[_Node]) -> _Estimate | None:
    if target is None:
        return None
    size = target.size or _UNKNOWN
    return _Estimate(size.scaled(_TRAVERSAL), size)


def _replace(_: _Coster, __: str, target: _Node | None, args: list[_Node]) -> _Estimate | None:
    if target is None or len(args) < 2:
        return None
    size, old, new = (each.size or _UNKNOWN for each in (target, args[0], args[1]))
    most, kept_most = 0, 0
    if old.least == 0:
        most, kept_most = min(size.most + 1, UNBOUNDED), size.most
    elif new.most <= old.least:
        kept_most = size.most
    else:
        most = math.ceil(size.most / old.least)
    least, kept_least = 0, 0
    if old.most == 0:
        least, kept_least = min(size.least + 1, UNBOUNDED), size.least
    elif old.most <= new.least:
        kept_least = size.least
    else:
        least = math.ceil(size.least / old.most)
    result = Range(least, most).times(new).plus(Range(kept_least, kept_most))
    return _Estimate(size.scaled(2 * _TRAVERSAL), result)


def _split(_: _Coster, __: str, target: _Node | None, args: list[_Node]) -> _Estimate | None:
    if target is None:
        return None
    size = target.size or _UNKNOWN
    most = size.most
    if len(args) > 1 and args[1].expr.const_expr.HasField("int64_value"):
        most = args[1].expr.const_expr.int64_value % 2**64
    return _Estimate(size.scaled(2 * _TRAVERSAL), Range(0, most))


def _join(coster: _Coster, _: str, target: _Node | None, args: list[_Node]) -> _Estimate | None:
    if target is None:
        return None
    items, size = target.size or _UNKNOWN, _NOTHING
    if (element := coster.element_size(target)) is not None:
        size = items.times(element[1])
    if args:
        separators = Range(max(items.least - 1, 0), max(items.most - 1, 0))
        size = size.plus((args[0].size or _UNKNOWN).times(separators))
    return _Estimate(size.scaled(_TRAVERSAL), size)


def _found(_: _Coster, __: str, target: _Node | None, args: list[_Node]) -> _Estimate | None:
    if target is None or not args:
        return None
    size = target.size or _UNKNOWN
    regex = (args[0].size or _UNKNOWN).scaled(_REGEX)
    cost = size.plus(_ONE).scaled(_TRAVERSAL).times(regex)
    return _Estimate(cost, Range(0, size.most))


_COMPARED = Range(8, 32).scaled(_TRAVERSAL)


def _contains_ip(_: _Coster, overload: str, __: _Node | None, args: list[_Node]) -> _Estimate:
    cost = _COMPARED
    if overload == "cidr_contains_ip_string":
        cost = cost.plus((args[0].size or _UNKNOWN).scaled(_TRAVERSAL))
    return _Estimate(cost)


def _contains_cidr(_: _Coster, overload: str, __: _Node | None, args: list[_Node]) -> _Estimate:
    cost = _COMPARED.plus(Range(4, 16).scaled(_TRAVERSAL)).plus(_ONE)
    if overload == "cidr_contains_cidr_string":
        cost = cost.plus((args[0].size or _UNKNOWN).scaled(_TRAVERSAL))
    return _Estimate(cost)


def _validate(_: _Coster, __: str, ___: _Node | None, args: list[_Node]) -> _Estimate | None:
    if not args:
        return None
    text = (args[0].size or _UNKNOWN).scaled(_TRAVERSAL)
    return _Estimate(text.scaled(_MAX_NAME_REGEX * _REGEX))


def _equal(_: _Coster, __: str, ___: _Node | None, args: list[_Node]) -> _Estimate | None:
    if len(args) == 2 and args[0].kind == args[1].kind and args[0].kind in OWN_TYPES:
        return _Estimate(_ONE)
    return None


_OWN: dict[str, _Own] = {
    **dict.fromkeys(("isSorted", "sum", "max", "min", "indexOf", "lastIndexOf"), _over_list),
    "url": _argument(_TRAVERSAL, keeps_size=True),
    **dict.fromkeys(("lowerAscii", "upperAscii", "substring", "trim"), _transformed),
    "replace": _replace,
    "split": _split,
    "join": _join,
    "find": _found,
    "findAll": _found,
    **dict.fromkeys(("cidr", "isIP", "isCIDR", "ip"), _argument(_TRAVERSAL)),
    "ip.isCanonical": _argument(2 * _TRAVERSAL),
    **dict.fromkeys(("quantity", "isQuantity", "semver", "isSemver"), _argument(_TRAVERSAL)),
    "containsIP": _contains_ip,
    "containsCIDR": _contains_cidr,
    "validate": _validate,
    "_==_": _equal,
    **dict.fromkeys(
        (
            *("masked", "prefixLength", "family", "isUnspecified", "isLoopback"),
            *("isLinkLocalMulticast", "isLinkLocalUnicast", "isGlobalUnicast", "format.named"),
            *("sign", "asInteger", "isInteger", "asApproximateFloat", "isGreaterThan"),
            *("isLessThan", "compareTo", "add", "sub", "major", "minor", "patch"),
            *("getScheme", "getHostname", "getHost", "getPort", "getEscapedPath", "getQuery"),
        ),
        _constant,
    ),
}
