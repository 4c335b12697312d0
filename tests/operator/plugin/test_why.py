"""One sentence for each of the things that keep a Performer from serving."""

from typing import Any

import pytest

from builders import CATALOGUE, NAMESPACE, PerformerBuilder, at, node, performer, pod_of, waiting
from hourglass_kube.types import JSON
from hourglass_operator.plugin.show import card, facts
from hourglass_operator.plugin.view import Objects, View, view_of
from hourglass_operator.plugin.why import Why, why

NOW = 100.0
ML = performer("ml")
GPU = ML.gpu("nvidia-a100", 2)
NO_NODE = "0/1 nodes are available: 1 Insufficient nvidia.com/gpu."


def gpu_node(name: str = "gpu-1") -> Any:
    return node(name).label("accelerator", "nvidia-a100").offers("nvidia.com/gpu", 4)


def view(
    owner: PerformerBuilder,
    *pods: JSON,
    nodes: tuple[JSON, ...] = (),
    status: JSON | None = None,
    hidden: frozenset[str] = frozenset(),
    now: float = NOW,
) -> View:
    obj = owner.build()
    seen = {"observedGeneration": obj["metadata"]["generation"], "phase": "Pending"}
    obj["status"] = seen if status is None else {**seen, **status}
    ready = [p["metadata"]["name"] for p in pods if _is_ready(p)]
    listed = {
        "performers": [obj],
        "pods": list(pods),
        "services": [owner.service()],
        "endpointslices": [owner.endpoints(*ready)],
        "nodes": list(nodes),
    }
    return view_of(Objects(listed, hidden=hidden), NAMESPACE, "ml", CATALOGUE, now)


def _is_ready(pod: JSON) -> bool:
    conditions = pod["status"].get("conditions", ())
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def condition(reason: str, message: str, status: str = "False") -> JSON:
    return {
        "type": "Ready",
        "status": status,
        "reason": reason,
        "message": message,
        "lastTransitionTime": at(1.0),
    }


def crashing(owner: PerformerBuilder) -> JSON:
    return pod_of(owner).on("node-1").crash_loop(50.0, code=3).build()


CASES: list[tuple[str, View, str]] = [
    (
        "no node has the GPU",
        view(GPU, pod_of(GPU).unschedulable(NO_NODE).build(), nodes=(node("n").build(),)),
        "the only node does not have nvidia-a100",
    ),
    (
        "no node has the GPU: what to change",
        view(GPU, pod_of(GPU).unschedulable(NO_NODE).build(), nodes=(node("n").build(),)),
        "; free or add such hardware, or change spec.hardwareRequirements",
    ),
    (
        "the node with the GPU is cordoned",
        view(
            GPU,
            pod_of(GPU).unschedulable(NO_NODE).build(),
            nodes=(gpu_node().cordoned().build(),),
        ),
        "; kubectl uncordon gpu-1, or free or add such hardware",
    ),
    (
        "without hardware what the scheduler says counts, and a cordoned node may help",
        view(
            ML,
            pod_of(ML).unschedulable("0/2 nodes are available: 1 had taints.").build(),
            nodes=(node("n").cordoned().build(), node("m").build()),
        ),
        "node n is cordoned. The scheduler says: 0/2 nodes are available: 1 had taints; kubectl"
        " uncordon n, or change spec.scheduling or spec.resources, or add a node that fits",
    ),
    (
        "the image cannot be pulled",
        view(
            ML,
            pod_of(ML).on("node-1").waiting("ImagePullBackOff", "no such image").build(),
            nodes=(node("node-1").build(),),
        ),
        "the image cannot be pulled: no such image; correct spec.image, push it, or name",
    ),
    (
        "the container crashes",
        view(ML, crashing(ML), nodes=(node("node-1").build(),)),
        "the container ended with exit code 3 (Error); its log says more: kubectl logs",
    ),
    (
        "a Secret is missing",
        view(
            ML,
            pod_of(ML)
            .on("node-1")
            .waiting("CreateContainerConfigError", 'secret "api" not found')
            .build(),
            nodes=(node("node-1").build(),),
        ),
        'CreateContainerConfigError: secret "api" not found; create what is missing, or correct',
    ),
    (
        "a quota refuses the pod, which only the operator knows",
        view(ML, status={"conditions": [condition("PodRejected", "exceeded quota: q")]}),
        "exceeded quota: q; change what the API server names, in the Performer or",
    ),
    (
        "the name is taken",
        view(ML, status={"conditions": [condition("NameConflict", "Pod x exists")]}),
        "Pod x exists; delete or rename the object that has the name",
    ),
    (
        "the image of a sidecar cannot be pulled",
        view(
            ML,
            pod_of(ML)
            .on("node-1")
            .running(10)
            .container_is_ready()
            .with_container("proxy", **waiting("ImagePullBackOff", "no such image"))
            .build(),
            nodes=(node("node-1").build(),),
        ),
        "the image of container proxy cannot be pulled: no such image; nothing in the Performer's",
    ),
    (
        "a scheduling gate holds it back",
        view(ML, pod_of(ML).held_by_gates("queue").build()),
        "is held back by scheduling gate queue; whoever has set the gate takes it away",
    ),
    (
        "it is starting: nothing to change",
        view(ML, pod_of(ML).on("node-1").build(), nodes=(node("node-1").build(),)),
        f"pod {pod_of(ML).name} is starting on node node-1",
    ),
    (
        "it serves",
        view(ML, pod_of(ML).on("node-1").ready().build(), nodes=(node("node-1").build(),)),
        "serves at performer-ml.avs.svc.cluster.local:9090",
    ),
]


