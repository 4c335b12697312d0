"""What is wrong with an expression before it is ever evaluated, in the words of cel-go."""

import pytest

from hourglass_simulator.apiserver.cel_check import Checker
from hourglass_simulator.apiserver.cel_types import DeclaredType

TEXT, NUMBER = DeclaredType("string", 2, 10), DeclaredType("int", 1)
SELF = DeclaredType(
    "object",
    2,
    fields={
        "n": NUMBER,
        "__while__": NUMBER,
        "f": DeclaredType("double", 1),
        "l": DeclaredType("list", 2, 5, {}, TEXT),
    },
)


def error(rule: str, *, lists: bool = True) -> str:
    """The first line of what is wrong; nothing when the rule is fine."""
    found = Checker(SELF, lists=lists).check({"rule": rule}).error
    return found.removeprefix("compilation failed: ERROR: <input>:").partition("\n")[0]


@pytest.mark.parametrize(
    ("rule", "wrong"),
    [
        ("duration('1x') == duration('1s')", "1:10: invalid duration argument"),
        ("duration('1h30m') > duration('0')", ""),
        ("timestamp('2023-02-29T00:00:00Z') > timestamp('x')", "1:11: invalid timestamp argument"),
        ("timestamp('2024-02-29T00:00:00.5+01:00') > timestamp(0)", ""),
        ("self.l[0].matches('[')", "1:19: invalid matches argument"),
        ("[1, 'a'].size() == 2", "1:5: expected type 'int' but found 'string'"),
        ("[[1], ['a']].size() == 2", "1:7: expected type 'list(int)' but found 'list(string)'"),
        ("{'a': 1, 'b': 'x'}.size() == 2", "1:15: expected type 'int' but found 'string'"),
        ("{'a': 1, 2: 1}.size() == 2", "1:10: expected type 'string' but found 'int'"),
        ("[dyn(1), 'a'].size() == 2", "1:10: expected type 'dyn' but found 'string'"),
        ("'%s is %d'.format(['a', 1]) == 'a is 1'", ""),
        (
            "'%d'.format(['a']) == ''",
            "1:14: error during formatting: decimal clause can only be used on integers,"
            " was given string",
        ),
        ("'%s'.format([]) == ''", "1:12: index 0 out of range"),
        (
            "'%s%%'.format(['a', 'b']) == ''",
            "1:14: too many arguments supplied to string.format (expected 1, got 2)",
        ),
        (
            "'%q'.format(['a']) == ''",
            '1:12: could not parse formatting clause: unrecognized formatting clause "q"',
        ),
        ("self.l.transformMap(i, v, v).size() == 1", ""),
    ],
)
def test_literals(rule: str, wrong: str) -> None:
    assert error(rule) == wrong


@pytest.mark.parametrize(
    ("rule", "wrong"),
    [
        ("self.n < 1.5 && self.f >= 1 && 1u < self.n", ""),
        ("self.n == 1.0", "1:8: found no matching overload for '_==_' applied to '(int, double)'"),
        ("self.n == null", "1:8: found no matching overload for '_==_' applied to '(int, null)'"),
        (
            "self.l.matches('a')",
            "1:15: found no matching overload for 'matches' applied to 'list(string).(string)'",
        ),
        ("'a'.int() == 1", "1:8: found no matching overload for 'int' applied to 'string.()'"),
        ("isURL(self.n)", "1:6: found no matching overload for 'isURL' applied to '(int)'"),
        ("self.while == 1 && self.__while__ == 1 && has(self.while)", ""),
        ("self.l.nothing()", "1:15: undeclared reference to 'nothing' (in container '')"),
        ("has(self.l[0])", "1:11: invalid argument to has() macro"),
        ("self.l.all(x.y, true)", "1:13: argument must be a simple name"),
        ("self.l.map(1, 2).size() == 0", "1:12: argument is not an identifier"),
    ],
)
def test_types(rule: str, wrong: str) -> None:
    assert error(rule) == wrong


@pytest.mark.parametrize(
    "rule",
    [
        "self.l.distinct().size() == 1",
        "[[1], [2]].flatten() == [1, 2]",
        "lists.range(2) == [0, 1]",
        "self.l.reverse() == self.l",
        "self.l.slice(0, 1) == self.l",
        "self.l.sort() == self.l",
        "self.l.sortBy(x, x.size()) == self.l",
    ],
)
def test_functions_for_lists_are_known_where_the_version_before_has_them(rule: str) -> None:
    assert error(rule) == ""
    assert "undeclared reference" in error(rule, lists=False)
