"""Where CEL expressions are checked and evaluated: what they know."""

import itertools
from collections.abc import Callable
from functools import cache
from typing import Any, Final

from cel_expr_python import cel  # type: ignore[import-untyped]
from cel_expr_python.ext.ext_bindings import ExtBindings  # type: ignore[import-untyped]
from cel_expr_python.ext.ext_optional import ExtOptional  # type: ignore[import-untyped]
from cel_expr_python.ext.ext_strings import ExtStrings  # type: ignore[import-untyped]
from google.protobuf import descriptor_pool
from google.protobuf.message import Message

from hourglass_simulator.apiserver import cel_authorizer, cel_library
from hourglass_simulator.apiserver.cel_library import Overload
from hourglass_simulator.apiserver.cel_messages import VALUE, shared_pool, type_name
from hourglass_simulator.apiserver.cel_source import OLD

RULE_VARIABLES: Final = ("self", "oldSelf", OLD)
_Type = cel.Type


@cache
def _overloads() -> tuple[Overload, ...]:
    return (*cel_library.overloads(), *cel_authorizer.overloads())


_NUMBERS = {"int64": _Type.INT, "uint64": _Type.UINT, "double": _Type.DOUBLE}
_COMPARISONS = {"_<_": "less", "_<=_": "less_equals", "_>_": "greater", "_>=_": "greater_equals"}


@cache
def _comparisons() -> dict[str, list[cel.Overload]]:
    """Numbers of two types are compared; the library declares those of one type alone."""
    return {
        operator: [
            cel.Overload(
                f"{name}_{one}_{other}", _Type.BOOL, [_NUMBERS[one], _NUMBERS[other]], False
            )
            for one, other in itertools.permutations(_NUMBERS, 2)
        ]
        for operator, name in _COMPARISONS.items()
    }


def checking_environment(
    pool: descriptor_pool.DescriptorPool,
    variables: dict[str, cel.Type],
    *,
    lists: bool,
    binds: bool = False,
) -> cel.Env:
    """An environment that knows all types, to check expressions in and not to evaluate them.

    `lists`: there are the functions of `list_overloads`; `binds`: expressions may give names to
    values (`cel.bind`).
    """
    form = _Type(type_name("Format"))
    faults = cel.Overload("format-validate", _optional("['']"), [form, _Type.STRING], True)
    found = cel.Overload("format-named", _optional("form"), [_Type.STRING], False)
    declared: dict[str, list[cel.Overload]] = {"validate": [faults], "format.named": [found]}
    declared |= _comparisons()
    for each in (*_overloads(), *(cel_library.list_overloads() if lists else ())):
        overload = cel.Overload(each.key, each.result, list(each.params), each.member)
        declared.setdefault(each.name, []).append(overload)
    for name in {*_STANDARD_FUNCTIONS, *declared}:
        if "." not in name and not name.startswith("_"):
            declared.setdefault(name, []).extend(_never(name))
    return _environment(pool, variables, declared, *([ExtBindings()] if binds else ()))


_STANDARD_FUNCTIONS = (
    *("bool", "bytes", "double", "duration", "dyn", "int", "size", "timestamp", "type", "uint"),
    *("charAt", "contains", "endsWith", "format", "join", "lowerAscii", "matches", "replace"),
    *("split", "startsWith", "substring", "trim", "upperAscii"),
    *("getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear", "getFullYear", "getHours"),
    *("getMilliseconds", "getMinutes", "getMonth", "getSeconds"),
)


def _never(name: str) -> list[cel.Overload]:
    """Overloads that fit nothing: cel-go knows a function by its name, as a method or not."""
    nothing = _Type(type_name("Nothing"))
    return [
        cel.Overload(f"{name}-never-{member}", _Type.DYN, [nothing], member)
        for member in (True, False)
    ]


@cache
def evaluating_environment(
    variables: tuple[str, ...] = RULE_VARIABLES, *, binds: bool = False
) -> cel.Env:
    """An environment in which nothing is known of the values of variables.

    The library finds an implementation by the kinds of the arguments, of which all messages have
    the same: overloads that it could not distinguish are one there.
    """
    alike: dict[tuple[Any, ...], list[Overload]] = {}
    for each in (*_overloads(), *cel_library.list_overloads()):
        kinds = tuple(_kind(param) for param in each.params)
        alike.setdefault((each.name, each.member, kinds), []).append(each)
    declared: dict[str, list[cel.Overload]] = {}
    for (name, member, _), group in alike.items():
        first = group[0]
        result = _common([each.result for each in group])
        params = [_common([each.params[i] for each in group]) for i in range(len(first.params))]
        run = first.run if len(group) == 1 else _dispatcher(group)
        made = cel.Overload(first.key, result, params, member, run)
        declared.setdefault(name, []).append(made)
    unknown = dict.fromkeys(variables, _Type.DYN)
    return _environment(shared_pool(), unknown, declared, *([ExtBindings()] if binds else ()))


@cache
def _optional(of: str) -> cel.Type:
    """The type of an optional value, which the library has no other way to name."""
    variables = {"form": _Type(type_name("Format"))}
    known = cel.NewEnv(
        descriptor_pool=shared_pool(), variables=variables, extensions=[ExtOptional()]
    )
    return known.compile(f"optional.of({of})").return_type()


def _environment(
    pool: descriptor_pool.DescriptorPool,
    variables: dict[str, cel.Type],
    declared: dict[str, list[cel.Overload]],
    *extensions: Any,
) -> cel.Env:
    functions = [cel.FunctionDecl(name, overloads) for name, overloads in declared.items()]
    own = cel.CelExtension("kubernetes", functions)
    known = [ExtStrings(2), ExtOptional(), own, *extensions]
    return cel.NewEnv(descriptor_pool=pool, variables=variables, extensions=known)


def _kind(kind: cel.Type) -> str:
    if kind.is_message():
        return "message"
    name: str = kind.name()
    return name.partition("(")[0].partition("<")[0]


def _common(kinds: list[cel.Type]) -> cel.Type:
    if all(kind.is_message() for kind in kinds):
        return _Type(VALUE)
    if kinds[0] == _Type.List(_Type(type_name("Format"))):
        return _Type.List(_Type(VALUE))
    if len({kind.name() for kind in kinds}) == 1:
        return kinds[0]
    return _Type.List(_Type.DYN) if _kind(kinds[0]).lower() == "list" else _Type.DYN


def _dispatcher(group: list[Overload]) -> Callable[..., Any]:
    """Runs the first overload that the arguments fit."""

    def run(*arguments: Any) -> Any:
        for each in group:
            if all(map(_fits, arguments, each.params)):
                return each.run(*arguments)
        raise ValueError("no such overload")

    return run


def _fits(value: Any, kind: cel.Type) -> bool:
    if isinstance(value, Message):
        return bool(value.kind == kind.name())
    return not kind.is_message()
