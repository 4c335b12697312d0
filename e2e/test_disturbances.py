"""What happens to an API server, its clients and clocks happens during work; the work gets done."""

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from kubernetes.client.exceptions import ApiException

from clusters import Cluster, Components, wait_until
from conftest import ClusterReport
from hourglass_operator.api import PLURAL
from hourglass_simulator.scenario.backend import Write
from operators import Operator, Performers, Relay, Stream, Work, operator_account, running
from scenarios.proxy import Proxy

WORK = Work.random(7, create=20, upgrade=8, delete=6)
RESTARTS = 2
COLLECTION = 240
"""Seconds: after restarts of the API server Kubernetes' garbage collector waits longer and longer
before it watches Performers again; until then the Services of deleted ones are left."""


@pytest.fixture
def stream(cluster: Cluster, performers: Performers) -> Stream:
    cluster.add_fake_nodes(2)
    return Stream(Performers.of(cluster, performers.namespace), WORK, pause=0.3)


def finish(operator: Operator, performers: Performers, pid: int, patience: float = 60) -> float:
    """Everything is as it should be, by the same process, without a mistake in the code.

    `patience`: seconds that it may take. Returns how many seconds that took.
    """
    began = time.monotonic()
    performers.wait_settled(WORK.outcome(), patience)
    assert operator.runs
    assert operator.pid == pid
    assert "Traceback" not in operator.log.read_text()
    return time.monotonic() - began


def writes_at_rest(operator: Operator) -> float:
    """How many writes it has made when it has made none for two seconds: Events come late."""
    seen = [-1.0]

    def rests() -> bool:
        seen.append(operator.writes())
        time.sleep(2)
        return seen[-1] == seen[-2]

    wait_until("nothing more is written", rests)
    return seen[-1]


def test_the_api_server_is_restarted(
    components: Components,
    operator: Operator,
    performers: Performers,
    stream: Stream,
    cluster_report: ClusterReport,
) -> None:
    pid = operator.pid
    with stream.running():
        for _ in range(RESTARTS):
            time.sleep(4)
            components.restart("kube-apiserver")
    took = finish(operator, performers, pid, COLLECTION)
    cluster_report.add(
        f"API server restarted {RESTARTS} times during {len(WORK.steps)} steps of work:"
        f" all well {took:.1f} s later"
    )


def test_etcd_stands_still_again_and_again(
    components: Components,
    operator: Operator,
    performers: Performers,
    stream: Stream,
    cluster_report: ClusterReport,
) -> None:
    pid, pauses = operator.pid, 0
    with stream.running():
        while pauses < 3 or not stream.done:
            # The first one for longer than a leader may write without a renewal.
            with components.paused("etcd"):
                time.sleep(2 if pauses else 5)
            pauses += 1
            time.sleep(1.5)
    took = finish(operator, performers, pid)
    # It had felt that: a leader that cannot renew stops writing.
    assert "no longer leading" in operator.log.read_text()
    cluster_report.add(
        f"etcd stood still {pauses} times for 2 to 5 s during {len(WORK.steps)} steps of work:"
        f" all well {took:.1f} s later"
    )


def test_every_connection_is_reset_again_and_again(
    cluster: Cluster,
    performers: Performers,
    stream: Stream,
    tmp_path: Path,
    cluster_report: ClusterReport,
) -> None:
    address = urlsplit(cluster.server)
    reset = 0
    with Relay(str(address.hostname), address.port or 443).open() as relay:  # noqa: SIM117
        with running(cluster, performers.namespace, tmp_path, server=relay.server) as operator:
            pid = operator.pid
            with stream.running():
                while not stream.done:
                    reset += relay.cut()
                    time.sleep(0.7)
            took = finish(operator, performers, pid)
    cluster_report.add(
        f"{reset} connections reset during {len(WORK.steps)} steps of work:"
        f" all well {took:.1f} s later"
    )
    assert reset > 50


