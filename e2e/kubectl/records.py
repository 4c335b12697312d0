"""What kubectl printed on real clusters: `goldens/`, by version and sequence."""

from pathlib import Path

import pytest

from hourglass_simulator.kubernetes.version import NEWEST, VERSIONS
from kubectl.sequences import Sequence, load

KUBECTL = NEWEST
"""The minor version of kubectl, whatever the cluster's."""
_GOLDENS = Path(__file__).with_name("goldens")
RECORDED = [kubernetes for kubernetes in VERSIONS if (_GOLDENS / kubernetes).exists()]
SEQUENCES = load()
EVERY_SEQUENCE = pytest.mark.parametrize("sequence", SEQUENCES, ids=lambda each: each.name)


def golden(kubernetes: str, sequence: Sequence) -> Path:
    """Where it is, or is to be, for a minor version of the cluster."""
    return _GOLDENS / kubernetes / f"{sequence.name}.txt"
