"""What a new server has, as a real one has it."""

import pytest

from hourglass_simulator.apiserver import APIServer, own_objects
from hourglass_simulator.clock import Clock
from hourglass_simulator.kubernetes.version import VERSIONS, Version, version

EVERY_VERSION = pytest.mark.parametrize(
    "kubernetes", [version(each) for each in VERSIONS], ids=VERSIONS
)


def made(kubernetes: Version, *, managed_fields: bool = False) -> APIServer:
    api = APIServer(Clock(), kubernetes, managed_fields=managed_fields)
    own_objects.make(api, managed_fields=managed_fields)
    return api


@EVERY_VERSION
def test_a_new_server_has_the_recorded_objects(kubernetes: Version) -> None:
    api = made(kubernetes, managed_fields=True)
    for plural, objects in kubernetes.objects.items():
        found = {obj["metadata"]["name"]: obj for obj in api.list(plural).items}
        assert list(found) == sorted(obj["metadata"]["name"] for obj in objects)
        for obj in objects:
            own = found[obj["metadata"]["name"]]
            assert own.get("spec") == obj.get("spec")
            assert "<time>" not in str(own)
            assert own["metadata"]["managedFields"]


@EVERY_VERSION
def test_each_is_made_once_and_changed_by_nobody(kubernetes: Version) -> None:
    api = made(kubernetes)
    [service] = api.list("services").items
    assert "managedFields" not in service["metadata"]
    api.patch("services", "default", "kubernetes", {"metadata": {"labels": {"a": "b"}}})
    before = api.resource_version
    own_objects.make(api, managed_fields=False)
    assert api.resource_version == before


@EVERY_VERSION
def test_nobody_else_gets_the_address_of_the_server(kubernetes: Version) -> None:
    api = made(kubernetes)
    spec = {"clusterIP": "10.96.0.1", "ports": [{"port": 1}]}
    with pytest.raises(Exception, match="provided IP is already allocated"):
        api.create("services", {"metadata": {"name": "one"}, "spec": spec}, namespace="default")
