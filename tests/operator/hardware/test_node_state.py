"""A node that is going or coming is away; a taint that is somebody's will closes it."""

import pytest
import yaml

from builders import CATALOGUE, NodeBuilder, PerformerBuilder, node, performer
from hourglass_kube.node import Taint, view
from hourglass_operator.hardware.catalogue import load
from hourglass_operator.hardware.explain import Explanation, explain
from hourglass_operator.hardware.requirement import requirement
from hourglass_operator.resources.pod import build_pod_spec

GPU = performer("ml").gpu("nvidia-a100")
PLAIN = performer("web")
SAID = "0/1 nodes are available: 1 node(s) had untolerated taint(s)."


def a100(name: str = "g") -> NodeBuilder:
    return node(name).label("accelerator", "nvidia-a100").offers("nvidia.com/gpu", 1)


def explained(asking: PerformerBuilder, *nodes: NodeBuilder, said: str = "") -> Explanation:
    spec = asking.typed
    needed = requirement(spec, CATALOGUE)
    views = [view(each.build()) for each in nodes]
    return explain(CATALOGUE, needed, views, {}, build_pod_spec(spec, needed), said)


PASSING = {
    "karpenter.sh/disrupted": "being removed by Karpenter",
    "karpenter.sh/disruption": "being removed by Karpenter",
    "karpenter.sh/unregistered": "not initialized yet (Karpenter)",
    "ToBeDeletedByClusterAutoscaler": "being removed by the cluster autoscaler",
    "DeletionCandidateOfClusterAutoscaler": "chosen for removal by the cluster autoscaler",
    "startup-taint.cluster-autoscaler.kubernetes.io/topolvm": "not initialized yet",
    "node.cloudprovider.kubernetes.io/uninitialized": "not initialized yet (cloud provider)",
    "node.cloudprovider.kubernetes.io/shutdown": "shut down",
    "node.cluster.x-k8s.io/uninitialized": "not initialized yet (Cluster API)",
    "node.gardener.cloud/critical-components-not-ready": "not initialized yet (Gardener)",
    "readiness.k8s.io/NetworkReady": "not initialized yet",
    "node.cilium.io/agent-not-ready": "not initialized yet (Cilium)",
    "cni.istio.io/not-ready": "not initialized yet (Istio)",
    "ebs.csi.aws.com/agent-not-ready": "not initialized yet (EBS)",
    "efs.csi.aws.com/agent-not-ready": "not initialized yet (EFS)",
    "s3.csi.scality.com/agent-not-ready": "not initialized yet (an agent)",
    "aws-node-termination-handler/spot-itn": "being removed by the AWS node termination handler",
    "aws-node-termination-handler/rebalance-recommendation": (
        "being removed by the AWS node termination handler"
    ),
    "cloud.google.com/impending-node-termination": "being removed by GKE",
    "remediator.kubernetes.azure.com/unschedulable": "being repaired or removed by AKS",
    "medik8s.io/remediation": "being repaired by Medik8s",
    "weave.works/kured-node-reboot": "being restarted by Kured",
    "amd-gpu-driver-upgrade": "being upgraded to another GPU driver",
    "node.kubernetes.io/not-ready": "not ready",
    "node.kubernetes.io/unreachable": "not ready",
    "node.kubernetes.io/unschedulable": "cordoned",
    "node.kubernetes.io/memory-pressure": "under memory pressure",
    "node.kubernetes.io/pid-pressure": "short of process IDs",
    "node.kubernetes.io/network-unavailable": "not connected to the pod network yet",
    "node.kubernetes.io/out-of-service": "out of service",
    "node.kubernetes.io/of-the-future": "in the state 'of the future'",
}


@pytest.mark.parametrize("effect", ["NoSchedule", "NoExecute"])
@pytest.mark.parametrize(("key", "state"), PASSING.items())
def test_a_taint_that_passes_makes_the_hardware_unavailable_and_is_not_to_be_tolerated(
    key: str, state: str, effect: str
) -> None:
    found = explained(GPU, a100().taint(key, "true", effect))
    assert found == Explanation(True, f"needs 1 × nvidia-a100: node g is {state}")


