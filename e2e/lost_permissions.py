"""What stops when the operator loses a permission while it runs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from kubernetes.client.exceptions import ApiException

from clusters import wait_until
from hourglass_kube.types import JSON
from hourglass_operator.api import PerformerSpec
from hourglass_operator.hardware.catalogue import load
from hourglass_operator.hardware.requirement import requirement
from hourglass_operator.resources.claim import build_template
from operators import Performers

IMAGE = "x:v1"
OCCUPIER = {"labels": {"occupier": "yes"}}
ELSEWHERE = "elsewhere"
MORE_CPU = "20m"
CLAIMING = {"gpuType": "nvidia-a100", "allocation": "ResourceClaim"}
TEMPLATES = "resourceclaimtemplates"


class Running(Protocol):
    """An operator: a process, or one of the simulated cluster's."""

    @property
    def leads(self) -> bool:
        """Whether it may write."""
        ...

    def is_ready(self) -> bool:
        """Whether it says that it is."""
        ...


class Connections(Protocol):
    """The way from the operator to the API server."""

    def cut(self) -> object:
        """Lose all that are open."""
        ...


class Wait(Protocol):
    """Lets time pass, at most so many seconds, until something holds."""

    def __call__(self, what: str, holds: Callable[[], bool], seconds: float = 60) -> None:
        """Errors: `TimeoutError`."""
        ...


@dataclass(frozen=True)
class Scene:
    """A Performer that serves, the operator, and the connections between it and the API server."""

    name: str
    performers: Performers
    operator: Running
    connections: Connections
    wait_until: Wait = wait_until

    @property
    def new(self) -> str:
        """The Performer that is created while the permission is lost."""
        return f"{self.name}-new"

    @property
    def status(self) -> JSON:
        """Of the new one."""
        status: JSON = self.performers.get(self.new)["status"]
        return status

    @property
    def service(self) -> JSON:
        """Of the Performer that was there before."""
        return self.performers.call("GET", "services", f"performer-{self.name}")

    def create(self) -> None:
        """Create the new one."""
        self.performers.create(self.new, IMAGE)

    def occupy_the_service_name(self) -> None:
        """Take the name that the Service of the new one is to have."""
        meta = {"name": f"performer-{self.new}", **OCCUPIER}
        spec = {"ports": [{"port": 1}]}
        self.performers.call("POST", "services", body={"metadata": meta, "spec": spec})
        self.create()

    def occupy_the_pod_name(self) -> None:
        """Take the name that the pod of the new one is to have: it follows from the input."""
        (pod,) = self.performers.pods(self.name)
        name = pod["metadata"]["name"].replace(f"-{self.name}-", f"-{self.new}-")
        spec = {
            "containers": [{"name": "main", "image": IMAGE}],
            "nodeName": "nowhere",
            "terminationGracePeriodSeconds": 0,
        }
        body = {"metadata": {"name": name, **OCCUPIER}, "spec": spec}
        self.performers.call("POST", "pods", body=body)
        self.create()

    @property
    def budgets(self) -> list[JSON]:
        """The PodDisruptionBudgets of the namespace."""
        return self.performers.items("poddisruptionbudgets")

    def protect(self) -> None:
        """Ask for moves before evictions."""
        self.performers.set_spec(self.name, disruption={"policy": "MoveFirst"})

    def unprotect(self) -> None:
        """Take that back, once it has come about."""
        self.protect()
        self.wait_until("there is a budget", lambda: bool(self.budgets))
        self.performers.set_spec(self.name, disruption=None)

    def loosen_the_budget(self) -> None:
        """Let every eviction pass, as somebody may by hand."""
        self.protect()
        self.wait_until("there is a budget", lambda: bool(self.budgets))
        name = f"performer-{self.name}"
        self.performers.patch("poddisruptionbudgets", name, {"spec": {"minAvailable": 0}})

    def claim(self) -> None:
        """Create the new one, which claims its GPU."""
        self.performers.create(self.new, IMAGE, hardwareRequirements=CLAIMING)

    def occupy_the_template_name(self) -> None:
        """Take the name that the ResourceClaimTemplate of the new one is to have."""
        spec = PerformerSpec.model_validate(
            {"avsAddress": f"0x{0:040}", "image": IMAGE, "hardwareRequirements": CLAIMING}
        )
        needed = requirement(spec, load())
        assert needed is not None
        assert needed.claim is not None
        body = build_template(self.new, self.performers.namespace, "", needed.claim)
        body["metadata"] = {"name": body["metadata"]["name"], **OCCUPIER}
        self.performers.call("POST", TEMPLATES, body=body)
        self.claim()

    @property
    def templates(self) -> list[JSON]:
        """The ResourceClaimTemplates of the namespace."""
        return self.performers.items(TEMPLATES)

    def claim_no_more(self) -> None:
        """Let the new one do without a GPU, once it has a template to claim it by."""
        self.claim()
        self.wait_until("there is a template", lambda: bool(self.templates))
        self.performers.set_spec(self.new, hardwareRequirements=None)

    def free_the_names(self) -> None:
        """Delete what `occupy_…` has created."""
        for kind in ("pods", "services", TEMPLATES):
            for each in self.performers.items(kind):
                if "occupier" in each["metadata"].get("labels", {}):
                    self.performers.call("DELETE", kind, each["metadata"]["name"])

    def upgrade_new(self) -> None:
        """Let the new one be upgraded, which is a change of phase."""
        self.performers.set_spec(self.new, version="v2")

    def delete(self) -> None:
        """Delete the Performer that was there before."""
        self.performers.delete(self.name)

    def resize(self) -> None:
        """Ask for more CPU for a new one that serves."""
        self.performers.create(self.new, IMAGE, resources={"requests": {"cpu": "10m"}})
        self.wait_until("it serves", lambda: self.status.get("phase") == "Running")
        self.performers.set_spec(self.new, resources={"requests": {"cpu": MORE_CPU}})

    def has_more_cpu(self) -> bool:
        """Whether its pod has what was asked for."""
        pods = self.performers.pods(self.new)
        wanted = [pod["spec"]["containers"][0]["resources"]["requests"]["cpu"] for pod in pods]
        return wanted == [MORE_CPU]

    def remove_the_owner(self) -> None:
        """Remove the owner of its pod."""
        (pod,) = self.performers.pods(self.name)
        orphan = {"metadata": {"ownerReferences": None}}
        self.performers.patch("pods", pod["metadata"]["name"], orphan)

    def change_the_selector(self) -> None:
        """Let its Service select other pods."""
        name = f"performer-{self.name}"
        self.performers.patch("services", name, {"spec": {"selector": {"app": ELSEWHERE}}})

    def cut(self) -> None:
        """Reset the operator's connections."""
        self.connections.cut()

    def delete_the_lease(self) -> None:
        """Delete the Lease, as somebody may by hand."""
        (lease,) = self.performers.items("leases")
        self.performers.call("DELETE", "leases", lease["metadata"]["name"])

    def lose_the_lease(self) -> None:
        """Return once the operator leads no more."""
        self.wait_until("the Lease is lost", lambda: not self.operator.leads, 30)

    def wait_for_resync(self) -> None:
        """Return once the operator, which looks every second, is not ready any more."""
        self.wait_until("the permission is missed", lambda: not self.operator.is_ready(), 30)

    def gone(self) -> bool:
        """Whether the Performer that was there before has ended."""
        try:
            self.performers.get(self.name)
        except ApiException as error:
            return bool(error.status == 404)
        return False

    def has_events(self) -> bool:
        """Whether there are Events of the new one."""
        events = self.performers.items("events")
        return any(each["involvedObject"]["name"] == self.new for each in events)


