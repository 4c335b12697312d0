"""What may be handed on of a cluster: no values of variables, and other names."""

import json
from collections.abc import Callable

import pytest

from builders import performer, pod_of
from hourglass_kube.types import JSON
from hourglass_operator.api import PerformerSpec
from hourglass_operator.plugin.anonymous import anonymous
from hourglass_operator.plugin.masking import masked
from hourglass_operator.resources import names
from hourglass_operator.resources.template import template_hash

SECRET = "hunter2"
VARIABLE = {"name": "PASSWORD", "value": SECRET}
REFERENCE = {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "vault", "key": "k"}}}
ACME = (
    performer("acme-model")
    .image("registry.acme.example/acme/model:v1")
    .config(
        env=[VARIABLE, REFERENCE],
        environment={"TOKEN": SECRET},
        environmentFrom=[{"configMapRef": {"name": "acme-settings"}}],
        serviceAccountName="acme-robot",
        args=["--customer=acme"],
    )
)


def cluster() -> list[JSON]:
    """A Performer that runs, its node, and a Deployment, all with names that say whose they are."""
    old = pod_of(ACME).on("acme-gpu-1").ready()
    worker = ACME.with_status(
        phase="Running",
        podName=old.name,
        templateHash=ACME.hash,
        servingTemplateHash=ACME.hash,
        conditions=[{"type": "Ready", "message": "pod on node acme-gpu-1 serves"}],
    ).annotated("kubectl.kubernetes.io/last-applied-configuration", SECRET)
    node = {"name": "acme-gpu-1", "labels": {"kubernetes.io/hostname": "acme-gpu-1.lan"}}
    template = {"spec": {"containers": [{"name": "c", "image": "acme/web:1", "env": [VARIABLE]}]}}
    status = {"addresses": [{"type": "InternalIP", "address": "10.1.2.3"}]}
    return [
        {"apiVersion": "v1", "kind": "Node", "metadata": node, "spec": {}, "status": status},
        worker.build(),
        {"apiVersion": "v1", "kind": "Pod", **old.build()},
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "acme-web", "namespace": "acme-prod"},
            "spec": {"template": template, "selector": {"matchLabels": {"app": "acme-web"}}},
        },
    ]


BOTH = pytest.mark.parametrize("handed_on", [masked, anonymous], ids=["masked", "anonymous"])
HandedOn = Callable[[list[JSON]], list[JSON]]


@BOTH
def test_no_value_of_a_variable_is_left(handed_on: HandedOn) -> None:
    assert SECRET in json.dumps(cluster())
    assert SECRET not in json.dumps(handed_on(cluster()))


@BOTH
def test_a_pod_of_the_wanted_template_stays_so(handed_on: HandedOn) -> None:
    _, worker, pod, _ = handed_on(cluster())
    digest = template_hash(PerformerSpec.model_validate(worker["spec"]))
    assert pod["metadata"]["labels"][names.HASH_LABEL] == digest
    assert worker["status"]["templateHash"] == worker["status"]["servingTemplateHash"] == digest
    assert digest != ACME.hash


def test_what_a_variable_refers_to_is_no_secret() -> None:
    assert REFERENCE in masked(cluster())[1]["spec"]["config"]["env"]


def test_what_has_no_values_is_left_alone() -> None:
    plain = [performer("plain").with_status(templateHash="x").build()]
    assert masked(plain) == plain


def test_what_the_operator_cannot_read_is_masked_all_the_same() -> None:
    broken: JSON = {"kind": "Performer", "metadata": {"name": "x"}, "spec": {"env": [VARIABLE]}}
    assert SECRET not in json.dumps(masked([broken]))


def test_nothing_says_whose_cluster_it_is() -> None:
    found = anonymous(cluster())
    # Of the builder's pods; those of a real API server are made by chance.
    text = json.dumps(found).replace(found[2]["metadata"]["uid"], "")
    for private in ("acme", "registry", "vault", "10.1.2.3"):
        assert private not in text


def test_what_belongs_together_still_does() -> None:
    node, worker, pod, deployment = anonymous(cluster())
    name = worker["metadata"]["name"]
    assert pod["spec"]["nodeName"] == node["metadata"]["name"]
    assert node["metadata"]["labels"]["kubernetes.io/hostname"] == node["metadata"]["name"]
    assert worker["status"]["podName"] == pod["metadata"]["name"]
    assert pod["metadata"]["labels"][names.NAME_LABEL] == name
    assert pod["metadata"]["ownerReferences"][0]["name"] == name
    assert pod["spec"]["containers"][0]["image"] == worker["spec"]["image"]
    assert pod["spec"]["containers"][0]["name"] == names.CONTAINER
    selected = deployment["spec"]["selector"]["matchLabels"]["app"]
    assert selected == deployment["metadata"]["name"]


def test_what_every_cluster_has_keeps_its_name() -> None:
    (pod,) = anonymous(
        [
            {
                "kind": "Pod",
                "metadata": {"name": "dns", "namespace": "kube-system"},
                "spec": {"nodeSelector": {"kubernetes.io/os": "linux"}},
            }
        ]
    )
    assert pod["metadata"]["namespace"] == "kube-system"
    assert pod["spec"]["nodeSelector"] == {"kubernetes.io/os": "linux"}
