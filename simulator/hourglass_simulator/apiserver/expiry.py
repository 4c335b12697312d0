"""Objects that are kept for a while only: Events, as kube-apiserver's --event-ttl has it.

Each write of an object keeps it for the whole time again. Watches see a deletion when it is over.
https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/
"""

from collections import OrderedDict

from hourglass_simulator.apiserver.store import Table
from hourglass_simulator.apiserver.watch import DELETED, Watch, WatchEvent
from hourglass_simulator.clock import Clock


class Expiry:
    """Removes the objects of a table that nobody has written for `seconds`."""

    def __init__(self, clock: Clock, table: Table, seconds: float) -> None:
        self._clock = clock
        self._table = table
        self._seconds = seconds
        # All are kept for the same time, so the order of their ends is that of their last writes.
        self._ends: OrderedDict[tuple[str, str], float] = OrderedDict()
        table.watches.append(Watch(None, self._written, table.watches.remove, bookmarks=False))

    def _written(self, event: WatchEvent) -> None:
        meta = event.object["metadata"]
        key = meta.get("namespace", ""), meta["name"]
        if event.type == DELETED:
            self._ends.pop(key, None)
            return
        if not self._ends:
            self._clock.after(self._seconds, self._expire)
        self._ends[key] = self._clock.now + self._seconds
        self._ends.move_to_end(key)

    def _expire(self) -> None:
        while self._ends:
            key, end = next(iter(self._ends.items()))
            if end > self._clock.now:
                self._clock.at(end, self._expire)
                return
            found = self._table.find(*key)
            assert found is not None
            self._table.remove(found)
