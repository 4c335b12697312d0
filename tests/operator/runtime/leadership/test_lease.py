"""Who leads: tables for single decisions, and a search for two leaders at once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hourglass_kube.types import JSON
from hourglass_operator.runtime.leadership.lease import (
    Attempt,
    Candidate,
    Seen,
    attempt,
    leads_until,
    released,
)

ME = Candidate("me", "operator", "system", duration=15.0, renew_deadline=10.0)
WALL = 1_790_000_000.25


def lease(holder: str, duration: int | None = 15) -> JSON:
    spec = {
        "holderIdentity": holder,
        "leaseDurationSeconds": duration,
        "acquireTime": "2026-09-21T13:33:20.000000Z",
        "renewTime": "2026-09-21T13:33:20.000000Z",
        "leaseTransitions": 4,
    }
    return {"metadata": {"name": "operator", "resourceVersion": "7"}, "spec": spec}


DECISIONS: list[tuple[str, JSON | None, float, str | None]] = [
    ("there is none: create it", None, 0.0, "create"),
    ("it is mine: renew it", lease("me"), 3.0, "update"),
    ("it is another's and fresh: wait", lease("other"), 14.9, None),
    ("it is another's and has run out: take it", lease("other"), 15.0, "update"),
    ("it has been given up: take it", lease(""), 0.0, "update"),
    ("its holder has its own duration: wait as long", lease("other", 60), 59.0, None),
    ("it names no duration: mine counts", lease("other", None), 15.0, "update"),
    ("it is empty: take it", {"metadata": {"name": "operator"}}, 0.0, "update"),
]


@pytest.mark.parametrize(
    ("found", "age", "verb"), [d[1:] for d in DECISIONS], ids=[d[0] for d in DECISIONS]
)
def test_the_next_write(found: JSON | None, age: float, verb: str | None) -> None:
    seen = Seen().update((found or {}).get("spec") or {}, 100.0)
    assert attempt(ME, found, seen, 100.0 + age, WALL).verb == verb


def body_of(what: Attempt) -> JSON:
    assert what.body is not None
    return what.body


def test_a_new_lease() -> None:
    body = body_of(attempt(ME, None, Seen(), 0.0, WALL))
    assert body == {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": "operator", "namespace": "system"},
        "spec": {
            "holderIdentity": "me",
            "leaseDurationSeconds": 15,
            "acquireTime": "2026-09-21T14:13:20.250000Z",
            "renewTime": "2026-09-21T14:13:20.250000Z",
            "leaseTransitions": 0,
        },
    }


def test_a_renewal_keeps_when_it_was_acquired_and_guards_its_version() -> None:
    body = body_of(attempt(ME, lease("me"), Seen(), 0.0, WALL))
    assert body["metadata"]["resourceVersion"] == "7"
    assert body["spec"]["acquireTime"] == "2026-09-21T13:33:20.000000Z"
    assert body["spec"]["renewTime"] == "2026-09-21T14:13:20.250000Z"
    assert body["spec"]["leaseTransitions"] == 4


def test_a_take_over_is_counted() -> None:
    body = body_of(attempt(ME, lease(""), Seen(), 0.0, WALL))
    assert body["spec"]["leaseTransitions"] == 5
    assert body["spec"]["acquireTime"] == "2026-09-21T14:13:20.250000Z"


def test_giving_up_leaves_it_without_a_holder() -> None:
    body = body_of(released(ME, lease("me"), WALL))
    assert (body["spec"]["holderIdentity"], body["metadata"]["resourceVersion"]) == ("", "7")
    assert released(ME, lease("other"), WALL) == Attempt()


def test_a_lease_that_does_not_change_is_as_old_as_its_first_sight() -> None:
    seen = Seen().update({"renewTime": "a"}, 1.0).update({"renewTime": "a"}, 9.0)
    assert seen.since == 1.0
    assert seen.update({"renewTime": "b"}, 9.0).since == 9.0


class Server:
    """A Lease with optimistic concurrency."""

    def __init__(self) -> None:
        self.lease: JSON | None = None
        self.version = 0

    def write(self, what: Attempt) -> bool:
        if what.verb is None:
            return False
        body = body_of(what)
        if what.verb == "create" and self.lease is not None:
            return False
        if what.verb == "update" and body["metadata"].get("resourceVersion") != str(self.version):
            return False
        self.version += 1
        metadata = {"name": "operator", "resourceVersion": str(self.version)}
        self.lease = {**body, "metadata": metadata}
        return True


@given(
    st.lists(
        st.tuples(
            st.integers(0, 1),
            st.floats(0.0, 30.0),
            st.floats(0.0, 20.0),
            st.floats(-1000.0, 1000.0),
        ),
        max_size=60,
    )
)
def test_never_two_leaders(history: list[tuple[int, float, float, float]]) -> None:
    """Tries of two processes at any moments, with answers that take their time.

    Each counts from a clock of its own; their times of day differ too.
    """
    server, now = Server(), 0.0
    seen, until = [Seen(), Seen()], [0.0, 0.0]
    for who, pause, latency, skew in history:
        now += pause
        me = Candidate(f"replica-{who}", "operator", "system", 15.0, 10.0)
        sent = now
        read = server.lease
        if read is not None:
            seen[who] = seen[who].update(read["spec"], sent)
        what = attempt(me, read, seen[who], sent, WALL + sent + skew)
        now += latency
        if server.write(what):
            until[who] = leads_until(me, sent)
        assert not (now < until[0] and now < until[1])
