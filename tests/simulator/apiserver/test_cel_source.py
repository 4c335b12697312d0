"""Expressions in words that the CEL library knows, and errors about them in their own."""

import pytest

from hourglass_simulator.apiserver.cel_source import checkable, evaluable


@pytest.mark.parametrize(
    ("source", "text"),
    [
        pytest.param("self.all(x, x > 0)", "self.all(x, x > 0)", id="one variable"),
        pytest.param(
            "self.all(k, v, v > k.size())",
            "self.__pairs().all(k , k.v > k.k.size())",
            id="two variables are the key and the value of a pair",
        ),
        pytest.param(
            "m.exists(k, v, v.k == 'v' && k == \"k, v\")",
            "m.__pairs().exists(k , k.v.k == 'v' && k.k == \"k, v\")",
            id="neither fields nor texts are variables",
        ),
        pytest.param(
            "a.all(i, v, b.all(j, v, v > i))",
            "a.__pairs().all(i , b.__pairs().all(j , j.v > i.k))",
            id="an inner comprehension hides a name of the outer one",
        ),
        pytest.param(
            "a.all(i, v, v.map(v, v + i))",
            "a.__pairs().all(i , i.v.map(v, v + i.k))",
            id="so does an inner comprehension of one variable",
        ),
        pytest.param(
            "m.transformMap(k, v, v > 1, v + 1)",
            "m.__pairs().map(k , k.v > 1, [k.k,  k.v + 1]).__map()",
            id="a map is made of pairs",
        ),
        pytest.param("l.map(x, x > 1, x)", "l.map(x, x > 1, x)", id="a filter is no variable"),
        pytest.param(
            "Object{spec: Object.spec{?a: b}}",
            '{"__type": "Object","spec": {"__type": "Object.spec",?"a": b}}',
            id="an object is a map with its type",
        ),
        pytest.param(
            "format.named(n).value().validate(oldSelf)",
            "__formats(n)[?0].value().__faults(__old[?0])[?0]",
            id="lists in the place of optional values",
        ),
    ],
)
def test_what_is_evaluated(source: str, text: str) -> None:
    assert evaluable(source, optional=True, objects=True).text == text


def test_an_error_is_where_it_is_in_the_source() -> None:
    written = checkable("oldSelf.all(i, v,\n v > w)", optional=True)
    column = written.text.split("\n")[1].index("w") + 1
    found = written.original(
        f"ERROR: <input>:2:{column}: undeclared reference to 'w'\n | i.v > w\n | ......^"
    )
    assert found == "ERROR: <input>:2:6: undeclared reference to 'w'\n |  v > w)\n | .....^"
