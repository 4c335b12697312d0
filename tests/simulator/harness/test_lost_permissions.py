"""Each of the operator's permissions is needed and missed by name, on the simulated cluster too.

What is not done without one is what was recorded on a real cluster: `e2e/permissions.json`.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client
from kubernetes.client.exceptions import ApiException

import lost_permissions
from builders import CATALOGUE
from hourglass_kube.types import JSON
from hourglass_operator.api import PLURAL
from hourglass_operator.api.crd import generate
from hourglass_operator.controller import Controller, Settings
from hourglass_operator.manifests.roles import LEASE
from hourglass_operator.permissions import CLUSTER, OWN_NAMESPACE
from hourglass_operator.runtime.clock import Clock
from hourglass_operator.runtime.informers.selectors import SELECTORS
from hourglass_operator.runtime.leadership.lease import Candidate
from hourglass_operator.runtime.process.preflight import Exit, Lease, Missing, preflight
from hourglass_operator.runtime.process.readiness import Readiness
from hourglass_operator.runtime.replica import Options, Replica
from hourglass_operator.runtime.workers.workers import PassObserver
from hourglass_operator.transport.api import content_type
from hourglass_operator.transport.calls import Request
from hourglass_operator.transport.paths import path
from hourglass_simulator.apiserver.users import account_name, named
from hourglass_simulator.apiserver.watch import Sink, Watch
from hourglass_simulator.cluster import Cluster
from hourglass_simulator.harness.transport import SimulatedTransport
from hourglass_simulator.http.request import Answer
from hourglass_simulator.http.request import Request as HTTPRequest
from hourglass_simulator.http.router import Router
from hourglass_simulator.virtual_loop import new_event_loop
from lost_permissions import IMAGE, LOST_PERMISSIONS, LostPermission, Scene
from operators import Performers, Wanted
from operators.namespace_state import problems
from permissions import ALL, Right, rules

NAMESPACE, ACCOUNT = "ml", "operator"
USER = account_name(NAMESPACE, ACCOUNT)
RECORD = Path(lost_permissions.__file__).with_name("permissions.json")
_METHODS = {"get": "GET", "list": "GET", "create": "POST", "update": "PUT", "delete": "DELETE"}
_RBAC = "rbac.authorization.k8s.io"


class Guarded(SimulatedTransport):
    """The operator's way to the API server past the authorizer, as its ServiceAccount."""

    def __init__(self, cluster: Cluster, router: Router) -> None:
        super().__init__(cluster.api, USER, lambda _, event: [(0.0, event)], [], lambda: True)
        self._router = router

    def _perform(self, request: Request) -> JSON:
        method = _METHODS.get(request.verb, "PATCH")
        where = path(request.resource, request.namespace, request.name, request.subresource)
        made = HTTPRequest(method, where, body=request.body, identity=named(USER))
        if request.resource == "selfsubjectaccessreviews":
            return dict(self._router.answer(made).body)
        self._router.admitted(made)
        return super()._perform(request)

    def _watch(self, resource: str, namespace: str, query: Mapping[str, str], sink: Sink) -> Watch:
        where = path(resource, namespace)
        self._router.admitted(
            HTTPRequest("GET", where, query={**query, "watch": "true"}, identity=named(USER))
        )
        return super()._watch(resource, namespace, query, sink)


class SimulatedPerformers(Performers):
    """Those of the simulated cluster, as its admin sees them."""

    def __init__(self, world: "World") -> None:
        super().__init__(NAMESPACE, client.ApiClient())
        self._world = world

    def call(
        self,
        method: str,
        resource: str,
        name: str = "",
        subresource: str = "",
        body: JSON | None = None,
    ) -> JSON:
        where = path(resource, self.namespace, name, subresource)
        answer = self._world.answer(method, where, body)
        if answer.code >= 300:
            raise ApiException(answer.code, body=answer.body["message"])
        return dict(answer.body)

    def wait_settled(self, wanted: Wanted, seconds: float = 60) -> None:
        self._world.wait_until("settled", lambda: not problems(self.state(), wanted), seconds)


