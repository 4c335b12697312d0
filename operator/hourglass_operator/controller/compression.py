"""Specs and statuses of Performers as compressed JSON: in memory there are thousands of them."""

import json
import zlib
from typing import Any

from hourglass_kube.types import JSON


def to_json(value: Any) -> bytes:
    """Compact JSON, keys sorted: texts of the same fields are equal whoever wrote them."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, sort_keys=True)
    return text.encode()


def compress(text: bytes) -> bytes:
    """Compress the JSON of an object; for `decompress` alone."""
    compressor = zlib.compressobj(zdict=_USUAL)
    return compressor.compress(text) + compressor.flush()


def decompress(stored: bytes) -> bytes:
    """The JSON of an object, whether it was compressed or not."""
    if stored.startswith(b"{"):
        return stored
    return zlib.decompressobj(zdict=_USUAL).decompress(stored)


def _condition(kind: str, status: str, reason: str, message: str) -> JSON:
    return {
        "type": kind,
        "status": status,
        "reason": reason,
        "message": message,
        "lastTransitionTime": "2026-01-01T00:00:00Z",
        "observedGeneration": 1,
    }


_SERVES = "pod performer-0 on node n serves at performer-0.default.svc.cluster.local:9090"
_SPEC = {
    "avsAddress": "0x",
    "config": {"args": ["--"], "env": [{"name": "", "value": ""}], "grpcPort": 9090},
    "hardwareRequirements": {"gpuCount": 1, "gpuType": "nvidia-"},
    "image": "registry/",
    "resources": {
        "limits": {"cpu": "", "memory": ""},
        "requests": {"cpu": "", "memory": ""},
    },
    "version": "",
}
_STATUS = {
    "conditions": [
        _condition("Available", "True", "PodReady", _SERVES),
        _condition("Progressing", "False", "ServiceReady", _SERVES),
        _condition("Degraded", "False", "AsExpected", "everything is as the spec asks"),
        _condition("Ready", "True", "PodReady", _SERVES),
    ],
    "grpcEndpoint": "performer-0.default.svc.cluster.local:9090",
    "nodeName": "node-",
    "observedGeneration": 1,
    "phase": "Running",
    "podName": "performer-",
    "ready": True,
    "readyTime": "2026-01-01T00:00:00Z",
    "serviceName": "performer-",
    "servingTemplateHash": "",
    "templateHash": "",
}
_USUAL = to_json(_SPEC) + to_json(_STATUS)
"""A preset dictionary (https://www.rfc-editor.org/rfc/rfc1950): what is as usual takes no room."""
