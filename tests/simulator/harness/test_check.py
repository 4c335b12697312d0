"""`hourglass-sim check`: would it run on this cluster, and what if?"""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from hourglass_kube.types import JSON
from hourglass_simulator.cli import main

ROOT = Path(__file__).parents[3]
GPU = "nvidia.com/gpu"


def gpu_node(name: str, count: int = 2) -> JSON:
    resources = {"cpu": "16", "memory": "64Gi", "pods": "110", GPU: str(count)}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "uid": "from-the-cluster",
            "resourceVersion": "12345",
            "labels": {"accelerator": "nvidia-tesla-a100"},
        },
        "spec": {"taints": [{"key": GPU, "value": "present", "effect": "NoSchedule"}]},
        "status": {
            "allocatable": resources,
            "capacity": resources,
            "conditions": [{"type": "Ready", "status": "True"}],
        },
    }


def gpu_pod(name: str, node: str, count: int, *, owner: str = "ReplicaSet") -> JSON:
    amounts = {GPU: str(count)}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": "others",
            "ownerReferences": [
                {"apiVersion": "v1", "kind": owner, "name": "o", "uid": "u", "controller": True}
            ],
        },
        "spec": {
            "nodeName": node,
            "serviceAccountName": "somebody",
            "tolerations": [{"operator": "Exists"}],
            "containers": [
                {"name": "c", "image": "i:1", "resources": {"limits": amounts, "requests": amounts}}
            ],
        },
        "status": {"phase": "Running"},
    }


def snapshot(folder: Path, *items: JSON) -> Path:
    file = folder / "cluster.yaml"
    file.write_text(yaml.safe_dump({"apiVersion": "v1", "kind": "List", "items": list(items)}))
    return file


def check(manifest: Path | str, cluster: Path, *options: str) -> Result:
    command = ["check", str(manifest), "--cluster", str(cluster), *options]
    return CliRunner().invoke(main, command, catch_exceptions=False)


EXAMPLE = ROOT / "examples" / "gpu.yaml"
NODES = (gpu_node("gpu-1"), gpu_node("gpu-2"))

CASES: list[tuple[str, list[JSON], list[str], int, str]] = [
    ("a free cluster", [*NODES], [], 0, "gpu-1"),
    ("one node in use", [*NODES, gpu_pod("a", "gpu-1", 1)], [], 0, "gpu-2"),
    (
        "both nodes in use",
        [*NODES, gpu_pod("a", "gpu-1", 1), gpu_pod("b", "gpu-2", 1)],
        [],
        1,
        "needs 2 × nvidia-a100",
    ),
    ("one node gone", [*NODES], ["--without", "gpu-1"], 0, "gpu-2"),
    ("both nodes gone", [*NODES], ["--without", "gpu-1", "--without", "gpu-2"], 1, "no nodes"),
    (
        "the other node's pods need the place",
        [*NODES, gpu_pod("a", "gpu-2", 1)],
        ["--drain", "gpu-2"],
        1,
        "gpu-2 is cordoned",
    ),
    (
        "the other node's daemon needs no place",
        [*NODES, gpu_pod("a", "gpu-2", 1, owner="DaemonSet")],
        ["--drain", "gpu-2"],
        0,
        "gpu-1",
    ),
    ("too small a node", [gpu_node("gpu-1", 1)], [], 1, "needs 2 × nvidia-a100"),
]