@dataclass(frozen=True)
class LostPermission:
    """A permission (as the operator names it), what happens without it, and what is not done.

    `done`: whether it is done after all, once the permission was given back and `then` happened.
    """

    right: str
    happens: Callable[[Scene], None]
    when: str
    not_done: str
    done: Callable[[Scene], bool]
    then: Callable[[Scene], None] = Scene.free_the_names


def _of_reading(resource: str) -> tuple[LostPermission, LostPermission]:
    seen = resource.split(".")[0]
    return (
        LostPermission(
            f"list {resource}",
            Scene.wait_for_resync,
            "the operator looks at its permissions",
            f"{seen} cannot be listed anew when their watch has lost its history",
            lambda scene: scene.operator.is_ready(),
        ),
        LostPermission(
            f"watch {resource}",
            Scene.cut,
            "the connection is lost",
            f"{seen} are not seen any more",
            lambda scene: scene.operator.is_ready(),
        ),
    )


CREATED, DELETED = "a Performer is created", "a Performer is deleted"
CRD, SLICES = "performers.hourglass.eigenlayer.io", "endpointslices.discovery.k8s.io"
LEASES = "leases.coordination.k8s.io"
BUDGETS, PROTECTED = "poddisruptionbudgets.policy", "a Performer is to move before it is evicted"
CLAIMED_BY = f"{TEMPLATES}.resource.k8s.io"
LOST_PERMISSIONS = (
    *_of_reading(CRD),
    LostPermission(
        f"patch {CRD}",
        Scene.create,
        CREATED,
        "it gets no finalizer, and nothing else",
        lambda scene: "finalizers" in scene.performers.get(scene.new)["metadata"],
    ),
    LostPermission(
        f"patch {CRD}/status",
        Scene.create,
        CREATED,
        "its status has no conditions",
        lambda scene: "conditions" in scene.status,
    ),
    LostPermission(
        "get pods",
        Scene.occupy_the_pod_name,
        "a pod of another has the name",
        "it is not known whose the pod is",
        lambda scene: bool(scene.performers.pods(scene.new)),
    ),
    *_of_reading("pods"),
    LostPermission(
        "create pods",
        Scene.create,
        CREATED,
        "it gets no pod",
        lambda scene: bool(scene.performers.pods(scene.new)),
    ),
    LostPermission(
        "patch pods",
        Scene.remove_the_owner,
        "the owner of a pod is removed",
        "it is not repaired",
        lambda scene: bool(scene.performers.pods(scene.name)),
    ),
    LostPermission(
        "delete pods", Scene.delete, DELETED, "it stays, Terminating, with its pod", Scene.gone
    ),
    LostPermission(
        "patch pods/resize",
        Scene.resize,
        "CPU or memory of a Performer change",
        "its pod keeps what it has",
        Scene.has_more_cpu,
    ),
    LostPermission(
        "get services",
        Scene.occupy_the_service_name,
        "a Service of another has the name",
        "it is not known whose the Service is",
        lambda scene: scene.status["phase"] == "Running",
    ),
    *_of_reading("services"),
    LostPermission(
        "create services",
        Scene.create,
        CREATED,
        "it gets no Service",
        lambda scene: scene.status["phase"] == "Running",
    ),
    LostPermission(
        "patch services",
        Scene.change_the_selector,
        "the selector of a Service is changed",
        "it is not repaired",
        lambda scene: scene.service["spec"]["selector"]["app"] != ELSEWHERE,
    ),
    *_of_reading(SLICES),
    *_of_reading(BUDGETS),
    LostPermission(
        f"create {BUDGETS}",
        Scene.protect,
        PROTECTED,
        "evictions do not wait until it has moved",
        lambda scene: bool(scene.budgets),
    ),
    LostPermission(
        f"patch {BUDGETS}",
        Scene.loosen_the_budget,
        "its budget is changed",
        "it is not repaired",
        lambda scene: [each["spec"]["minAvailable"] for each in scene.budgets] == [2],
    ),
    LostPermission(
        f"delete {BUDGETS}",
        Scene.unprotect,
        "the policy MoveFirst is taken back",
        "its budget stays, and evictions are refused",
        lambda scene: not scene.budgets,
    ),
    *_of_reading("resourceslices.resource.k8s.io"),
    LostPermission(
        f"get {CLAIMED_BY}",
        Scene.occupy_the_template_name,
        "a ResourceClaimTemplate of another has the name",
        "it is not known whose the template is",
        lambda scene: bool(scene.performers.pods(scene.new)),
    ),
    *_of_reading(CLAIMED_BY),
    LostPermission(
        f"create {CLAIMED_BY}",
        Scene.claim,
        "a Performer that claims its GPU is created",
        "it gets no template, and no pod",
        lambda scene: bool(scene.performers.pods(scene.new)),
    ),
    LostPermission(
        f"delete {CLAIMED_BY}",
        Scene.claim_no_more,
        "a Performer claims no GPU any more",
        "the template that it claimed by stays",
        lambda scene: not scene.templates,
    ),
    *_of_reading("nodes"),
    LostPermission(
        "create events",
        Scene.create,
        CREATED,
        "`kubectl describe` shows no Events of it",
        Scene.has_events,
        # An Event that was not written is not written later; those of what happens next are.
        then=Scene.upgrade_new,
    ),
    LostPermission(
        f"get {LEASES}",
        Scene.delete_the_lease,
        "there is no Lease",
        "nothing is written any more",
        lambda scene: scene.operator.leads,
    ),
    LostPermission(
        f"update {LEASES}",
        Scene.lose_the_lease,
        "the Lease is to be renewed",
        "nothing is written any more",
        lambda scene: scene.operator.leads,
    ),
    LostPermission(
        f"create {LEASES}",
        Scene.delete_the_lease,
        "there is no Lease",
        "nothing is written any more",
        lambda scene: scene.operator.leads,
    ),
)
