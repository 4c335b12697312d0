"""By which fields objects of a kind are selected, and what is said of others.

https://github.com/kubernetes/kubernetes/tree/v1.34.4/pkg/apis, addFieldLabelConversions
"""

from typing import Any

import pytest

from hourglass_simulator.apiserver import APIError, APIServer
from hourglass_simulator.apiserver.selectors import matcher
from hourglass_simulator.clock import Clock
from hourglass_simulator.kubernetes.version import DEFAULT, version

RESOURCES = {each.name: each for each in APIServer(Clock(), DEFAULT).resources()}


def selects(resource: str, selector: str, obj: dict[str, Any], kubernetes: str = "1.37") -> bool:
    named = {"metadata": {"name": "a", "namespace": "b"}, **obj}
    found = matcher("", "", selector, RESOURCES[resource], version(kubernetes))
    return found is None or found(named)


@pytest.mark.parametrize(
    ("resource", "selector", "obj"),
    [
        ("nodes", "spec.unschedulable=false", {}),
        ("nodes", "spec.unschedulable=true", {"spec": {"unschedulable": True}}),
        ("pods", "spec.hostNetwork=false", {"spec": {}}),
        ("pods", "spec.host=n", {"spec": {"nodeName": "n"}}),
        ("pods", "status.podIP=::1", {"status": {"podIP": "1", "podIPs": [{"ip": "::1"}]}}),
        ("pods", "status.podIP=,status.podIPs!=x", {"status": {"podIP": "1"}}),
        ("events", "source=kubelet", {"source": {"component": "kubelet"}}),
        ("events", "source=me", {"source": {}, "reportingComponent": "me"}),
        ("jobs", "status.successful=0", {}),
        ("resourceslices", "spec.pool.name=p", {"spec": {"pool": {"name": "p"}}}),
        ("configmaps", "metadata.name=a,metadata.namespace=b", {}),
    ],
)
def test_fields_that_select(resource: str, selector: str, obj: dict[str, Any]) -> None:
    assert selects(resource, selector, obj)
    changed = "!=" if "!=" not in selector.split(",")[0] else "="
    assert not selects(resource, selector.replace("=", changed, 1), obj)


@pytest.mark.parametrize(
    ("resource", "field", "said"),
    [
        ("nodes", "metadata.namespace", "field label not supported: metadata.namespace"),
        ("namespaces", "metadata.namespace", "field label not supported: metadata.namespace"),
        ("events", "source.component", "field label not supported: source.component"),
        ("jobs", "spec.x", 'field label "spec.x" not supported for Job'),
        (
            "resourceslices",
            "spec.pool.name",
            "field label not supported for resource.k8s.io/v1, Kind=ResourceSlice: spec.pool.name",
        ),
        (
            "configmaps",
            "data.a",
            '"data.a" is not a known field selector: only "metadata.name", "metadata.namespace"',
        ),
    ],
)
def test_fields_that_do_not_select(resource: str, field: str, said: str) -> None:
    with pytest.raises(APIError) as refused:
        selects(resource, f"{field}=x", {}, kubernetes="1.34")
    assert str(refused.value) == said
