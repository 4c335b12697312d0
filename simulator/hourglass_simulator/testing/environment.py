"""What leads every client in a test to a served cluster, and to no other."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

_IN_CLUSTER = ("KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT")
_WITH_A_LOCATION = (
    "kubernetes.config",
    "kubernetes.config.kube_config",
    "kubernetes.aio.config",
    "kubernetes.aio.config.kube_config",
    "kubernetes_asyncio.config",
    "kubernetes_asyncio.config.kube_config",
)
"""Modules that read KUBECONFIG once, when they are imported."""
_LOCATION = "KUBE_CONFIG_DEFAULT_LOCATION"


def lead_to(kubeconfig: Path, monkeypatch: "pytest.MonkeyPatch") -> None:
    """Set KUBECONFIG, also for Python clients that are imported already.

    In a pod, clients would prefer the pod's cluster; where there is a proxy, some would use it.
    """
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig))
    for name in _IN_CLUSTER:
        monkeypatch.delenv(name, raising=False)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1", prepend=",")
    for name in _WITH_A_LOCATION:
        module = sys.modules.get(name)
        if module is not None and hasattr(module, _LOCATION):
            monkeypatch.setattr(module, _LOCATION, str(kubeconfig))
