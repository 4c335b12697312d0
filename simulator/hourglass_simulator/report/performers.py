"""Performers as they stand at the end of a run."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from hourglass_kube.types import JSON
from hourglass_operator.api.crd import generate
from hourglass_simulator.apiserver.customresource import compiled
from hourglass_simulator.scenario.backend import Change, Write
from hourglass_simulator.scenario.history import Key, key_of


def performers_at_end(records: Iterable[Change | Write]) -> list[JSON]:
    """The Performers that are left, by namespace and name."""
    performers: dict[Key, JSON] = {}
    for record in records:
        if isinstance(record, Change) and record.resource == "performers":
            performers[key_of(record.object)] = record.object
            if record.type == "DELETED":
                del performers[key_of(record.object)]
    return [performers[key] for key in sorted(performers)]


def performers_table(
    performers: Sequence[JSON], now: datetime, *, wide: bool = True
) -> list[list[str]]:
    """The cells of `kubectl get performers -A`, headings first."""
    rows = compiled(generate()).table(performers, now, wide=wide)
    namespaces = ["NAMESPACE", *(key_of(performer)[0] for performer in performers)]
    return [[namespace, *row] for namespace, row in zip(namespaces, rows, strict=True)]
