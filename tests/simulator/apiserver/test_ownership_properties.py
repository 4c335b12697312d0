"""What holds of server-side apply whatever is applied, and by whom."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIError, APIServer
from hourglass_simulator.apiserver.managedfields import fieldset
from hourglass_simulator.clock import Clock

DATA = st.dictionaries(st.sampled_from("abc"), st.sampled_from(["x", "y"]), max_size=3)
PORT = st.fixed_dictionaries(
    {"port": st.sampled_from([80, 81])}, optional={"name": st.sampled_from(["n", "m"])}
)
UNIQUE = (lambda port: port["port"], lambda port: port.get("name", port["port"]))
WRITES = st.lists(
    st.tuples(st.sampled_from(["one", "two"]), st.booleans(), st.booleans(), DATA), max_size=6
)


def config(data: JSON, finalizers: list[str] | None = None) -> JSON:
    meta: JSON = {"name": "a"}
    if finalizers is not None:
        meta["finalizers"] = finalizers
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data}


class World:
    def __init__(self) -> None:
        self.api = APIServer(Clock(), managed_fields=True)

    def apply(self, manager: str, obj: JSON, *, force: bool = True) -> JSON:
        return self.api.apply("configmaps", "default", "a", obj, manager=manager, force=force)[0]

    def write(self, manager: str, data: JSON, *, applies: bool, force: bool) -> JSON | None:
        try:
            if applies:
                return self.apply(manager, config(data), force=force)
            patch = {"data": data}
            return self.api.patch("configmaps", "default", "a", patch, manager=manager)
        except APIError as error:
            if error.code not in (404, 409):
                raise
            return None


def owned(obj: JSON) -> dict[tuple[str, str], Any]:
    """The fields by manager and operation."""
    return {
        (entry["manager"], entry["operation"]): entry["fieldsV1"]
        for entry in obj["metadata"].get("managedFields", ())
    }


@given(WRITES, DATA)
def test_what_is_applied_twice_changes_nothing(writes: Any, data: JSON) -> None:
    world = World()
    for manager, applies, force, written in writes:
        world.write(manager, written, applies=applies, force=force)
    once = world.apply("three", config(data))
    assert world.apply("three", config(data)) is once


@given(WRITES, DATA)
def test_an_applier_owns_what_it_applies_and_nothing_else(writes: Any, data: JSON) -> None:
    world = World()
    for manager, applies, force, written in writes:
        world.write(manager, written, applies=applies, force=force)
    obj = world.apply("three", config(data))
    assert owned(obj)["three", "Apply"] == {"f:data": {f"f:{key}": {} for key in data}}
    assert data.items() <= (obj.get("data") or {}).items()


@given(WRITES)
def test_only_what_is_there_is_owned(writes: Any) -> None:
    world = World()
    for manager, applies, force, written in writes:
        obj = world.write(manager, written, applies=applies, force=force)
        for (_, operation), fields in owned(obj or {"metadata": {}}).items():
            if operation == "Update":
                for path in fieldset.paths(fields.get("f:data", {})):
                    assert path[0].removeprefix("f:") in (obj or {})["data"]


@given(WRITES, DATA)
def test_what_only_an_applier_owns_goes_when_it_gives_it_up(writes: Any, data: JSON) -> None:
    world = World()
    for manager, applies, force, written in writes:
        world.write(manager, written, applies=applies, force=force)
    before = world.apply("three", config(data))
    others = [fields for who, fields in owned(before).items() if who != ("three", "Apply")]
    shared = {key for key in data if any(fieldset.has(f, ("f:data", f"f:{key}")) for f in others)}
    after = world.apply("three", config({}))
    assert shared <= (after.get("data") or {}).keys()
    assert not (data.keys() - shared) & (after.get("data") or {}).keys()


@given(DATA, DATA)
def test_without_force_nothing_of_another_changes(mine: JSON, theirs: JSON) -> None:
    world = World()
    first = world.apply("one", config(mine))
    second = world.write("two", theirs, applies=True, force=False)
    if second is None:
        # An empty map is owned, but it is not stored, and so the next applier adds it again.
        clash = any(theirs.get(key, value) != value for key, value in mine.items())
        assert clash or not mine
        assert world.api.get("configmaps", "default", "a") is first
    else:
        assert mine.items() <= (second.get("data") or {}).items()


@given(st.lists(PORT, max_size=2, unique_by=UNIQUE))
def test_list_items_come_and_go_with_their_applier(ports: list[JSON]) -> None:
    api = APIServer(Clock(), managed_fields=True)
    named = [{"name": f"p{port['port']}", **port} for port in ports]
    spec = {"clusterIP": "None", "selector": {"a": "b"}, "ports": [{"port": 90, "name": "own"}]}
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}}
    api.apply("services", "default", "a", {**service, "spec": spec}, manager="one")
    added, _ = api.apply(
        "services", "default", "a", {**service, "spec": {"ports": named}}, manager="two"
    )
    assert {p["port"] for p in added["spec"]["ports"]} == {90, *(p["port"] for p in named)}
    left, _ = api.apply("services", "default", "a", service, manager="two")
    assert [p["port"] for p in left["spec"]["ports"]] == [90]
