"""A gRPC client in the cluster that calls a Performer all the time, and counts what fails."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from clusters import Cluster, wait_until
from operators import Performers

RATE = 200
"""Calls a second on the channel that is kept."""
FEWEST_CALLS = 100
"""Answered each second: a busy machine may make a client miss some of its beats."""


@dataclass(frozen=True)
class Second:
    """What the client counted in a second: calls by the version that answered, and by error."""

    answered: Counter[str]
    failed: Counter[str]


@dataclass(frozen=True)
class Caller:
    """The pod in which `performer call` runs."""

    cluster: Cluster
    namespace: str
    name: str

    def seconds(self) -> list[Second]:
        """The seconds that are over."""
        lines = self.cluster.kubectl("logs", self.name, "-n", self.namespace).splitlines()
        counts = [json.loads(line) for line in lines]
        return [Second(Counter(each["answered"]), Counter(each["failed"])) for each in counts]

    def answered_since(self, first: int) -> Counter[str]:
        """The calls by the version that answered, in all seconds since this one.

        Fails if a call has failed, or if a second had fewer answers than `FEWEST_CALLS`.
        """
        seconds = self.seconds()[first:]
        failed = sum((second.failed for second in seconds), Counter[str]())
        assert not failed, f"failed calls: {dict(failed)}"
        fewest = min(second.answered.total() for second in seconds)
        assert fewest >= FEWEST_CALLS, f"{fewest} calls were answered in a second"
        return sum((second.answered for second in seconds), Counter[str]())

    def wait_answered(self, version: str) -> None:
        """Return once this version alone has answered for a second, and every call."""

        def answered() -> bool:
            last = self.seconds()[-1:]
            return any(
                each.answered[version] >= FEWEST_CALLS
                and set(each.answered) == {version}
                and not each.failed
                for each in last
            )

        wait_until(f"{version} alone answers", answered, 60)


@contextmanager
def calling(
    cluster: Cluster, performers: Performers, image: str, endpoint: str
) -> Iterator[Caller]:
    """A client, as plain as gRPC makes them; e2e/images/performer/call.go says what it does."""
    container = {
        "name": "call",
        "image": image,
        "imagePullPolicy": "Never",
        "args": ["call", f"--rate={RATE}", endpoint],
    }
    spec = {
        "nodeSelector": {"kubernetes.io/hostname": cluster.real_node},
        "containers": [container],
        "terminationGracePeriodSeconds": 0,
    }
    pod = {"metadata": {"name": "caller"}, "spec": spec}
    performers.call("POST", "pods", body=pod)
    wait = ("wait", "pod/caller", "-n", performers.namespace, "--for=condition=Ready")
    cluster.kubectl(*wait, "--timeout=60s", timeout=70)
    yield Caller(cluster, performers.namespace, "caller")
    performers.call("DELETE", "pods", "caller")
