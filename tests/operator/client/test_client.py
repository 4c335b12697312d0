"""The client over HTTP, with the operator at work."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from executor_world import EXECUTOR, NAMESPACE, World
from hourglass_operator.api import PerformerConfig, PerformerSpec, UpgradeStrategy
from hourglass_operator.client import (
    AlreadyExistsError,
    AsyncClient,
    ChangeType,
    Client,
    DeletedError,
    ForbiddenError,
    InvalidError,
    MissingDefinitionError,
    MoveError,
    NotDeletedError,
    NotFoundError,
    NotReadyError,
    UnavailableError,
    UpgradeError,
)
from hourglass_operator.client.transport import Transport
from hourglass_operator.transport.connection import connection
from hourglass_simulator.apiserver import APIError
from hourglass_simulator.apiserver.calls import Call
from hourglass_simulator.http.served import served

AVS = "0x1234567890abcdef1234567890abcdef12345678"
SPEC = PerformerSpec(avs_address=AVS, image="avs/worker:v1")
PATIENT = SPEC.model_copy(
    update={"upgrade_strategy": UpgradeStrategy(progress_deadline_seconds=604_800)}
)
HASTY = SPEC.model_copy(update={"upgrade_strategy": UpgradeStrategy(progress_deadline_seconds=30)})
TOO_BIG = PATIENT.model_copy(update={"resources": {"limits": {"cpu": "99"}}})
GENEROUS = 300.0
"""Seconds that only something that hangs takes."""
EXECUTOR_ROLE = {"create", "delete", "get", "list", "patch", "update", "watch"}


def missing(world: World, image: str) -> None:
    with world.lock:
        world.there.cluster.images.remove(image)


def wait_for_reason(performers: Client, reason: str, *, condition: str = "Ready") -> None:
    """Until the operator has written this reason into a condition of the worker."""
    changes = performers.watch("worker")
    for change in changes:
        found = change.performer.condition(condition)
        if found is not None and found.reason == reason:
            break
    changes.close()


def test_from_creation_to_deletion(world: World, performers: Client) -> None:
    created = performers.create("worker", SPEC, labels={"team": "a"})
    assert (created.name, created.namespace, created.ready) == ("worker", NAMESPACE, False)
    assert created.status.phase == "Pending"

    ready = performers.wait_until_ready("worker", timeout=GENEROUS)
    assert ready.ready
    assert ready.status.phase == "Running"
    assert performers.endpoint(ready) == ready.status.grpc_endpoint

    upgraded = performers.upgrade("worker", image="avs/worker:v2", version="v2", timeout=GENEROUS)
    assert (upgraded.spec.image, upgraded.status.phase) == ("avs/worker:v2", "Running")
    assert upgraded.status.last_upgrade is not None
    assert upgraded.status.serving_template_hash != ready.status.serving_template_hash

    assert [p.name for p in performers.list("team=a")] == ["worker"]
    assert performers.list("team=b") == []
    performers.delete("worker", timeout=GENEROUS)
    with pytest.raises(NotFoundError, match="no performer avs/worker"):
        performers.get("worker")
    assert {resource for _, resource in world.calls()} == {"performers"}
    assert {verb for verb, _ in world.calls()} <= EXECUTOR_ROLE


def test_what_fails_for_good_is_reported_at_once(world: World, performers: Client) -> None:
    missing(world, "avs/worker:*")
    performers.create("worker", SPEC)
    with pytest.raises(NotReadyError) as raised:
        performers.wait_until_ready("worker", timeout=GENEROUS)
    assert raised.value.reason == "ImagePullFailed"
    assert "avs/worker:v1" in raised.value.message
    assert str(raised.value).startswith("performer avs/worker is not ready: ImagePullFailed: ")
    assert raised.value.performer is not None


def test_what_may_still_come_is_reported_when_the_time_is_over(performers: Client) -> None:
    performers.create("worker", TOO_BIG)
    wait_for_reason(performers, "SchedulingFailed")
    with pytest.raises(NotReadyError, match=r"is not ready after 0\.5 s: SchedulingFailed: "):
        performers.wait_until_ready("worker", timeout=0.5)


def test_an_operator_that_is_away_is_asked_for(world: World, performers: Client) -> None:
    with world.lock:
        world.target.operator.crash()
    performers.create("worker", SPEC)
    with pytest.raises(NotReadyError, match="is the operator running"):
        performers.wait_until_ready("worker", timeout=0.2)


def test_a_failed_upgrade_says_that_the_old_version_serves(
    world: World, performers: Client
) -> None:
    missing(world, "avs/worker:v2")
    performers.create("worker", HASTY)
    performers.wait_until_ready("worker", timeout=GENEROUS)
    with pytest.raises(UpgradeError) as raised:
        performers.upgrade("worker", image="avs/worker:v2", timeout=GENEROUS)
    assert raised.value.old_serves
    assert raised.value.reason == "ImagePullFailed"
    back = performers.upgrade("worker", image="avs/worker:v1", timeout=GENEROUS)
    assert back.status.phase == "Running"


def test_an_upgrade_that_takes_too_long_says_what_holds_it_up(
    world: World, performers: Client
) -> None:
    missing(world, "avs/worker:v2")
    performers.create("worker", PATIENT)
    performers.wait_until_ready("worker", timeout=GENEROUS)
    with pytest.raises(UpgradeError):
        performers.upgrade("worker", image="avs/worker:v2", timeout=0.0)
    wait_for_reason(performers, "ImagePullFailed", condition="Degraded")
    with pytest.raises(UpgradeError, match=r"is not upgraded after 0\.5 s: ImagePullFailed") as e:
        performers.upgrade("worker", image="avs/worker:v2", timeout=0.5)
    assert e.value.old_serves


def pods(world: World) -> list[tuple[str, str]]:
    with world.lock:
        found = world.there.cluster.api.list("pods", NAMESPACE).items
    alive = [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]
    return [(pod["metadata"]["name"], pod["spec"]["nodeName"]) for pod in alive]


def test_a_restart_brings_another_pod_and_leaves_no_wish_behind(
    world: World, performers: Client
) -> None:
    performers.create("worker", SPEC)
    before = performers.wait_until_ready("worker", GENEROUS).status.pod_name
    after = performers.restart("worker", GENEROUS).status.pod_name
    assert (after != before, [name for name, _ in pods(world)]) == (True, [after])
    assert performers.get("worker").metadata.annotations == {}


def test_a_move_leads_to_another_node(world: World, performers: Client) -> None:
    with world.lock:
        world.there.cluster.add_node("other")
    performers.create("worker", SPEC)
    performers.wait_until_ready("worker", GENEROUS)
    ((_, before),) = pods(world)
    moved = performers.move("worker", GENEROUS)
    assert {before, moved.status.node_name} == {"plain", "other"}


def test_a_move_that_no_node_takes_is_taken_back(performers: Client) -> None:
    performers.create("worker", SPEC)
    performers.wait_until_ready("worker", GENEROUS)
    with pytest.raises(MoveError, match="is not moved after 2 s: SchedulingFailed") as raised:
        performers.move("worker", 2)
    assert raised.value.old_serves
    assert performers.get("worker").metadata.annotations == {}


@pytest.mark.parametrize("method", ["move", "restart"])
def test_what_does_not_serve_has_no_pod_that_another_could_succeed(
    performers: Client, method: str
) -> None:
    performers.create("worker", TOO_BIG)
    wait_for_reason(performers, "SchedulingFailed")
    with pytest.raises(MoveError, match="as no pod of it serves: SchedulingFailed"):
        getattr(performers, method)("worker", GENEROUS)


def test_more_cpu_is_given(performers: Client) -> None:
    performers.create("worker", SPEC)
    performers.wait_until_ready("worker", GENEROUS)
    scaled = performers.scale("worker", {"requests": {"cpu": "1"}}, GENEROUS)
    assert (scaled.spec.resources, scaled.ready) == ({"requests": {"cpu": "1"}}, True)


def test_an_upgrade_to_nothing_is_a_mistake_of_the_caller(performers: Client) -> None:
    with pytest.raises(ValueError, match="expected image, version or both, found neither"):
        performers.upgrade("there is none")


def test_an_upgrade_to_what_serves_is_done_at_once(performers: Client) -> None:
    performers.create("worker", SPEC)
    before = performers.wait_until_ready("worker", timeout=GENEROUS)
    assert performers.upgrade("worker", image="avs/worker:v1", timeout=GENEROUS) == before


class Watching:
    """Notices that the executor watches."""

    def __init__(self) -> None:
        self.began = threading.Event()

    def before(self, call: Call) -> None:
        if (call.verb, call.user) == ("watch", EXECUTOR):
            self.began.set()

    def after(self, call: Call) -> None:
        pass


@contextmanager
def deleted_while_waited_for(world: World, performers: Client) -> Iterator[None]:
    """Delete the worker once the executor watches it."""
    watching = Watching()
    with world.lock:
        world.there.cluster.api.interceptors.append(watching)

    def delete() -> None:
        watching.began.wait()
        performers.delete("worker")

    deleting = threading.Thread(target=delete, daemon=True)
    deleting.start()
    yield
    deleting.join()


def test_waiting_ends_when_somebody_deletes_it(world: World, performers: Client) -> None:
    performers.create("worker", TOO_BIG)
    # Without a pod it would be gone at once.
    wait_for_reason(performers, "SchedulingFailed")
    with (
        deleted_while_waited_for(world, performers),
        pytest.raises(NotReadyError, match="Terminating: it is being deleted"),
    ):
        performers.wait_until_ready("worker", timeout=GENEROUS)


def test_waiting_ends_when_it_is_gone(world: World, performers: Client) -> None:
    with world.lock:
        world.target.operator.crash()
    performers.create("worker", SPEC)
    with (
        deleted_while_waited_for(world, performers),
        pytest.raises(DeletedError, match="performer avs/worker was deleted"),
    ):
        performers.wait_until_ready("worker", timeout=GENEROUS)


def test_a_deletion_that_is_held_up_is_reported(world: World, performers: Client) -> None:
    performers.create("worker", SPEC)
    with world.lock:
        patch = {"metadata": {"finalizers": ["example.com/mine"]}}
        world.there.cluster.api.patch("performers", NAMESPACE, "worker", patch)
    with pytest.raises(NotDeletedError):
        performers.delete("worker", timeout=0.0)
    wait_for_reason(performers, "Terminating")
    with pytest.raises(NotDeletedError, match=r"is not gone after 0\.5 s: Terminating"):
        performers.delete("worker", timeout=0.5)


def test_deleting_what_is_not_there_is_no_error(performers: Client) -> None:
    performers.delete("worker")


def test_a_name_that_is_taken(performers: Client) -> None:
    performers.create("worker", SPEC)
    with pytest.raises(AlreadyExistsError, match="performer avs/worker exists already"):
        performers.create("worker", SPEC)


def test_what_the_api_server_does_not_accept_names_the_field(performers: Client) -> None:
    spec = SPEC.model_copy(update={"resources": {"limits": {"cpu": "much"}}})
    with pytest.raises(InvalidError, match=r"avs/worker: spec\.resources\.limits\[cpu") as raised:
        performers.create("worker", spec)
    assert [cause.field for cause in raised.value.causes] == ["spec.resources.limits[cpu]"]


@pytest.mark.parametrize("verb", sorted(EXECUTOR_ROLE - {"update"}))
def test_a_verb_that_the_role_lacks_is_named(world: World, performers: Client, verb: str) -> None:
    performers.create("worker", PATIENT)
    world.deny(verb)
    use: dict[str, Callable[[], object]] = {
        "create": lambda: performers.create("other", SPEC),
        "delete": lambda: performers.delete("worker"),
        "get": lambda: performers.get("worker"),
        "list": performers.list,
        "patch": lambda: performers.upgrade("worker", version="v2"),
        "watch": lambda: list(performers.watch()),
    }
    with pytest.raises(ForbiddenError, match=rf"needs .*verbs \[{verb}\].*rbac\.yaml"):
        use[verb]()


def test_a_cluster_without_the_definition(world: World, performers: Client) -> None:
    with world.lock:
        cluster = world.there.cluster
        name = "performers.hourglass.eigenlayer.io"
        cluster.api.delete("customresourcedefinitions", "", name)
        cluster.run_until(cluster.clock.now + 1)
    with pytest.raises(MissingDefinitionError, match="kubectl apply --server-side -f crds/"):
        performers.create("worker", SPEC)


def test_a_namespace_that_does_not_exist(world: World) -> None:
    world.variables["KUBERNETES_NAMESPACE"] = "nowhere"
    with (
        world.client() as performers,
        pytest.raises(NotFoundError, match="kubectl create namespace nowhere"),
    ):
        performers.create("worker", SPEC)


def test_an_api_server_that_is_away(world: World) -> None:
    with served(world.there.cluster) as other:
        other.write_kubeconfig(world.kubeconfig)
    with world.client() as performers, pytest.raises(UnavailableError, match="cannot list"):
        performers.list()


class Busy:
    """Refuses watches."""

    def before(self, call: Call) -> None:
        if call.verb == "watch":
            raise APIError(429, "", "too busy", {"retryAfterSeconds": 7})

    def after(self, call: Call) -> None:
        pass


def test_a_refused_watch_knows_when_to_come_back(world: World) -> None:
    async def watch() -> None:
        transport = Transport(await connection(world.kubeconfig, None), NAMESPACE)
        try:
            await anext(transport.watch({}))
        finally:
            await transport.close()

    with world.lock:
        world.there.cluster.api.interceptors.append(Busy())
    with pytest.raises(UnavailableError, match="too busy") as refused:
        asyncio.run(watch())
    assert refused.value.retry_after == 7.0


def test_a_watch_outlives_its_connection(world: World, performers: Client) -> None:
    changes = performers.watch()
    performers.create("a", SPEC)
    assert next(changes).performer.name == "a"
    with world.lock:
        world.target.operator.crash()
    world.there.server.drop_watches()
    performers.create("b", SPEC)
    assert any(c.performer.name == "b" and c.type is ChangeType.ADDED for c in changes)
    changes.close()


def test_a_watch_of_one_performer(performers: Client) -> None:
    performers.create("a", SPEC)
    performers.create("b", SPEC)
    changes = performers.watch("b")
    seen = [next(changes)]
    performers.delete("a")
    performers.delete("b")
    while seen[-1].type is not ChangeType.DELETED:
        seen.append(next(changes))
    changes.close()
    assert {change.performer.name for change in seen} == {"b"}
    assert seen[0].type is ChangeType.ADDED


@pytest.mark.filterwarnings("error")
def test_a_watch_that_is_still_open_ends_with_the_client(world: World) -> None:
    with world.client() as performers:
        changes = performers.watch()
        performers.create("a", SPEC)
        assert next(changes).performer.name == "a"
    changes.close()


def test_the_async_face(world: World) -> None:
    config = PerformerConfig(grpc_port=8080)

    async def executor() -> str:
        client = AsyncClient(kubeconfig=world.kubeconfig, variables=world.variables)
        async with client as performers:
            await performers.create("worker", SPEC.model_copy(update={"config": config}))
            worker = await performers.wait_until_ready("worker", timeout=GENEROUS)
            await performers.delete("worker", timeout=GENEROUS)
            return performers.endpoint(worker)

    assert asyncio.run(executor()) == "performer-worker.avs.svc.cluster.local:8080"


def test_many_threads_may_share_a_client(performers: Client) -> None:
    names = [f"worker-{number}" for number in range(8)]

    def work(name: str) -> None:
        performers.create(name, SPEC)
        performers.wait_until_ready(name, timeout=GENEROUS)

    threads = [threading.Thread(target=work, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [(p.name, p.ready) for p in performers.list()] == [(name, True) for name in names]


def test_a_client_is_used_in_a_with_block(world: World) -> None:
    client = AsyncClient(kubeconfig=world.kubeconfig, variables=world.variables)
    with pytest.raises(RuntimeError, match="with block"):
        asyncio.run(client.list())


def test_outside_of_a_with_block_it_says_so(world: World) -> None:
    with pytest.raises(RuntimeError, match="a Client is used in a `with` block"):
        world.client().get("worker")


def test_the_end_of_the_with_block_ends_what_other_threads_wait_for(world: World) -> None:
    ended = threading.Event()

    def wait(client: Client) -> None:
        try:
            client.wait_until_ready("worker", timeout=600)
        except BaseException:
            ended.set()

    missing(world, "avs/worker:v1")
    with world.client() as client:
        client.create("worker", PATIENT)
        thread = threading.Thread(target=wait, args=(client,))
        thread.start()
        next(client.watch())
    assert ended.wait(GENEROUS)
    thread.join()
