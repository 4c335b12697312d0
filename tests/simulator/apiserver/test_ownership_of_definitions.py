"""Fields of custom resources are owned by the schema of their own definition and version."""

from typing import Any

import pytest

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIServer
from hourglass_simulator.clock import Clock

SET, ATOMIC = {"x-kubernetes-list-type": "set"}, {"x-kubernetes-list-type": "atomic"}


def version(name: str, list_type: JSON, *, storage: bool = True) -> JSON:
    values = {"type": "array", "items": {"type": "string"}, **list_type}
    schema = {"type": "object", "properties": {"values": values}}
    return {
        "name": name,
        "served": True,
        "storage": storage,
        "schema": {"openAPIV3Schema": schema},
    }


def definition(group: str, *versions: JSON) -> JSON:
    names = {"plural": "things", "singular": "thing", "kind": "Thing", "listKind": "ThingList"}
    return {
        "metadata": {"name": f"things.{group}"},
        "spec": {"group": group, "scope": "Namespaced", "names": names, "versions": [*versions]},
    }


def applied(api: APIServer, resource: str, api_version: str) -> JSON:
    """What two appliers of one value each make."""
    for manager, value in (("one", "a"), ("two", "b")):
        wanted = {
            "apiVersion": api_version,
            "kind": "Thing",
            "metadata": {"name": "x"},
            "values": [value],
        }
        found, _ = api.apply(resource, "default", "x", wanted, manager=manager, force=True)
    return found


def owners(obj: JSON) -> dict[str, Any]:
    return {each["manager"]: each["fieldsV1"] for each in obj["metadata"]["managedFields"]}


BOTH: dict[str, Any] = {"one": {"f:values": {'v:"a"': {}}}, "two": {"f:values": {'v:"b"': {}}}}


@pytest.mark.parametrize("first", ["a.example.com", "b.example.com"])
def test_definitions_with_one_plural_have_schemas_of_their_own(first: str) -> None:
    api = APIServer(Clock(), managed_fields=True)
    types = {"a.example.com": SET, "b.example.com": ATOMIC}
    for group in sorted(types, key=lambda each: each != first):
        api.create("customresourcedefinitions", definition(group, version("v1", types[group])))
    assert owners(applied(api, "things.a.example.com", "a.example.com/v1")) == BOTH
    assert owners(applied(api, "things.b.example.com", "b.example.com/v1")) == {
        "two": {"f:values": {}}
    }


def test_a_version_has_a_schema_of_its_own() -> None:
    api = APIServer(Clock(), managed_fields=True)
    versions = version("v1", ATOMIC), version("v2", SET, storage=False)
    api.create("customresourcedefinitions", definition("a.example.com", *versions))
    found = applied(api, "things.v2.a.example.com", "a.example.com/v2")
    assert owners(found) == BOTH
    assert {each["apiVersion"] for each in found["metadata"]["managedFields"]} == {
        "a.example.com/v2"
    }


def test_a_definition_that_is_made_anew_has_its_new_schema() -> None:
    api = APIServer(Clock(), managed_fields=True)
    for list_type, expected in ((ATOMIC, {"two": {"f:values": {}}}), (SET, BOTH)):
        crd = definition("a.example.com", version("v1", list_type))
        made = api.create("customresourcedefinitions", crd)
        assert owners(applied(api, "things", "a.example.com/v1")) == expected
        api.delete("things", "default", "x")
        name = made["metadata"]["name"]
        api.delete("customresourcedefinitions", "", name)
        found = api.get("customresourcedefinitions", "", name)
        bare = {**found, "metadata": {**found["metadata"], "finalizers": []}}
        api.update("customresourcedefinitions", bare)