class World:
    """A cluster that decides by roles, and an operator in it with a Lease."""

    def __init__(self) -> None:
        self.cluster = Cluster(crd=generate())
        self.cluster.api.enable_rbac()
        self.cluster.images.push("*")
        self.cluster.add_node("node", labels={"type": "kwok"})
        self._router = Router(self.cluster.api)
        self.create("namespaces", "", {"metadata": {"name": NAMESPACE}})
        self.create("serviceaccounts", NAMESPACE, {"metadata": {"name": ACCOUNT}})
        subject = {"kind": "ServiceAccount", "name": ACCOUNT, "namespace": NAMESPACE}
        for kind, namespace in (("ClusterRole", ""), ("Role", NAMESPACE)):
            plural, meta = f"{kind.lower()}s", {"name": ACCOUNT}
            self.create(plural, namespace, {"metadata": meta, "rules": []})
            reference = {"apiGroup": _RBAC, "kind": kind, "name": ACCOUNT}
            binding = {"metadata": meta, "roleRef": reference, "subjects": [subject]}
            self.create(f"{kind.lower()}bindings", namespace, binding)
        self.grant(None)
        self.performers = SimulatedPerformers(self)
        self.transport = Guarded(self.cluster, self._router)
        self.readiness = Readiness(self.preflight, period=5.0)
        clock = Clock(lambda: self.cluster.clock.unix_time, lambda: self.cluster.clock.unix_time)
        candidate = Candidate("me", LEASE, NAMESPACE, 15.0, 10.0)
        controller = Controller(CATALOGUE, Settings())
        self.leads = False
        self._replica = Replica(
            controller,
            self.transport,
            clock,
            PassObserver(),
            Options(candidate=candidate, resync_period=5.0),
            self._lead,
        )

    def start(self) -> None:
        """Start the operator; it leads at the end."""
        loop = new_event_loop(self.cluster.clock)
        informers = self._replica.informers(SELECTORS)
        loop.create_task(self._replica.run(informers, asyncio.Event()))
        loop.create_task(self.readiness.follow(self._replica.start_over))
        self.wait_until("it leads", lambda: self.leads and self.is_ready())

    def _lead(self, leads: bool) -> None:
        self.leads = leads

    def is_ready(self) -> bool:
        return not self.readiness.missing and self._replica.has_synced()

    def cut(self) -> None:
        for resource in SELECTORS:
            self.transport.drop(resource)

    async def preflight(self) -> list[Missing]:
        return await preflight(self.transport, (), Lease(NAMESPACE, LEASE))

    def found_missing(self) -> list[Missing]:
        """What a new process says at its start."""
        found: list[list[Missing]] = []

        async def look() -> None:
            found.append(await self.preflight())

        new_event_loop(self.cluster.clock).create_task(look())
        self.wait_until("it has looked", lambda: bool(found))
        return found[0]

    def grant(self, missing: Right | None) -> None:
        """All permissions but one."""
        for plural, namespace, permissions in (
            ("clusterroles", "", CLUSTER),
            ("roles", NAMESPACE, OWN_NAMESPACE),
        ):
            change = {"rules": rules(permissions, missing)}
            where = _rbac_path(plural, namespace, ACCOUNT)
            assert self.answer("PATCH", where, change).code == 200

    def create(self, resource: str, namespace: str, body: JSON) -> None:
        core = resource in ("namespaces", "serviceaccounts")
        where = path(resource, namespace) if core else _rbac_path(resource, namespace)
        assert self.answer("POST", where, body).code == 201

    def answer(self, method: str, where: str, body: JSON | None) -> Answer:
        request = HTTPRequest(method, where, body=body, content_type=content_type(method))
        return self._router.answer(request)

    def wait_until(self, what: str, holds: Callable[[], bool], seconds: float = 60) -> None:
        clock = self.cluster.clock
        end = clock.now + seconds
        while not holds():
            if clock.now >= end:
                raise TimeoutError(what)
            clock.run_until(clock.now + 0.5)


def _rbac_path(resource: str, namespace: str, name: str = "") -> str:
    parts = (f"namespaces/{namespace}" if namespace else "", resource, name)
    return "/".join(filter(None, (f"/apis/{_RBAC}/v1", *parts)))


@pytest.fixture(scope="module")
def world() -> World:
    made = World()
    made.start()
    return made


NAMES = [right.name for right in ALL]


@pytest.mark.parametrize("right", ALL, ids=NAMES)
def test_a_permission_that_is_missing_at_the_start_is_named(right: Right, world: World) -> None:
    world.grant(right)
    [missing] = world.found_missing()
    world.grant(None)
    assert missing.code == Exit.NO_PERMISSION
    assert f"missing permission: {right.name} " in missing.text


@pytest.mark.parametrize(
    ("loss", "right"), list(zip(LOST_PERMISSIONS, ALL, strict=True)), ids=NAMES
)
def test_what_is_not_done_without_it_is_done_once_it_is_back(
    loss: LostPermission, right: Right, world: World
) -> None:
    recorded: dict[str, Any] = json.loads(RECORD.read_text())
    assert recorded[right.name] == {"when": loss.when, "not_done": loss.not_done}
    performers = world.performers
    for earlier in performers.items(PLURAL):
        performers.delete(earlier["metadata"]["name"])
    performers.wait_settled({})
    name = f"p{LOST_PERMISSIONS.index(loss)}"
    scene = Scene(name, performers, world, world, world.wait_until)
    performers.create(scene.name, IMAGE)
    performers.wait_settled({scene.name: IMAGE})

    world.grant(right)
    loss.happens(scene)
    world.wait_until("it is missed", lambda: bool(world.readiness.missing))
    [missing] = world.readiness.missing
    assert f"missing permission: {right.name} " in missing.text
    world.wait_until(f"it happens: {loss.not_done}", lambda: not loss.done(scene))
    world.cluster.run_until(world.cluster.clock.now + 20.0)
    assert not loss.done(scene)
    world.grant(None)
    loss.then(scene)
    world.wait_until("it is done after all", lambda: loss.done(scene))
    world.wait_until("it is ready again", world.is_ready)