@pytest.mark.parametrize(
    ("items", "options", "code", "says"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_check(tmp_path: Path, items: list[JSON], options: list[str], code: int, says: str) -> None:
    result = check(EXAMPLE, snapshot(tmp_path, *items), *options)
    assert (result.exit_code, says in result.output) == (code, True), result.output


@pytest.mark.parametrize(
    ("catalogue", "code", "says"),
    [
        ("", 1, "2 × our-card"),
        ("gpus: [{names: [our-card], labels: {accelerator: [nvidia-tesla-a100]}}]", 0, "yes"),
        ("gpus: [{names: [our-card], resource: [wrong]}]", 2, "gpus[0].resource"),
    ],
    ids=["the built-in one", "one that names the card", "one with a mistake"],
)
def test_nodes_are_judged_by_the_catalogue_of_the_operator(
    tmp_path: Path, catalogue: str, code: int, says: str
) -> None:
    file, manifest = tmp_path / "catalogue.yaml", tmp_path / "performer.yaml"
    file.write_text(catalogue)
    manifest.write_text(EXAMPLE.read_text().replace('"nvidia-a100"', '"our-card"'))
    options = ["--hardware-catalogue", str(file)] if catalogue else []
    result = check(manifest, snapshot(tmp_path, *NODES), *options)
    assert (result.exit_code, says in result.output) == (code, True), result.output


def test_check_for_programs(tmp_path: Path) -> None:
    result = check(EXAMPLE, snapshot(tmp_path, *NODES), "-o", "json")
    (answer,) = json.loads(result.output)
    assert (answer["runs"], answer["node"], answer["phase"]) == (True, "gpu-1", "Running")
    assert [c["type"] for c in answer["conditions"]][-1] == "Ready"


FAULTY = """
apiVersion: hourglass.eigenlayer.io/v1alpha1
kind: Performer
metadata: {name: faulty}
spec:
  avsAddress: "0x12"
  image: i:1
  config:
    grpcPort: 99999
    env:
    - name: A
"""
FAULTS = [
    (
        "values that are refused, of the second document",
        f"{FAULTY.replace('0x12', '0x' + 40 * '1').replace('99999', '1')}---{FAULTY}",
        [
            "20: spec.config.grpcPort: Invalid value: 99999: ",
            "17: spec.avsAddress: Invalid value: ",
        ],
    ),
    (
        "fields that are unknown",
        f"{FAULTY}      valu: b\n  imag: x\n",
        ["12: spec.config.env[0].valu: unknown field", "13: spec.imag: unknown field"],
    ),
]


@pytest.mark.parametrize(
    ("text", "lines"), [each[1:] for each in FAULTS], ids=[each[0] for each in FAULTS]
)
def test_faults_have_the_line_of_their_field(tmp_path: Path, text: str, lines: list[str]) -> None:
    file = tmp_path / "p.yaml"
    file.write_text(text)
    result = check(file, snapshot(tmp_path, *NODES))
    assert result.exit_code == 2
    for line in lines:
        assert f"{file}:{line}" in result.stderr


def test_who_makes_room_is_named(tmp_path: Path) -> None:
    """Of two nodes in use, one has a pod that is as important."""
    high = {**HIGH, "preemptionPolicy": "PreemptLowerPriority"}
    important = gpu_pod("important", "gpu-1", 1)
    important["spec"] |= {"priorityClassName": "high", "priority": 1000}
    manifest = tmp_path / "p.yaml"
    written = yaml.safe_load(EXAMPLE.read_text())
    written["spec"]["scheduling"]["priorityClassName"] = "high"
    manifest.write_text(yaml.safe_dump(written))
    file = snapshot(tmp_path, *NODES, high, important, gpu_pod("victim", "gpu-2", 1))
    printed = check(manifest, file)
    assert printed.exit_code == 0, printed.output
    assert "yes, evicts 1" in printed.output
    assert "  evicts pod others/victim, which is less important\n" in printed.output
    (answer,) = json.loads(check(manifest, file, "-o", "json").stdout)
    assert answer["evicts"] == ["others/victim"]


def test_what_a_performer_refers_to_is_taken_to_exist(tmp_path: Path) -> None:
    plain = gpu_node("plain", 0)
    plain["spec"] = {}
    result = check(ROOT / "examples" / "env.yaml", snapshot(tmp_path, plain))
    assert result.exit_code == 0, result.output


HEAD = "apiVersion: hourglass.eigenlayer.io/v1alpha1\nkind: Performer\nmetadata: {name: x}\n"
BAD: list[tuple[str, str, str, str]] = [
    ("a manifest that is not there", "", "items: []", "no such file"),
    (
        "a manifest without a Performer",
        "{kind: Pod, apiVersion: v1, metadata: {name: x}}\n",
        "items: []",
        "no Performer of hourglass.eigenlayer.io in it, found v1/Pod",
    ),
    (
        "a Performer without its apiVersion",
        "{kind: Performer, metadata: {name: x}}\n",
        "items: []",
        "performer.yaml:1: expected an object with apiVersion, kind and metadata.name",
    ),
    (
        "a Performer without a name",
        "{kind: Performer, apiVersion: hourglass.eigenlayer.io/v1alpha1}\n",
        "items: []",
        "performer.yaml:1: expected an object with apiVersion, kind and metadata.name",
    ),
    (
        "a Performer whose spec is a number",
        f"{HEAD}spec: 5\n",
        "items: []",
        'performer.yaml:4: spec: Invalid value: "integer": spec in body must be of type object',
    ),
    (
        "a Performer whose spec is a number, in the second document",
        f"{HEAD}spec: {{avsAddress: '0x{'12' * 20}', image: a}}\n---\n{HEAD}spec: 5\n",
        "items: []",
        "performer.yaml:9: spec: Invalid value: ",
    ),
    (
        "the second item of a List whose spec is a number",
        "kind: List\napiVersion: v1\nitems:\n- {kind: Pod, apiVersion: v1, metadata: {name: y}}\n"
        f"- {{{', '.join(HEAD.splitlines())}, spec: 5}}\n",
        "items: []",
        "performer.yaml:5: items[1].spec: Invalid value: ",
    ),
    (
        "the second item of a List without its apiVersion",
        "kind: List\napiVersion: v1\nitems:\n- {kind: Pod, apiVersion: v1, metadata: {name: y}}\n"
        "- {kind: Performer, metadata: {name: x}}\n",
        "items: []",
        "performer.yaml:5: items[1]: expected an object with apiVersion, kind and metadata.name",
    ),
    (
        "a List whose items are a number",
        "kind: List\napiVersion: v1\nitems: 5\n",
        "items: []",
        "performer.yaml:3: items: expected an object with apiVersion, kind and metadata.name",
    ),
    (
        "a Performer whose namespace is a number",
        HEAD.replace("{name: x}", "{name: x, namespace: 5}"),
        "items: []",
        "performer.yaml:3: metadata.namespace: expected a text, found 5",
    ),
    (
        "a Performer whose labels are a list",
        HEAD.replace("{name: x}", "\n  name: x\n  labels: [a]"),
        "items: []",
        "performer.yaml:5: metadata.labels: expected keys with values, found a list",
    ),
    (
        "a Performer in a namespace that nobody may have",
        HEAD.replace("{name: x}", "{name: x, namespace: N_1}"),
        "items: []",
        'performer.yaml:1: Namespace "N_1" is invalid: metadata.name',
    ),
    (
        "a Performer that refers to a Secret that nobody may have",
        f"{HEAD}spec: {{avsAddress: '0x{'12' * 20}', image: a, config: {{env: "
        "[{name: A, valueFrom: {secretKeyRef: {name: A_b, key: c}}}]}}\n",
        "items: []",
        'performer.yaml:1: Secret "A_b" is invalid: metadata.name',
    ),
    (
        "a Performer with a misspelt field",
        f"{HEAD}spec: {{image: a, hardwareRequirements: {{gputype: x}}}}\n",
        "items: []",
        "performer.yaml:4: spec.hardwareRequirements.gputype: unknown field",
    ),
    ("a manifest that is no object", "- 1\n", "items: []", "expected an object"),
    (
        "a Performer that is refused",
        f"{HEAD}spec: {{avsAddress: '0x12', image: a}}\n",
        "items: []",
        "must be an Ethereum address",
    ),
    ("a snapshot that is no list", "", "kind: Pod", "expected a List"),
    ("a snapshot that is not YAML", "", "{", "not YAML"),
    ("a snapshot with a nameless item", "", "items: [{kind: Node}]", "items[0]"),
    ("a snapshot with a number that is none", "", "items: [!!int x]", "not YAML: x is no int"),
    (
        "a snapshot with a class of priority without its value",
        "",
        "items: [{kind: PriorityClass, metadata: {name: x}, value: null}]",
        "cluster.yaml: items[0] (PriorityClass x).value: required, but missing",
    ),
    (
        "a snapshot with a pod that has no spec",
        "",
        "items: [{kind: Pod, metadata: {name: x, namespace: y}}]",
        "cluster.yaml: items[0] (Pod x).spec: required, but missing",
    ),
    (
        "a snapshot with a pod in no namespace",
        "",
        "items: [{kind: Pod, metadata: {name: x}, spec: {containers: [{name: a, image: b}]}}]",
        "cluster.yaml: items[0] (Pod x).metadata.namespace: required, but missing",
    ),
    (
        "a snapshot with a node whose spec is a number",
        "",
        "items: [{kind: Node, metadata: {name: m}}, {kind: Node, metadata: {name: n}, spec: 5}]",
        "cluster.yaml: items[1] (Node n).spec: expected keys with values, found 5",
    ),
    (
        "a snapshot with a taint that lacks its effect",
        "",
        "items: [{kind: Node, metadata: {name: n}, spec: {taints: [{key: a}]}}]",
        "cluster.yaml: items[0] (Node n).spec.taints[0].effect: required, but missing",
    ),
    (
        "a snapshot with a name that no node may have",
        "",
        "items: [{kind: Node, metadata: {name: N_1}}]",
        'cluster.yaml: Node N_1: Node "N_1" is invalid: metadata.name',
    ),
    (
        "a snapshot with a node whose capacity is no quantity",
        "",
        "items: [{kind: Node, metadata: {name: n}, status: {capacity: {cpu: eight}}}]",
        "cluster.yaml: items[0] (Node n).status.capacity[cpu]: expected a quantity such as 500m or"
        ' 8Gi, found "eight"',
    ),
    (
        "a snapshot with a node whose CPUs are no quantity",
        "",
        "items: [{kind: Node, metadata: {name: n}, status: {allocatable: {cpu: eight}}}]",
        "cluster.yaml: items[0] (Node n).status.allocatable[cpu]: expected a quantity such as 500m"
        ' or 8Gi, found "eight"',
    ),
]


@pytest.mark.parametrize(
    ("manifest", "cluster", "says"), [b[1:] for b in BAD], ids=[b[0] for b in BAD]
)
def test_bad_input(tmp_path: Path, manifest: str, cluster: str, says: str) -> None:
    file, snap = tmp_path / "performer.yaml", tmp_path / "cluster.yaml"
    snap.write_text(cluster)
    if manifest:
        file.write_text(manifest)
    target = file if manifest or says == "no such file" else EXAMPLE
    result = check(target, snap)
    assert (result.exit_code, says in result.output) == (2, True), result.output


def test_what_a_newer_cluster_prints_and_nulls_are_let_be(tmp_path: Path) -> None:
    node = gpu_node("gpu-1")
    node["spec"] |= {"fieldOfTomorrow": {"a": 1}, "podCIDR": None, "unschedulable": None}
    pod = gpu_pod("a", "gpu-1", 0)
    pod["spec"]["containers"][0] |= {"ports": None, "fieldOfTomorrow": []}
    assert check(EXAMPLE, snapshot(tmp_path, node, pod)).exit_code == 0


@pytest.mark.parametrize(
    "printed",
    [
        {"apiVersion": "storage.k8s.io/v1", "kind": "CSINode", "spec": {"drivers": None}},
        {
            "apiVersion": "apps/v1",
            "kind": "DaemonSet",
            "metadata": {"namespace": "default"},
            "spec": {
                "selector": {"matchLabels": {"a": "b"}},
                "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": None}},
            },
        },
    ],
    ids=lambda printed: str(printed["kind"]),
)
def test_a_required_list_that_nobody_has_set_is_null_as_go_writes_it(
    tmp_path: Path, printed: JSON
) -> None:
    printed = {**printed, "metadata": {"name": "gpu-1", **printed.get("metadata", {})}}
    result = check(EXAMPLE, snapshot(tmp_path, gpu_node("gpu-1"), printed))
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("as_list", [True, False], ids=["a List", "one object"])
def test_what_kubectl_prints_of_performers_can_be_checked(tmp_path: Path, as_list: bool) -> None:
    performer = yaml.safe_load(EXAMPLE.read_text())
    performer["metadata"] |= {"resourceVersion": "7", "uid": "u", "generation": 1}
    performer["status"] = {"phase": "Pending"}
    file = tmp_path / "performer.yaml"
    listed = {"apiVersion": "v1", "kind": "List", "items": [performer]}
    file.write_text(yaml.safe_dump(listed if as_list else performer))
    assert check(file, snapshot(tmp_path, *NODES)).exit_code == 0


