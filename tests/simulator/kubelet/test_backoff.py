"""When a kubelet looks again at a container that waits for its back-off."""

import pytest

from hourglass_simulator.cluster import Cluster
from hourglass_simulator.kubelet import Workload
from hourglass_simulator.kubernetes.version import version


@pytest.mark.parametrize(
    ("kubernetes", "earliest", "latest"),
    [
        pytest.param("1.34", 10.0, 15.0, id="1.34: after ten seconds and up to half of that"),
        pytest.param("1.37", 19.0, 30.0, id="1.37: when it is over, and up to half of it later"),
    ],
)
def test_a_back_off_of_twenty_seconds_is_reported(
    kubernetes: str, earliest: float, latest: float
) -> None:
    cluster = Cluster(version=version(kubernetes))
    cluster.add_node("node-1")
    cluster.images.behave("app:1", Workload(exit_after=1.0, exit_code=1))
    pod = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "app", "image": "app:1"}]}}
    cluster.api.create("pods", pod, namespace="default")

    def seconds_until(restarts: int, state: str) -> float:
        while True:
            found = cluster.api.get("pods", "default", "p")["status"].get("containerStatuses")
            if found and found[0]["restartCount"] == restarts and state in found[0]["state"]:
                return cluster.clock.now
            cluster.run_until(cluster.clock.now + 0.1)

    ended = seconds_until(2, "terminated")
    assert earliest <= seconds_until(2, "waiting") - ended <= latest