@pytest.mark.parametrize(
    "key",
    [
        "nvidia.com/gpu",
        "kubernetes.azure.com/scalesetpriority",
        "cloud.google.com/gke-spot",
        "node-role.kubernetes.io/control-plane",
        "dedicated",
        "karpenter.sh/controller",
        "example.com/node.kubernetes.io",
    ],
)
def test_any_other_taint_is_somebodys_will_and_named_with_its_toleration(key: str) -> None:
    found = explained(GPU, a100().taint(key))
    assert not found.hardware
    assert f"has the taint {key}:NoSchedule, which is not tolerated" in found.message
    assert f"{{key: {key}, operator: Exists, effect: NoSchedule}}" in found.message


WITH_WILL = a100().taint("karpenter.sh/disrupted").taint("team", "x")


@pytest.mark.parametrize(
    ("asking", "nodes", "hardware", "words"),
    [
        pytest.param(
            GPU,
            [a100().taint("karpenter.sh/disrupted").cordoned()],
            True,
            "node g is cordoned and being removed by Karpenter",
            id="cordoned as well",
        ),
        pytest.param(
            GPU,
            [a100().not_ready().taint("node.kubernetes.io/not-ready").taint("x/agent-not-ready")],
            True,
            "node g is not ready and not initialized yet (an agent)",
            id="not ready as well",
        ),
        pytest.param(
            GPU,
            [
                a100()
                .taint("node.cloudprovider.kubernetes.io/uninitialized", "true")
                .taint("node.cilium.io/agent-not-ready")
                .taint("node.kubernetes.io/not-ready", effect="NoExecute"),
            ],
            True,
            "node g is not initialized yet (cloud provider, Cilium) and not ready",
            id="several say the same",
        ),
        pytest.param(
            GPU,
            [
                a100("a").taint("karpenter.sh/disrupted"),
                a100("b").taint("karpenter.sh/disruption", "disrupting"),
                a100("c").taint("node.cloudprovider.kubernetes.io/uninitialized", "true"),
                node("d"),
            ],
            True,
            "nodes a and b are being removed by Karpenter, "
            "c is not initialized yet (cloud provider); 1 other node has no such GPU",
            id="nodes in several states",
        ),
        pytest.param(
            GPU,
            [WITH_WILL],
            False,
            "node g is being removed by Karpenter, with the taint team=x:NoSchedule, which is not "
            "tolerated; a taint is tolerated by an entry in spec.scheduling.tolerations: "
            "{key: team, operator: Equal, value: x, effect: NoSchedule}",
            id="somebody's will is to blame, and a state is said beside it",
        ),
        pytest.param(
            GPU.scheduling(tolerations=[{"key": "team", "operator": "Exists"}]),
            [WITH_WILL],
            True,
            "node g is being removed by Karpenter",
            id="somebody's will is tolerated",
        ),
        pytest.param(
            GPU.scheduling(tolerations=[{"operator": "Exists"}]),
            [a100().taint("karpenter.sh/disrupted")],
            False,
            "node g has enough that no Performer uses, but another reason keeps the pod off",
            id="the state is tolerated",
        ),
        pytest.param(
            GPU,
            [a100().taint("karpenter.sh/disrupted", effect="PreferNoSchedule")],
            False,
            "node g has enough that no Performer uses, but another reason keeps the pod off",
            id="a preference keeps no pod off",
        ),
        pytest.param(
            GPU,
            [a100().cordoned().condition("PreemptScheduled", "True")],
            True,
            "node g is cordoned and being removed by Azure",
            id="a condition says why it is cordoned",
        ),
        pytest.param(
            GPU,
            [a100().cordoned().label("nvidia.com/gpu-driver-upgrade-state", "drain-required")],
            True,
            "node g is cordoned and being upgraded to another GPU driver",
            id="a label says why it is cordoned",
        ),
        pytest.param(
            GPU,
            [a100().offers("nvidia.com/gpu", 0).condition("AcceleratedHardwareReady", "False")],
            True,
            "node g is faulty (EKS node monitoring)",
            id="a condition says why it offers none",
        ),
        pytest.param(
            GPU,
            [a100().offers("nvidia.com/gpu", 0).label("nvidia.com/mig.config.state", "pending")],
            True,
            "node g is being cut into other GPU slices",
            id="a label says why it offers none",
        ),
        pytest.param(
            GPU,
            [a100().condition("PreemptScheduled", "True")],
            False,
            "node g has enough that no Performer uses, but another reason keeps the pod off",
            id="a condition alone keeps no pod off",
        ),
        pytest.param(
            GPU,
            [a100().cordoned().condition("PreemptScheduled", "False")],
            True,
            "node g is cordoned",
            id="a condition that does not hold says nothing",
        ),
    ],
)
def test_what_is_said_of_nodes_with_the_hardware(
    asking: PerformerBuilder, nodes: list[NodeBuilder], hardware: bool, words: str
) -> None:
    assert explained(asking, *nodes) == Explanation(hardware, f"needs 1 × nvidia-a100: {words}")


