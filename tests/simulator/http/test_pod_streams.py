"""Logs of simulated containers."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hourglass_simulator.apiserver import APIError
from hourglass_simulator.http import pod_streams

START = datetime(2026, 1, 1, tzinfo=UTC)
ENDED = {
    "startedAt": "2026-01-01T00:00:00Z",
    "finishedAt": "2026-01-01T00:01:00Z",
    "exitCode": 3,
    "reason": "Error",
    "message": "no weights",
}


def pod(state: dict[str, Any], last: dict[str, Any] | None = None) -> dict[str, Any]:
    status = {"name": "a", "image": "b:1", "state": state, "lastState": last or {}}
    return {
        "metadata": {"name": "p"},
        "spec": {"nodeName": "n", "containers": [{"name": "a", "image": "b:1"}]},
        "status": {"containerStatuses": [status]},
    }


def log(of: dict[str, Any], **query: str) -> str | None:
    return pod_streams.log(of, query, START + timedelta(minutes=2))


FIRST = "a: started b:1 (simulated: it logs nothing of its own)\n"
LAST = "a: ended with code 3 (Error): no weights\n"
RAN = pod({"terminated": ENDED})


def test_a_log_says_what_the_container_did() -> None:
    assert log(RAN) == FIRST + LAST
    assert log(pod({"running": {"startedAt": ENDED["startedAt"]}})) == FIRST


def test_a_log_is_cut_as_asked() -> None:
    assert log(RAN, tailLines="1") == LAST
    assert log(RAN, tailLines="0") == ""
    assert log(RAN, sinceSeconds="90") == LAST
    assert log(RAN, sinceTime="2026-01-01T00:00:30Z") == LAST
    assert log(RAN, limitBytes="5") == FIRST[:5]
    assert log(RAN, tailLines="1", timestamps="true") == f"2026-01-01T00:01:00Z {LAST}"


def test_the_log_of_the_previous_run_is_of_the_run_before() -> None:
    again = pod({"running": {"startedAt": "2026-01-01T00:02:00Z"}}, {"terminated": ENDED})
    assert log(again, previous="true") == FIRST + LAST


REFUSED = [
    (pod({"running": {}}), {"previous": "true"}, 'terminated container "a" in pod "p" not found'),
    (pod({}), {}, 'container "a" in pod "p" is waiting to start: ContainerCreating'),
    (
        pod({"waiting": {"reason": "ErrImagePull"}}),
        {},
        "is waiting to start: trying and failing to pull image",
    ),
]


@pytest.mark.parametrize(("of", "query", "text"), REFUSED)
def test_what_has_no_log_says_so(of: dict[str, Any], query: dict[str, str], text: str) -> None:
    with pytest.raises(APIError, match=text) as refused:
        log(of, **query)
    assert refused.value.code == 400