@pytest.mark.parametrize(("seen", "said"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_the_sentence(seen: View, said: str) -> None:
    assert said in why(seen, NOW).sentence


def test_what_serves_needs_no_advice() -> None:
    pod = pod_of(ML).on("node-1").ready().build()
    found = why(view(ML, pod, nodes=(node("node-1").build(),)), NOW)
    assert (found.serves, found.reason, found.advice) == (True, "PodReady", "")


def test_the_stored_sentence_counts_where_the_nodes_are_hidden() -> None:
    stored = {"conditions": [condition("HardwareUnavailable", "as the operator saw it")]}
    pod = pod_of(GPU).unschedulable(NO_NODE).build()
    found = why(view(GPU, pod, status=stored, hidden=frozenset({"nodes"})), NOW)
    assert found.message == "as the operator saw it"


UNSEEN: list[tuple[str, JSON, float, bool]] = [
    ("just created", {"observedGeneration": 0}, 10.0, False),
    ("long ago", {"observedGeneration": 0}, 20.0, True),
    ("seen", {}, 20.0, False),
]


@pytest.mark.parametrize(
    ("status", "now", "suspected"), [u[1:] for u in UNSEEN], ids=[u[0] for u in UNSEEN]
)
def test_an_operator_that_does_not_look_is_suspected(
    status: JSON, now: float, suspected: bool
) -> None:
    found: Why = why(view(ML, status=status, now=now), now)
    assert (found.reason == "NotObserved") is suspected


def test_a_performer_that_is_not_there() -> None:
    objects = Objects({"performers": [performer("other").build()]})
    with pytest.raises(KeyError):
        view_of(objects, NAMESPACE, "ml", CATALOGUE, NOW)


def test_a_resize_that_waits_says_for_what() -> None:
    wanted = ML.resources(requests={"cpu": "2"})
    has = {"requests": {"cpu": "1"}}
    pod = pod_of(wanted).on("node-1").ready().has(**has)
    waits = pod.condition("PodResizePending", "True", "Deferred", "not enough cpu").build()
    seen = view(wanted, waits, status={"phase": "Running", "resources": has})
    found = why(seen, NOW)
    assert found.serves
    assert found.sentence.endswith(
        "is resized to requests cpu 2: node node-1 says Deferred (not enough cpu)"
    )
    assert dict(card(facts(seen, found), NOW))["Resources"] == "requests cpu 1"


SELECTS = GPU.scheduling(nodeSelector={"example.com/pool": "ml"})
ZONED = GPU.scheduling(nodeSelector={"topology.kubernetes.io/zone": "b"})
PLAIN = performer("ml").scheduling(nodeSelector={"disk": "ssd"})
LABEL = "; kubectl label node {}, or change spec.scheduling"

CURES = [
    ("a label", SELECTS, [gpu_node(), node("n")], LABEL.format("gpu-1 example.com/pool=ml")),
    ("a label, no hardware", PLAIN, [node("n"), node("m")], LABEL.format("m disk=ssd")),
    (
        "not the label of a node whose taint is not tolerated",
        SELECTS,
        [gpu_node().taint("dedicated"), gpu_node("gpu-2")],
        LABEL.format("gpu-2 example.com/pool=ml"),
    ),
    (
        "not another value of a label",
        SELECTS,
        [gpu_node().label("example.com/pool", "web")],
        "asks for; change spec.scheduling",
    ),
    ("not a label of Kubernetes", ZONED, [gpu_node()], "asks for; change spec.scheduling"),
    (
        "not where a node has the labels",
        PLAIN,
        [node("n").label("disk", "ssd"), node("m")],
        "1 Insufficient nvidia.com/gpu; change spec.scheduling",
    ),
    (
        "a toleration",
        GPU,
        [gpu_node().taint("dedicated")],
        "which is not tolerated; add to spec.scheduling.tolerations: "
        "{key: dedicated, operator: Exists, effect: NoSchedule}, or change spec.scheduling",
    ),
]


@pytest.mark.parametrize(
    ("owner", "nodes", "said"), [each[1:] for each in CURES], ids=[each[0] for each in CURES]
)
def test_the_cure_is_named(owner: PerformerBuilder, nodes: list[Any], said: str) -> None:
    pod = pod_of(owner).unschedulable(NO_NODE).build()
    sentence = why(view(owner, pod, nodes=tuple(n.build() for n in nodes)), NOW).sentence
    assert said in sentence
