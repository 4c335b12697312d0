"""Paths of the API."""

import pytest

from hourglass_operator.transport.paths import CORE_RESOURCES, SERVER_VERSION, path

PATHS = [
    (("nodes",), "/api/v1/nodes"),
    (("pods", "avs"), "/api/v1/namespaces/avs/pods"),
    (("services", "avs", "x"), "/api/v1/namespaces/avs/services/x"),
    (
        ("performers", "avs", "ml", "status"),
        "/apis/hourglass.eigenlayer.io/v1alpha1/namespaces/avs/performers/ml/status",
    ),
    (("configmaps", "avs", "x"), "/api/v1/namespaces/avs/configmaps/x"),
    ((CORE_RESOURCES,), "/api/v1"),
    ((SERVER_VERSION,), "/version"),
    (("deployments",), "/apis/apps/v1/deployments"),
    (("storageclasses",), "/apis/storage.k8s.io/v1/storageclasses"),
    (("leases", "kube", "x"), "/apis/coordination.k8s.io/v1/namespaces/kube/leases/x"),
]


@pytest.mark.parametrize(("place", "expected"), PATHS, ids=[p[1] for p in PATHS])
def test_paths(place: tuple[str, ...], expected: str) -> None:
    assert path(*place) == expected