@pytest.mark.parametrize("option", ["--without", "--drain"])
def test_a_node_that_is_not_there(tmp_path: Path, option: str) -> None:
    result = check(EXAMPLE, snapshot(tmp_path, *NODES), option, "gpu-9")
    assert result.exit_code == 2
    assert "no node gpu-9; expected one of gpu-1, gpu-2" in result.output


def test_a_snapshot_that_is_not_there(tmp_path: Path) -> None:
    result = check(EXAMPLE, tmp_path / "none.yaml")
    assert (result.exit_code, "kubectl get nodes" in result.output) == (2, True)


@pytest.mark.parametrize(
    ("resource", "amount"),
    [
        ("devices.kubevirt.io/kvm", "1k"),
        ("sgx.intel.com/epc", "8Gi"),
        ("example.com/fpga", "2e3"),
        ("example.com/memory", "16Ti"),
    ],
)
def test_devices_are_counted_in_quantities(tmp_path: Path, resource: str, amount: str) -> None:
    node = gpu_node("gpu-1")
    for kind in ("allocatable", "capacity"):
        node["status"][kind] = {**node["status"][kind], resource: amount}
    asking = performer_with(resource, "1")
    (tmp_path / "p.yaml").write_text(yaml.safe_dump(asking))
    result = check(tmp_path / "p.yaml", snapshot(tmp_path, node))
    assert (result.exit_code, "would run" in result.stdout.lower()) == (0, True)


