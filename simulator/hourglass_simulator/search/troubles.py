"""The kinds of things that random plans are made of: users', clusters', API servers', operators'.

Each kind draws one operation, or some that belong together, as name and arguments with a delay.
"""

from collections.abc import Callable, Iterator
from typing import Any

from hourglass_simulator.search.draw import Draw
from hourglass_simulator.search.worlds import STRATEGIES, World

Drawn = Iterator[tuple[float, str, Any]]
"""Seconds after the moment that was drawn, the name of the operation, its arguments."""
Kind = Callable[[Draw, World], Drawn]

_RESOURCES = ("endpointslices", "nodes", "performers", "pods", "services")
_WRITTEN = ("pods", "services", "performers", "events")
_LASTS = (2.0, 10.0, 40.0, 130.0)
"""Seconds for which what is broken stays so."""


# Users


def _image(draw: Draw, world: World) -> Drawn:
    image = f"avs/worker:v{draw.number(1, 3)}"
    yield 0, "patch", _merge(draw, world, {"spec": {"image": image}})


def _there_and_back(draw: Draw, world: World) -> Drawn:
    name = _name(draw, world)
    yield 0, "patch", {"name": name, "merge": {"spec": {"image": "avs/worker:v2"}}}
    back = {"name": name, "merge": {"spec": {"image": "avs/worker:v1"}}}
    yield draw.one((1.0, 2.0, 6.0, 15.0, 40.0)), "patch", back


def _edit(draw: Draw, world: World) -> Drawn:
    changes: tuple[dict[str, Any], ...] = (
        {"version": f"v{draw.number(1, 3)}"},
        {"config": {"grpcPort": draw.one((9090, 9191))}},
        {"config": {"environment": {"LEVEL": draw.one(("info", "debug"))}}},
        {"upgradeStrategy": {"minReadySeconds": draw.one((0, 5))}},
    )
    yield 0, "patch", _merge(draw, world, {"spec": draw.one(changes)})


def _strategy(draw: Draw, world: World) -> Drawn:
    kinds = STRATEGIES[1:] if world.gpus and len(world.performers) == 1 else STRATEGIES
    merge = {"spec": {"upgradeStrategy": {"type": draw.one(kinds)}}}
    yield 0, "patch", _merge(draw, world, merge)


def _delete(draw: Draw, world: World) -> Drawn:
    name = draw.one(tuple(world.performers))
    yield 0, "delete", {"name": name}
    if draw.chance(0.6):
        yield draw.one((0.0, 0.01, 1.0, 31.0, 60.0)), "apply", world.performers[name]


def _delete_pod(draw: Draw, world: World) -> Drawn:
    now = {"gracePeriodSeconds": 0} if draw.chance(0.3) else {}
    yield 0, "fault", {"pods-deleted": {"performer": _name(draw, world), **now}}


def _edit_pod(draw: Draw, world: World) -> Drawn:
    merge = draw.one(
        (
            {"labels": {"app": None}},
            {"labels": {"performer-name": None}},
            {"ownerReferences": None},
            {"labels": {"app": None}, "ownerReferences": None},
        )
    )
    edited = {"performer": _name(draw, world), "merge": {"metadata": merge}}
    yield 0, "fault", {"pods-edited": edited}


def _hold_pod(draw: Draw, world: World) -> Drawn:
    of = {"performer": _name(draw, world)}
    held, free = ({"metadata": {"finalizers": value}} for value in (["avs.example.com/x"], None))
    yield 0, "fault", {"pods-edited": {**of, "merge": held}}
    yield draw.one(_LASTS), "fault", {"pods-edited": {**of, "merge": free}}


def _held_beyond_its_end(draw: Draw, world: World) -> Drawn:
    """A pod that does not go though its Performer is deleted, until long after it is overdue."""
    name = _name(draw, world)
    for after, value in ((0.0, ["avs.example.com/x"]), (400.0, None)):
        edited = {"performer": name, "merge": {"metadata": {"finalizers": value}}}
        yield after, "fault", {"pods-edited": edited}
    yield 0.5, "delete", {"name": name}
    yield 460.0, "apply", world.performers[name]


def _name_taken(draw: Draw, world: World) -> Drawn:
    """Somebody has a Service of the name before the operator makes its own again."""
    name = f"performer-{_name(draw, world)}"
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}}
    of = {"resource": "services", "name": name}
    yield 0, "delete", of
    yield 0, "apply", {**service, "spec": {"ports": [{"port": 80}]}}
    yield draw.one(_LASTS), "delete", of


