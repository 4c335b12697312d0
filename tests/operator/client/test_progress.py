"""What is concluded from a status; the statuses are what the operator writes in each situation."""

import pytest

from hourglass_operator.client.performer import Performer
from hourglass_operator.client.progress import Outcome, readiness, upgrade

WAIT, DONE, FAILED = Outcome.WAIT, Outcome.DONE, Outcome.FAILED
GENERATION = 3


def performer(
    phase: str,
    ready: bool = False,
    observed: int | None = GENERATION,
    deleted: bool = False,
    **conditions: str,
) -> Performer:
    """Conditions as Type="Status/Reason"."""
    found = [
        {
            "type": type_,
            "status": said.partition("/")[0],
            "reason": said.partition("/")[2],
            "message": f"about {type_}",
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        }
        for type_, said in conditions.items()
    ]
    deletion = {"deletionTimestamp": "2026-01-01T00:00:00Z"} if deleted else {}
    return Performer.from_json(
        {
            "metadata": {"name": "p", "generation": GENERATION, **deletion},
            "spec": {"avsAddress": "0x" + "1" * 40, "image": "avs/p:v1"},
            "status": {
                "phase": phase,
                "ready": ready,
                "observedGeneration": observed,
                "conditions": found,
            },
        }
    )


SERVING = performer("Running", ready=True, Ready="True/PodReady")
UNSEEN = performer("Pending", observed=None)
STARTING = performer("Pending", Progressing="True/Scheduled", Ready="False/Scheduled")
NO_IMAGE = performer("Failed", Progressing="False/ImagePullFailed", Ready="False/ImagePullFailed")
DELETING = performer("Terminating", deleted=True, Ready="False/Terminating")
UPGRADING = performer(
    "Upgrading",
    ready=True,
    Progressing="True/UpgradeInProgress",
    Degraded="False/AsExpected",
    Ready="True/PodReady",
)
HELD_UP = performer(
    "Upgrading",
    ready=True,
    Progressing="True/UpgradeInProgress",
    Degraded="True/ImagePullFailed",
    Ready="True/PodReady",
)
GIVEN_UP = performer(
    "Upgrading",
    ready=True,
    Progressing="False/ProgressDeadlineExceeded",
    Degraded="True/ImagePullFailed",
    Ready="True/PodReady",
)
BEHIND = performer("Running", ready=True, observed=GENERATION - 1, Ready="True/PodReady")


@pytest.mark.parametrize(
    ("seen", "outcome", "reason"),
    [
        pytest.param(SERVING, DONE, "PodReady", id="serves"),
        pytest.param(UPGRADING, DONE, "PodReady", id="clients are answered during an upgrade"),
        pytest.param(UNSEEN, WAIT, "", id="the operator has said nothing yet"),
        pytest.param(BEHIND, WAIT, "", id="what it says is about an older spec"),
        pytest.param(STARTING, WAIT, "Scheduled", id="it is on its way"),
        pytest.param(NO_IMAGE, FAILED, "ImagePullFailed", id="it does not mend itself"),
        pytest.param(DELETING, FAILED, "Terminating", id="it is being deleted"),
    ],
)
def test_readiness(seen: Performer, outcome: Outcome, reason: str) -> None:
    verdict = readiness(seen)
    assert (verdict.outcome, verdict.reason) == (outcome, reason)
    assert verdict.message


@pytest.mark.parametrize(
    ("seen", "outcome", "reason"),
    [
        pytest.param(SERVING, DONE, "PodReady", id="the new version serves"),
        pytest.param(BEHIND, WAIT, "", id="the operator has not seen the change"),
        pytest.param(UPGRADING, WAIT, "UpgradeInProgress", id="it is on its way"),
        pytest.param(HELD_UP, WAIT, "ImagePullFailed", id="a fault may still mend itself"),
        pytest.param(GIVEN_UP, FAILED, "ImagePullFailed", id="the operator has given up"),
        pytest.param(NO_IMAGE, FAILED, "ImagePullFailed", id="nothing serves any more"),
        pytest.param(DELETING, FAILED, "Terminating", id="it is being deleted"),
        pytest.param(STARTING, WAIT, "Scheduled", id="it did not serve before either"),
    ],
)
def test_upgrade(seen: Performer, outcome: Outcome, reason: str) -> None:
    verdict = upgrade(seen, GENERATION)
    assert (verdict.outcome, verdict.reason) == (outcome, reason)


def test_an_upgrade_does_not_wait_for_changes_of_others_to_be_undone() -> None:
    assert upgrade(SERVING, GENERATION - 1).outcome is DONE
