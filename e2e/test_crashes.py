"""The operator is killed between any two instructions: nothing is lost, twice or stuck."""

import random
import time
from pathlib import Path

from clusters import Cluster
from conftest import ClusterReport
from operators import Performers, Stream, Work, problems, running

SEED = 1
FEWEST_KILLS = 15
FEWEST_AT_WORK = 2
"""Of them: kills that left something undone, by chance some six to twelve. The others hit an
operator that had nothing to do."""


def test_nothing_is_lost_twice_or_stuck_after_kills_at_random_moments(
    cluster: Cluster,
    performers: Performers,
    namespace: str,
    tmp_path: Path,
    cluster_report: ClusterReport,
) -> None:
    cluster.add_fake_nodes(2)
    draw = random.Random(SEED)
    work = Work.random(SEED, create=50, upgrade=20, delete=20)
    stream = Stream(Performers.of(cluster, namespace), work, pause=0.3)
    kills = at_work = 0
    # Without an election, that it works again at once and is hit more often.
    with running(cluster, namespace, tmp_path, ["--no-leader-election"]) as operator:
        with stream.running():
            while kills < FEWEST_KILLS or not stream.done:
                # Every fourth time while it starts.
                if draw.random() < 0.75:
                    operator.wait_leading()
                    time.sleep(draw.uniform(0, 1))
                else:
                    time.sleep(draw.uniform(0, 2))
                operator.kill()
                kills += 1
                at_work += bool(problems(performers.state(), work.outcome(stream.taken)))
                operator.start()

        began = time.monotonic()
        performers.wait_settled(work.outcome(), 60)
        cluster_report.add(
            f"kill -9: {kills} times (seed {SEED}), {at_work} of them in the midst of work, during"
            f" 50 creations, 20 upgrades and 20 deletions; all well"
            f" {time.monotonic() - began:.1f} s after the last"
        )

    assert at_work >= FEWEST_AT_WORK
    # A pod that was made twice, or replaced without need, has a later number at its end.
    assert {pod["metadata"]["name"].rpartition("-")[2] for pod in performers.items("pods")} == {"0"}
