"""Where what is left to chance in a plan comes from."""

from collections.abc import Sequence
from random import Random
from typing import TypeVar

T = TypeVar("T")


class Draw:
    """The same seed draws the same."""

    def __init__(self, seed: str) -> None:
        self._random = Random(seed)

    def one(self, among: Sequence[T]) -> T:
        """One of several."""
        return among[int(self._random.random() * len(among))]

    def chance(self, probability: float) -> bool:
        """True so often."""
        return self._random.random() < probability

    def some(self, among: Sequence[T], least: int, most: int) -> list[T]:
        """Different ones, in their own order."""
        count = min(len(among), self.number(least, most))
        chosen = set(self._random.sample(range(len(among)), count))
        return [each for index, each in enumerate(among) if index in chosen]

    def number(self, least: int, most: int) -> int:
        """A whole number, both ends included."""
        return least + int(self._random.random() * (most - least + 1))
