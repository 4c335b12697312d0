"""The Events that are recorded along with a status."""

import pytest

from builders import PerformerBuilder, PodBuilder, performer, pod_of
from scene import Scene, scene
from situations import AT_ONCE, NOW, V1, V2, settled

POD = pod_of(V1).on("node-1")
SERVING = POD.ready()


AGREEING = performer("ml").gpu("nvidia-a100", 2).resources(limits={"nvidia.com/gpu": "2"})
DISAGREEING = AGREEING.gpu("nvidia-a100", 1)


def events(staged: Scene, now: float = NOW) -> list[tuple[str, str]]:
    bodies = [event.body for event in staged.plan(now).events]
    return [(body["type"], body["reason"]) for body in bodies]


EVENTS = [
    ("coming to serve", V1, [SERVING], [SERVING], [("Normal", "Running")]),
    ("waiting for a pod", V1, [], [], []),
    ("starting", V1, [POD], [], []),
    (
        "the first failed pull",
        V1,
        [POD.waiting("ErrImagePull")],
        [],
        [("Warning", "ImagePullFailed")],
    ),
    (
        "giving up the pull",
        settled(V1, POD.waiting("ErrImagePull", "x")),
        [POD.waiting("ImagePullBackOff", "ErrImagePull: x")],
        [],
        [("Warning", "ImagePullFailed")],
    ),
    (
        "another try of the pull",
        settled(V1, POD.waiting("ImagePullBackOff", "ErrImagePull: x")),
        [POD.waiting("ErrImagePull", "y")],
        [],
        [],
    ),
    (
        "losing the pod",
        settled(V1, SERVING, serving=(SERVING,)),
        [SERVING.deleting(1030)],
        [],
        [("Warning", "PodLost")],
    ),
    (
        "the start of an upgrade",
        V2.with_status(**settled(V1, SERVING, serving=(SERVING,)).status),
        [SERVING],
        [SERVING],
        [("Normal", "Upgrading")],
    ),
    (
        "a fault in an upgrade",
        settled(V2.with_status(servingTemplateHash=V1.hash), SERVING, serving=(SERVING,)),
        [SERVING, pod_of(V2).on("node-1").waiting("ErrImagePull", "x")],
        [SERVING],
        [("Warning", "ImagePullFailed")],
    ),
    (
        "the progress deadline",
        V1.with_status(templateHash=V1.hash, progressStartTime="1970-01-01T00:00:00Z"),
        [POD],
        [],
        [("Warning", "ProgressDeadlineExceeded")],
    ),
    ("a deletion", V1.deleting(NOW), [SERVING], [SERVING], []),
    (
        "a TEE of no kind",
        performer("ml").tee(),
        [],
        [],
        [("Warning", "TEETypeMissing")],
    ),
    ("a TEE of some kind", performer("ml").tee("sgx"), [], [], []),
    ("a count that resources overrule", DISAGREEING, [], [], [("Warning", "GPUCountIgnored")]),
    (
        "a count that resources overrule, of a generation that has its Event",
        DISAGREEING.with_status(observedGeneration=DISAGREEING.generation),
        [],
        [],
        [],
    ),
    (
        "a count that resources overrule, in a new generation",
        DISAGREEING.with_status(observedGeneration=DISAGREEING.generation - 1),
        [],
        [],
        [("Warning", "GPUCountIgnored")],
    ),
    ("a count that resources repeat", AGREEING, [], [], []),
]


@pytest.mark.parametrize(
    ("of", "pods", "serving", "expected"), [c[1:] for c in EVENTS], ids=[c[0] for c in EVENTS]
)
def test_events_of(
    of: PerformerBuilder,
    pods: list[PodBuilder],
    serving: list[PodBuilder],
    expected: list[tuple[str, str]],
) -> None:
    assert events(scene(of, *pods, serving=serving, settings=AT_ONCE)) == expected


def test_an_event_points_at_its_performer_and_is_named_after_the_moment() -> None:
    event = scene(V1, SERVING, serving=[SERVING]).plan(NOW).events[-1]
    assert event.name == f"ml.{int(NOW * 1e9):x}"
    assert event.body["involvedObject"]["uid"] == "uid-1"
    assert event.body["message"].startswith("pod performer-ml-")


def test_a_long_message_is_cut_for_the_event() -> None:
    broken = POD.waiting("ErrImagePull", "x" * 5000)
    event = scene(V1, broken, settings=AT_ONCE).plan(NOW).events[-1]
    assert len(event.body["message"].encode()) == 1024
