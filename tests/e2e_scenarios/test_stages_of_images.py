"""The Stages by which KWOK plays the images of a scenario."""

import re
from collections import Counter
from typing import Any

import pytest
import yaml

from hourglass_simulator.scenario.cluster import Image
from scenarios.stages import USUAL, image_expression, stages, transitions


def image(**words: object) -> Image:
    """An image in the words of a scenario file."""
    return Image.model_validate(words)


COMMON = {"bound", "stopping", "stopped", "ended"}

STATES = {
    "that is well": (Image(), {"ContainerCreating": "running, ready"}),
    "that does not exist": (
        image(missing=True),
        {
            "ContainerCreating": "waiting: ErrImagePull",
            "ErrImagePull": "waiting: ImagePullBackOff",
            "ImagePullBackOff": "waiting: ErrImagePull",
        },
    ),
    "that wants credentials": (
        image(unauthorized=True),
        {
            "ContainerCreating": "waiting: ErrImagePull",
            "ErrImagePull": "waiting: ImagePullBackOff",
            "ImagePullBackOff": "waiting: ErrImagePull",
        },
    ),
    "without the command": (
        image(commandMissing=True),
        {
            "ContainerCreating": "waiting: RunContainerError",
            "RunContainerError": "waiting: CrashLoopBackOff",
        },
    ),
    "that is ready late": (
        image(readyAfter="30s"),
        {"ContainerCreating": "running", "running": "running, ready"},
    ),
    "that is never ready": (image(neverReady=True), {"ContainerCreating": "running"}),
    "that is not ready any more": (
        image(readyUntil="60s"),
        {"ContainerCreating": "running, ready", "ready": "running"},
    ),
    "that crashes before it is ready": (
        image(readyAfter="10s", exitsAfter="5s"),
        {
            "ContainerCreating": "running",
            "running": "terminated: Error",
            "exited": "running, restarted",
            "crashed": "waiting: CrashLoopBackOff",
            "CrashLoopBackOff": "running, restarted",
        },
    ),
    "that crashes once it is ready": (
        image(exitsAfter="20s", outOfMemory=True),
        {
            "ContainerCreating": "running, ready",
            "ready": "terminated: OOMKilled",
            "exited": "running, ready, restarted",
            "crashed": "waiting: CrashLoopBackOff",
            "CrashLoopBackOff": "running, ready, restarted",
        },
    ),
    "that is ready for a while": (
        image(readyAfter="5s", exitsAfter="20s"),
        {
            "ContainerCreating": "running",
            "running": "running, ready",
            "ready": "terminated: Error",
            "exited": "running, restarted",
            "crashed": "waiting: CrashLoopBackOff",
            "CrashLoopBackOff": "running, restarted",
        },
    ),
}


def described(container: Any) -> str:
    words = [container.state]
    if container.state != "running":
        return f"{container.state}: {container.reason}"
    words += ["ready"] * container.ready + ["restarted"] * container.restarted
    return ", ".join(words)


@pytest.mark.parametrize(("behaves", "expected"), STATES.values(), ids=STATES)
def test_a_pod_of_an_image(behaves: Image, expected: dict[str, str]) -> None:
    found = {each.state: each.container for each in transitions(behaves, "a")}
    assert {
        state: described(container) for state, container in found.items() if state not in COMMON
    } == expected
    assert set(found) - set(expected) == COMMON


@pytest.mark.parametrize(
    ("behaves", "seconds"),
    [
        (Image(), 2.1),
        (image(pull="30s"), 30.9),
        (image(pull="30s", start="5s"), 35.9),
        (image(missing=True), 1.0),
    ],
    ids=["a usual pull", "a slow pull", "a slow pull and a slow start", "a failed pull"],
)
def test_time_from_the_binding_to_the_first_news(behaves: Image, seconds: float) -> None:
    (found,) = [each for each in transitions(behaves, "a") if each.state == "ContainerCreating"]
    assert found.after == pytest.approx(seconds)


def test_a_container_that_ignores_sigterm_lives_as_long_as_its_grace_period() -> None:
    (found,) = [
        each
        for each in transitions(image(ignoresTermination=True), "a")
        if each.state == "stopping"
    ]
    assert found.phase == "Failed"
    assert found.container is not None
    assert found.container.exit_code == 137


def test_what_cannot_be_reported_is_refused() -> None:
    with pytest.raises(ValueError, match="avs/a: readyAfter and readyUntil together"):
        stages({"avs/a": image(readyAfter="1s", readyUntil="2s")})


IMAGES = {"avs/*": image(missing=True), "avs/worker:v2": image(exitsAfter="1s")}


def test_no_pod_is_in_the_state_of_two_stages() -> None:
    states = Counter(
        value
        for stage in stages(IMAGES)
        for value in stage["spec"]["selector"]["matchExpressions"][0]["values"]
    )
    assert states.most_common(1)[0][1] == 1
    assert len({stage["metadata"]["name"] for stage in stages(IMAGES)}) == len(stages(IMAGES))


def test_the_last_pattern_that_fits_an_image_counts() -> None:
    assert image_expression(IMAGES) == (
        'if (.spec.containers[0].image | test("^avs/worker:v2$")) then "avs/worker:v2"'
        ' else if (.spec.containers[0].image | test("^avs/.*$")) then "avs/*"'
        f' else "{USUAL}" end end'
    )


def test_statuses_are_yaml_once_their_fields_are_filled_in() -> None:
    for stage in stages(IMAGES):
        template = stage["spec"]["next"].get("statusTemplate")
        if template is None:
            continue
        filled = re.sub(r"\{\{ (range|with|end|\$\w+ :?=)[^}]*\}\}", "", template)
        filled = re.sub(r"\{\{.*?\}\}", "1", filled, flags=re.DOTALL)
        status = yaml.safe_load(filled)
        assert {"phase", "conditions", "containerStatuses"} <= set(status)
        (container,) = status["containerStatuses"]
        assert len(container["state"]) == 1
