"""Why Karpenter launches nothing for a pod."""

from typing import Any

import pytest

from hourglass_simulator.nodepools.pool import Karpenter, NodePool
from hourglass_simulator.nodepools.refusals import over_limits, refusal

POOL = NodePool(
    "gpu",
    0,
    2,
    60.0,
    Karpenter(),
    cpu="4",
    labels={"zone": "a"},
    taints=({"key": "team", "value": "ml", "effect": "NoSchedule"},),
)
TOLERATES = [{"key": "team", "operator": "Exists"}]


def asked(cpu: str = "1", **spec: Any) -> dict[str, Any]:
    requests = {"requests": {"cpu": cpu}}
    containers = [{"name": "c", "image": "i:1", "resources": requests}]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "namespace": "default", "uid": "u"},
        "spec": {"tolerations": TOLERATES, "containers": containers, **spec},
        "status": {},
    }


@pytest.mark.parametrize(
    ("pod", "why"),
    [
        pytest.param(asked(), None, id="a pod that fits"),
        pytest.param(
            asked(tolerations=[]),
            "did not tolerate taint (taint=team=ml:NoSchedule)",
            id="a taint",
        ),
        pytest.param(
            asked(nodeSelector={"disk": "ssd"}),
            'incompatible requirements, label "disk" does not have known values',
            id="a label that the pool does not have",
        ),
        pytest.param(
            asked(nodeSelector={"zone": "b"}),
            "incompatible requirements, key zone, zone In [b] not in zone In [a]",
            id="a label of another value",
        ),
        pytest.param(asked(cpu="5"), "no instance type has enough resources", id="resources"),
    ],
)
def test_refusal(pod: dict[str, Any], why: str | None) -> None:
    assert refusal(pod, POOL.template("gpu-1", "v1.34.4")) == why


def test_a_pool_at_its_limit() -> None:
    says = "all available instance types exceed limits for nodepool (NodePool=gpu)"
    assert over_limits(POOL) == says
