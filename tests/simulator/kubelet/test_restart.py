"""Whether a container is started again after its end."""

import pytest

from hourglass_kube.types import JSON
from hourglass_simulator.kubelet import restart

RULES = [{"action": "Restart", "exitCodes": {"operator": "In", "values": [42]}}]
NOT_IN = [{"action": "Restart", "exitCodes": {"operator": "NotIn", "values": [42]}}]
OWN = {"restartPolicy": "Never"}

CASES: list[tuple[str, JSON, str, int, bool, bool]] = [
    ("always", {}, "Always", 0, False, True),
    ("on failure, when it fails", {}, "OnFailure", 1, False, True),
    ("on failure, when it succeeds", {}, "OnFailure", 0, False, False),
    ("never", {}, "Never", 1, False, False),
    ("a sidecar, whatever its pod says", {"restartPolicy": "Always"}, "Never", 0, False, True),
    ("by its own policy", OWN, "Always", 1, True, False),
    ("by its pod's where it may have none", OWN, "Always", 1, False, True),
    ("by a rule for its exit code", {**OWN, "restartPolicyRules": RULES}, "Never", 42, True, True),
    ("not by a rule for another", {**OWN, "restartPolicyRules": RULES}, "Always", 1, True, False),
    ("by a rule for all others", {**OWN, "restartPolicyRules": NOT_IN}, "Never", 1, True, True),
]


@pytest.mark.parametrize(
    ("container", "policy", "code", "rules", "again"),
    [case[1:] for case in CASES],
    ids=[case[0] for case in CASES],
)
def test_it_is_started_again(
    container: JSON, policy: str, code: int, rules: bool, again: bool
) -> None:
    assert restart.restarts(container, policy, code, rules=rules) is again
