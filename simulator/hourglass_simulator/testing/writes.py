"""Who wrote what, how often."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import overload


@dataclass(frozen=True, slots=True)
class Write:
    """A request of a client that was to change something, and was answered."""

    time: float
    """Seconds since the start of the cluster's clock."""
    user: str
    verb: str
    """create, update, patch, delete or deletecollection."""
    resource: str
    """`deployments`, `websites/status`."""
    namespace: str
    name: str
    """Empty for creations with `generateName`, and for deletecollection."""
    code: int
    """The HTTP status; 0 if no answer came."""

    @property
    def refused(self) -> bool:
        """Whether it changed nothing, or its answer was lost."""
        return not 200 <= self.code < 300

    @property
    def answer(self) -> str:
        """The HTTP status as text, `no answer` if none came."""
        return str(self.code) if self.code else "no answer"

    def __str__(self) -> str:
        where = "/".join(part for part in (self.namespace, self.name) if part)
        refused = f" → {self.answer}" if self.refused else ""
        return f"{self.time:9.2f}s  {self.user}: {self.verb} {self.resource} {where}{refused}"


class Writes(Sequence[Write]):
    """Writes in the order in which they were answered; printed, a table of how often."""

    def __init__(self, writes: Iterable[Write] = ()) -> None:
        self._writes = tuple(writes)

    def by(self, user: str) -> "Writes":
        """Those of one user."""
        return Writes(write for write in self if write.user == user)

    def of(self, resource: str, name: str | None = None, *, verb: str | None = None) -> "Writes":
        """Those of a resource such as `deployments` or `websites/status`."""
        return Writes(
            write
            for write in self
            if write.resource == resource
            and name in (None, write.name)
            and verb in (None, write.verb)
        )

    @overload
    def __getitem__(self, index: int) -> Write: ...

    @overload
    def __getitem__(self, index: slice) -> "Writes": ...

    def __getitem__(self, index: int | slice) -> "Write | Writes":
        if isinstance(index, slice):
            return Writes(self._writes[index])
        return self._writes[index]

    def __len__(self) -> int:
        return len(self._writes)

    def __iter__(self) -> Iterator[Write]:
        return iter(self._writes)

    def __str__(self) -> str:
        return table(self)


def table(writes: Iterable[Write]) -> str:
    """Columns user, verb, resource, answer and times; the most frequent first."""
    counted = Counter((write.user, write.verb, write.resource, write.answer) for write in writes)
    rows = [("USER", "VERB", "RESOURCE", "ANSWER", "TIMES")]
    ordered = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    rows += [(*row, str(times)) for row, times in ordered]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
