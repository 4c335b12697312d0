"""Performers as kstatus judges them: the library by which Flux and others wait and alarm."""

import json
import subprocess

import pytest

from clusters.build import program
from clusters.errors import UnavailableError
from conftest import ClusterReport
from health_situations import JUDGEMENTS, situations


@pytest.fixture(scope="module")
def judged(cluster_report: ClusterReport) -> dict[str, str]:
    """Situation → what the library says."""
    try:
        judge = program("kstatus", cluster_report.add)
    except UnavailableError as error:
        pytest.skip(str(error))
    found = situations()
    text = json.dumps(list(found.values()))
    done = subprocess.run([judge], input=text, capture_output=True, text=True, check=True)
    return dict(zip(found, json.loads(done.stdout), strict=True))


@pytest.mark.parametrize("situation", JUDGEMENTS)
def test_kstatus_calls_a_performer(situation: str, judged: dict[str, str]) -> None:
    expected, _ = JUDGEMENTS[situation]
    assert judged[situation] == expected
