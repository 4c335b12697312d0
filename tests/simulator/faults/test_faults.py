"""Each fault does what its name says, and is undone without a trace."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import ValidationError

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIError, CallTimeoutError, WatchEvent
from hourglass_simulator.faults import REGISTRY, inject
from hourglass_simulator.faults.reference import markdown
from hourglass_simulator.harness.backend import SimulatedBackend
from hourglass_simulator.harness.target import SimulatedTarget
from hourglass_simulator.scenario.cluster import Cluster

PAGE = Path(__file__).parents[3] / "docs" / "faults.md"
GPU = "nvidia.com/gpu"
CLUSTER = Cluster.model_validate(
    {
        "nodes": [
            {"name": "gpu-1", "labels": {"accelerator": "nvidia-a100"}, "devices": {GPU: 4}},
            {"name": "plain"},
        ]
    }
)
PERFORMER = {
    "apiVersion": "hourglass.eigenlayer.io/v1alpha1",
    "kind": "Performer",
    "metadata": {"name": "ml"},
    "spec": {
        "avsAddress": "0x1234567890abcdef1234567890abcdef12345678",
        "image": "avs/ml:v1",
        "hardwareRequirements": {"gpuType": "nvidia-a100", "gpuCount": 2},
    },
}


class Quiet:
    """An observer that listens to nothing."""

    def changed(self, change: object) -> None:
        pass

    def wrote(self, write: object) -> None:
        pass


@pytest.fixture
def backend() -> SimulatedBackend:
    """A Performer that serves on a GPU node."""
    made = SimulatedBackend(seed=3)
    made.start(CLUSTER, "default", ["pods"], Quiet())
    made.apply(PERFORMER)
    made.cluster.run_until(30)
    assert ready(made) == ("Running", "PodReady")
    return made


def ready(backend: SimulatedBackend) -> tuple[str, str]:
    status = backend.cluster.api.get("performers", "default", "ml")["status"]
    return status["phase"], status["conditions"][-1]["reason"]


def allocatable(backend: SimulatedBackend) -> str:
    node = backend.cluster.api.get("nodes", "", "gpu-1")
    found: str = node["status"]["allocatable"][GPU]
    return found


LASTING = [
    ("crash-loop", {"after": "1s", "code": 3}, 120, ("Failed", "ContainerFailed")),
    ("never-ready", {}, 60, ("Pending", "PodNotReady")),
    ("readiness-flaps", {"every": "30s"}, 20, ("Pending", "PodNotReady")),
    ("node-lost", {"node": "gpu-1"}, 90, ("Pending", "PodLost")),
    ("device-plugin-gone", {"node": "gpu-1"}, 20, ("Running", "PodReady")),
    ("devices-unhealthy", {"node": "gpu-1", "count": 3}, 20, ("Running", "PodReady")),
    ("label-gone", {"node": "gpu-1", "label": "accelerator"}, 20, ("Running", "PodReady")),
]


@pytest.mark.parametrize(
    ("name", "parameters", "seconds", "expected"), LASTING, ids=[case[0] for case in LASTING]
)
def test_a_fault_shows_and_heals(
    backend: SimulatedBackend,
    name: str,
    parameters: JSON,
    seconds: float,
    expected: tuple[str, str],
) -> None:
    backend.inject(name, parameters)
    backend.cluster.run_until(30 + seconds)
    assert ready(backend) == expected
    degraded = backend.cluster.api.get("performers", "default", "ml")["status"]["conditions"][2]
    assert (degraded["status"] == "True") == (expected[0] == "Running")
    backend.heal(name)
    backend.cluster.run_until(30 + seconds + 700)
    assert ready(backend) == ("Running", "PodReady")
    assert allocatable(backend) == "4"


ONCE = [
    ("container-exits", {"performer": "ml", "code": 3}),
    ("pod-evicted", {"performer": "ml"}),
    ("watch-dropped", {}),
    ("watch-expired", {"resource": "pods"}),
    ("operator-crash", {}),
    ("pods-deleted", {"performer": "ml"}),
    ("pods-edited", {"performer": "ml", "merge": {"metadata": {"labels": {"app": None}}}}),
]


@pytest.mark.parametrize(("name", "parameters"), ONCE, ids=[case[0] for case in ONCE])
def test_a_fault_that_is_over_at_once_is_overcome(
    backend: SimulatedBackend, name: str, parameters: JSON
) -> None:
    backend.inject(name, parameters)
    backend.cluster.run_until(60)
    backend.heal(name)
    backend.cluster.run_until(120)
    assert ready(backend) == ("Running", "PodReady")


PULLS = [
    ("image-missing", "not found"),
    ("image-unauthorized", "401 Unauthorized"),
    ("registry-down", "connection refused"),
]


@pytest.mark.parametrize(("name", "says"), PULLS, ids=[case[0] for case in PULLS])
def test_an_image_that_cannot_be_pulled(backend: SimulatedBackend, name: str, says: str) -> None:
    backend.inject(name, {"image": "avs/ml:*"})
    merge = {"spec": {"image": "avs/ml:v2", "upgradeStrategy": {"type": "Recreate"}}}
    backend.cluster.api.patch("performers", "default", "ml", merge)
    backend.cluster.run_until(100)
    assert ready(backend) == ("Failed", "ImagePullFailed")
    status = backend.cluster.api.get("performers", "default", "ml")["status"]
    assert says in status["conditions"][-1]["message"]
    backend.heal(name)
    backend.cluster.run_until(500)
    assert ready(backend) == ("Running", "PodReady")


def test_a_slow_pull_takes_its_time(backend: SimulatedBackend) -> None:
    backend.inject("slow-pull", {"takes": "5m"})
    backend.cluster.api.patch("performers", "default", "ml", {"spec": {"image": "avs/ml:v2"}})
    backend.cluster.run_until(300)
    assert ready(backend)[0] == "Upgrading"
    backend.cluster.run_until(400)
    assert ready(backend)[0] == "Running"


def test_a_container_that_ignores_sigterm_ends_with_its_grace_period(
    backend: SimulatedBackend,
) -> None:
    backend.inject("ignores-termination", {})
    backend.cluster.api.delete("performers", "default", "ml")
    backend.cluster.run_until(55)
    assert len(backend.cluster.api.list("pods").items) == 1
    backend.cluster.run_until(75)
    assert backend.cluster.api.list("performers").items == []


CALLS: list[tuple[str, JSON, Callable[[Exception], bool]]] = [
    ("api-conflict", {}, lambda e: isinstance(e, APIError) and e.code == 409),
    ("api-error", {"code": 503}, lambda e: isinstance(e, APIError) and e.code == 503),
    ("api-throttled", {}, lambda e: isinstance(e, APIError) and e.code == 429),
    ("api-timeout", {"done": False}, lambda e: isinstance(e, CallTimeoutError)),
]


def label(target: SimulatedTarget, user: str) -> None:
    merge = {"metadata": {"labels": {"touched": "yes"}}}
    target.cluster.api.patch("performers", "default", "ml", merge, user=user)


def touched(target: SimulatedTarget) -> bool:
    found = target.cluster.api.get("performers", "default", "ml")
    return "touched" in found["metadata"].get("labels", {})


@pytest.mark.parametrize(("name", "parameters", "is_it"), CALLS, ids=[c[0] for c in CALLS])
def test_calls_of_the_operator_fail_as_often_as_asked(
    backend: SimulatedBackend, name: str, parameters: JSON, is_it: Callable[[Exception], bool]
) -> None:
    target = backend.target
    before = list(target.cluster.api.interceptors)
    undo = inject(name, target, {**parameters, "times": 1, "resource": "performers"}, "0")
    label(target, "somebody else")
    with pytest.raises((APIError, CallTimeoutError)) as caught:
        label(target, target.operator_user)
    assert is_it(caught.value)
    label(target, target.operator_user)
    undo()
    assert target.cluster.api.interceptors == before


@pytest.mark.parametrize("done", [True, False], ids=["done", "not done"])
def test_a_time_out_comes_after_the_call_or_instead_of_it(
    backend: SimulatedBackend, done: bool
) -> None:
    inject("api-timeout", backend.target, {"done": done}, "0")
    with pytest.raises(CallTimeoutError):
        label(backend.target, backend.target.operator_user)
    assert touched(backend.target) is done


def test_faults_of_calls_spare_other_verbs_and_resources(backend: SimulatedBackend) -> None:
    target = backend.target
    inject("api-error", target, {"verb": "create"}, "0")
    inject("api-error", target, {"resource": "services"}, "0")
    label(target, target.operator_user)
    assert touched(target)


DELIVERIES = [
    ("stale-cache", {"by": "5s"}, [5.0]),
    ("duplicate-events", {}, [0.0, 0.0]),
    ("stale-cache", {"by": "5s", "resource": "nodes"}, [0.0]),
]


@pytest.mark.parametrize(
    ("name", "parameters", "delays"),
    DELIVERIES,
    ids=["late by so much", "twice", "other resources as ever"],
)
def test_events_are_delivered(
    backend: SimulatedBackend, name: str, parameters: JSON, delays: list[float]
) -> None:
    event = WatchEvent("MODIFIED", {})
    undo = inject(name, backend.target, parameters, "0")
    (hook,) = backend.target.deliveries
    assert [delay for delay, _ in hook("pods", event)] == delays
    undo()
    assert backend.target.deliveries == []


def test_late_events_depend_on_the_seed_alone(backend: SimulatedBackend) -> None:
    event = WatchEvent("MODIFIED", {})

    def delays(seed: str) -> list[float]:
        undo = inject("late-events", backend.target, {"upTo": "4s"}, seed)
        found = [next(iter(backend.target.deliveries[0]("pods", event)))[0] for _ in range(5)]
        undo()
        return found

    assert delays("1") == delays("1") != delays("2")
    assert all(0 <= delay <= 4 for delay in delays("1"))


@pytest.mark.parametrize("moment", ["before", "after"])
def test_the_operator_crashes_around_its_writes(backend: SimulatedBackend, moment: str) -> None:
    parameters = {"write": 1, "moment": moment, "every": 1, "times": 3, "down": "1s"}
    lives = []
    start = backend.target.operator.start

    def counted() -> None:
        lives.append(backend.now)
        start()

    backend.target.operator.start = counted  # type: ignore[method-assign]
    backend.inject("operator-crash", parameters)
    backend.cluster.api.patch("performers", "default", "ml", {"spec": {"version": "v2"}})
    backend.cluster.run_until(200)
    assert len(lives) == 3
    assert ready(backend) == ("Running", "PodReady")


@pytest.mark.parametrize("parameters", [{}, {"write": 1}], ids=["at once", "after a write"])
def test_a_suspended_operator_goes_on_with_what_it_knows(
    backend: SimulatedBackend, parameters: JSON
) -> None:
    backend.inject("operator-suspended", {**parameters, "for": "20s"})
    lives = backend.target.operator._lives
    backend.cluster.api.patch("performers", "default", "ml", {"spec": {"version": "v2"}})
    writes = []
    user = backend.target.operator_user
    backend.cluster.api.auditors.append(
        lambda audit: writes.append(audit) if audit.call.user == user else None
    )
    backend.cluster.run_until(backend.now + 19)
    assert len(writes) == len(parameters)
    backend.cluster.run_until(120)
    assert backend.target.operator._lives == lives
    assert ready(backend) == ("Running", "PodReady")


def test_only_the_call_that_is_meant_fails(backend: SimulatedBackend) -> None:
    backend.inject("api-error", {"call": 2, "times": 1, "code": 503})
    codes = []
    backend.cluster.api.auditors.append(lambda audit: codes.append((audit.call.user, audit.code)))
    backend.cluster.api.patch("performers", "default", "ml", {"spec": {"version": "v2"}})
    backend.cluster.run_until(120)
    own = [code for user, code in codes if user == backend.target.operator_user]
    assert own[1] == 503
    assert own.count(503) == 1


def test_what_is_missed_is_never_seen(backend: SimulatedBackend) -> None:
    """Of a pod that comes and goes meanwhile the operator hears nothing; it lists what there is."""
    heard: list[str] = []

    def listen(resource: str, event: WatchEvent) -> list[tuple[float, WatchEvent]]:
        heard.append(resource)
        return [(0.0, event)]

    backend.inject("events-missed", {"resource": "pods", "event": 1, "for": "10s"})
    backend.target.deliveries.append(listen)
    labels = {"app": "performer", "performer-name": "other"}
    pod = {
        "metadata": {"name": "passing", "labels": labels},
        "spec": {"containers": [{"name": "main", "image": "avs/ml:v1"}]},
    }
    backend.cluster.api.create("pods", pod, namespace="default")
    backend.cluster.api.delete("pods", "default", "passing", grace_period_seconds=0)
    backend.cluster.run_until(30)
    assert "pods" not in heard
    backend.cluster.api.patch("performers", "default", "ml", {"spec": {"version": "v2"}})
    backend.cluster.run_until(120)
    assert "pods" in heard
    assert ready(backend) == ("Running", "PodReady")


@pytest.mark.parametrize(
    ("name", "arrivals"), [("duplicate-events", [0, 0]), ("stale-cache", [5.0])]
)
def test_only_the_event_that_is_meant_is_troubled(
    backend: SimulatedBackend, name: str, arrivals: list[float]
) -> None:
    undo = inject(name, backend.target, {"resource": "pods", "event": 2}, "0")
    hook = backend.target.deliveries[-1]
    event = WatchEvent("MODIFIED", {})
    delays = [[delay for delay, _ in hook("pods", event)] for _ in range(3)]
    undo()
    assert delays == [[0.0], arrivals, [0.0]]


def test_two_leaders_do_no_harm(backend: SimulatedBackend) -> None:
    backend.inject("two-leaders", {"for": "60s"})
    backend.cluster.api.patch("performers", "default", "ml", {"spec": {"version": "v2"}})
    backend.cluster.run_until(60)
    assert backend.target.second.running
    backend.cluster.run_until(120)
    assert not backend.target.second.running
    assert ready(backend) == ("Running", "PodReady")
    assert len(backend.cluster.api.list("pods").items) == 1


def test_two_faults_of_one_image_end_in_any_order(backend: SimulatedBackend) -> None:
    images = backend.cluster.images
    one = inject("image-missing", backend.target, {"image": "avs/*"}, "0")
    other = inject("slow-pull", backend.target, {"image": "avs/*", "takes": "9m"}, "0")
    one()
    image = images.image("avs/ml:v9")
    assert (image.pull.value, image.pull_seconds) == ("succeeds", 540)
    other()
    assert images.image("avs/ml:v9").pull_seconds < 2


@pytest.mark.parametrize(
    ("name", "parameters", "field"),
    [
        ("node-lost", {}, "node"),
        ("api-error", {"code": 200}, "code"),
        ("stale-cache", {"by": 5}, "by"),
        ("slow-pull", {"takes": "5s", "imag": "x"}, "imag"),
        ("mutating-webhook", {"resource": "pods", "patch": "gate"}, "patch"),
        ("mutating-webhook", {"resource": "pods", "patch": [{"op": "insert"}]}, "patch"),
        ("mutating-webhook", {"resource": "pods", "patch": {}}, "patch"),
    ],
    ids=[
        "one is missing",
        "not permitted",
        "no duration",
        "unknown",
        "no patch",
        "no JSON patch",
        "an empty patch",
    ],
)
def test_bad_parameters_name_the_field(
    backend: SimulatedBackend, name: str, parameters: JSON, field: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        inject(name, backend.target, parameters, "0")
    assert caught.value.errors()[0]["loc"][0] == field


def test_the_go_operator_puts_its_objects_back_until_it_is_stopped() -> None:
    backend = SimulatedBackend(seed=3, with_operator=False)
    backend.start(CLUSTER, "default", ["pods"], Quiet())
    api = backend.cluster.api
    stop = inject("go-operator", backend.target, {}, "0")
    backend.apply(PERFORMER)
    backend.cluster.run_until(1)
    made = [api.list(resource).items[0] for resource in ("pods", "services")]
    assert [obj["metadata"]["name"] for obj in made] == ["performer-ml", "performer-ml"]
    (performer,) = api.list("performers").items
    assert performer["metadata"]["finalizers"] == ["hourglass.eigenlayer.io/performer-finalizer"]
    assert performer["status"]["grpcEndpoint"] == "performer-ml.default.svc.cluster.local"

    def disturb() -> None:
        """In every object that it keeps."""
        api.delete("pods", "default", "performer-ml", grace_period_seconds=0)
        patch = {"spec": {"selector": {"app": "mine"}}}
        api.patch("services", "default", "performer-ml", patch)
        api.patch(
            "performers", "default", "ml", {"status": {"phase": "Failed"}}, subresource="status"
        )
        backend.cluster.run_until(backend.now + 1)

    def kept() -> tuple[int, JSON, str]:
        (service,) = api.list("services").items
        (performer,) = api.list("performers").items
        phase = performer["status"]["phase"]
        return len(api.list("pods").items), service["spec"]["selector"], phase

    disturb()
    assert kept() == (1, {"hourglass.eigenlayer.io/performer": "ml"}, "Pending")
    stop()
    disturb()
    assert kept()[0] == 0
    assert kept()[1]["app"] == "mine"


def test_every_fault_says_what_it_does() -> None:
    assert list(REGISTRY) == sorted(REGISTRY)
    assert all(fault.doc.endswith(".") and fault.parameters.__doc__ for fault in REGISTRY.values())


def test_the_page_on_faults_is_up_to_date() -> None:
    assert PAGE.read_text() == markdown(), "run `make generate`"