def _edit_service(draw: Draw, world: World) -> Drawn:
    name = f"performer-{_name(draw, world)}"
    merge = draw.one(
        (
            {"metadata": {"labels": {"app": None}}},
            {"metadata": {"ownerReferences": None}},
            {"spec": {"selector": {"performer-name": "other"}}},
            {"spec": {"ports": [{"name": "grpc", "port": 1234, "targetPort": 1234}]}},
        )
    )
    yield 0, "patch", {"resource": "services", "name": name, "merge": merge}


def _delete_service(draw: Draw, world: World) -> Drawn:
    yield 0, "delete", {"resource": "services", "name": f"performer-{_name(draw, world)}"}


def _edit_performer(draw: Draw, world: World) -> Drawn:
    metadata: dict[str, Any] = draw.one(({"finalizers": None}, {"labels": {"team": "a"}}))
    yield 0, "patch", _merge(draw, world, {"metadata": metadata})


def _edit_status(draw: Draw, world: World) -> Drawn:
    status: dict[str, Any] = draw.one(
        ({"phase": "Failed"}, {"podName": None}, {"conditions": None}, {"ready": False})
    )
    yield 0, "patch", {**_merge(draw, world, {"status": status}), "subresource": "status"}


# Clusters


def _lasting(name: str, **parameters: Any) -> Kind:
    def draw_one(draw: Draw, _: World) -> Drawn:
        yield 0, "fault", {name: parameters}
        yield draw.one(_LASTS), "heal", [name]

    return draw_one


def _of_node(name: str, **parameters: Any) -> Kind:
    def draw_one(draw: Draw, world: World) -> Drawn:
        yield 0, "fault", {name: {"node": draw.one(world.nodes), **parameters}}
        yield draw.one(_LASTS), "heal", [name]

    return draw_one


def _devices(draw: Draw, world: World) -> Drawn:
    name = draw.one(("devices-unhealthy", "device-plugin-gone", "device-plugin-restarted"))
    if world.gpus:
        yield from _of_node(name)(draw, world)


def _of_pods(name: str) -> Kind:
    def draw_one(draw: Draw, world: World) -> Drawn:
        yield 0, "fault", {name: {"performer": _name(draw, world)}}

    return draw_one


def _evicted_again(draw: Draw, world: World) -> Drawn:
    """Each successor too, so that the back-off of replacements grows."""
    evicted = {"pod-evicted": {"performer": _name(draw, world)}}
    after = 0.0
    for _ in range(draw.number(2, 4)):
        yield after, "fault", evicted
        after += draw.one((6.0, 15.0, 45.0))


def _images(draw: Draw, _: World) -> Drawn:
    name = draw.one(("crash-loop", "image-missing", "never-ready", "slow-pull"))
    image = f"avs/worker:v{draw.number(1, 3)}"
    takes = {"takes": "20s"} if name == "slow-pull" else {}
    yield 0, "fault", {name: {"image": image, **takes}}
    yield draw.one(_LASTS), "heal", [name]


def _quota(draw: Draw, world: World) -> Drawn:
    hard = {draw.one(("pods", "services")): str(len(world.performers))}
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "quota"}}
    yield 0, "apply", {**quota, "spec": {"hard": hard}}
    yield draw.one(_LASTS), "delete", {"resource": "resourcequotas", "name": "quota"}


def _refuse(draw: Draw, _: World) -> Drawn:
    resource = draw.one(("pods", "services"))
    yield 0, "fault", {"refusing-webhook": {"resource": resource, "message": "not signed"}}
    yield draw.one(_LASTS), "heal", ["refusing-webhook"]


# API servers


def _calls(draw: Draw, _: World) -> Drawn:
    name = draw.one(("api-conflict", "api-error", "api-throttled", "api-timeout"))
    of: dict[str, Any] = {"call": draw.number(1, 6), "times": draw.one((1, 1, 2, 5))}
    if draw.chance(0.4):
        of["resource"] = draw.one(_WRITTEN)
    if name == "api-error":
        of["code"] = draw.one((500, 503, 504))
    if name == "api-timeout":
        of["done"] = draw.chance(0.6)
    yield 0, "fault", {name: of}


