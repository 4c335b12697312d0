"""Specs and statuses in little memory."""

import json
import zlib
from typing import Any

import pytest

from hourglass_operator.controller.compression import compress, decompress, to_json

VALUES = {
    "nothing": {},
    "what is unusual": {"a": [1, None, True, {"ü": "\u2028\n"}], "b": "x" * 100_000},
    "an unusual order": {"z": {"y": 1, "x": 2}, "a": 3},
}


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_it_comes_back_as_it_was(value: Any) -> None:
    assert json.loads(decompress(compress(to_json(value)))) == value


def test_a_status_as_most_are_takes_little() -> None:
    pod, at = "performer-worker-77-2nkcf6dlq2-0", "2026-03-04T05:06:07Z"
    endpoint = "performer-worker-77.avs.svc.cluster.local:50051"
    status = {
        "phase": "Running",
        "podName": pod,
        "grpcEndpoint": endpoint,
        "conditions": [
            {
                "type": kind,
                "status": "True",
                "reason": "PodReady",
                "message": f"pod {pod} on node worker-3 serves at {endpoint}",
                "lastTransitionTime": at,
                "observedGeneration": 2,
            }
            for kind in ("Available", "Progressing", "Degraded", "Ready")
        ],
    }
    assert len(compress(to_json(status))) < len(zlib.compress(json.dumps(status).encode())) / 2


def test_what_was_not_compressed_stays_as_it_is() -> None:
    assert decompress(to_json({"a": 1})) == b'{"a":1}'
