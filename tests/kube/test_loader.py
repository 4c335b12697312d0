"""Values that are none of their type are mistakes of the YAML, with their line."""

import pytest
import yaml

from hourglass_kube.loader import SafeLoader

NONE = [
    ("a month too many", "a:\n- 2020-13-45", 1, "2020-13-45 is no timestamp"),
    ("a date that is a word", "a:\n  b: !!timestamp x", 1, "x is no timestamp"),
    ("a number that is a word", "a: 1\nb: !!int x", 1, "x is no int"),
    ("a fraction that is a word", "a: !!float x", 0, "x is no float"),
    ("a truth that is none", "\n\na: !!bool x", 2, "x is no bool"),
    ("a number longer than Python reads", "a: " + "1" * 5_000, 0, "1" * 60 + " is no int"),
    ("a key of the wrong type", "a: 1\n!!int x: 1", 1, "x is no int"),
    ("a key that occurs twice", "a: 1\nb: 2\na: 3", 2, "the key a occurs twice"),
]


@pytest.mark.parametrize(("text", "line", "said"), [n[1:] for n in NONE], ids=[n[0] for n in NONE])
def test_what_is_none_of_its_type(text: str, line: int, said: str) -> None:
    with pytest.raises(yaml.MarkedYAMLError) as raised:
        yaml.load(text, Loader=SafeLoader)
    assert raised.value.problem == said
    assert raised.value.problem_mark is not None
    assert raised.value.problem_mark.line == line


def test_everything_else_is_read_as_ever() -> None:
    text = "a: [1, 0x1F, 2020-01-02, yes, .5, ~, 'x']\nb: &c {d: 1}\ne: {<<: *c, d: 2, f: 2}\n"
    assert yaml.load(text, Loader=SafeLoader) == yaml.safe_load(text)
