"""What the errors of waiting say of the Performer."""

import pytest

from builders import performer
from hourglass_operator.client import (
    ClientError,
    DeletedError,
    NotDeletedError,
    NotReadyError,
    Performer,
    UpgradeError,
    WaitError,
)

KINDS = [NotReadyError, UpgradeError, NotDeletedError, DeletedError]


def seen(*, ready: bool) -> Performer:
    status = "True" if ready else "False"
    condition = {
        "type": "Ready",
        "status": status,
        "reason": "PodReady" if ready else "ImagePullBackOff",
        "message": "",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }
    made = performer("ml").build()
    return Performer.from_json({**made, "status": {"ready": ready, "conditions": [condition]}})


@pytest.mark.parametrize("kind", KINDS, ids=[kind.__name__ for kind in KINDS])
def test_one_except_clause_catches_them_all(kind: type[WaitError]) -> None:
    error = kind("not within 5 s", seen(ready=False), "ImagePullBackOff", "no such image")
    assert isinstance(error, WaitError)
    assert isinstance(error, ClientError)
    assert str(error) == "not within 5 s"
    assert error.performer is not None
    assert (error.reason, error.message) == ("ImagePullBackOff", "no such image")


def test_without_a_performer_nothing_explains_it() -> None:
    error = WaitError("it was never seen")
    assert (error.performer, error.reason, error.message) == (None, "", "")


UPGRADES = [
    ("while the old version serves", seen(ready=True), True),
    ("while nothing serves", seen(ready=False), False),
    ("of one that was never seen", None, False),
]


@pytest.mark.parametrize(
    ("found", "serves"), [u[1:] for u in UPGRADES], ids=[u[0] for u in UPGRADES]
)
def test_an_upgrade_that_failed(found: Performer | None, serves: bool) -> None:
    assert UpgradeError("no", found).old_serves == serves