def _reads(draw: Draw, _: World) -> Drawn:
    of = {"verb": draw.one(("list", "watch", "get")), "times": draw.number(1, 4)}
    yield 0, "fault", {"api-error": {**of, "code": 503}}


def _events(draw: Draw, _: World) -> Drawn:
    of = {"resource": draw.one(_RESOURCES), "event": draw.number(1, 6)}
    what: dict[str, dict[str, Any]] = draw.one(
        (
            {"events-missed": {**of, "for": draw.one(("1s", "8s", "40s"))}},
            {"stale-cache": {**of, "by": draw.one(("1s", "8s", "40s"))}},
            {"duplicate-events": of},
        )
    )
    yield 0, "fault", what


def _late(draw: Draw, _: World) -> Drawn:
    lag = draw.one(("500ms", "4s", "15s"))
    resource = {"resource": draw.one(_RESOURCES)} if draw.chance(0.6) else {}
    name, of = draw.one((("late-events", {"upTo": lag}), ("stale-cache", {"by": lag})))
    yield 0, "fault", {name: {**of, **resource}}
    yield draw.one(_LASTS), "heal", [name]


def _watches(draw: Draw, _: World) -> Drawn:
    name = draw.one(("watch-dropped", "watch-expired"))
    resource = {"resource": draw.one(_RESOURCES)} if draw.chance(0.6) else {}
    yield 0, "fault", {name: resource}


# Operators


def _crash(draw: Draw, _: World) -> Drawn:
    crash: dict[str, Any] = {
        "write": draw.number(1, 5),
        "moment": draw.one(("before", "after")),
        "down": draw.one(("100ms", "2s", "30s", "4m")),
    }
    if draw.chance(0.2):
        crash |= {"every": draw.number(1, 3), "times": draw.number(2, 5)}
    yield 0, "fault", {"operator-crash": crash}


def _crash_now(draw: Draw, _: World) -> Drawn:
    yield 0, "fault", {"operator-crash": {"down": draw.one(("100ms", "2s", "30s", "4m"))}}


def suspended(draw: Draw, _: World) -> Drawn:
    """It goes on where it was, when it may lead no longer."""
    write = {"write": draw.number(1, 5)} if draw.chance(0.7) else {}
    lasts = draw.one(("2s", "25s", "2m"))
    yield 0, "fault", {"operator-suspended": {**write, "for": lasts}}


def _two_leaders(draw: Draw, _: World) -> Drawn:
    lag = draw.one(("0s", "0s", "1s", "6s"))
    yield 0, "fault", {"two-leaders": {"for": draw.one(("20s", "100s")), "lag": lag}}


def _two_leaders_again(draw: Draw, world: World) -> Drawn:
    yield from _two_leaders(draw, world)
    after = draw.one((25.0, 101.0))
    yield from ((at + after, name, what) for at, name, what in _two_leaders(draw, world))


def _clock(draw: Draw, _: World) -> Drawn:
    way = draw.one(("ahead", "behind"))
    yield 0, "fault", {"operator-clock": {way: draw.one(("3s", "10m"))}}
    yield draw.one(_LASTS), "heal", ["operator-clock"]


CHANGES: tuple[Kind, ...] = (_image, _there_and_back, _edit, _strategy, _delete)
"""What gives the operator something to do."""

KINDS: tuple[Kind, ...] = (
    *(_delete_pod, _edit_pod, _hold_pod, _edit_service, _delete_service),
    *(_held_beyond_its_end, _name_taken, _evicted_again),
    *(_edit_performer, _edit_status, _devices, _images, _quota, _refuse),
    *(_of_node(name) for name in ("node-lost", "node-cordoned", "node-drained")),
    *(_of_node(name) for name in ("node-shut-down", "node-removed", "sandbox-fails")),
    _of_node("node-rebooted", takes="20s"),
    _lasting("registry-down"),
    _lasting("ignores-termination"),
    *(_of_pods(name) for name in ("container-exits", "pod-evicted")),
    *(_calls, _calls, _reads, _events, _events, _late, _watches),
    *(_crash, _crash, _crash_now, suspended, _two_leaders, _two_leaders_again, _clock),
)
"""All others; what finds most stands there twice."""


def _name(draw: Draw, world: World) -> str:
    return draw.one(tuple(world.performers))


def _merge(draw: Draw, world: World, merge: dict[str, Any]) -> dict[str, Any]:
    return {"name": _name(draw, world), "merge": merge}
