"""What client-go, unchanged and with its default content types, sees of a cluster.

`clientgo.json` keeps what it saw of a real one (`E2E_RECORD=1`).
"""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from clusters import Cluster
from clusters.build import program
from conftest import ClusterReport

GOLDENS = Path(__file__).with_name("clientgo.json")
PARTS = (
    "apply",
    "customResources",
    "deleteCollection",
    "discovery",
    "election",
    "errors",
    "events",
    "expired",
    "informer",
    "metadataOnly",
    "namespace",
    "pages",
    "retryOnConflict",
    "workloads",
)


def built(name: str, report: ClusterReport) -> Path:
    """A program in Go of this name; the test is skipped where Go is not installed."""
    if shutil.which("go") is None:
        pytest.skip("Go is not installed")
    return program(name, report.add)


def what_client_go_sees(cluster: Cluster, report: ClusterReport) -> dict[str, Any]:
    """By part, each of `PARTS` and what depends on the cluster; asserts that no part failed."""
    done = subprocess.run(
        [built("clientgo", report)],
        env=os.environ | {"KUBECONFIG": str(cluster.kubeconfig)},
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert done.returncode == 0, done.stderr
    seen: dict[str, Any] = json.loads(done.stdout)
    failed = {part: saw["error"] for part, saw in seen.items() if part in PARTS and "error" in saw}
    assert not failed
    return seen