def performer_with(resource: str, amount: str) -> JSON:
    return {
        "apiVersion": "hourglass.eigenlayer.io/v1alpha1",
        "kind": "Performer",
        "metadata": {"name": "p", "namespace": "team"},
        "spec": {
            "avsAddress": "0x1234567890abcdef1234567890abcdef12345678",
            "image": "avs/performer:v1",
            "resources": {"limits": {resource: amount}},
            "scheduling": {"tolerations": [{"operator": "Exists"}]},
        },
    }


def namespaced(kind: str, name: str, **spec: Any) -> JSON:
    meta = {"name": name, "namespace": "ml-workloads"}
    return {"apiVersion": "v1", "kind": kind, "metadata": meta, "spec": spec}


def restricted(level: str) -> JSON:
    labels = {"pod-security.kubernetes.io/enforce": level}
    meta = {"name": "ml-workloads", "labels": labels}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": meta}


QUOTA = namespaced("ResourceQuota", "q", hard={f"requests.{GPU}": "0"})
ROOMY = namespaced("ResourceQuota", "q", hard={f"requests.{GPU}": "8", "pods": "1k"})
LIMITS = namespaced("LimitRange", "limits", limits=[{"type": "Container", "max": {"cpu": "1"}}])
SCOPED = namespaced("ResourceQuota", "q", hard={"pods": "0"}, scopes=["BestEffort"])
HOOK = {
    "apiVersion": "admissionregistration.k8s.io/v1",
    "kind": "ValidatingWebhookConfiguration",
    "metadata": {"name": "images"},
}
CERTIFICATE = {**namespaced("Certificate", "c"), "apiVersion": "cert-manager.io/v1"}
AUTOSCALER = {**namespaced("HorizontalPodAutoscaler", "h"), "apiVersion": "autoscaling/v2"}
EVENT = namespaced("Event", "e")
LEFT_OUT = "left out, though it may change or refuse the pod: "


