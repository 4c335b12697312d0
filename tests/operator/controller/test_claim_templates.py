"""The template comes before the pod, one at a time, and goes when no pod uses it."""

from dataclasses import replace
from typing import Any

import pytest

from builders import CATALOGUE, PerformerBuilder, device, node, performer, pod_of, published
from hourglass_kube.types import JSON
from hourglass_operator.controller import Controller, Settings
from hourglass_operator.resources import names
from scene import Scene, calls, conditions_of, scene, status_of

CLAIMING = performer("ml").gpu("nvidia-a100").allocation("ResourceClaim")
AUTO = performer("ml").gpu("nvidia-a100")
TEMPLATE = CLAIMING.template()["metadata"]["name"]
OTHER = CLAIMING.gpu("nvidia-l4")
POD = pod_of(CLAIMING)
SLICE = published("gpu-1", device("gpu-0", "NVIDIA A100-SXM4-40GB"))
NOWHERE = "0/1 nodes are available: 1 cannot allocate all claims."
CREATE = f"create resourceclaimtemplates {TEMPLATE}"
CREATE_POD = f"create pods {POD.name}"


def staged(asking: PerformerBuilder = CLAIMING, *pods: Any, **more: Any) -> Scene:
    given: dict[str, Any] = {"nodes": [node("gpu-1")], "slices": [SLICE], **more}
    return scene(asking, *pods, **given)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (staged(), [CREATE, CREATE_POD]),
        (staged(templates=[CLAIMING.template()]), [CREATE_POD]),
        (staged(CLAIMING, POD, templates=[CLAIMING.template()]), []),
        (staged(CLAIMING, POD.unschedulable(NOWHERE)), [CREATE]),
        (staged(CLAIMING, POD.on("gpu-1")), []),
        (staged(AUTO), [CREATE, f"create pods {pod_of(AUTO).name}"]),
        (staged(AUTO, slices=[]), [f"create pods {pod_of(AUTO).name}"]),
        (staged(templates=[CLAIMING.template(ownerReferences=[])]), [CREATE_POD]),
        (
            staged(
                templates=[CLAIMING.template(ownerReferences=[{"uid": "x", "controller": True}])]
            ),
            [CREATE, CREATE_POD],
        ),
        (
            staged(
                CLAIMING,
                POD.on("gpu-1").ready(),
                serving=[POD],
                templates=[CLAIMING.template(), OTHER.template()],
            ),
            [f"delete resourceclaimtemplates {OTHER.template()['metadata']['name']}"],
        ),
        (
            staged(
                OTHER,
                POD.on("gpu-1").ready(),
                serving=[POD],
                templates=[CLAIMING.template(), OTHER.template()],
            ),
            [f"create pods {pod_of(OTHER).name}"],
        ),
        (staged(CLAIMING.deleting(5.0), templates=[]), []),
    ],
    ids=[
        "before the pod",
        "it is there",
        "the pod waits",
        "somebody has deleted it before the claim was made",
        "the claim was made",
        "Auto, devices are published",
        "Auto, none are",
        "it has lost its owner",
        "one of another has the name",
        "one that no pod uses any more",
        "one that the old pod uses",
        "the Performer is being deleted",
    ],
)
def test_the_template(found: Scene, expected: list[str]) -> None:
    assert [call for call in calls(found.plan(10.0)) if "performers" not in call] == expected


def test_the_pod_refers_to_the_template_and_says_what_it_claims() -> None:
    template, pod = (w.body for w in staged().plan(10.0).writes if w.verb == "create")
    assert template["metadata"]["ownerReferences"] == pod["metadata"]["ownerReferences"]
    assert template["spec"]["metadata"]["labels"]["performer-name"] == "ml"
    assert pod["metadata"]["annotations"][names.CLAIMED] == "gpu.nvidia.com=1"
    assert pod["spec"]["resourceClaims"] == [
        {"name": "hourglass-gpu", "resourceClaimTemplateName": TEMPLATE}
    ]
    (container,) = pod["spec"]["containers"]
    assert container["resources"] == {"claims": [{"name": "hourglass-gpu"}]}


def test_claims_of_ones_own_stand_beside_it() -> None:
    own = [{"name": "nic", "resourceClaimName": "fast"}]
    asking = CLAIMING.config(resourceClaims=own).resources(claims=[{"name": "nic"}])
    pod = next(w.body for w in staged(asking).plan(10.0).writes if w.resource == "pods")
    assert [each["name"] for each in pod["spec"]["resourceClaims"]] == ["nic", "hourglass-gpu"]
    (container,) = pod["spec"]["containers"]
    assert container["resources"]["claims"] == [{"name": "nic"}, {"name": "hourglass-gpu"}]


def test_a_template_that_is_refused_is_why_there_is_no_pod() -> None:
    found = staged()
    plan = found.plan(10.0)
    found.answer(plan, 10.0, 403, message="exceeded quota: claims")
    later = found.plan(11.0)
    assert calls(later) == []
    status = status_of(later)
    assert status["phase"] == "Failed"
    assert conditions_of(status)["Available"] == "False/ClaimRejected"
    assert calls(found.plan(1000.0)) == [CREATE, CREATE_POD]


