"""A stream of work for operators: creations, upgrades and deletions, one after another."""

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from kubernetes.client.exceptions import ApiException
from urllib3.exceptions import HTTPError

from operators.performers import Performers

OLD, NEW = "localhost/performer:v1", "localhost/performer:v2"


@dataclass(frozen=True)
class Work:
    """What is done to Performers, in order: pairs of a verb and a name."""

    steps: tuple[tuple[str, str], ...]

    @classmethod
    def random(cls, seed: int, create: int, upgrade: int, delete: int) -> "Work":
        """Creations and, at any time after its creation, an upgrade or a deletion of a Performer.

        `upgrade + delete` is at most `create`.
        """
        draw = random.Random(seed)
        names = [f"p-{number:02}" for number in range(create)]
        chosen = draw.sample(names, upgrade + delete)
        later = dict.fromkeys(chosen[:upgrade], "upgrade") | dict.fromkeys(
            chosen[upgrade:], "delete"
        )
        moments = [(draw.random(), "create", name) for name in names]
        born = {name: moment for moment, _, name in moments}
        moments += [(draw.uniform(born[name], 1), verb, name) for name, verb in later.items()]
        return cls(tuple((verb, name) for _, verb, name in sorted(moments)))

    def outcome(self, taken: int | None = None) -> dict[str, str]:
        """Name → image of those that are to serve after so many steps (None: all)."""
        images: dict[str, str] = {}
        for verb, name in self.steps[:taken]:
            if verb == "delete":
                del images[name]
            else:
                images[name] = OLD if verb == "create" else NEW
        return images


@dataclass
class Stream:
    """Does the work in a thread of its own; a step that is not answered well is repeated."""

    performers: Performers
    work: Work
    pause: float
    taken: int = 0
    """How many steps are done."""
    repeated: int = 0
    _stopped: threading.Event = field(default_factory=threading.Event)

    @property
    def done(self) -> bool:
        """Whether every step was taken."""
        return self.taken == len(self.work.steps)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Begin; at the end wait until all is done (after an error: stop)."""
        thread = threading.Thread(target=self._run, name="stream")
        thread.start()
        try:
            yield
            thread.join()
        finally:
            self._stopped.set()
            thread.join()

    def _run(self) -> None:
        for verb, name in self.work.steps:
            while not self._take(verb, name):
                self.repeated += 1
                if self._stopped.wait(0.2):
                    return
            self.taken += 1
            if self._stopped.wait(self.pause):
                return

    def _take(self, verb: str, name: str) -> bool:
        try:
            if verb == "create":
                self.performers.create(name, OLD)
            elif verb == "upgrade":
                self.performers.set_spec(name, image=NEW)
            else:
                self.performers.delete(name)
        except ApiException as error:
            # A step whose answer was lost is done nevertheless.
            return (verb, error.status) in (("create", 409), ("delete", 404))
        except HTTPError:
            return False
        return True