@pytest.mark.parametrize(
    ("items", "code", "says"),
    [
        pytest.param(
            [QUOTA], 1, "exceeded quota: q, requested: requests.nvidia.com/gpu=", id="a quota"
        ),
        pytest.param([ROOMY], 0, "gpu-1", id="a quota with room"),
        pytest.param(
            [restricted("restricted")],
            1,
            'violates PodSecurity "restricted:latest"',
            id="Pod Security that refuses the pod",
        ),
        pytest.param([restricted("baseline")], 0, "gpu-1", id="Pod Security that lets it in"),
        pytest.param(
            [LIMITS],
            1,
            "maximum cpu usage per Container is 1, but limit is 8",
            id="a LimitRange that refuses the pod",
        ),
        pytest.param([SCOPED], 0, "gpu-1", id="a quota for pods of another quality of service"),
        pytest.param(
            [HOOK, {**HOOK, "metadata": {"name": "other"}}],
            0,
            f"{LEFT_OUT}2 × ValidatingWebhookConfiguration",
            id="webhooks are left out",
        ),
        pytest.param(
            [AUTOSCALER, CERTIFICATE, EVENT],
            0,
            "not simulated, and left out: 1 × Certificate (cert-manager.io/v1), "
            "1 × HorizontalPodAutoscaler",
            id="kinds that are not simulated are named",
        ),
    ],
)
def test_what_the_api_server_would_refuse_counts(
    tmp_path: Path, items: list[JSON], code: int, says: str
) -> None:
    result = check(EXAMPLE, snapshot(tmp_path, gpu_node("gpu-1"), *items))
    assert (result.exit_code, says in result.output) == (code, True), result.output


