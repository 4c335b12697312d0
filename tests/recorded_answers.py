"""Thousands of recorded answers in a few tests: a test for each takes longer than the answers."""

from collections.abc import Collection, Mapping
from typing import Any


def agree(
    answers: Mapping[str, Any], recorded: Mapping[str, Any], otherwise: Collection[str] = ()
) -> None:
    """Each answer is the recorded one of its name; those of `otherwise`, and only they, differ.

    What fails says the names of all that differ, and how the first of them does.
    """
    assert answers.keys() == recorded.keys()
    differ = [name for name, answer in recorded.items() if answers[name] != answer]
    if unforeseen := [name for name in differ if name not in otherwise]:
        first = unforeseen[0]
        assert answers[first] == recorded[first], "\n".join(unforeseen)
    assert not (agreed := set(otherwise) - set(differ)), f"no longer differ: {sorted(agreed)}"