def test_somebody_edits_status_labels_and_annotations_all_the_time(
    cluster: Cluster,
    performers: Performers,
    stream: Stream,
    tmp_path: Path,
    cluster_report: ClusterReport,
) -> None:
    namespace, account = performers.namespace, tmp_path / "account"
    operator_account(cluster, namespace, "operator", account)
    rival = Rival(Performers.of(cluster, namespace))
    with (
        Proxy(account, lambda _: None, rival.meet) as proxy,
        running(cluster, namespace, tmp_path, server=proxy.server) as operator,
    ):
        pid = operator.pid
        with storm(cluster, namespace) as edits:
            with stream.running():
                pass
            # Deletions are not held up while it goes on.
            kept = WORK.outcome().keys()
            wait_until("the deleted are gone", lambda: names(performers) == kept, 30)
        took = finish(operator, performers, pid)
        conflicts = operator.metric("api_calls_total", resource=PLURAL, code="409")
    cluster_report.add(
        f"{edits[0]} edits of status, labels and annotations during {len(WORK.steps)} steps of"
        f" work, {conflicts:.0f} conflicts ({len(rival.met)} of them made): all well"
        f" {took:.1f} s later"
    )
    assert edits[0] > 100
    # Not always twice: a Performer may be deleted before the operator has taken it on.
    assert len(rival.met) > sum(verb == "create" for verb, _ in WORK.steps)
    assert conflicts >= len(rival.met)


@dataclass
class Rival:
    """Edits a Performer while a write of the operator on its finalizers is under way.

    The first time when the operator takes it on, the first time when it releases it: these writes
    hold only for the version that the operator has seen.
    """

    performers: Performers
    met: set[tuple[str, str]] = field(default_factory=set)

    def meet(self, write: Write) -> None:
        """Be faster than this write."""
        if (write.resource, write.subresource) != (PLURAL, ""):
            return
        try:
            found = self.performers.get(write.name)["metadata"]
        except ApiException as error:
            if error.status != 404:
                raise
            return
        moment = "release" if "deletionTimestamp" in found else "adopt"
        if (write.name, moment) not in self.met:
            self.met.add((write.name, moment))
            edit = {"metadata": {"annotations": {"rival": moment}}}
            self.performers.patch(PLURAL, write.name, edit)


def names(performers: Performers) -> set[str]:
    return {each["metadata"]["name"] for each in performers.items("performers")}


@contextmanager
def storm(cluster: Cluster, namespace: str) -> Iterator[list[int]]:
    """Edit the Performers of a namespace as fast as the API server takes it; gives the count."""
    performers, edits, over = Performers.of(cluster, namespace), [0], threading.Event()
    draw = random.Random(3)

    def rage() -> None:
        while not over.is_set():
            # Those that are made or deleted at this moment are hit most.
            for each in performers.items("performers"):
                name, number = each["metadata"]["name"], str(edits[0])
                marks = {"labels": {"storm": number}, "annotations": {"storm": number}}
                phase = draw.choice(["Pending", "Running", "Upgrading", "Terminating", "Failed"])
                with_status = {"phase": phase, "conditions": [], "observedGeneration": 0}
                try:
                    performers.patch("performers", name, {"metadata": marks})
                    performers.patch("performers", name, {"status": with_status}, "status")
                except ApiException as error:
                    if error.status != 404:
                        raise
                edits[0] += 2

    thread = threading.Thread(target=rage, name="storm")
    thread.start()
    try:
        yield edits
    finally:
        over.set()
        thread.join()


def test_the_clock_is_set_back_and_forth(
    cluster: Cluster,
    performers: Performers,
    stream: Stream,
    tmp_path: Path,
    cluster_report: ClusterReport,
) -> None:
    libraries = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    if not libraries:
        pytest.skip("libfaketime is not installed (Debian: faketime)")
    offset = tmp_path / "offset"
    offset.write_text("+0")
    environment = {
        "LD_PRELOAD": str(libraries[0]),
        "FAKETIME_TIMESTAMP_FILE": str(offset),
        "FAKETIME_CACHE_DURATION": "1",
        # It does not move when a clock is set.
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    jumps = ("+30m", "-30m", "+2d", "+0")
    namespace = performers.namespace
    # At other times the certificate does not hold.
    with running(
        cluster, namespace, tmp_path, environment=environment, server=cluster.server
    ) as operator:
        pid = operator.pid
        with stream.running():
            for jump in jumps:
                time.sleep(2)
                offset.write_text(jump)
        took = finish(operator, performers, pid)
        written = writes_at_rest(operator)
        offset.write_text("+30m")
        time.sleep(10)
        assert operator.writes() == written
        assert "the API server's clock is" not in operator.log.read_text()
        assert operator.leads
    cluster_report.add(
        f"the clock set {len(jumps)} times by up to 2 days during {len(WORK.steps)} steps of work:"
        f" all well {took:.1f} s later"
    )
