"""`kubectl performer` against the cluster of the run."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from clusters import Cluster

_PROGRAM = Path(sys.executable).with_name("kubectl-performer")


def kubectl_performer(
    cluster: Cluster, *arguments: str, environment: Mapping[str, str] | None = None
) -> str:
    """What it prints, whether or not the Performer serves (exit codes 0 and 1).

    `environment` adds to this process's. Errors: `AssertionError` with what it says.
    """
    done = subprocess.run(
        [str(_PROGRAM), *arguments, "--kubeconfig", str(cluster.kubeconfig)],
        env=os.environ | (environment or {}),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    return done.stdout