@pytest.mark.parametrize(
    ("asking", "nodes", "words"),
    [
        pytest.param(
            PLAIN,
            [node("a").taint("karpenter.sh/disrupted"), node("b").cordoned(), node("c")],
            f"node a is being removed by Karpenter, b is cordoned. The scheduler says: {SAID}",
            id="states are named",
        ),
        pytest.param(PLAIN, [node("a").taint("team", "x"), node("c")], SAID, id="wills are not"),
        pytest.param(PLAIN, [], SAID, id="no nodes"),
    ],
)
def test_a_pod_without_hardware_hears_of_nodes_that_are_away(
    asking: PerformerBuilder, nodes: list[NodeBuilder], words: str
) -> None:
    assert explained(asking, *nodes, said=SAID) == Explanation(False, words)


def test_five_thousand_nodes_in_all_states_fit_into_a_message() -> None:
    keys = [*PASSING, "", "team"]
    nodes = []
    for number in range(5000):
        key = keys[number % len(keys)]
        name = f"ip-10-0-{number // 256:03}-{number % 256:03}.eu-central-1.compute.internal"
        nodes.append(a100(name).taint(key) if key else a100(name).offers("nvidia.com/gpu", 0))
    found = explained(GPU, *nodes, said=SAID)
    assert found.hardware
    assert len(found.message) <= 1024
    assert found.message.endswith(SAID)


def test_administrators_add_states_of_their_own() -> None:
    own = load(
        yaml.safe_dump(
            {
                "nodeStates": [
                    {"state": "being drained by us", "taints": ["ops.example.com/drain*"]},
                    {"state": "leaving", "taints": ["karpenter.sh/disrupted"]},
                ]
            }
        )
    ).node_states

    def state(key: str) -> str:
        found = own.of_taint(Taint(key, "", "NoSchedule"))
        return found.text if found else ""

    assert state("ops.example.com/drain-soon") == "being drained by us"
    assert state("karpenter.sh/disrupted") == "leaving"
    assert state("karpenter.sh/disruption") == "being removed by Karpenter"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "nodeStates: [{state: x, taints: ['a b']}]",
            "hardware catalogue: nodeStates[0].taints[0]: not a taint key (* stands for any "
            "characters): ",
        ),
        (
            "nodeStates: [{state: x, taints: ['*']}]",
            "hardware catalogue: nodeStates[0].taints[0]: not a taint key: it would stand for "
            "every taint, found '*'",
        ),
        ("nodeStates: [{taints: [a]}]", "hardware catalogue: nodeStates[0].state: Field required"),
        (
            "nodeStates: [{state: x, conditions: {Ready: true}}]",
            "hardware catalogue: nodeStates[0].conditions.Ready: Input should be a valid string "
            "(write it in quotes), found True",
        ),
    ],
)
def test_a_mistake_in_a_state_is_named(text: str, message: str) -> None:
    with pytest.raises(ValueError, match="nodeStates") as raised:
        load(text)
    assert str(raised.value).startswith(message)