def absent(asking: PerformerBuilder) -> Scene:
    found = staged(asking, slices=[])
    for resource in ("resourceslices", "resourceclaimtemplates"):
        found.controller.event_handler.absent(resource, 0.0)
    return found


OWN = performer("ml").config(resourceClaims=[{"name": "nic", "resourceClaimName": "fast"}])
GAUDI = performer("ml").gpu("gaudi2").allocation("ResourceClaim")


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (absent(CLAIMING), "which spec.hardwareRequirements.allocation ResourceClaim needs"),
        (absent(OWN), "which spec.config.resourceClaims needs"),
        (staged(GAUDI), "the hardware catalogue does not say how gaudi2 is claimed"),
    ],
    ids=["the cluster knows no claims", "nor those of ones own", "no class is known"],
)
def test_a_pod_that_would_lack_its_devices_is_not_made(found: Scene, words: str) -> None:
    plan = found.plan(10.0)
    assert calls(plan) == []
    status = status_of(plan)
    assert conditions_of(status)["Available"] == "False/HardwareUnavailable"
    assert status["phase"] == "Failed"
    assert words in status["conditions"][-1]["message"]


def test_what_serves_is_not_given_up_for_a_pod_that_cannot_be_made() -> None:
    old = pod_of(performer("ml")).on("gpu-1").ready()
    found = staged(GAUDI.strategy("Recreate"), old, serving=[old])
    assert calls(found.plan(10.0)) == []


@pytest.mark.parametrize("asking", [AUTO, CLAIMING.allocation("DevicePlugin")])
def test_without_claims_device_plugins_are_asked(asking: PerformerBuilder) -> None:
    assert calls(absent(asking).plan(10.0)) == [f"create pods {pod_of(asking).name}"]


def test_a_cluster_that_comes_to_serve_claims_is_noticed() -> None:
    found = absent(CLAIMING)
    handler, queue = found.controller.event_handler, found.controller.queue
    while (key := queue.get(1.0)) is not None:
        queue.done(key)
    handler.retain("resourceclaimtemplates", set(), "99", 2.0)
    assert queue.get(2.0) == found.key
    assert calls(found.plan(3.0)) == [CREATE, CREATE_POD]


def test_an_upgrade_takes_the_device_from_the_old_pod() -> None:
    newer = CLAIMING.image("avs/performer:v2")
    old, new = POD.on("gpu-1").ready(), pod_of(newer).unschedulable(NOWHERE)
    found = staged(newer, old, new, serving=[old], templates=[CLAIMING.template()])
    assert calls(found.plan(10.0)) == [f"delete pods {old.name}"]


def test_an_old_pod_keeps_its_device_from_another_that_waits() -> None:
    newer = CLAIMING.image("avs/performer:v2")
    old, new = POD.on("gpu-1").ready(), replace(pod_of(newer), created=9.0).unschedulable(NOWHERE)
    found = staged(newer, old, new, serving=[old], templates=[CLAIMING.template()])
    waits = performer("other").with_uid("uid-2").gpu("nvidia-a100").allocation("ResourceClaim")
    found.sees("performers", waits.build())
    found.sees("pods", replace(pod_of(waits), created=1.0).unschedulable(NOWHERE).build())
    plan = found.plan(10.0)
    assert calls(plan) == []
    message = status_of(plan)["conditions"][-1]["message"]
    assert "keeps its resource.k8s.io/gpu.nvidia.com: Performer avs/other waits" in message


@pytest.mark.parametrize("event", ["MODIFIED", "DELETED"])
def test_who_waits_for_a_device_looks_again_when_slices_change(event: str) -> None:
    found = staged(CLAIMING, POD.unschedulable(NOWHERE), templates=[CLAIMING.template()])
    controller = found.controller
    while (key := controller.queue.get(100.0)) is not None:
        controller.queue.done(key)
    changed: JSON = published("gpu-1", device("gpu-9", "NVIDIA L4"))
    found.sees("resourceslices", changed, event=event, now=100.0)
    assert controller.queue.get(200.0) == found.key


def test_of_devices_only_what_claims_ask_for_is_kept() -> None:
    controller = Controller(CATALOGUE, Settings())
    controller.event_handler.listed("resourceslices", SLICE, "1", 0.0)
    kept = CATALOGUE.claimed_attributes
    assert {"productName", "type", "profile", "memory", "architecture"} <= kept
    assert "uuid" not in kept


def test_a_refused_template_is_remembered_beside_one_for_another_claim() -> None:
    found = staged(templates=[OTHER.template()])
    first = found.plan(10.0)
    assert calls(first)[0] == CREATE
    found.answer(first, 10.0, 403, message="exceeded quota: claims")
    assert calls(found.plan(11.0)) == []
