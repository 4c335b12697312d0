"""Specs and statuses of Performers as compressed JSON: in memory there are thousands of them."""

import json
import zlib
from typing import Any


def packed(value: Any) -> bytes:
    """JSON of the value, compressed; for `unpacked` alone."""
    packer = zlib.compressobj(zdict=_USUAL)
    return packer.compress(_text(value)) + packer.flush()


def unpacked(value: bytes) -> bytes:
    """The JSON of what was packed."""
    return zlib.decompressobj(zdict=_USUAL).decompress(value)


def _text(value: Any) -> bytes:
    # Sorted, so that texts of the same fields look the same whoever wrote them.
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, sort_keys=True)
    return text.encode()


def _condition(kind: str, status: str, reason: str, message: str) -> dict[str, Any]:
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
_USUAL = _text(_SPEC) + _text(_STATUS)
"""A preset dictionary (https://www.rfc-editor.org/rfc/rfc1950): what is as usual takes no room."""