def test_what_is_left_out_does_not_disturb_a_program(tmp_path: Path) -> None:
    result = check(EXAMPLE, snapshot(tmp_path, gpu_node("gpu-1"), HOOK), "-o", "json")
    assert json.loads(result.stdout)[0]["runs"]
    assert LEFT_OUT in result.stderr


def test_pods_of_the_snapshot_use_up_a_quota(tmp_path: Path) -> None:
    pod = gpu_pod("a", "gpu-1", 1)
    pod["metadata"]["namespace"] = "ml-workloads"
    quota = namespaced("ResourceQuota", "q", hard={f"requests.{GPU}": "2"})
    result = check(EXAMPLE, snapshot(tmp_path, gpu_node("gpu-1", 4), pod, quota))
    assert result.exit_code == 1
    assert "used: requests.nvidia.com/gpu=1, limited: requests.nvidia.com/gpu=2" in result.output


def admitted(**spec: Any) -> JSON:
    pod = gpu_pod("old", "gpu-1", 1)
    return {**pod, "spec": {**pod["spec"], **spec}}


HIGH = {
    "apiVersion": "scheduling.k8s.io/v1",
    "kind": "PriorityClass",
    "metadata": {"name": "high"},
    "value": 1000,
    "preemptionPolicy": "Never",
}
KATA = {
    "apiVersion": "node.k8s.io/v1",
    "kind": "RuntimeClass",
    "metadata": {"name": "kata"},
    "handler": "kata",
    "overhead": {"podFixed": {"cpu": "250m"}},
}
TOKEN = {
    "name": "kube-api-access-x7k2q",
    "projected": {
        "defaultMode": 420,
        "sources": [
            {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
            {
                "configMap": {
                    "name": "kube-root-ca.crt",
                    "items": [{"key": "ca.crt", "path": "ca.crt"}],
                }
            },
        ],
    },
}
LONG_AGO = [
    pytest.param(
        [admitted(priorityClassName="gone", priority=500, preemptionPolicy="Never")],
        id="its PriorityClass was deleted",
    ),
    pytest.param(
        [HIGH, admitted(priorityClassName="high", priority=0)],
        id="its PriorityClass was made anew with another value",
    ),
    pytest.param([admitted(priority=7)], id="its PriorityClass was the default then"),
    pytest.param([admitted(runtimeClassName="gone")], id="its RuntimeClass was deleted"),
    pytest.param(
        [KATA, admitted(runtimeClassName="kata", overhead={"cpu": "100m"})],
        id="its RuntimeClass has another overhead by now",
    ),
    pytest.param(
        [KATA, admitted(runtimeClassName="kata")],
        id="its RuntimeClass had no overhead then",
    ),
    pytest.param(
        [{**QUOTA, "metadata": {"name": "q", "namespace": "others"}}, admitted()],
        id="its namespace has a quota by now that it exceeds",
    ),
    pytest.param(
        [admitted(serviceAccountName="somebody", serviceAccount="somebody", volumes=[TOKEN])],
        id="it has the token of its ServiceAccount",
    ),
    pytest.param(
        [
            admitted(
                ephemeralContainers=[
                    {"name": "debugger", "image": "i:1", "terminationMessagePolicy": "File"}
                ]
            )
        ],
        id="somebody debugs it",
    ),
    pytest.param(
        [admitted(schedulerName="default-scheduler", priority=0, enableServiceLinks=True)],
        id="it has what the server fills in",
    ),
]


@pytest.mark.parametrize("items", LONG_AGO)
@pytest.mark.parametrize("options", [[], ["--drain", "gpu-1"]], ids=["as it is", "drained"])
def test_a_pod_that_was_admitted_long_ago_is_taken_as_it_is(
    tmp_path: Path, items: list[JSON], options: list[str]
) -> None:
    nodes = [gpu_node("gpu-1", 1), gpu_node("gpu-2", 3)]
    result = check(EXAMPLE, snapshot(tmp_path, *nodes, *items), *options)
    assert (result.exit_code, "gpu-2" in result.output) == (0, True), result.output


@pytest.mark.parametrize("items", LONG_AGO)
def test_a_pod_that_was_admitted_long_ago_holds_what_it_has(
    tmp_path: Path, items: list[JSON]
) -> None:
    result = check(EXAMPLE, snapshot(tmp_path, gpu_node("gpu-1", 2), *items))
    says = "node gpu-1 has 2 but too many used by pods of others"
    assert (result.exit_code, says in result.output) == (1, True), result.output
